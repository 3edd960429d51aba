"""The seven tools and the resources, called by the official client in this process."""

from __future__ import annotations

import base64
import json
import re
import threading
import time
from collections.abc import Sequence
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from agents import LAMP, Agent, pdf_of, serving
from fresh_process import loaded_by

from docqa.datamodel import AnswerSpans, Passage
from docqa.testing import FakeReader

TOOLS = {"ask", "search", "quote", "verify", "read", "show", "list_documents"}


class SlowReader(FakeReader):
    """A reader that takes a while for each call, and counts its passages."""

    def __init__(self, seconds: float) -> None:
        super().__init__()
        self.seconds, self.passages = seconds, 0

    def read(self, question: str, passages: Sequence[Passage], *, top_k: int) -> AnswerSpans:
        """Return the spans of some passages, late."""
        time.sleep(self.seconds)
        self.passages += len(passages)
        return super().read(question, passages, top_k=top_k)


def long_text(n_lines: int) -> str:
    """Return a text of many passages."""
    return "".join(f"Keeper {n} lit lamp {n} with care. " * 12 + "\n\n" for n in range(n_lines))


@pytest.mark.parametrize("mode", ["auto", "legacy"])
def test_seven_tools_that_only_read(agent: Agent, mode: str) -> None:
    """Clients of either era of the protocol see tools with schemas, marked as harmless."""

    async def listed(client: Any) -> Any:
        return client.instructions, (await client.list_tools()).tools

    instructions, tools = Agent(agent.server, mode).run(listed)
    assert {tool.name for tool in tools} == TOOLS
    assert all(tool.annotations.read_only_hint for tool in tools)
    assert not any(tool.annotations.open_world_hint for tool in tools)
    assert all(tool.output_schema["type"] == "object" and tool.description for tool in tools)
    assert "verify" in instructions
    found = Agent(agent.server, mode).call("ask", question="Who audits the firm?")
    assert found["answers"][0]["quote"] == "Ada Quill"


def test_an_answer_is_the_words_at_its_cite(agent: Agent, folder: Path) -> None:
    """The quote stands at the handle's place; the text has words, document and cite by itself."""
    found = agent.result("ask", question="Who keeps the tower?", document="plan.pdf")
    best, text = found.structured_content["answers"][0], found.content[0].text
    place = agent.call("read", cite=best["cite"], before=0, after=0)
    start, end = map(int, best["cite"].partition("#")[2].split("-"))
    whole = agent.call("read", document="plan.pdf")["text"]
    assert best["quote"] == whole[start:end] == "Ivy Roe"
    assert best["quote"] in place["text"]
    assert best["page"] == best["locations"][0]["page"] == 2
    assert "«Ivy Roe» — plan.pdf, page 2, score" in text
    assert f"[cite: {best['cite']}]" in text
    assert text.endswith("read 1 of 1 passages")
    assert re.fullmatch(r"[0-9a-f]{12}#\d+-\d+", best["cite"])


def test_everything_is_asked_where_nothing_is_named(agent: Agent) -> None:
    """Answers of all documents come in one list, best first, and no further than asked."""
    found = agent.call("ask", question="What is the ship, the lamp and the tower?", top_k=20)
    assert {each["document"] for each in found["answers"]} == {"lamp.txt", "ship.html", "plan.pdf"}
    scores = [each["score"] for each in found["answers"]]
    assert scores == sorted(scores, reverse=True)
    few = agent.call("ask", question="What is the ship, the lamp and the tower?", top_k=2)
    assert few["answers"] == found["answers"][:2]


def test_no_answer_says_how_much_was_read(tmp_path: Path) -> None:
    """Nothing found is an outcome, with the passages read and the way to read the others."""
    (tmp_path / "long.txt").write_text(long_text(60))
    with serving([tmp_path / "long.txt"]) as (agent, _):
        found = agent.result("ask", question="Zebra?")
        of = found.structured_content["of"]
        assert found.structured_content["answers"] == []
        read = found.structured_content["read"]
        assert 0 < read < of
        expected = f"no answer (read {read} of {of} passages); exhaustive=true reads all"
        assert found.content[0].text == expected
        full = agent.call("ask", question="Zebra?", exhaustive=True)
        assert (full["read"], full["complete"]) == (of, True)


