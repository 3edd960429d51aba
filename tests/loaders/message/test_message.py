"""E-mail and web archives: what is read, and that every place holds in the part's own bytes."""

from __future__ import annotations

import email
from email.message import EmailMessage, Message

import pytest

import docqa
from docqa.datamodel import Document, SourceLocation, Span, TextLocation
from docqa.errors import EncryptedError, NoTextError, UnsupportedFormatError
from docqa.loaders.message.loader import MessageLoader


def load(data: bytes, **settings: str) -> Document:
    return MessageLoader(**settings).load(data, source="test.eml")


def written(words: str = "The lamp burns 40 litres.", subject: str = "Oil") -> EmailMessage:
    message = EmailMessage()
    message["From"], message["To"] = "Ida Holm <ida@example.org>", "Ole <ole@example.org>"
    message["Subject"] = subject
    message.set_content(words)
    return message


def source_of(data: bytes, part: str | None) -> bytes:
    """Return the bytes of a part by the standard library alone."""
    if part is None:
        return data
    found: Message = email.message_from_bytes(data)
    for number in part.split("."):
        if found.is_multipart():
            found = found.get_payload(int(number) - 1)  # type: ignore[assignment]
    content = found.get_payload(decode=True)
    return content if isinstance(content, bytes) else found.as_bytes()


def found(data: bytes, document: Document, words: str) -> list[bytes]:
    start = document.text.index(words)
    places = document.locate(Span(start, start + len(words)))
    spans = [
        (one.part, one.byte_span)
        for one in places
        if isinstance(one, SourceLocation | TextLocation)
    ]
    return [source_of(data, part)[span.start : span.end] for part, span in spans if span]


@pytest.mark.parametrize("transfer", ["quoted-printable", "base64", "8bit"])
@pytest.mark.parametrize("charset", ["utf-8", "iso-8859-1"])
def test_a_body_is_decoded(transfer: str, charset: str) -> None:
    """The text is the words, and the place their bytes in the decoded part."""
    message = written()
    message.set_content("The lamp of the café burns oil.\n", charset=charset, cte=transfer)
    data = message.as_bytes()
    document = load(data)
    assert document.text.endswith("Subject: Oil\n\nThe lamp of the café burns oil.\n")
    assert found(data, document, "café") == ["café".encode(charset)]
    assert (document.title, document.metadata["author"]) == ("Oil", "Ida Holm <ida@example.org>")


def test_header_lines_are_placed_in_the_file() -> None:
    """Encoded words and folded lines lead to their own bytes."""
    data = (
        b"Received: by relay\r\nFrom: =?utf-8?B?SWRhIEjDuGxt?= <ida@example.org>\r\n"
        b"Subject: =?utf-8?Q?Caf=C3=A9?=\r\n =?utf-8?Q?_bill?= for\r\n\tthe lamp\r\n\r\nBody\r\n"
    )
    document = load(data)
    assert document.text == (
        "From: Ida Hølm <ida@example.org>\nSubject: Café bill for the lamp\n\nBody\r\n"
    )
    assert found(data, document, "ida@example.org") == [b"ida@example.org"]
    assert found(data, document, "Hølm") == [b"=?utf-8?B?SWRhIEjDuGxt?="]
    assert found(data, document, "for the lamp") == [b"for\r\n\tthe lamp"]
    [place] = document.locate(Span(0, 4))
    assert isinstance(place, TextLocation)
    assert (place.line, place.column, place.part) == (2, 1, None)


def test_of_alternatives_the_page_is_read() -> None:
    """The two say the same; a table is one in the page alone."""
    message = written("Ship Built Gull 1888")
    page = "<table><tr><th>Ship<th>Built<tr><td>Gull<td>1888</table>"
    message.add_alternative(f"<html><body>{page}</body></html>", subtype="html")
    data = message.as_bytes()
    document = load(data)
    assert document.text.count("1888") == 1
    assert len(document.tables) == 1
    start = document.text.index("1888")
    [place] = document.locate(Span(start, start + 4))
    assert isinstance(place, SourceLocation)
    assert place.part == "2"
    assert place.xpath.endswith("/tr[2]/td[2]")
    assert found(data, document, "1888") == [b"1888"]


def test_attachments_are_named() -> None:
    """What is attached is not read; names in any script are shown."""
    message = written()
    message.add_attachment(b"%PDF-", maintype="application", subtype="pdf", filename="Bücher.pdf")
    message.add_attachment("x,y", subtype="csv", filename="terms.csv")
    document = load(message.as_bytes())
    [warning] = document.warnings
    assert warning.kind == "attachments-unread"
    assert "2 attached files (Bücher.pdf, terms.csv)" in warning.message
    assert "litres" in document.text


def test_a_message_inside_a_message_is_read() -> None:
    """A forwarded message has its header and its body."""
    outer, inner = written("See below."), written("The key hangs in the café.", "Keys")
    inner.add_attachment(b"x", maintype="image", subtype="png", filename="key.png")
    outer.add_attachment(inner)
    data = outer.as_bytes()
    document = load(data)
    assert document.text.index("See below") < document.text.index("Subject: Keys")
    assert found(data, document, "café") == ["café".encode()]
    [warning] = document.warnings
    assert "(key.png)" in warning.message


