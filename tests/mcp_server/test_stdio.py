"""``docqa mcp`` as clients start it: a process that speaks over its standard streams."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from agents import Agent
from checkout import EXAMPLES
from click.testing import CliRunner

from docqa.cli import main

HANDBOOK = str(EXAMPLES / "handbook.pdf")
COMMAND = ["-m", "docqa", "mcp", HANDBOOK, "--reader", "mini"]
HELLO: list[dict[str, Any]] = [
    {
        "jsonrpc": "2.0",
        "id": 1,
        "method": "initialize",
        "params": {
            "protocolVersion": "2025-06-18",
            "capabilities": {},
            "clientInfo": {"name": "test", "version": "1"},
        },
    },
    {"jsonrpc": "2.0", "method": "notifications/initialized"},
]


def call(number: int, name: str, **arguments: Any) -> dict[str, Any]:
    """Return a message that calls a tool."""
    params = {"name": name, "arguments": arguments}
    return {"jsonrpc": "2.0", "id": number, "method": "tools/call", "params": params}


def started(command: list[str], temporary: Path) -> subprocess.Popen[str]:
    """Return a running server; its temporary files lie in a folder of their own."""
    return subprocess.Popen(
        [sys.executable, *command],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=os.environ | {"TMPDIR": str(temporary), "HF_HUB_OFFLINE": "1"},
    )


def talked(server: subprocess.Popen[str], *messages: dict[str, Any]) -> dict[int, Any]:
    """Return the answer to each message with a number, sent one after another."""
    assert server.stdin is not None
    assert server.stdout is not None
    answers = {}
    for message in (*HELLO, *messages):
        server.stdin.write(json.dumps(message) + "\n")
        server.stdin.flush()
        while message.get("id") and message["id"] not in answers:
            answer = json.loads(server.stdout.readline())
            answers[answer.get("id")] = answer
    return answers


def test_the_official_client_asks(tmp_path: Path) -> None:
    """The words and the printed page number are those of the command line."""
    from mcp.client.stdio import StdioServerParameters, stdio_client

    environment = {**os.environ, "TMPDIR": str(tmp_path), "HF_HUB_OFFLINE": "1"}
    parameters = StdioServerParameters(command=sys.executable, args=COMMAND, env=environment)
    found = Agent(stdio_client(parameters)).call("ask", question="When was the lamp first lit?")
    best = found["answers"][0]
    assert (best["quote"], best["page"], best["page_label"]) == ("14 October 1871", 3, "1")


def test_standard_output_is_the_clients(tmp_path: Path) -> None:
    """Every line is JSON, though one tool prints and another fails; the end leaves nothing."""
    prints = (
        "import sys; import docqa.mcp_server.reading as reading\n"
        "inside = reading.list_documents\n"
        "def loud(*given, **named):\n"
        "    print('stray'); sys.stdout.write('stray'); import os; os.system('echo stray')\n"
        "    return inside(*given, **named)\n"
        "reading.list_documents, reading.show = loud, None\n"
        f"sys.argv = {['docqa', *COMMAND[2:]]}\n"
        "from docqa.cli import main; main()"
    )
    server = started(["-c", prints], tmp_path)
    answers = talked(
        server,
        call(2, "list_documents"),
        call(3, "read", document="handbook.pdf"),
        call(4, "show", document="handbook.pdf"),
    )
    assert "Ormskerry" in answers[3]["result"]["content"][0]["text"]
    rest, errors = server.communicate(timeout=60)
    assert rest == ""
    assert server.returncode == 0
    assert errors.count("stray") == 3
    assert answers[4]["result"]["content"][0]["text"] == "Error executing tool show"
    assert "TypeError: the first argument must be callable" in errors
    assert list(tmp_path.glob("docqa-*")) == []


@pytest.mark.skipif(os.name == "nt", reason="signals of POSIX")
@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
def test_signals_leave_nothing_behind(tmp_path: Path, number: int, code: int) -> None:
    """A client that ends the server finds no files of its, though it waits for input."""
    server = started(COMMAND, tmp_path)
    talked(server, call(2, "read", document="handbook.pdf"))
    assert list(tmp_path.glob("docqa-*")) != []
    server.send_signal(number)
    assert server.wait(60) == code
    assert list(tmp_path.glob("docqa-*")) == []
    server.communicate()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["gone.pdf"], "no such file"),
        (["--collection", "gone=nowhere"], "there is no collection"),
        (["--collection", "../x=nowhere"], "a name has"),
        (["--allow", "gone"], "does not exist"),
        (["--ocr"], "name files"),
    ],
)
def test_mistakes_are_reported_at_once(
    arguments: list[str], words: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The command fails with one line before a client waits for it."""
    monkeypatch.chdir(tmp_path)
    ran = CliRunner().invoke(main, ["mcp", *arguments])
    assert ran.exit_code == 2
    assert words in ran.stderr
    assert ran.stdout == ""


def test_the_missing_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the SDK the message has the line that installs it."""
    from docqa.reader import requirements

    monkeypatch.setattr(requirements, "is_installed", lambda package: False)
    ran = CliRunner().invoke(main, ["mcp", HANDBOOK])
    assert ran.exit_code == 2
    assert "docqa-exact[mcp]" in ran.stderr


TYPESCRIPT = """
import { Client } from "@modelcontextprotocol/sdk/client/index.js";
import { StdioClientTransport } from "@modelcontextprotocol/sdk/client/stdio.js";
const [command, ...args] = process.argv.slice(2);
const client = new Client({ name: "test", version: "1" });
await client.connect(new StdioClientTransport({ command, args, env: process.env }));
const tools = (await client.listTools()).tools.map((tool) => tool.name);
const call = async (name, given) => client.callTool({ name, arguments: given });
const asked = await call("ask", { question: "When was the lamp first lit?" });
const { cite, quote } = asked.structuredContent.answers[0];
const verified = await call("verify", { citations: [{ cite, quote }] });
const shown = await call("show", { cite });
const page = await client.readResource({ uri: shown.content[2].uri });
console.log(JSON.stringify([tools.length, quote, verified.structuredContent.outcomes[0].outcome,
    shown.content.map((block) => block.type), page.contents[0].mimeType]));
await client.close();
"""


@pytest.mark.skipif(
    not (shutil.which("node") and os.environ.get("DOCQA_NODE_MODULES")),
    reason="needs node, and DOCQA_NODE_MODULES with the folder where npm put "
    "@modelcontextprotocol/sdk",
)
def test_the_typescript_client_asks(tmp_path: Path) -> None:
    """The SDK of most clients checks results against their schemas, and finds nothing wrong."""
    (tmp_path / "node_modules").symlink_to(os.environ["DOCQA_NODE_MODULES"])
    (tmp_path / "client.mjs").write_text(TYPESCRIPT)
    done = subprocess.run(
        ["node", str(tmp_path / "client.mjs"), sys.executable, *COMMAND],
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
        env=os.environ | {"HF_HUB_OFFLINE": "1"},
    )
    assert done.returncode == 0, done.stderr
    blocks = ["text", "image", "resource_link"]
    assert json.loads(done.stdout) == [7, "14 October 1871", "exact", blocks, "image/jpeg"]