def test_what_is_found_in_time_is_answered(tmp_path: Path) -> None:
    """A call whose time runs out gives the best so far, and says so; nothing is read in vain."""
    (tmp_path / "long.txt").write_text(long_text(500))
    reader = SlowReader(0.3)
    with serving([tmp_path / "long.txt"], reader=reader, seconds=1.5) as (agent, _):
        agent.call("ask", question="Who lit lamp 3?")  # opens the file
        found = agent.result("ask", question="Who lit lamp 3?", exhaustive=True)
        result = found.structured_content
        assert not result["complete"]
        assert 0 < result["read"] < result["of"]
        assert result["answers"]
        assert "time ran out" in found.content[0].text


def test_a_client_that_leaves_ends_the_work(tmp_path: Path) -> None:
    """Passages that wait are read no more once the call is cancelled."""
    import anyio

    (tmp_path / "long.txt").write_text(long_text(200))
    reader = SlowReader(0.2)
    with serving([tmp_path / "long.txt"], reader=reader) as (agent, service):
        agent.call("ask", question="Who lit lamp 3?")

        async def leave(client: Any) -> None:
            with anyio.move_on_after(1.0):
                await client.call_tool("ask", {"question": "Who lit lamp 4?", "exhaustive": True})

        agent.run(leave)
        for _ in range(100):
            if service.status()["requests"] == 0:
                break
            time.sleep(0.05)
        assert service.status()["requests"] == 0
        assert service.status()["passages_waiting"] == 0


def test_search_gives_passages_that_can_be_read(agent: Agent) -> None:
    """A passage has words of the query, its document and a cite of its text."""
    found = agent.call("search", query="audits firm")["passages"]
    assert [each["document"] for each in found] == ["lamp.txt"]
    again = agent.call("read", cite=found[0]["cite"], before=0, after=0)
    assert again["text"].strip() == found[0]["text"]
    assert agent.text("search", query="zebra") == "no passage has these words"


def test_search_cuts_long_passages(tmp_path: Path) -> None:
    """Seven hundred characters are shown, and the cite leads to the rest."""
    (tmp_path / "long.txt").write_text("Keepers light lamps. " * 200)
    with serving([tmp_path / "long.txt"]) as (agent, _):
        found = agent.call("search", query="lamps")["passages"][0]
        assert (len(found["text"]), found["is_cut"]) == (700, True)
        text = agent.call("read", cite=found["cite"], before=0, after=0)["text"]
        assert text.startswith(found["text"])
        assert len(text) > 700


@pytest.mark.parametrize(
    ("words", "stands"),
    [
        ("Ada Quill", "Ada Quill"),
        ("lighthouse has 142", "light-\nhouse has 142"),
        ("the office is", "the oﬃce  is"),
        ("ada quill", "Ada Quill"),
    ],
)
def test_quote_finds_words_as_people_read_them(agent: Agent, words: str, stands: str) -> None:
    """Line ends, hyphens, ligatures and spaces do not matter; the words are given as they stand."""
    found = agent.call("quote", words=words)
    assert [each["quote"] for each in found["places"]] == [stands]
    start, end = map(int, found["places"][0]["cite"].partition("#")[2].split("-"))
    assert LAMP[start:end] == stands


def test_quote_says_what_differs(agent: Agent) -> None:
    """Words that stand nowhere come with the text most like them, and the difference."""
    found = agent.result("quote", words="The tower was painted in 1912.")
    result = found.structured_content
    assert result["places"] == []
    assert result["nearest"]["quote"] == "The tower was painted in 1911."
    assert result["nearest"]["document"] == "plan.pdf"
    assert result["differences"] == ['the text has "1911." in place of "1912."']
    assert "stands nowhere" in found.content[0].text
    assert "nearest" not in agent.call("quote", words="zzzz qqqq xxxx")


