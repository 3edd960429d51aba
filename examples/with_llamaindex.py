"""Use docqa from LlamaIndex: a directory's PDFs, passages, and a query engine without an LLM.

Run: pip install "docqa-exact[llamaindex]" && python examples/with_llamaindex.py
"""

from __future__ import annotations

from pathlib import Path

from llama_index.core import SimpleDirectoryReader

from docqa.adapters.llamaindex import DocqaQueryEngine, DocqaReader, DocqaRetriever

FOLDER = Path(__file__).parent
FILES = [FOLDER / "handbook.pdf", FOLDER / "notes.md"]
QUESTION = "When was the lamp first lit?"


def main() -> None:
    """Print the pages of a directory, the passages for a question, and its answer."""
    reader = SimpleDirectoryReader(
        str(FOLDER), required_exts=[".pdf"], file_extractor={".pdf": DocqaReader()}
    )
    pages = reader.load_data()
    print(f"{len(pages)} documents, such as page {pages[2].metadata['page_label']}")

    for found in DocqaRetriever(FILES, similarity_top_k=2).retrieve(QUESTION):
        node = found.node
        print(f"{node.metadata['file_name']}, {node.start_char_idx} to {node.end_char_idx}")

    response = DocqaQueryEngine(FILES).query(QUESTION)
    answer = response.metadata["answers"][0]
    print(f"{response} (page {answer['page_number']})")


if __name__ == "__main__":
    main()
