"""The server of agents: seven tools that only read, and two kinds of resources."""

from __future__ import annotations

import base64
import logging
from collections.abc import Callable, Iterator
from contextlib import AbstractAsyncContextManager, contextmanager
from functools import partial
from typing import Annotated, Any, TypeVar

import anyio
from mcp.server import MCPServer
from mcp.server.mcpserver import Context
from mcp.server.mcpserver.exceptions import ResourceError, ResourceNotFoundError, ToolError
from mcp.types import (
    CallToolResult,
    ContentBlock,
    ImageContent,
    Resource,
    ResourceLink,
    TextContent,
    ToolAnnotations,
)
from pydantic import BaseModel, ConfigDict, Field

from docqa._version import __version__
from docqa.errors import DocqaError, UnknownItemError
from docqa.mcp_server import asking, checking, reading
from docqa.mcp_server.desk import Desk, ToolOutcome
from docqa.mcp_server.library import ID_DIGITS, Library
from docqa.mcp_server.results import (
    AskResult,
    ListResult,
    QuoteResult,
    ReadResult,
    SearchResult,
    ShowResult,
    VerifyResult,
)
from docqa.mcp_server.turns import Turn
from docqa.service.service import Service

__all__ = ["SECONDS", "create_server"]

SECONDS = 25.0  # of a call; clients give up after 60, some after 30
_GRACE = 3.0  # seconds for work that does not look at the clock, such as opening a file
_TICK = 0.5  # seconds between two reports of progress
_TEXT = 900_000  # characters of a resource: clients take results of a megabyte
_MOST_RESOURCES = 1_000
_ONLY_READS = ToolAnnotations(read_only_hint=True, idempotent_hint=True, open_world_hint=False)
_INSTRUCTIONS = """\
docqa answers from documents with their exact words; it never makes up a sentence.
Quote only the words between « and », unchanged, and keep the cite beside each quote: it is the
handle of the exact place, such as 0123456789ab#120-135, which read, show and verify take.
Say where a quote stands by its document and page. "No answer" says how much was read; ask with
exhaustive=true, or search and read, before you conclude that the documents do not say it.
Before the final answer, call verify with every quote and its cite, and correct those that are not
exact."""

_Work = TypeVar("_Work", bound=BaseModel)

DocumentName = Annotated[
    str | None,
    Field(description="a document's name, or its id or the first digits of it", max_length=1000),
]
CollectionName = Annotated[str | None, Field(description="the name of a collection")]
Cite = Annotated[str, Field(description="such as 0123456789ab#120-135", max_length=200)]
PageNumber = Annotated[int | None, Field(description="from 1, whatever is printed on it", ge=1)]


class CitedQuote(BaseModel):
    """A quote with the handle of its place."""

    model_config = ConfigDict(extra="forbid")

    cite: Cite
    quote: Annotated[str, Field(description="the words", min_length=1, max_length=4_000)]


class _Server(MCPServer[Any]):
    """A server whose resources are the documents that are here now."""

    desk: Desk

    async def list_resources(self) -> list[Resource]:
        """Return a resource for each document."""
        listed = await anyio.to_thread.run_sync(_identified, self.desk)
        return [
            Resource(uri=f"docqa://document/{each_id}", name=name, mime_type="text/plain")
            for each_id, name in listed
        ]


def create_server(
    service: Service,
    library: Library,
    *,
    seconds: float = SECONDS,
    lifespan: Callable[[MCPServer[Any]], AbstractAsyncContextManager[Any]] | None = None,
) -> MCPServer[Any]:
    """Return a server of the Model Context Protocol.

    Args:
        service: answers; closed by whoever made it.
        library: names the documents.
        seconds: the time of one call; what is found by then is answered.
        lifespan: is entered while a client is served.
    """
    with _logging_left_alone():
        server = _Server(
            "docqa",
            title="docqa: exact words of documents",
            version=__version__,
            instructions=_INSTRUCTIONS,
            lifespan=lifespan,
        )
    server.desk = Desk(service, library)
    calls = _Calls(server.desk, seconds)
    _add_asking(server, calls)
    _add_checking(server, calls)
    _add_reading(server, calls)
    _add_resources(server, calls)
    return server


