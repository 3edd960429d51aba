"""Use docqa from Haystack: a collection's passages, read by a reader that gives exact places.

Run: pip install "docqa-exact[haystack]" && python examples/with_haystack.py
"""

from __future__ import annotations

import tempfile
from pathlib import Path

from haystack import Pipeline

from docqa import Collection
from docqa.adapters.haystack import DocqaConverter, DocqaExtractiveReader, DocqaRetriever

FOLDER = Path(__file__).parent
FILES = [FOLDER / "handbook.pdf", FOLDER / "notes.md"]
QUESTION = "When was the lamp first lit?"


def main() -> None:
    """Print the documents of two files, and the answer of a pipeline that was saved and loaded."""
    pages = DocqaConverter().run(sources=FILES)["documents"]
    print(f"{len(pages)} documents, such as page {pages[2].meta['page_label']}")

    with tempfile.TemporaryDirectory() as folder:
        Collection(folder).add(FILES)
        pipeline = Pipeline()
        pipeline.add_component("retriever", DocqaRetriever(folder, top_k=4))
        pipeline.add_component("reader", DocqaExtractiveReader(top_k=1, locate=True))
        pipeline.connect("retriever.documents", "reader.documents")
        pipeline = Pipeline.loads(pipeline.dumps(), allowed_modules=["docqa.*"])
        found = pipeline.run({"retriever": {"query": QUESTION}, "reader": {"query": QUESTION}})

    answer = found["reader"]["answers"][0]
    box = answer.meta["boxes"][0]["boxes"][0]
    print(
        f"{answer.data} (page {answer.meta['answer_page_number']}, {box[0]:.0f} pt from the left)"
    )


if __name__ == "__main__":
    main()
