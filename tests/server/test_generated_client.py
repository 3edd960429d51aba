"""A client that `openapi-python-client` generates from the description takes a tour.

The program is optional: ``pip install openapi-python-client``.
"""

from __future__ import annotations

import importlib
import io
import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from served_documents import TEXT, listening

PROGRAM = shutil.which("openapi-python-client")
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(PROGRAM is None, reason="openapi-python-client is not installed"),
]
# The generator knows no pictures, and no bytes of any type, unless told how to take them.
CONFIG = """
content_type_overrides:
  image/jpeg: application/octet-stream
  "*/*": application/octet-stream
"""


@pytest.fixture(scope="module")
def generated(client: Any, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """Return the package that is generated; a warning of the generator fails."""
    pytest.importorskip("attrs")
    folder = tmp_path_factory.mktemp("generated")
    (folder / "openapi.json").write_text(json.dumps(client.get("/openapi.json").json()))
    (folder / "config.yml").write_text(CONFIG)
    line = [str(PROGRAM), "generate", "--path", "openapi.json", "--output-path", "out"]
    line += ["--config", "config.yml", "--fail-on-warning"]
    run = subprocess.run(line, cwd=folder, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stdout + run.stderr
    sys.path.insert(0, str(folder / "out"))
    yield importlib.import_module
    sys.path.remove(str(folder / "out"))


def test_generated_client_takes_the_tour(generated: Any, service: Any, tmp_path: Path) -> None:
    """Send, ask, look at the place, verify, drop: with types, and no word of ours between."""
    models = generated("docqa_client.models")
    types = generated("docqa_client.types")

    def operation(name: str) -> Any:
        return generated(f"docqa_client.api.default.{name}")

    Client = generated("docqa_client").Client  # noqa: N806 - a class
    with listening(service) as address, Client(base_url=address) as client:
        assert operation("live").sync(client=client).status == "alive"
        body = types.File(payload=io.BytesIO(TEXT))
        sent = operation("add_document").sync(client=client, body=body, name="lamp.txt")
        request = models.QuestionsRequest(["Who audits the company?"], documents=[sent.id])
        item = operation("ask").sync(client=client, body=request).items[0]
        answer = item.answers[0]
        assert answer.answer == "Ada Quill"
        assert answer.locations[0].kind == "text"
        place = models.QuotedPlace(cite=answer.cite, quote=answer.answer)
        checked = operation("verify").sync(client=client, body=models.VerifyRequest([place]))
        assert checked.outcomes[0].status == "exact"
        dropped = operation("drop_document").sync_detailed(sent.id, client=client)
        assert dropped.status_code == 204
