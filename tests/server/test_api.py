"""The API as a program uses it: documents, questions, places, citations, files, jobs."""

from __future__ import annotations

import csv
import hashlib
import io
import json
from typing import Any

import pytest
from served_documents import PAGE, TEXT, sent

QUESTION = "Who audits the company?"
RAW = {"Content-Type": "application/octet-stream"}


def asked(client: Any, **body: Any) -> list[Any]:
    """Return the outcomes of questions."""
    response = client.post("/v1/ask", json={"questions": [QUESTION], **body})
    assert response.status_code == 200, response.text
    return list(response.json()["items"])


def test_documents_are_known_by_their_bytes(client: Any) -> None:
    """The same bytes are one document: 201 the first time, 200 after that, by either method."""
    data = b"A text of its own: the keeper sleeps.\n"
    digest = hashlib.sha256(data).hexdigest()
    first = client.post("/v1/documents?name=keeper.txt", content=data, headers=RAW)
    again = client.put(f"/v1/documents/{digest}?name=other.txt", content=data, headers=RAW)
    assert (first.status_code, again.status_code) == (201, 200)
    assert first.json()["id"] == digest == again.json()["id"]
    assert first.headers["location"] == f"documents/{digest}"
    assert client.get(f"/v1/documents/{digest}").json()["name"] == "keeper.txt"


def test_wrong_hash_is_refused(client: Any) -> None:
    """A body that is not the one of its address is not kept."""
    digest = "0" * 64
    response = client.put(f"/v1/documents/{digest}", content=b"some text", headers=RAW)
    assert response.status_code == 409
    assert client.get(f"/v1/documents/{digest}").status_code == 404


def test_dropped_documents_are_gone(client: Any) -> None:
    """Every address of a document that was dropped answers 404."""
    document_id = sent(client, b"Soon to be gone: a lamp.\n", "gone.txt")
    at = f"/v1/documents/{document_id}"
    assert client.delete(at).status_code == 204
    for path in (at, f"{at}/text", f"{at}/original", f"{at}/view", f"{at}/pages/1"):
        assert client.get(path).status_code == 404, path
    response = client.post("/v1/ask", json={"questions": ["Who?"], "documents": [document_id]})
    assert response.status_code == 404
    assert client.delete(at).status_code == 404


def test_answers_have_their_words_and_places(client: Any, pdf_id: str) -> None:
    """The words at the positions are the answer; places have their kind and the page's size."""
    (item,) = asked(client, documents=[pdf_id])
    (answer,) = item["answers"]
    start, end = answer["start"], answer["end"]
    text = client.get(f"/v1/documents/{pdf_id}/text", params={"start": start, "end": end}).text
    assert text == answer["answer"] == "Ada Quill"
    assert answer["cite"] == f"{pdf_id}#{start}-{end}"
    (place,) = answer["locations"]
    assert (place["kind"], place["page_number"]) == ("page", 2)
    assert (place["page_width"], place["page_height"]) == (400, 300)
    assert item["document"]["source"] == "lamp.pdf"
    assert item["coverage"] == {"passages_read": 1, "passages_total": 1}
    assert item["complete"]


def test_stream_gives_the_same_items(client: Any, pdf_id: str, text_id: str) -> None:
    """NDJSON has a line for each question and document, the same as the list has."""
    body = {"questions": [QUESTION, "What does the lamp burn?"], "documents": [pdf_id, text_id]}
    whole = client.post("/v1/ask", json=body).json()["items"]
    headers = {"Accept": "application/x-ndjson"}
    response = client.post("/v1/ask", json=body, headers=headers)
    assert response.headers["content-type"].startswith("application/x-ndjson")
    lines = [json.loads(line) for line in response.text.splitlines()]
    assert len(lines) == 4
    assert [line["question"] for line in lines] == [each["question"] for each in whole]
    assert [line["answers"] for line in lines] == [each["answers"] for each in whole]


