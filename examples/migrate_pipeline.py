"""Run code that was written for the question-answering pipeline that transformers 5.3 removed.

Run: python examples/migrate_pipeline.py
"""

from __future__ import annotations

from docqa.compat import pipeline  # was: from transformers import pipeline


def main() -> None:
    """Ask two questions over two contexts, as the pipeline's documentation did."""
    answerer = pipeline("question-answering")
    results = answerer(
        question=["What is my name?", "Where do I live?"],
        context=[
            "My name is John and I live in Seattle.",
            "My name is Ravi and I live in Hyderabad.",
        ],
    )
    for result in results:
        print(f"{result['answer']} at {result['start']} to {result['end']}")


if __name__ == "__main__":
    main()
