"""Use docqa from LangChain: passages for a chain, and a tool with exact words for an agent.

Run: pip install "docqa-exact[langchain]" && python examples/with_langchain.py
"""

from __future__ import annotations

from pathlib import Path

from docqa.adapters.langchain import DocqaLoader, DocqaRetriever, docqa_tool

FOLDER = Path(__file__).parent
FILES = [FOLDER / "handbook.pdf", FOLDER / "notes.md"]


def main() -> None:
    """Print what a vector store, a chain and a model of LangChain would get."""
    pages = DocqaLoader(FILES).load()
    print(f"{len(pages)} documents, such as page {pages[2].metadata['page_label']}")

    retriever = DocqaRetriever(documents=FILES, k=2)
    for document in retriever.invoke("How heavy is the lens?"):
        place = document.metadata
        print(f"{Path(place['source']).name}, {place['docqa_start']} to {place['docqa_end']}")

    tool = docqa_tool(FILES, top_k=1)  # model.bind_tools([tool]), or create_agent(tools=[tool])
    call = {"question": "When was the lamp first lit?"}
    message = tool.invoke({"name": tool.name, "args": call, "id": "1", "type": "tool_call"})
    answer = message.artifact["answers"][0]
    print(f"{answer['answer']} (page {answer['page_number']})")


if __name__ == "__main__":
    main()