def archive(*, html: str = "<p>The fee is =E2=82=AC 77.</p>") -> bytes:
    """Return a page as Chrome saves it."""
    return (
        "From: <Saved by Blink>\r\nSnapshot-Content-Location: https://example.org/\r\n"
        "Subject: Fees\r\nMIME-Version: 1.0\r\n"
        'Content-Type: multipart/related; type="text/html"; boundary="--b--"\r\n\r\n\r\n'
        "----b--\r\nContent-Type: text/html\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n"
        f'<!DOCTYPE html><meta charset=3D"utf-8"><title>Fees</title>{html}'
        '<iframe src=3D"cid:frame-1"></iframe>\r\n'
        "----b--\r\nContent-Type: text/html\r\nContent-ID: <frame-1>\r\n\r\n<p>In a frame\r\n"
        "----b--\r\nContent-Type: image/png\r\n"
        "Content-Transfer-Encoding: base64\r\n\r\niVBORw==\r\n"
        "----b----\r\n"
    ).encode()


@pytest.mark.parametrize("name", ["page.mhtml", "page.mht", "page.txt", None])
def test_a_saved_page_is_read(name: str | None, tmp_path) -> None:
    """Its frames are read, its pictures not named, and it has no header of a message."""
    data = archive()
    if name:
        (tmp_path / name).write_bytes(data)
    document = docqa.load(tmp_path / name if name else data)
    assert document.text == "The fee is € 77.\n\nIn a frame"
    assert (document.title, document.warnings) == ("Fees", ())
    assert found(data, document, "€ 77") == ["€ 77".encode()]
    assert found(data, document, "frame") == [b"frame"]


def test_answers_of_a_message_come_out_of_a_worker() -> None:
    """Places are the same in an isolated process."""
    message = written()
    message.add_alternative("<p>The lamp burns 40 litres.", subtype="html")
    here, isolated = docqa.load(message.as_bytes()), docqa.load(message.as_bytes(), isolate=True)
    assert here.media_type == isolated.media_type == "message/rfc822"
    for start in range(len(here.text)):
        span = Span(start, start + 1)
        assert here.locate(span) == isolated.locate(span)


def test_places_in_words_name_the_part() -> None:
    """A line counts in its part, and the words and selectors say in which."""
    document = load(written().as_bytes())
    [answer] = docqa.ask(document, "How many litres does the lamp burn?")
    assert answer.text in ("40", "40 litres")
    record = answer.to_dict()
    assert record["locations"][0]["part"] == "1"


def test_a_charset_that_is_none_is_guessed() -> None:
    """A name of no encoding is no reason to leave a part out."""
    data = b"Subject: x\nContent-Type: text/plain; charset=x-none\n\nThe caf\xc3\xa9 opens."
    assert load(data).text.endswith("The café opens.")


@pytest.mark.parametrize(
    ("data", "error", "says"),
    [
        (b"X-Id: 7\n\n", NoTextError, "its body is empty"),
        (
            b"Content-Type: application/pdf; name=a.pdf\nContent-Disposition: attachment; "
            b"filename=a.pdf\n\n%PDF",
            *(NoTextError, r"\(a\.pdf\)"),
        ),
        (
            b"Content-Type: multipart/encrypted; boundary=x\n\n--x\n\n--x--\n",
            EncryptedError,
            "mail program",
        ),
        (
            b"Content-Type: application/pkcs7-mime; smime-type=enveloped-data\n\nMI",
            *(EncryptedError, "encrypted"),
        ),
    ],
)
def test_what_cannot_be_read(data: bytes, error: type[Exception], says: str) -> None:
    """The error says why, and does not advise OCR."""
    with pytest.raises(error, match=says) as caught:
        load(data)
    assert "OCR" not in str(caught.value)


def test_a_mailbox_of_several_messages_is_refused() -> None:
    """Its messages are to be asked one by one; a single one behind such a line is read."""
    one = b"From ida@example.org Mon Nov 30 20:00:00 2026\n" + written().as_bytes()
    assert "litres" in docqa.load(one, media_type="message/rfc822").text
    with pytest.raises(UnsupportedFormatError, match="mbox of several messages"):
        docqa.load(one + b"\n" + one)


@pytest.mark.parametrize("end", [b"", b"\n--b", b"\n--b--\n", b"\n--b--\nepilogue"])
def test_a_cut_multipart_is_read_up_to_its_end(end: bytes) -> None:
    """The last delimiter may be missing."""
    data = (
        b"MIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=b\n\npreamble\n"
        b"--b\n\nOne lamp.\n--bb is no delimiter\n--b  \nContent-Type: text/plain\n\nTwo lamps."
        + end
    )
    document = load(data)
    assert document.text == "One lamp.\n--bb is no delimiter\n\nTwo lamps."
    assert found(data, document, "Two") == [b"Two"]


def test_parts_without_end_are_named() -> None:
    """Messages inside messages stop at a depth that no mail program writes."""
    data = b"Content-Type: message/rfc822\n\n" * 50 + b"Subject: deep\n\nword"
    assert [warning.kind for warning in load(b"Subject: top\n" + data).warnings] == [
        "attachments-unread"
    ]