def test_collections_are_asked_by_name(client: Any, collection_path: Any) -> None:
    """Answers of a collection have names for paths."""
    body = {"questions": ["When does the agreement with Quill end?"], "collection": "contracts"}
    response = client.post("/v1/ask", json=body)
    (answer,) = response.json()["items"][0]["answers"]
    assert answer["document"]["source"] == "quill.txt"
    assert str(collection_path.parent.parent) not in response.text
    listed = client.get("/v1/collections/contracts/documents?limit=1").json()
    assert listed["total"] == 2
    assert [each["name"] for each in listed["documents"]] in (["lamp.txt"], ["quill.txt"])
    assert client.get("/v1/collections").json()["collections"][0]["documents"] == 2
    unknown = client.post("/v1/ask", json={**body, "collection": "letters"})
    assert unknown.status_code == 404
    assert "contracts" in unknown.json()["detail"]


def test_collections_are_synchronised_by_a_job(client: Any) -> None:
    """A job says how far it is, and its end."""
    response = client.post("/v1/collections/contracts/sync", headers={"X-Docqa": "1"})
    assert response.status_code == 202
    job = client.get(f"/v1/jobs/{response.json()['id']}?wait=20").json()
    assert (job["state"], job["result"]) == ("done", "collections/contracts"), job


def test_loading_may_be_a_job(client: Any, pdf_bytes: bytes) -> None:
    """The job's result is the document; a document that cannot be loaded is its problem."""
    headers = {**RAW, "Prefer": "respond-async"}
    for data, state in ((b"A job loads this lamp.\n", "done"), (b"%PDF-1.4 broken", "failed")):
        response = client.post("/v1/documents?name=a.x", content=data, headers=headers)
        assert response.status_code == 202
        at = response.headers["location"]
        job = client.get(f"/v1/{at}?wait=20").json()
        assert job["state"] == state
        if state == "done":
            assert client.get(f"/v1/{job['result']}").status_code == 200
        else:
            assert job["problem"]["type"].startswith("urn:docqa:")
        assert client.delete(f"/v1/{at}").status_code == 200
    assert client.get(f"/v1/jobs/{'0' * 32}").status_code == 404


def test_search_ranks_passages(client: Any, pdf_id: str) -> None:
    """Passages come best first with their place, which the text has."""
    response = client.post("/v1/search", json={"query": "oil lamp", "documents": [pdf_id]})
    (passage,) = response.json()["passages"]
    at = {"start": passage["start"], "end": passage["end"]}
    assert client.get(f"/v1/documents/{pdf_id}/text", params=at).text == passage["text"]
    assert (passage["rank"], passage["page_number"]) == (1, 1)


def test_places_are_found(client: Any, pdf_id: str) -> None:
    """Characters have rectangles on their page, and the page a picture."""
    body = {"document": pdf_id, "start": 40, "end": 49}
    found = client.post("/v1/locate", json=body).json()
    assert found["text"] == "Ada Quill"
    picture = client.get(f"/v1/{found['picture']}?scale=100")
    assert picture.content[:2] == b"\xff\xd8"
    response = client.post("/v1/locate", json={**body, "end": 10**6})
    assert response.status_code == 416


def test_pages_have_lines_and_pictures(client: Any, pdf_id: str) -> None:
    """The lines of a page lie in the picture, whose size is the page's; it is sent once."""
    from PIL import Image

    page = client.get(f"/v1/documents/{pdf_id}/pages/2").json()
    (line,) = page["lines"]
    assert line["text"] == "Ada Quill audits the company."
    assert line["boxes"][0]["x0"] == pytest.approx(50, abs=1)
    picture = client.get(f"/v1/documents/{pdf_id}/pages/2.jpg?scale=100")
    assert Image.open(io.BytesIO(picture.content)).size == (page["width"], page["height"])
    kept = {"If-None-Match": picture.headers["etag"]}
    again = client.get(f"/v1/documents/{pdf_id}/pages/2.jpg?scale=100", headers=kept)
    assert (again.status_code, again.content) == (304, b"")
    assert client.get(f"/v1/documents/{pdf_id}/pages/3.jpg").status_code == 404


def test_citations_are_checked(client: Any, text_id: str) -> None:
    """Handles with their words, and whole records, are exact; other words are gone."""
    (item,) = asked(client, documents=[text_id])
    answer = item["answers"][0]
    other = {"cite": answer["cite"], "quote": "Ada Quilt"}
    missing = {"cite": f"{'0' * 64}#1-4", "quote": "abc"}
    citations = [answer, {"cite": answer["cite"], "quote": answer["answer"]}, other, missing]
    outcomes = client.post("/v1/verify", json={"citations": citations}).json()["outcomes"]
    assert [each["status"] for each in outcomes] == ["exact", "exact", "gone", "failed"]
    wrong = client.post("/v1/verify", json={"citations": [{"answer": "x"}]})
    assert wrong.status_code == 422


