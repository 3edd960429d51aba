"""An agent that calls the tools with the official client, and servers over stand-ins."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pdf_files import PdfText, write

LAMP = (
    "The lamp burns colza oil. Ada Quill audits the firm.\n\nThe light-\nhouse has 142 steps, and "
    "the oﬃce  is below.\n"
)
SHIP = "<h1>Ships</h1><p>The ship was built in 1988.</p><p>Ben Ash commands the ship.</p>"


def pdf_of(*pages: str) -> bytes:
    """Return a PDF with one line on each page."""
    file = PdfText()
    for line in pages:
        file.page(write(20, 150, line))
    return file.to_bytes()


@dataclass
class Agent:
    """A client of a server of tools, whose every result is checked against its schema."""

    server: Any
    mode: str = "auto"

    def run(self, act: Callable[[Any], Any]) -> Any:
        """Return the result of a coroutine function that gets the client."""
        import anyio
        from mcp.client.client import Client

        async def main() -> Any:
            async with Client(self.server, mode=self.mode) as client:
                return await act(client)

        return anyio.run(main)

    def result(self, name: str, **arguments: Any) -> Any:
        """Return the result of a tool."""
        import jsonschema

        async def act(client: Any) -> Any:
            tools = (await client.list_tools()).tools
            found = await client.call_tool(name, arguments)
            if not found.is_error:
                schema = next(each.output_schema for each in tools if each.name == name)
                jsonschema.validate(found.structured_content, schema)
            assert len(found.model_dump_json()) < 1_000_000
            assert len(found.content[0].text) < 40_000
            return found

        return self.run(act)

    def call(self, name: str, **arguments: Any) -> dict[str, Any]:
        """Return the structured result of a tool that does not fail."""
        found = self.result(name, **arguments)
        assert not found.is_error, found.content[0].text
        structured: dict[str, Any] = found.structured_content
        return structured

    def text(self, name: str, **arguments: Any) -> str:
        """Return the text of a tool, which may say that it failed."""
        return str(self.result(name, **arguments).content[0].text)


@contextmanager
def serving(
    files: list[Path], *, reader: Any = None, seconds: float = 25.0, **given: Any
) -> Iterator[tuple[Any, Any]]:
    """Yield an agent and its service; `given` are folders, password, and settings."""
    from docqa.mcp_server.library import Library
    from docqa.mcp_server.server import create_server
    from docqa.service.service import Service
    from docqa.service.settings import ServiceSettings
    from docqa.testing import FakeReader

    own = {name: given.pop(name) for name in ("folders", "password") if name in given}
    settings = ServiceSettings(min_score=0.0, **given)
    with Service(settings, reader=reader or FakeReader()) as service:
        library = Library(service, files, **own)
        yield Agent(create_server(service, library, seconds=seconds)), service
        library.close()
