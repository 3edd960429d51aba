"""Measure the service under the server with more and more clients, in one process without HTTP.

    python tests/benchmarks/service_throughput.py [--questions 64] [--reader mini]

The same questions to a made PDF of 20 pages are asked in four ways: of a pipeline one by one, which
is 1.00; of the service by 1, 4, 16 and 64 threads; of that pipeline by 64 threads; and by
`docqa.ask` for each question, which loads the file each time (a few questions only). Words and
places of all ways are compared. The service's one reading thread takes several cores through the
model's own threads: with OMP_NUM_THREADS=1 it has one, and many threads with a pipeline have all.
"""

from __future__ import annotations

import argparse
import io
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor

from made_document import MADE_QUESTIONS, make_pdf
from serve_throughput import percentile

import docqa
from docqa.datamodel import Answer
from docqa.service.requests import AskRequest
from docqa.service.service import Service
from docqa.service.settings import ServiceSettings

_PAGES, _PLAIN = 20, 6
_YEARS = range(1860, 1892)
Ask = Callable[[str], Sequence[Answer]]


def main() -> None:
    """Print questions a second, their ratio to one by one, and times, for each way.

    The processor's time is that of this process, a question.
    """
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--questions", type=int, default=64)
    parser.add_argument("--reader", default="mini")
    parser.add_argument("--clients", default="1,4,16,64")
    given = parser.parse_args()
    pdf = make_pdf(_PAGES)
    asked = [f"{MADE_QUESTIONS[n % 2][:-1]} {_YEARS[n % 32]}?" for n in range(given.questions)]
    reader = docqa.load_reader(given.reader)
    pipeline = docqa.Pipeline(reader=reader, min_score=0.0)
    document = pipeline.load(io.BytesIO(pdf))
    settings = ServiceSettings(min_score=0.0, deadline=600)
    with Service(settings, reader=reader) as service:
        record, _ = service.add_file(pdf, "log.pdf")

        def of_service(question: str) -> Sequence[Answer]:
            (item,) = service.ask(AskRequest((question,), (record.id,))).items
            return list(item.item.answers)

        def of_pipeline(question: str) -> Sequence[Answer]:
            return pipeline.ask(document, question)

        def of_file(question: str) -> Sequence[Answer]:
            return docqa.ask(io.BytesIO(pdf), question, reader=reader, min_score=0.0)

        for warm in (of_service, of_pipeline):
            warm(asked[0])
        alone, speed = measured("one by one", of_pipeline, asked, 1, None)
        for clients in map(int, given.clients.split(",")):
            found, _ = measured("the service", of_service, asked, clients, speed)
            assert found == alone
        assert measured("one pipeline", of_pipeline, asked, 64, speed)[0] == alone
        found, _ = measured("docqa.ask", of_file, asked[:_PLAIN], 1, speed)
        assert found == alone[:_PLAIN]
        batches = service.status()
        print(f"{batches['passages_read'] / batches['batches_read']:.0f} passages a batch")


def measured(
    name: str, ask: Ask, questions: Sequence[str], clients: int, one_by_one: float | None
) -> tuple[list[list[tuple[str, int, int]]], float]:
    """Ask with some threads; return words and places, and questions a second."""
    times: list[float] = []

    def timed(question: str) -> list[tuple[str, int, int]]:
        began = time.perf_counter()
        found = [(each.text, each.start, each.end) for each in ask(question)]
        times.append(time.perf_counter() - began)
        return found

    began, worked = time.perf_counter(), time.process_time()
    with ThreadPoolExecutor(clients) as threads:
        found = list(threads.map(timed, questions))
    speed = len(questions) / (time.perf_counter() - began)
    worked = (time.process_time() - worked) / len(questions)
    print(
        f"{name:13} {clients:3} clients: {speed:6.1f} questions/s, "
        f"ratio {speed / (one_by_one or speed):5.2f}, {worked * 1e3:4.0f} ms of processor, "
        f"p50 {percentile(times, 50) * 1e3:6.0f} ms, p99 {percentile(times, 99) * 1e3:6.0f} ms",
        flush=True,
    )
    return found, speed


if __name__ == "__main__":
    main()