def test_answers_become_files(client: Any, pdf_id: str) -> None:
    """CSV, JSON lines, a report and a marked PDF hold the same answer."""
    body = {"questions": [QUESTION], "documents": [pdf_id]}
    made = {
        kind: client.post("/v1/export", json={**body, "format": kind})
        for kind in ("csv", "jsonl", "report", "pdf")
    }
    assert next(csv.DictReader(io.StringIO(made["csv"].text)))["answer"] == "Ada Quill"
    assert json.loads(made["jsonl"].text)["answer"] == "Ada Quill"
    assert "Ada Quill" in made["report"].text
    assert made["pdf"].content.startswith(b"%PDF")
    assert b"/Highlight" in made["pdf"].content
    for kind, response in made.items():
        assert "attachment" in response.headers["content-disposition"], kind
        assert "sandbox" in response.headers["content-security-policy"], kind


def test_csv_is_that_of_the_command(client: Any, text_id: str, tmp_path: Any) -> None:
    """The bytes are those of `docqa ask --csv`, but for the name of the file."""
    from docqa.cli.writers import CsvWriter
    from docqa.pipeline import Pipeline
    from docqa.testing import FakeReader

    path = tmp_path / "lamp.txt"
    path.write_bytes(TEXT)
    out = io.StringIO(newline="")
    writer = CsvWriter(out)
    for item in Pipeline(reader=FakeReader(), min_score=0.0).ask_all([path], [QUESTION]):
        writer.write(item)
    body = {"questions": [QUESTION], "documents": [text_id], "format": "csv"}
    served = client.post("/v1/export", json=body).text
    assert served == out.getvalue().replace(str(path), "lamp.txt")


def test_open_webui_gets_pages(client: Any, pdf_bytes: bytes) -> None:
    """Its external document loader sends PUT /process, and takes pages, or a detail."""
    headers = {
        "Content-Type": "application/pdf",
        "X-Filename": "the%20lamp.pdf",
        "Authorization": "Bearer any",
    }
    pages = client.put("/process", content=pdf_bytes, headers=headers).json()
    assert [each["page_content"] for each in pages] == [
        "The lamp burns 40 litres of oil a week.",
        "Ada Quill audits the company.",
    ]
    assert [each["metadata"]["page"] for each in pages] == [1, 2]
    assert pages[0]["metadata"]["source"] == "the lamp.pdf"
    response = client.put("/process", content=b"\0\1\2\3\xff" * 9, headers={"X-Filename": "a.bin"})
    assert response.status_code == 415
    assert response.json()["detail"].startswith("No extractable text")


@pytest.mark.parametrize(
    ("data", "status", "kind"),
    [
        (b"", 422, "empty"),
        (b"\0\1\2\3\xff" * 9, 415, "unsupported-format"),
        (b"%PDF-1.4\nbroken", 422, "malformed"),
        (b"x" * 1_000_001, 413, "too-large"),
    ],
)
def test_documents_that_cannot_be_read_say_why(
    client: Any, data: bytes, status: int, kind: str
) -> None:
    """Each has its status, its kind and a sentence; nothing in it is for the command line."""
    response = client.post("/v1/documents?name=a", content=data, headers=RAW)
    assert response.status_code == status
    problem = response.json()
    assert problem["type"] == f"urn:docqa:{kind}"
    assert "--no-isolate" not in problem["detail"]
    assert response.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ({"questions": []}, "questions"),
        ({"questions": ["a"], "top_k": 0}, "top_k"),
        ({"questions": ["a"], "top_k": "1"}, "top_k"),
        ({"questions": ["a"], "depth": 1}, "depth"),
        ({"questions": ["a"], "documents": ["../x"]}, "documents"),
        ({"questions": ["a"], "documents": ["0" * 64], "collection": "contracts"}, "not both"),
        ({"questions": ["\ud800"]}, "JSON"),
        ({"questions": ["a"], "min_score": float("nan")}, "JSON"),
    ],
)
def test_wrong_questions_are_named(client: Any, body: Any, words: str) -> None:
    """The problem names the member of the body that is wrong."""
    content = json.dumps(body)
    headers = {"Content-Type": "application/json"}
    response = client.post("/v1/ask", content=content, headers=headers)
    assert response.status_code == 422
    assert words in response.json()["detail"]


