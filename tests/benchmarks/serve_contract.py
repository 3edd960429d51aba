"""Compare the answers of ``POST /score`` with those of docqa.compat, to the float.

    DOCQA_DATA=... python tests/benchmarks/serve_contract.py [--pairs 500]

Pairs are questions of SQuAD v1.1 dev with their paragraphs, drawn at random (seed 0). They are sent
in lists of fifty to a server with the reader `mini`, in a process of its own, and given to
`docqa.compat` in the same lists.
"""

from __future__ import annotations

import argparse
import http.client
import json
import random

from end_to_end import data_file
from serve_throughput import started

from docqa.compat import pipeline
from docqa.question_sets import read_question_set

_LIST = 50


def main() -> None:
    """Print how many of the answers are equal in every field."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--pairs", type=int, default=500)
    given = parser.parse_args()
    rows = list(read_question_set(data_file("squad")).rows())
    drawn = random.Random(0).sample(rows, given.pairs)
    qa, equal = pipeline(), 0
    with started("--reader", "mini") as (address, _):
        for first in range(0, len(drawn), _LIST):
            some = drawn[first : first + _LIST]
            asked = {
                "question": [question.text for _, question in some],
                "context": [paragraph.context for paragraph, _ in some],
            }
            connection = http.client.HTTPConnection(address, timeout=120)
            body = json.dumps({"inputs": asked})
            connection.request("POST", "/score", body, {"Content-Type": "application/json"})
            found = json.load(connection.getresponse())
            equal += sum(one == other for one, other in zip(found, qa(**asked), strict=True))
    print(f"{equal} of {len(drawn)} answers are equal: score, start, end and words")


if __name__ == "__main__":
    main()
