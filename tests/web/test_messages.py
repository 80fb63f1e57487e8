"""The message page, its frame, parts and source."""

import re
from datetime import UTC, datetime
from email.message import EmailMessage

import pytest

from app import filing
from app.extract.reader import Reader
from app.jobs.attachments import read_some
from app.web.messages import clean_name, disposition
from tests.extract import documents
from tests.make import mail
from tests.web.conftest import Browser, Team

PNG = b"\x89PNG\r\n\x1a\n" + b"\0" * 30


def rich_mail() -> bytes:
    """HTML with a script, an embedded image, a remote one, and an attachment."""
    message = EmailMessage()
    message["From"] = "Jan <jan@spostex.pl>"
    message["To"] = "office@firma.pl"
    message["Bcc"] = "boss@firma.pl"
    message["Subject"] = "Faktura"
    message["Message-ID"] = "<rich@x>"
    message.set_content("Dzień dobry\n\nOn Monday Ewa wrote:\n> stary tekst\n")
    message.add_alternative(
        '<p onclick="alert(1)">Dzień <b>dobry</b><script>alert(2)</script>'
        '<img src="cid:logo@x"><img src="https://t.example/x.gif"></p>',
        subtype="html",
    )
    message.get_payload()[1].add_related(PNG, "image", "png", cid="<logo@x>")
    message.add_attachment(
        b"<script>alert(1)</script>", maintype="text", subtype="html", filename="../zł\u202e.html"
    )
    return message.as_bytes().replace(b"\n", b"\r\n")


def test_it_shows_the_message(team: Team, alice: Browser) -> None:
    (one,) = team.deliver(mail("Faktura za beton", text="Witam https://x.example/a"))

    text = alice.get(f"/email/messages/{one}").text

    assert "Faktura za beton" in text
    assert "&lt;jan@spostex.pl&gt;" in text
    assert "To reply, open it in your mail program or webmail." in text
    assert "Archive new email" in text
    assert '<a href="https://x.example/a" rel="noopener noreferrer nofollow"' in text
    assert "office@firma.pl</bdi> / <bdi>INBOX" in text


def test_why_an_attachment_is_not_searchable_stands_beside_it(team: Team, alice: Browser) -> None:
    files = ("a.pdf", documents.pdf("a")), ("b.pdf", documents.locked_pdf()), ("c.png", PNG)
    (one,) = team.deliver(documents.mail("Faktura", "Zobacz.", *files))
    path = f"/email/messages/{one}"
    assert "text not read" not in alice.get(path).text

    with Reader() as reader:
        read_some(team.store, reader)

    (note,) = re.findall(
        r"<bdi>([^<]*)</bdi></a> <span[^>]*>[^<]*text not read: ([^<]*)", alice.get(path).text
    )
    assert note == ("b.pdf", "protected by a password")


@pytest.mark.parametrize("part", ["", "/body", "/source.eml", "/parts/0", "/attach"])
def test_hidden_and_missing_are_the_same(team: Team, charlie: Browser, part: str) -> None:
    (one,) = team.deliver(rich_mail())

    hidden = charlie.get(f"/email/messages/{one}{part}")
    missing = charlie.get(f"/email/messages/aaaaaaaaaaaaa{part}")
    odd = charlie.get(f"/email/messages/%3Cx%3E{part}")

    assert hidden.status_code == missing.status_code == odd.status_code == 404
    assert hidden.text == missing.text == odd.text
    assert dict(hidden.headers) == dict(missing.headers)


@pytest.mark.parametrize("part", ["", "/body", "/source.eml", "/parts/0"])
def test_a_message_cannot_be_changed(team: Team, alice: Browser, part: str) -> None:
    (one,) = team.deliver(mail())

    assert alice.request("DELETE", f"/email/messages/{one}{part}").status_code == 405


def test_the_frame_is_sandboxed_twice(team: Team, alice: Browser) -> None:
    (one,) = team.deliver(rich_mail())

    page = alice.get(f"/email/messages/{one}").text
    body = alice.get(f"/email/messages/{one}/body")

    assert 'sandbox="allow-popups allow-popups-to-escape-sandbox"' in page
    assert body.headers["content-security-policy"] == (
        "sandbox allow-popups allow-popups-to-escape-sandbox; default-src 'none';"
        " style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none';"
        " frame-ancestors http://127.0.0.1:8000 http://localhost:8000"
    )
    assert "x-frame-options" not in body.headers
    assert body.headers["referrer-policy"] == "no-referrer"
    assert body.headers["cache-control"] == "private, no-store"
    assert "Dzień <b>dobry</b>" in body.text
    assert "alert" not in body.text
    assert "t.example" not in body.text
    assert "data:image/png;base64," in body.text


def test_too_much_html_is_shown_as_text(team: Team, alice: Browser) -> None:
    message = EmailMessage()
    message["Subject"] = "Deep"
    message.set_content("<div>" * 400 + "unten", subtype="html")
    (one,) = team.deliver(message.as_bytes())

    body = alice.get(f"/email/messages/{one}/body").text

    assert "unten" in body
    assert "<div>" not in body


def test_quoted_text_is_folded(team: Team, alice: Browser) -> None:
    (one,) = team.deliver(rich_mail())

    text = alice.get(f"/email/messages/{one}?view=text").text

    assert "<iframe" not in text
    assert "stary tekst" in text.partition("<details")[2]