def test_questions_that_cannot_be_read_fail_alone(client: Any, text_id: str) -> None:
    """A question that is too long has its error; the others are answered."""
    body = {"questions": ["word " * 80, QUESTION], "documents": [text_id]}
    items = client.post("/v1/ask", json=body).json()["items"]
    assert [item["error"] is None for item in items] == [False, True]
    assert items[0]["error"]["type"] == "urn:docqa:question"


@pytest.mark.parametrize("given", ["soon", "-1", "1e9", "nan", ""])
def test_times_are_numbers(client: Any, given: str) -> None:
    """A header that names no number of seconds is refused."""
    response = client.post(
        "/v1/ask", json={"questions": [QUESTION]}, headers={"X-Request-Timeout": given}
    )
    assert response.status_code == 422
    assert "X-Request-Timeout" in response.json()["detail"]


def test_passwords_open_documents(client: Any) -> None:
    """An encrypted PDF says that it needs one; the header has it percent-encoded."""
    from reportlab.pdfgen.canvas import Canvas

    out = io.BytesIO()
    canvas = Canvas(out, encrypt="50% öl")
    canvas.drawString(50, 200, "The lamp burns 40 litres of oil a week.")
    canvas.save()
    at = "/v1/documents?name=locked.pdf"
    locked = client.post(at, content=out.getvalue(), headers=RAW)
    assert (locked.status_code, locked.json()["type"]) == (422, "urn:docqa:encrypted")
    assert "X-Docqa-Password" in locked.json()["detail"]
    assert "--password" not in locked.json()["detail"]
    headers = {**RAW, "X-Docqa-Password": "50%25%20%C3%B6l"}
    opened = client.post(at, content=out.getvalue(), headers=headers)
    assert opened.status_code == 201
    picture = client.get(f"/v1/documents/{opened.json()['id']}/pages/1.jpg")
    assert picture.content[:2] == b"\xff\xd8"


def test_html_is_shown_without_scripts(client: Any) -> None:
    """The view of a page has no script, and both view and original are sandboxed."""
    document_id = sent(client, PAGE, "page.html")
    view = client.get(f"/v1/documents/{document_id}/view")
    assert "alert" not in view.text
    assert "onload" not in view.text
    assert "evil.example" not in view.text
    assert "Ravi lives in Hyderabad." in view.text
    original = client.get(f"/v1/documents/{document_id}/original")
    assert original.content == PAGE
    for response in (view, original):
        policy = response.headers["content-security-policy"]
        assert policy.startswith("sandbox;")
        assert "script-src" not in policy
        assert "allow-scripts" not in policy
    assert original.headers["content-disposition"].startswith("attachment")


def test_health_and_counts(client: Any) -> None:
    """Labels of the counts are routes, never paths."""
    document_id = sent(client, TEXT, "lamp.txt")
    client.get(f"/v1/documents/{document_id}")
    assert client.get("/livez").json() == {"status": "alive"}
    assert client.get("/readyz").json() == {"status": "ready"}
    counts = client.get("/metrics").text
    assert 'docqa_http_requests_total{route="/v1/documents/{document_id}",status="200"}' in counts
    assert document_id not in counts
    assert "docqa_passages_read" in counts


def test_page_is_served_with_relative_addresses(client: Any) -> None:
    """The page works behind a prefix, since it names no absolute address; a copy is kept."""
    page = client.get("/")
    assert page.headers["content-type"].startswith("text/html")
    assert 'href="/' not in page.text
    assert 'src="/' not in page.text
    kept = {"If-None-Match": page.headers["etag"]}
    assert client.get("/index.html", headers=kept).status_code in {200, 304}
    assert client.get("/../conftest.py").status_code == 404
    assert client.get("/static/index.html").status_code == 404


def test_wrong_methods_name_the_right_ones(client: Any) -> None:
    """405 has the header Allow."""
    response = client.get("/v1/ask")
    assert (response.status_code, response.headers["allow"]) == (405, "POST")