class _Calls:
    """Calls of tools: each in a thread, with its time and its progress."""

    def __init__(self, desk: Desk, seconds: float) -> None:
        self._desk, self._seconds = desk, seconds
        self._threads = anyio.CapacityLimiter(desk.service.settings.queue_requests)

    async def result(
        self,
        context: Context[Any, Any],
        tool: Callable[..., ToolOutcome[_Work]],
        *given: Any,
        **named: Any,
    ) -> CallToolResult:
        """Return the outcome of a tool, while its progress is reported.

        Raises:
            ToolError: it cannot do its work.
        """
        turn, failure, shown = Turn(self._seconds), "", None
        async with anyio.create_task_group() as group:
            group.start_soon(_report, context, turn)
            try:
                shown = await self.run(partial(tool, self._desk, turn, *given, **named), turn)
            except DocqaError as error:
                failure = str(error)
            group.cancel_scope.cancel()
        if shown is None:
            raise ToolError(failure)
        content: list[ContentBlock] = [TextContent(text=shown.text)]
        if isinstance(shown, reading.PictureOutcome):
            data = base64.b64encode(shown.jpeg).decode()
            content.append(ImageContent(data=data, mime_type="image/jpeg"))
            content.append(ResourceLink(uri=shown.uri, name=shown.text, mime_type="image/jpeg"))
        structured = shown.result.model_dump(mode="json", exclude_none=True)
        return CallToolResult(content=content, structured_content=structured)

    async def run(self, work: Callable[[], Any], turn: Turn) -> Any:
        """Return the result of some work, done in a thread.

        Raises:
            DocqaError: it failed, or takes too long; then it goes on alone.
        """
        try:
            with anyio.move_on_after(self._seconds + _GRACE):
                return await anyio.to_thread.run_sync(
                    work, limiter=self._threads, abandon_on_cancel=True
                )
        finally:
            turn.stop.set()
        raise DocqaError("it takes longer than a call may; ask again in a moment")

    async def resource(self, work: Callable[..., Any], *given: Any, **named: Any) -> Any:
        """Return the content of a resource.

        Raises:
            ResourceError: it cannot be had.
        """
        turn = Turn(self._seconds)
        try:
            return await self.run(partial(work, self._desk, turn, *given, **named), turn)
        except UnknownItemError as error:
            raise ResourceNotFoundError(str(error)) from error
        except DocqaError as error:
            raise ResourceError(str(error)) from error


def _add_asking(server: MCPServer[Any], calls: _Calls) -> None:
    @server.tool(title="Ask documents", annotations=_ONLY_READS)
    async def ask(  # noqa: PLR0917 - the SDK gives all arguments by name
        context: Context,
        question: Annotated[str, Field(description="one question in words", max_length=2000)],
        document: DocumentName = None,
        collection: CollectionName = None,
        top_k: Annotated[int, Field(description="answers, at most", ge=1, le=20)] = 3,
        exhaustive: Annotated[bool, Field(description="read all passages: slow, thorough")] = False,
    ) -> Annotated[CallToolResult, AskResult]:
        """Answer a question with exact words of the documents.

        Each answer stands between « and », with its document, page, score and cite. Without
        document and collection everything that is here is asked. "No answer" is an outcome, and
        says how many passages were read.
        """
        return await calls.result(
            context,
            asking.ask,
            question,
            document=document,
            collection=collection,
            top_k=top_k,
            exhaustive=exhaustive,
        )

    @server.tool(title="Search passages", annotations=_ONLY_READS)
    async def search(
        context: Context,
        query: Annotated[str, Field(description="words to look for", max_length=2000)],
        document: DocumentName = None,
        collection: CollectionName = None,
        top_k: Annotated[int, Field(description="passages, at most", ge=1, le=20)] = 5,
    ) -> Annotated[CallToolResult, SearchResult]:
        """Find the passages that share most words with a query, with their cites.

        For topics and surveys; ask gives exact answers. Read a passage in full by its cite.
        """
        return await calls.result(
            context, asking.search, query, document=document, collection=collection, top_k=top_k
        )