def test_attachments_are_downloads_only(team: Team, alice: Browser) -> None:
    (one,) = team.deliver(rich_mail())

    answer = alice.get(f"/email/messages/{one}/parts/3")

    assert answer.content == b"<script>alert(1)</script>"
    assert answer.headers["content-type"] == "application/octet-stream"
    assert answer.headers["content-disposition"].startswith('attachment; filename="')
    assert (
        "zl.html" in answer.headers["content-disposition"]
        or "z.html" in answer.headers["content-disposition"]
    )
    assert ".." not in answer.headers["content-disposition"]
    assert answer.headers["content-security-policy"] == "sandbox; default-src 'none'"
    assert answer.headers["x-content-type-options"] == "nosniff"


def test_an_image_that_is_one_keeps_its_type(team: Team, alice: Browser) -> None:
    (one,) = team.deliver(rich_mail())

    answer = alice.get(f"/email/messages/{one}/parts/2")

    assert answer.headers["content-type"] == "image/png"
    assert answer.headers["content-disposition"].startswith("attachment")


@pytest.mark.parametrize("position", ["99", "-1", "x", "1e3", "99999999999999999999"])
def test_parts_that_are_not_there_are_not_found(team: Team, alice: Browser, position: str) -> None:
    (one,) = team.deliver(mail())

    assert alice.get(f"/email/messages/{one}/parts/{position}").status_code == 404


def test_the_source_is_byte_exact_for_members(team: Team, alice: Browser) -> None:
    raw = rich_mail()
    (one,) = team.deliver(raw)

    answer = alice.get(f"/email/messages/{one}/source.eml")

    assert answer.content == raw
    assert answer.headers["content-type"].startswith("message/rfc822")
    assert answer.headers["content-disposition"].startswith('attachment; filename="Faktura.eml"')


def test_others_get_it_without_bcc(team: Team, alice: Browser, charlie: Browser) -> None:
    (one,) = team.deliver(rich_mail())
    filing.file_message(
        team.store, team.viewer(team.alice), team.id_of(one), team.company, now=datetime.now(UTC)
    )

    source = charlie.get(f"/email/messages/{one}/source.eml").content
    page = charlie.get(f"/email/messages/{one}").text

    assert b"boss@firma.pl" not in source
    assert "boss@firma.pl" not in page
    assert "boss@firma.pl" in alice.get(f"/email/messages/{one}").text
    assert "In none of your own mailboxes" in page


@pytest.mark.parametrize(
    ("name", "clean"),
    [
        ("../../etc/passwd", "passwd"),
        ("C:\\Users\\x\\a.pdf", "a.pdf"),
        ("a\r\nSet-Cookie: x.pdf", "aSet-Cookie_ x.pdf"),
        ("faktura\u202efdp.exe", "fakturafdp.exe"),
        ("zażółć.pdf", "zażółć.pdf"),
        (". .", ""),
        ("", ""),
        ('a"b;c.pdf', "a_b_c.pdf"),
        ("x" * 300 + ".pdf", "x" * 116 + ".pdf"),
    ],
)
def test_names_are_cleaned(name: str, clean: str) -> None:
    assert clean_name(name) == clean


def test_a_name_is_written_for_old_and_new_browsers() -> None:
    assert disposition("żółw 1.pdf") == (
        "attachment; filename=\"zow 1.pdf\"; filename*=UTF-8''%C5%BC%C3%B3%C5%82w%201.pdf"
    )


def test_half_a_surrogate_pair_does_not_hide_the_message(team: Team, alice: Browser) -> None:
    raw = mail("Half", message_id="<half@x>").partition(b"\r\n\r\n")[0]
    head = b"".join(
        line + b"\r\n" for line in raw.split(b"\r\n") if not line.lower().startswith(b"content-")
    )
    html = b"Content-Type: text/html; charset=utf-7\r\n\r\n<b>+2AA-beton</b>\r\n"
    (one,) = team.deliver(head + html)

    answer = alice.get(f"/email/messages/{one}/body")

    assert answer.status_code == 200
    assert "<b>?beton</b>" in answer.text


def test_wide_signs_of_a_name_do_not_end_it() -> None:
    """NFKD makes plain quotes and slashes of them, after the name was cleaned."""
    header = disposition(clean_name("a＂; filename＝＂..／b＼c％．exe"))

    assert header.partition("; filename*=")[0] == (
        'attachment; filename="a__ filename=_.._b_c_.exe"'
    )


def test_remote_images_are_shown_for_one_answer_only(team: Team, alice: Browser) -> None:
    """The button counts them; its link changes nothing, and the next look is without them."""
    (one,) = team.deliver(rich_mail())
    base = f"/email/messages/{one}"

    page = " ".join(alice.get(base).text.split())
    pane = " ".join(alice.fragment(f"/email/queue?open={one}", target="pane").text.split())
    asked = alice.get(f"{base}/body?images=1")
    after = alice.get(f"{base}/body")

    for text in (page, pane):
        assert f'href="{base}/body?images=1" target="message-body" data-hotkey="i"' in text
        assert "Show remote images</a>" not in text
        assert "Show remote images (1)" in text
    assert "img-src data: https:;" in asked.headers["content-security-policy"]
    assert 'src="https://t.example/x.gif"' in asked.text
    assert "img-src data:;" in after.headers["content-security-policy"]
    assert "t.example" not in after.text


@pytest.mark.parametrize("images", ["", "0", "2", "yes"])
def test_only_the_buttons_own_link_shows_them(team: Team, alice: Browser, images: str) -> None:
    (one,) = team.deliver(rich_mail())

    body = alice.get(f"/email/messages/{one}/body?images={images}")

    assert "t.example" not in body.text
    assert "https:" not in body.headers["content-security-policy"]


def test_a_mail_without_remote_images_has_no_button(team: Team, alice: Browser) -> None:
    (one,) = team.deliver(mail())

    assert "Show remote images" not in alice.get(f"/email/messages/{one}").text