def test_quote_stops_at_its_limit(tmp_path: Path) -> None:
    """At most as many places as asked for are given, over all documents."""
    for name in "ab":
        (tmp_path / f"{name}.txt").write_text(f"{name}: the lamp, the lamp, the lamp.")
    with serving(sorted(tmp_path.iterdir())) as (agent, _):
        found = agent.call("quote", words="the lamp", limit=4)["places"]
        assert [each["document"] for each in found] == ["a.txt"] * 3 + ["b.txt"]


def test_verify_tells_five_outcomes_apart(agent: Agent) -> None:
    """Right, at another place, altered, made up, and of a document that is not here."""
    cite = agent.call("ask", question="Who audits the firm?")["answers"][0]["cite"]
    quotes = {
        "exact": (cite, "Ada  Quill"),
        "elsewhere": (cite, "burns colza oil"),
        "altered": (cite, "The lamp burns whale oil"),
        "missing": (cite, "zzzz qqqq xxxx 7777"),
        "unknown": ("0123456789ab#1-5", "Ada Quill"),
    }
    citations = [{"cite": where, "quote": words} for where, words in quotes.values()]
    found = agent.result("verify", citations=citations)
    outcomes = found.structured_content["outcomes"]
    assert [each["outcome"] for each in outcomes] == list(quotes)
    assert outcomes[0]["found"][0]["cite"] == cite
    assert LAMP[slice(*map(int, outcomes[1]["found"][0]["cite"][13:].split("-")))] == (
        "burns colza oil"
    )
    assert outcomes[2]["found"][0]["quote"] == "The lamp burns colza oil."
    assert outcomes[2]["differences"]
    assert "no document" in outcomes[4]["reason"]
    lines = found.content[0].text.split("\n")
    assert [line.split()[1].rstrip(":") for line in lines] == list(quotes)


@pytest.mark.parametrize(
    ("quote", "outcome"),
    [
        ("ada Quill", "altered"),
        ("Ada Quil", "altered"),
        ("da Quill", "altered"),
        ("Ada Quill audits", "elsewhere"),
        ("Quill", "exact"),
    ],
)
def test_verify_minds_case_place_and_whole_words(agent: Agent, quote: str, outcome: str) -> None:
    """Words in another case, cut words, and words that reach beyond the cite, are not exact."""
    cite = agent.call("ask", question="Who audits the firm?")["answers"][0]["cite"]
    found = agent.call("verify", citations=[{"cite": cite, "quote": quote}])["outcomes"][0]
    assert found["outcome"] == outcome
    assert found["found"][0]["quote"] == {"altered": "Ada Quill"}.get(outcome, quote)


def test_verify_reads_long_quotes_to_their_end(tmp_path: Path) -> None:
    """A quote of many words is exact, and altered where only its last word is another."""
    words = [f"word{n}" for n in range(450)]
    (tmp_path / "long.txt").write_text("\n".join(words))
    with serving([tmp_path / "long.txt"]) as (agent, _):
        cite = agent.call("read", document="long.txt")["cite"]
        right, wrong = " ".join(words), " ".join([*words[:-1], "other"])
        found = agent.result(
            "verify",
            citations=[{"cite": cite, "quote": right}, {"cite": cite, "quote": wrong}],
        )
        outcomes = found.structured_content["outcomes"]
        difference = 'the text has "word449" in place of "other"'
        assert [each["outcome"] for each in outcomes] == ["exact", "altered"]
        assert outcomes[1]["differences"] == [difference]
        assert difference in found.content[0].text


def test_results_stay_small(tmp_path: Path) -> None:
    """Fifty long quotes, each at several places, make no result that a client refuses."""
    words = "".join(f"word{n} " for n in range(450)).strip()
    (tmp_path / "long.txt").write_text(f"{words}\n\n" * 6)
    with serving([tmp_path / "long.txt"]) as (agent, _):
        cite = agent.call("list_documents")["documents"][0]["id"] + "#0-5"
        quotes = [words, f"{words[:-3]}000"] * 25
        found = agent.call("verify", citations=[{"cite": cite, "quote": each} for each in quotes])
        assert [each["outcome"] for each in found["outcomes"]] == ["elsewhere", "altered"] * 25
        assert len(agent.call("quote", words=words, limit=50)["places"]) == 6


