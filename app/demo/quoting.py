"""Signatures, quotes of earlier mail, and HTML, as mail programs write them. Pure."""

from dataclasses import dataclass
from datetime import datetime
from html import escape
from random import Random
from typing import Literal

from app.demo.company import TEAM_NAMES, Colleague
from app.demo.firms import Language
from app.demo.grammar import pick
from app.demo.outsiders import Outsider
from app.demo.scene import MONTHS

Program = Literal["thunderbird", "gmail", "outlook", "original"]

_OWN_ADDRESS = "ul. Wierzbowa 12, 05-092 Łomianki"
_OWN_FOOTER = "KRS 0000555017, NIP 118-555-50-17, kapitał zakładowy 200 000 zł"
_MOST_QUOTED_LINES = 60
_SHORT_DAYS = ("pon.", "wt.", "śr.", "czw.", "pt.", "sob.", "niedz.")
_SHORT_MONTHS = ("sty", "lut", "mar", "kwi", "maj", "cze", "lip", "sie", "wrz", "paź", "lis", "gru")
_DISCLAIMERS = {
    "pl": "Treść tej wiadomości jest poufna i przeznaczona wyłącznie dla adresata. Jeżeli nie są "
    "Państwo jej adresatem, prosimy o powiadomienie nadawcy i usunięcie wiadomości.",
    "en": "This message is confidential and intended for the addressee only. If you have received "
    "it in error, please tell the sender and delete it.",
}


@dataclass(frozen=True, slots=True)
class Earlier:
    """A mail that is answered or passed on."""

    name: str
    address: str
    to: str
    subject: str
    at: datetime
    text: str


def signature(person: Outsider | Colleague, language: Language, random: Random) -> str:
    """The lines at the end of a mail: mostly after "-- ", sometimes just there, sometimes none."""
    chance = random.random()
    if chance < 0.08 and not (isinstance(person, Outsider) and person.signs_in_full):
        return person.name.split()[0 if random.random() < 0.5 else -1]
    lines = [person.name]
    if person.title:
        lines.append(person.title)
    firm = None if isinstance(person, Colleague) else person.employer
    if isinstance(person, Colleague):
        lines += [TEAM_NAMES[0], _OWN_ADDRESS]
        if chance > 0.6:
            lines.append(_OWN_FOOTER)
    elif firm is not None:
        lines += [firm.name, f"{firm.street}, {firm.town}"]
    if person.phone:
        lines.append(f"{'tel.' if language == 'pl' else 'phone'} {person.phone}")
    if firm is not None and chance > 0.75:
        lines += ["", _DISCLAIMERS[language]]
    separator = "-- \n" if chance < 0.7 else ""
    return separator + "\n".join(lines)


def replied(new: str, earlier: Earlier, program: Program, language: Language) -> str:
    """A new text over the quoted earlier one."""
    if program in ("outlook", "original"):
        return f"{new}\n\n{_block(earlier, program, language)}\n\n{_shortened(earlier.text)}"
    quoted = "\n".join(f">{'' if line[:1] == '>' else ' '}{line}".rstrip() for line in
                       _shortened(earlier.text).split("\n"))  # fmt: skip
    return f"{new}\n\n{_attribution(earlier, program, language)}\n{quoted}"


def forwarded(new: str, earlier: Earlier, language: Language) -> str:
    """A few words over a mail that is passed on whole."""
    return f"{new}\n\n{_block(earlier, 'original', language)}\n\n{_shortened(earlier.text)}"


def as_html(text: str, program: Program, logo: str, random: Random) -> str:
    """The text as a mail program's HTML; `logo` is the Content-ID of a picture, or empty."""
    colour = pick(("#1f497d", "#333333", "#000000", "#2b5797"), random)
    font = pick(("Calibri", "Arial", "Verdana", "Segoe UI"), random)
    rows: list[str] = []
    is_quoting = False
    for paragraph in text.split("\n\n"):
        is_quote = paragraph.lstrip().startswith(">")
        if is_quote != is_quoting:
            rows.append("<blockquote>" if is_quote else "</blockquote>")
            is_quoting = is_quote
        lines = (escape(line.lstrip("> ") if is_quote else line) for line in paragraph.split("\n"))
        rows.append(f'<p class="{"MsoNormal" if program == "outlook" else "p"}">')
        rows.append("<br>\n".join(lines) + "</p>")
    if is_quoting:
        rows.append("</blockquote>")
    picture = f'<p><img src="cid:{logo}" alt="logo" width="96"></p>\n' if logo else ""
    body = "\n".join(rows)
    return (
        "<html><head><style>p{margin:0 0 8pt 0}</style></head>\n"
        f'<body style="font-family:{font},sans-serif;font-size:11pt;color:{colour}">\n'
        f"{body}\n{picture}</body></html>\n"
    )


def _block(earlier: Earlier, program: Program, language: Language) -> str:
    """The header block that Outlook copies."""
    is_polish = language == "pl"
    words = ("Od", "Wysłano", "Do", "Temat") if is_polish else ("From", "Sent", "To", "Subject")
    at = earlier.at
    day = f"{at.day} {MONTHS[language][at.month - 1]} {at.year} {at:%H:%M}"
    values = (f"{earlier.name} <{earlier.address}>", day, earlier.to, earlier.subject)
    rows = "\n".join(f"{word}: {value}" for word, value in zip(words, values, strict=True))
    if program == "outlook":
        return rows
    rule = "Wiadomość oryginalna" if is_polish else "Original Message"
    return f"-----{rule}-----\n{rows}"


def _attribution(earlier: Earlier, program: Program, language: Language) -> str:
    at = earlier.at
    if language == "en":
        day = f"{at.day} {MONTHS['en'][at.month - 1]} {at.year}"
        return f"On {day} at {at:%H:%M}, {earlier.name} <{earlier.address}> wrote:"
    if program == "gmail":
        day = f"{_SHORT_DAYS[at.weekday()]}, {at.day} {_SHORT_MONTHS[at.month - 1]} {at.year}"
        return f"{day} o {at:%H:%M} {earlier.name} <{earlier.address}> napisał(a):"
    return f"W dniu {at:%d.%m.%Y} o {at:%H:%M}, {earlier.name} pisze:"


def _shortened(text: str) -> str:
    return "\n".join(text.split("\n")[:_MOST_QUOTED_LINES])
