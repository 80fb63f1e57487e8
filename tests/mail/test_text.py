"""HTML as text; new text told from quoted text and from what a mail is signed with."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.mail import html_text, parse, split_quoted, split_signature

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


@pytest.mark.parametrize(
    "signature",
    [
        "Z poważaniem\n\nJan Nowak\nKierownik budowy\nSpostex Sp. z o.o.\ntel. 601 555 215",
        "Pozdrawiam serdecznie,\nEwa",
        "Z wyrazami szacunku\nEwa\n\nTreść tej wiadomości jest poufna i przeznaczona wyłącznie dla"
        " adresata. Jeżeli nie są Państwo jej adresatem, prosimy o powiadomienie nadawcy.",
        "Best regards,\nJohn Smith | Sales\nSmith Ltd\n+44 20 7946 0000",
        "Kind regards\n\nJohn Smith\nThis e-mail is confidential and intended for the addressee"
        " only. If it reached you in error, please delete it.",
        "Mit freundlichen Grüßen\nHans Meier\nMeier GmbH",
        "Sent from my phone",
        "Wysłane z telefonu",
    ],
)
def test_what_a_mail_is_signed_with_is_told_apart(signature):
    new, signed = split_signature(f"Beton jedzie jutro.\nOdbiera Adam.\n\n{signature}\n")

    assert new == "Beton jedzie jutro.\nOdbiera Adam."
    assert signed == signature


@pytest.mark.parametrize(
    "text",
    [
        "Thanks\n\nCould you send the invoice for the concrete once more?",
        "Pozdrawiam z budowy, beton jest na miejscu i wszystko gotowe",
        "Best\n" + "row of the table\n" * 40,
        "Nothing here is signed.",
        "",
    ],
)
def test_what_is_no_signature_stays_new_text(text):
    assert split_signature(text) == (text, "")


def test_a_postscript_is_new_text():
    new, signed = split_signature("Jutro beton.\n\nPozdrawiam\nEwa\n\nPS. Faktura jest u Jana.")

    assert new == "Jutro beton.\n\nPS. Faktura jest u Jana."
    assert signed.split() == ["Pozdrawiam", "Ewa"]


@given(st.lists(st.sampled_from(["Pozdrawiam", "Ewa", "", "PS. a", "x" * 99, "Best regards,"])))
def test_a_signature_takes_no_word_away(lines):
    text = "\n".join(lines)

    new, signed = split_signature(text)

    assert sorted(f"{new} {signed}".split()) == sorted(text.split())