def test_verify_takes_a_part_of_a_cited_passage(agent: Agent) -> None:
    """Words inside the place of a longer cite are exact, with a cite of their own."""
    passage = agent.call("search", query="audits firm")["passages"][0]["cite"]
    found = agent.call("verify", citations=[{"cite": passage, "quote": "Ada Quill"}])
    checked = found["outcomes"][0]
    assert checked["outcome"] == "exact"
    assert checked["found"][0]["cite"] != passage


def test_reading_on_gives_the_whole_text(tmp_path: Path) -> None:
    """The cites at the ends of the parts lead through the text, character by character."""
    text = long_text(60) + "x" * 9_000 + long_text(10)
    (tmp_path / "long.txt").write_text(text)
    with serving([tmp_path / "long.txt"]) as (agent, _):
        part = agent.call("read", document="long.txt")
        parts = [part["text"]]
        while part.get("more"):
            assert len(part["text"]) <= 8_000
            part = agent.call("read", cite=part["more"])
            parts.append(part["text"])
        assert "".join(parts) == text


def test_read_gives_a_page_and_surroundings(agent: Agent, tmp_path: Path) -> None:
    """A page by its number; a cite with the passages around it."""
    page = agent.call("read", document="plan.pdf", page=2)
    assert page["text"].strip() == "Ivy Roe keeps the tower."
    assert "1 to 2" in agent.text("read", document="plan.pdf", page=3)
    assert "has no pages" in agent.text("read", document="lamp.txt", page=1)
    text = long_text(30)
    (tmp_path / "long.txt").write_text(text)
    with serving([tmp_path / "long.txt"]) as (long, _):
        cite = long.call("quote", words="Keeper 15 lit", limit=1)["places"][0]["cite"]
        alone, around = (long.call("read", cite=cite, before=n, after=n) for n in (0, 2))
        assert "Keeper 15 lit" in alone["text"]
        assert around["start"] < alone["start"]
        assert around["end"] > alone["end"]
        assert text[around["start"] : around["end"]] == around["text"]


def test_headings_are_named(agent: Agent) -> None:
    """The nearest heading stands beside a place in a web page."""
    found = agent.result("quote", words="Ben Ash")
    assert found.structured_content["places"][0]["heading"] == "Ships"
    assert 'under "Ships"' in found.content[0].text


def test_show_marks_the_words(agent: Agent) -> None:
    """The picture is small, and yellow where its marks say; a link leads to the whole page."""
    from PIL import Image

    cite = agent.call("ask", question="Who keeps the tower?")["answers"][0]["cite"]
    found = agent.result("show", cite=cite, crop=False)
    result = found.structured_content
    picture = Image.open(BytesIO(base64.b64decode(found.content[1].data)))
    assert found.content[1].mime_type == "image/jpeg"
    assert picture.size == (result["width"], result["height"]) == (600, 400)
    ((x0, top, x1, bottom),) = result["marks"]
    inside = list(picture.crop((int(x0), int(top), int(x1), int(bottom))).get_flattened_data())
    outside = list(picture.crop((0, 0, 600, int(top) - 4)).get_flattened_data())
    yellow = [sum(r > 180 and b < 140 for r, _, b in each) for each in (inside, outside)]
    assert yellow[0] > len(inside) / 3
    assert yellow[1] == 0
    assert found.content[2].uri.endswith("/page/2.jpg")
    assert json.dumps(result).count("/9j/") == 0  # no picture in the structured part


