"""HTML as text; new text told from quoted text."""

from pathlib import Path

import pytest

from app.mail import html_text, parse, split_quoted

CORPUS = Path(__file__).resolve().parents[1] / "corpus"


@pytest.mark.parametrize(
    ("source", "text"),
    [
        ("<p>one<p>two<br>three", "one\n\ntwo\nthree"),
        ("<td>a</td> <td>b</td><tr><td>c", "a\tb\nc"),
        ("<head><title>t</title><style>x{}</style></head><script>if(a<b)</script>seen", "seen"),
        (
            "<!--[if mso]>no<![endif]-->Za&#380;&oacute;&lstrok;&cacute; in&shy;voice\xad",
            "Zażółć invoice",
        ),
        ("<pre>a\nb</pre>\nc\nd", "a\nb\n\nc d"),
        ("new<blockquote>old<br>older</blockquote>end", "new\n> old\n> older\nend"),
        ("1 < 2 && 3 > 2 <a href='>' title=don't>it</a>", "1 < 2 && 3 > 2 it"),
        ("&#xd800;&#0;a\u202eb", "\ufffd\ufffdab"),
        ("a<script>never closed", "a"),
    ],
)
def test_html_is_read_as_text(source: str, text: str) -> None:
    assert html_text(source) == text


@pytest.mark.parametrize(
    "source",
    [
        "<div>" * 100_000 + "deep",
        "<div " + " ".join(f"a{n}=1" for n in range(100_000)) + ">deep",
        "&nbsp;" * 600_000 + "deep",
        "<a '<pre<!--" * 10_000 + "'>--></pre>deep",
    ],
)
def test_hostile_html_is_survived(source: str) -> None:
    assert html_text(source) in ("deep", "")


QUOTE = "> old\n> older"


@pytest.mark.parametrize(
    ("text", "new", "quoted"),
    [
        (f"yes\n\nOn Monday, Jan wrote:\n{QUOTE}", "yes", f"On Monday, Jan wrote:\n{QUOTE}"),
        ("yes\nOn Monday\nJan <j@x>\nwrote:\nold", "yes", "On Monday\nJan <j@x>\nwrote:\nold"),
        (
            "tak\nW dniu 3.05.2024 Jan pisze:\n> stare\nnie",
            "tak\nnie",
            "W dniu 3.05.2024 Jan pisze:\n> stare",
        ),
        (f"{QUOTE}\nyes\n> more\nno", "yes\nno", f"{QUOTE}\n> more"),
        ("yes\n-----Original Message-----\nold", "yes", "-----Original Message-----\nold"),
        (
            "yes\nFrom: a\nSent: b\nTo: c\nSubject: d\n\nold",
            "yes",
            "From: a\nSent: b\nTo: c\nSubject: d\n\nold",
        ),
        ("yes\n-- \nJan", "yes", "-- \nJan"),
        ("From: here to there\nis new", "From: here to there\nis new", ""),
    ],
)
def test_quoted_text_is_told_apart(text: str, new: str, quoted: str) -> None:
    assert split_quoted(text) == (new, quoted)


def test_a_polish_outlook_reply_is_told_apart() -> None:
    mail = parse((CORPUS / "outlook-polish-reply.eml").read_bytes())

    new, quoted = split_quoted(mail.text)

    assert new == "Zgoda."
    assert quoted.startswith("Od: Jan")