def _add_checking(server: MCPServer[Any], calls: _Calls) -> None:
    @server.tool(title="Find words", annotations=_ONLY_READS)
    async def quote(
        context: Context,
        words: Annotated[
            str, Field(description="as they should stand", min_length=1, max_length=5000)
        ],
        document: DocumentName = None,
        collection: CollectionName = None,
        limit: Annotated[int, Field(description="places, at most", ge=1, le=50)] = 5,
    ) -> Annotated[CallToolResult, QuoteResult]:
        """Find every place where words stand exactly, with its cite.

        White space, line ends, hyphens at them, ligatures and kinds of quotation marks do not
        matter. Where the words stand nowhere, the text most like them is given, and how it differs.
        """
        return await calls.result(
            context, checking.quote, words, document=document, collection=collection, limit=limit
        )

    @server.tool(title="Verify quotes", annotations=_ONLY_READS)
    async def verify(
        context: Context,
        citations: Annotated[list[CitedQuote], Field(min_length=1, max_length=50)],
    ) -> Annotated[CallToolResult, VerifyResult]:
        """Check that quotes stand where their cites say; call it before the final answer.

        Outcomes: exact; elsewhere, with the right cite; altered, with the words that stand there;
        missing; unknown, where the document is not here.
        """
        plain = [each.model_dump() for each in citations]
        return await calls.result(context, checking.verify, plain)


def _add_reading(server: MCPServer[Any], calls: _Calls) -> None:
    @server.tool(title="Read the text", annotations=_ONLY_READS)
    async def read(  # noqa: PLR0917
        context: Context,
        document: DocumentName = None,
        page: PageNumber = None,
        cite: Cite | None = None,
        before: Annotated[int, Field(description="passages before the cite", ge=0, le=10)] = 1,
        after: Annotated[int, Field(description="passages after the cite", ge=0, le=10)] = 1,
    ) -> Annotated[CallToolResult, ReadResult]:
        """Read the exact text around a cite, of a page, or from the start of a document.

        At most 8,000 characters; the last line says how to go on.
        """
        return await calls.result(
            context,
            reading.read,
            document=document,
            page=page,
            cite=cite,
            before=before,
            after=after,
        )

    @server.tool(title="Show a page", annotations=_ONLY_READS)
    async def show(
        context: Context,
        cite: Cite | None = None,
        document: DocumentName = None,
        page: PageNumber = None,
        crop: Annotated[bool, Field(description="only the part around the cite")] = True,
    ) -> Annotated[CallToolResult, ShowResult]:
        """Show a page of a PDF as a picture, with the words of a cite marked.

        For tables, figures, scans and layout; read gives the text.
        """
        return await calls.result(
            context, reading.show, cite=cite, document=document, page=page, crop=crop
        )

    @server.tool(title="List documents", annotations=_ONLY_READS)
    async def list_documents(
        context: Context,
        matching: Annotated[
            str | None, Field(description="part of a name, a title or a collection")
        ] = None,
        cursor: Annotated[str | None, Field(description="of the result before")] = None,
    ) -> Annotated[CallToolResult, ListResult]:
        """List the documents and collections that can be asked, fifty at a time."""
        return await calls.result(context, reading.list_documents, matching=matching, cursor=cursor)


def _add_resources(server: MCPServer[Any], calls: _Calls) -> None:
    @server.resource(
        "docqa://document/{document}", title="The text of a document", mime_type="text/plain"
    )
    async def text(document: str) -> str:
        content: str = await calls.resource(reading.whole_text, document, most=_TEXT)
        return content

    @server.resource(
        "docqa://document/{document}/page/{number}.jpg",
        title="The picture of a page of a PDF",
        mime_type="image/jpeg",
    )
    async def page(document: str, number: int) -> bytes:
        picture: bytes = await calls.resource(reading.page_picture, document, number)
        return picture


async def _report(context: Context[Any, Any], turn: Turn) -> None:
    """Report the progress of a call until it is cancelled."""
    last = None
    while True:
        await anyio.sleep(_TICK)
        progress = (turn.done, turn.total or None, turn.doing)
        if turn.doing and progress != last:
            last = progress
            await context.report_progress(*progress)


def _identified(desk: Desk) -> list[tuple[str, str]]:
    """Return the id and the name of the documents that can be read."""
    listed = desk.library.listed()[:_MOST_RESOURCES]
    identified = (desk.library.identified(each) for each in listed)
    return [(each.id[:ID_DIGITS], each.name) for each in identified if each.id]


@contextmanager
def _logging_left_alone() -> Iterator[None]:
    """Keep the SDK from setting up logging, which is the application's to do."""
    root, handler = logging.getLogger(), logging.NullHandler()
    root.addHandler(handler)
    try:
        yield
    finally:
        root.removeHandler(handler)