def test_show_crops_and_keeps_to_its_bounds(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A long page is shown around the words, a large one within its pixels and bytes."""
    from pdf_files import PdfText, write

    from docqa.mcp_server import reading

    monkeypatch.setattr(reading, "_PICTURE_BYTES", 50_000)
    file = PdfText()
    lines = "".join(write(20, 20 + 140 * n, f"Line {n} of the log. " * 20, 30) for n in range(20))
    file.page(lines, entries="/MediaBox[0 0 2900 2900]")
    (tmp_path / "log.pdf").write_bytes(file.to_bytes())
    with serving([tmp_path / "log.pdf"]) as (agent, _):
        whole = agent.result("show", document="log.pdf", page=1)
        assert len(base64.b64decode(whole.content[1].data)) <= 50_000
        size = whole.structured_content
        assert 300 < max(size["width"], size["height"]) <= 1_500
        cite = agent.call("quote", words="Line 10 of the log", limit=1)["places"][0]["cite"]
        part = agent.call("show", cite=cite)
        assert part["height"] < part["width"] / 5
        assert 0 < part["marks"][0][1] < part["marks"][0][3] < part["height"]


def test_show_draws_pdfs_alone(agent: Agent) -> None:
    """Other documents are read, and the message says so."""
    found = agent.result("show", document="lamp.txt")
    assert found.is_error
    assert "read shows its text" in found.content[0].text


def test_files_are_opened_when_they_are_asked(folder: Path) -> None:
    """A list shows names and ids without opening anything; asking one opens one."""
    with serving(sorted(folder.iterdir())) as (agent, service):
        rows = agent.call("list_documents")["documents"]
        assert [each["name"] for each in rows] == ["lamp.txt", "plan.pdf", "ship.html"]
        assert not any(each["is_open"] for each in rows)
        assert service.documents() == []
        agent.call("ask", question="Who keeps the tower?", document="plan.pdf")
        assert [each.name for each in service.documents()] == ["plan.pdf"]
        opened = agent.call("list_documents", matching="PLAN")["documents"]
        assert [(each["is_open"], each["pages"]) for each in opened] == [(True, 2)]
        assert [each["id"] for each in opened] == [rows[1]["id"]]


def test_handles_live_longer_than_the_server(folder: Path) -> None:
    """A cite of another run is checked, though its document is not open yet."""
    with serving(sorted(folder.iterdir())) as (agent, _):
        cite = agent.call("ask", question="Who keeps the tower?")["answers"][0]["cite"]
    with serving(sorted(folder.iterdir())) as (agent, service):
        checked = agent.call("verify", citations=[{"cite": cite, "quote": "Ivy Roe"}])
        assert checked["outcomes"][0]["outcome"] == "exact"
        assert [each.name for each in service.documents()] == ["plan.pdf"]


def test_long_lists_come_in_parts(tmp_path: Path) -> None:
    """Fifty documents at a time; the cursor leads through all of them, each once."""
    for n in range(120):
        (tmp_path / f"{n:03}.txt").write_text(f"Line {n}.")
    with serving(sorted(tmp_path.iterdir())) as (agent, _):
        names, cursor = [], None
        while True:
            part = agent.call("list_documents", cursor=cursor)
            names += [each["name"] for each in part["documents"]]
            cursor = part.get("cursor")
            if cursor is None:
                break
        assert names == [f"{n:03}.txt" for n in range(120)]


def test_documents_by_name_id_and_beginning(tmp_path: Path) -> None:
    """Names are told apart by folders; an id or its first digits name one; others get a guess."""
    for name in ("a/report.txt", "b/report.txt", "b/notes.txt"):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(f"{name} is the name.")
    with serving(sorted(tmp_path.rglob("*.txt"))) as (agent, _):
        rows = {each["name"]: each["id"] for each in agent.call("list_documents")["documents"]}
        assert set(rows) == {"a/report.txt", "b/report.txt", "notes.txt"}
        for named in ("a/report.txt", "A/REPORT.TXT", rows["a/report.txt"][:8]):
            assert agent.call("read", document=named)["text"] == "a/report.txt is the name."
        several = agent.text("read", document="report.txt")
        assert "2 documents" in several
        assert rows["a/report.txt"] in several
        assert "did you mean 'notes.txt'" in agent.text("read", document="note.txt")


def test_allowed_folders_and_nothing_beside_them(tmp_path: Path) -> None:
    """A path below the folder opens a file; links and paths that lead out of it open none."""
    inside, outside = tmp_path / "in", tmp_path / "out"
    for each in (inside, inside / "sub", outside):
        each.mkdir()
    (inside / "sub" / "open.txt").write_text("Ada Quill audits the firm.")
    (outside / "secret.txt").write_text("The key is under the mat.")
    (inside / "link.txt").symlink_to(outside / "secret.txt")
    (inside / "door").symlink_to(outside)
    with serving([], folders=[inside]) as (agent, _):
        for named in ("sub/open.txt", str(inside / "sub" / "open.txt"), "sub/../sub/open.txt"):
            assert "Ada Quill" in agent.call("read", document=named)["text"]
        for named in (
            "link.txt",
            "door/secret.txt",
            "../out/secret.txt",
            str(outside / "secret.txt"),
            "/etc/passwd",
            "sub\x00",
            "sub",
            "~",
        ):
            found = agent.result("read", document=named)
            assert found.is_error
            assert "no document" in found.content[0].text
        rows = agent.call("list_documents")["documents"]
        assert [each["name"] for each in rows] == ["sub/open.txt"]


def test_without_allowed_folders_paths_are_names(folder: Path) -> None:
    """A server without --allow opens no file of the machine by its path."""
    with serving([]) as (agent, _):
        found = agent.text("read", document=str(folder / "lamp.txt"))
        assert "no document" in found
        assert "nothing to ask" in agent.text("ask", question="Who?")


def test_a_changed_file_is_read_again(tmp_path: Path) -> None:
    """New words answer; a cite of the old text is refused, and checked in the new one."""
    file = tmp_path / "notes.txt"
    file.write_text("Ada Quill audits the firm.")
    with serving([file]) as (agent, _):
        old = agent.call("ask", question="Who audits the firm?")["answers"][0]["cite"]
        file.write_text("Since May, Ada Quill audits the firm. Ben Ash helps her.")
        new = agent.call("ask", question="Who helps her?")["answers"][0]
        assert new["quote"] == "Ben Ash"
        assert "has changed" in agent.text("read", cite=old)
        checked = agent.call("verify", citations=[{"cite": old, "quote": "Ada Quill"}])
        assert checked["outcomes"][0]["outcome"] == "elsewhere"
        assert checked["outcomes"][0]["found"][0]["cite"].endswith("#11-20")
        assert agent.call("list_documents")["total"] == 1


def test_one_bad_file_spoils_nothing(folder: Path, tmp_path: Path) -> None:
    """The others are asked, and a note says which file could not be opened, and why."""
    bad = tmp_path / "broken.pdf"
    bad.write_bytes(b"%PDF-1.7 nothing")
    gone = tmp_path / "gone.txt"
    gone.write_text("x")
    with serving([folder / "lamp.txt", bad, gone]) as (agent, _):
        gone.unlink()
        found = agent.result("ask", question="Who audits the firm?")
        assert found.structured_content["answers"][0]["quote"] == "Ada Quill"
        notes = found.structured_content["notes"]
        assert len(notes) == 2
        assert notes[0].startswith("broken.pdf: ")
        assert notes[1].startswith("gone.txt: ")
        assert notes[0] in found.content[0].text
        assert agent.result("read", document="broken.pdf").is_error
        assert str(tmp_path) not in found.model_dump_json()


def test_slow_files_do_not_hold_up_the_others(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is open is asked while another file is being opened, which a later call finds."""
    (tmp_path / "slow.txt").write_text("Ben Ash keeps the keys.")
    go_on = threading.Event()
    with serving([folder / "lamp.txt", tmp_path / "slow.txt"], seconds=2.0) as (agent, service):
        opening = service.add_file

        def open_late(path: Path, name: str, **named: Any) -> Any:
            assert name != "slow.txt" or go_on.wait(20)
            return opening(path, name, **named)

        monkeypatch.setattr(service, "add_file", open_late)
        found = agent.call("ask", question="Who audits the firm?")
        assert found["answers"][0]["quote"] == "Ada Quill"
        assert not found["complete"]
        assert found["notes"] == ["slow.txt: still being opened; ask again in a moment"]
        assert "still being opened" in agent.text("read", document="slow.txt")
        go_on.set()
        assert agent.call("ask", question="Who keeps the keys?")["answers"][0]["quote"] == "Ben Ash"


def test_encrypted_files_take_the_password(tmp_path: Path) -> None:
    """The password of the command opens them."""
    from pypdf import PdfReader, PdfWriter

    writer = PdfWriter(PdfReader(BytesIO(pdf_of("Ivy Roe keeps the tower."))))
    writer.encrypt("stairs", algorithm="RC4-128")
    writer.write(tmp_path / "closed.pdf")
    with serving([tmp_path / "closed.pdf"]) as (agent, _):
        assert "password" in agent.text("read", document="closed.pdf")
    with serving([tmp_path / "closed.pdf"], password="stairs") as (agent, _):
        assert "Ivy Roe" in agent.call("read", document="closed.pdf")["text"]
        assert not agent.result("show", document="closed.pdf").is_error


def test_collections_are_asked_searched_and_quoted(collection_path: Path, folder: Path) -> None:
    """By name, or with everything else; their documents are read by the cites; no path goes out."""
    settings = {"collections": {"contracts": str(collection_path)}}
    with serving([folder / "lamp.txt"], **settings) as (agent, _):
        results = [
            agent.result("ask", question="When does the agreement end?", collection="contracts"),
            agent.result("ask", question="When does the agreement end?"),
            agent.result("search", query="agreement", collection="contracts"),
            agent.result("quote", words="ends in May", collection="contracts"),
            agent.result("list_documents"),
            agent.result("ask", question="When?", collection="other"),
        ]
        alone, all_of_it, searched, quoted, listed, unknown = results
        best = alone.structured_content["answers"][0]
        assert (best["document"], best["collection"]) == ("quill.txt", "contracts")
        assert all_of_it.structured_content["answers"][0] == best
        assert all_of_it.structured_content["of"] == alone.structured_content["of"] + 1
        assert searched.structured_content["passages"][0]["document"] == "quill.txt"
        assert quoted.structured_content["places"][0]["quote"] == "ends in May"
        names = [each["name"] for each in listed.structured_content["documents"]]
        assert names == ["lamp.txt", "quill.txt", "rent.txt"]
        assert unknown.is_error
        assert "contracts" in unknown.content[0].text
        read = agent.result("read", cite=best["cite"])
        assert best["quote"] in read.structured_content["text"]
        again = agent.call("ask", question="When does the agreement end?")
        assert [each["cite"] for each in again["answers"]].count(best["cite"]) == 1
        written = "".join(each.model_dump_json() for each in [*results, read])
        assert str(collection_path.parent) not in written
        assert "/contracts0" not in written


def test_wrong_arguments_are_explained(agent: Agent) -> None:
    """The model gets a message that it can act on, never a crash."""
    for name, arguments, words in (
        ("ask", {"question": "x", "top_k": 99}, "top_k"),
        ("ask", {"question": "  "}, "question"),
        ("ask", {"question": "x", "document": "lamp.txt", "collection": "y"}, "not both"),
        ("read", {"cite": "page 3"}, "is no cite"),
        ("read", {}, "name a document"),
        ("quote", {"words": "  "}, "no words"),
        ("verify", {"citations": []}, "citations"),
        ("verify", {"citations": [{"cite": "x"}]}, "quote"),
    ):
        found = agent.result(name, **arguments)
        assert found.is_error
        assert words in found.content[0].text
    assert "outside" in agent.text(
        "read", cite=f"{agent.call('list_documents')['documents'][0]['id']}#1-999999"
    )


def test_resources_are_texts_and_pages(agent: Agent) -> None:
    """Each document is listed; its text is the text, its pages are JPEGs."""

    async def act(client: Any) -> Any:
        resources = {each.name: each.uri for each in (await client.list_resources()).resources}
        templates = (await client.list_resource_templates()).resource_templates
        text = await client.read_resource(resources["lamp.txt"])
        page = await client.read_resource(f"{resources['plan.pdf']}/page/2.jpg")
        return resources, [each.uri_template for each in templates], text, page

    resources, templates, text, page = agent.run(act)
    assert set(resources) == {"lamp.txt", "ship.html", "plan.pdf"}
    assert len(templates) == 2
    assert text.contents[0].text == LAMP
    assert base64.b64decode(page.contents[0].blob).startswith(b"\xff\xd8\xff")


@pytest.mark.parametrize(
    "rest", ["0123456789ab", "..%2F..%2Fetc%2Fpasswd", "lamp.txt/page/1.jpg", "plan.pdf/page/9.jpg"]
)
def test_resources_that_are_not_here(agent: Agent, rest: str) -> None:
    """Reading them fails with a message, and without a path."""
    from mcp.shared.exceptions import MCPError

    async def act(client: Any) -> Any:
        await client.read_resource(f"docqa://document/{rest}")

    with pytest.raises((MCPError, ExceptionGroup)) as failure:
        agent.run(act)
    assert "Traceback" not in str(failure.value)


def test_progress_is_reported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A client that asks for it hears which documents are being opened."""
    from docqa.mcp_server import library, server

    monkeypatch.setattr(server, "_TICK", 0.01)
    monkeypatch.setattr(library, "_TICK", 0.01)
    (tmp_path / "a.txt").write_text("Ada Quill audits the firm.")
    heard, go_on = [], threading.Event()

    async def note(done: float, total: float | None, message: str | None) -> None:
        heard.append(message)
        go_on.set()

    async def act(client: Any) -> Any:
        return await client.call_tool("read", {"document": "a.txt"}, progress_callback=note)

    with serving([tmp_path / "a.txt"]) as (agent, service):
        opening = service.add_file

        def open_late(*given: Any, **named: Any) -> Any:
            assert go_on.wait(20)
            return opening(*given, **named)

        monkeypatch.setattr(service, "add_file", open_late)
        assert not agent.run(act).is_error
    assert heard[0] == "opening a.txt"


def test_calls_run_side_by_side(tmp_path: Path) -> None:
    """Calls of one client wait together, not one after another."""
    import anyio

    (tmp_path / "a.txt").write_text("Ada Quill audits the firm.")
    gate = threading.Barrier(2, timeout=20)

    class Meeting(FakeReader):
        def check_question(self, question: str) -> None:
            if question.startswith("Meet"):
                gate.wait()

    async def act(client: Any) -> list[Any]:
        found: list[Any] = []

        async def ask(question: str) -> None:
            found.append(await client.call_tool("ask", {"question": question}))

        async with anyio.create_task_group() as group:
            group.start_soon(ask, "Meet who audits?")
            group.start_soon(ask, "Meet who audits the firm?")
        return found

    with serving([tmp_path / "a.txt"], reader=Meeting()) as (agent, _):
        agent.call("read", document="a.txt")
        assert not any(each.is_error for each in agent.run(act))


def test_logging_is_left_to_the_application(tmp_path: Path) -> None:
    """Making a server sets up no handler; importing the door imports no SDK."""
    code = (
        "import logging\nfrom docqa.mcp_server.library import Library\n"
        "from docqa.mcp_server.server import create_server\n"
        "from docqa.service.service import Service\nfrom docqa.testing import FakeReader\n"
        "with Service(reader=FakeReader()) as service:\n"
        "    create_server(service, Library(service))\n"
        "assert not logging.getLogger().handlers"
    )
    assert "mcp" in loaded_by(code, tmp_path)
    assert "mcp" not in loaded_by("import docqa.mcp_server.door", tmp_path)
