"""One mail of a story: written, laid out, and delivered to the mailboxes it reaches."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from random import Random
from zlib import crc32

from app.demo import texts_en, texts_pl
from app.demo.attachments import Attachment
from app.demo.company import COMPANY, DOMAIN, OFFICE_ADDRESS, DemoMailbox
from app.demo.firms import Language
from app.demo.grammar import expand, pick, written
from app.demo.layout import (
    Encoding,
    HeaderStyle,
    Inline,
    Style,
    address_header,
    date_header,
    entity,
    header_words,
)
from app.demo.outsiders import Outsider
from app.demo.papers import files_of, logo
from app.demo.quoting import Earlier, Program, as_html, forwarded, replied, signature
from app.demo.scene import facts_of, facts_of_turn
from app.demo.stories import Cast, Person, Step, address_of

_TEXTS = {"pl": texts_pl, "en": texts_en}
_PROGRAMS: tuple[Program, ...] = ("thunderbird", "gmail", "outlook", "outlook", "original")
_AGENTS = {
    "thunderbird": "User-Agent: Mozilla Thunderbird",
    "gmail": "X-Received-By: mail.example",
    "outlook": "X-Mailer: Microsoft Outlook 16.0",
    "original": "X-Mailer: The Bat! (v9.4.4)",
}
_STYLES: tuple[Style, ...] = (
    Style("utf-8", "8bit", "B"),
    Style("utf-8", "quoted-printable", "Q"),
    Style("utf-8", "base64", "B"),
    Style("utf-8", "quoted-printable", "B"),
    Style("iso-8859-2", "quoted-printable", "Q"),
    Style("iso-8859-2", "8bit", "B"),
    Style("windows-1250", "8bit", "Q"),
    Style("windows-1250", "base64", "B"),
)
_QUICK_PIECES = frozenset(
    ("thanks", "forward", "spam", "newsletter", "site_answer", "decision", "stock_answer")
)
_MOST_REFERENCES = 12


@dataclass(frozen=True, slots=True)
class Sent:
    """A mail without the traces of its ways. `at` is UTC, whole seconds."""

    internet_message_id: str
    at: datetime
    sender: str
    recipients: tuple[str, ...]
    head: bytes
    body: bytes
    defects: tuple[str, ...]
    kind: str
    record: tuple[str, str] | None


@dataclass(slots=True)
class Thread:
    """A story under way: what was said in it so far."""

    cast: Cast
    facts: dict[str, str]
    subject: str = ""
    step: int = 0
    record: tuple[str, str] | None = None
    references: list[str] = field(default_factory=list)
    earlier: Earlier | None = None
    files: tuple[Attachment, ...] = ()
    is_filed: bool = False

    @property
    def next_step(self) -> Step | None:
        steps = self.cast.story.steps
        return steps[self.step] if self.step < len(steps) else None


def begin(cast: Cast, at: datetime, random: Random) -> Thread:
    facts = facts_of(cast.subject, cast.language, at, random)
    return Thread(cast, facts, record=cast.record)


def write(thread: Thread, step: Step, at: datetime, serial: str, random: Random) -> Sent:
    """The next mail of a thread. Effects: the thread moves on by a step."""
    cast, language = thread.cast, thread.cast.language
    people = cast.people
    sender = people[step.sender]
    recipients = [people[part] for part in step.to if people[part] != sender] or [people["office"]]
    facts = thread.facts | facts_of_turn(language, at, random)
    facts |= {"to_voc": _vocative(recipients[0], language), "phone": sender.phone or "601 555 100"}
    subject = _subject(thread, step, facts, random)
    number = crc32(address_of(sender).encode())
    program = _PROGRAMS[number % len(_PROGRAMS)]
    text = _text(thread, step, facts, sender, program, random)
    files = _files(thread, step, facts, at, random)
    style = _style(number, random)
    internet_message_id = f"{random.getrandbits(48):012x}.{serial}@{_domain(address_of(sender))}"
    body = _body(text, step, style, number, files, program, random, _domain(address_of(sender)))
    head, defects = _head(
        sender, recipients, subject, at, internet_message_id, thread, step, style, program, random
    )
    thread.step += 1
    thread.references = [*thread.references, internet_message_id][-_MOST_REFERENCES:]
    to = ", ".join(address_of(person) for person in recipients)
    thread.earlier = Earlier(sender.name, address_of(sender), to, subject, at, text)
    is_passed_on = any(
        later.mode in ("forward", "loose") for later in cast.story.steps[thread.step :]
    )
    thread.files = (files or thread.files) if is_passed_on else ()
    addresses = tuple(dict.fromkeys(address_of(person) for person in recipients))
    if step.turns_to:
        firm = cast.subject.firm if step.turns_to == "firm" else cast.subject.other
        thread.record = ("companies", firm.name)
    return Sent(
        internet_message_id,
        at,
        address_of(sender),
        addresses,
        head,
        body,
        defects,
        kind=_piece(thread, step),
        record=thread.record,
    )


def delivered(sent: Sent, mailbox: DemoMailbox, received_at: datetime, random: Random) -> bytes:
    """The bytes as they lie in a recipient's mailbox: with the traces of their way."""
    domain = _domain(sent.sender)
    host = f"203.0.113.{1 + crc32(domain.encode()) % 250}"
    ids = [f"{random.getrandbits(40):010X}" for _ in range(2)]
    between = date_header(sent.at + (received_at - sent.at) / 2)
    trace = (
        f"Return-Path: <{sent.sender}>\r\nDelivered-To: {mailbox.address}\r\n"
        f"Received: from mx.{DOMAIN} by imap.{DOMAIN} with LMTP id {ids[0]}\r\n"
        f"\tfor <{mailbox.address}>; {date_header(received_at)}\r\n"
        f"Received: from mail.{domain} (mail.{domain} [{host}])\r\n"
        f"\tby mx.{DOMAIN} (Postfix) with ESMTPS id {ids[1]}; {between}\r\n"
    )
    return trace.encode() + sent.head + sent.body


def kept(sent: Sent, random: Random) -> bytes:
    """The bytes as they lie in the sender's folder of sent mail, at times with a blind copy."""
    blind = f"Bcc: {OFFICE_ADDRESS}\r\n" if random.random() < 0.04 else ""
    return blind.encode() + sent.head + sent.body


def reached(sent: Sent) -> list[DemoMailbox]:
    """The mailboxes of the team that a mail is delivered to."""
    found = (COMPANY.mailbox_of(address) for address in sent.recipients)
    return [mailbox for mailbox in found if mailbox is not None]


# -- what is said


def _subject(thread: Thread, step: Step, facts: Mapping[str, str], random: Random) -> str:
    if step.mode in ("new", "retitled") or not thread.subject:
        pieces = _TEXTS[thread.cast.language].PIECES
        template = pick(
            [s for s in pieces[_piece(thread, step)].subjects if s not in ("Re", "FW")], random
        )
        thread.subject = expand(template, facts, random)
        return thread.subject
    if step.mode in ("forward", "loose"):
        return f"{pick(('Fwd', 'FW', 'PD'), random)}: {thread.subject}"
    prefix = "Odp" if thread.cast.language == "pl" and random.random() < 0.25 else "Re"
    return f"{prefix}: {thread.subject}"


def _text(
    thread: Thread,
    step: Step,
    facts: dict[str, str],
    sender: Person,
    program: Program,
    random: Random,
) -> str:
    language = thread.cast.language
    texts = _TEXTS[language]
    said = written(texts.PIECES[_piece(thread, step)], facts, random)
    is_quick = step.piece in _QUICK_PIECES
    is_inside = "them" not in (step.sender, *step.to)
    ways = texts.GREETINGS["inside" if is_inside else "formal"]
    rows = [] if is_quick and random.random() < 0.5 else [expand(pick(ways, random), facts, random)]
    rows.append(said)
    aside = "" if is_quick else expand(pick(texts.ASIDES, random), facts, random)
    rows += [row for row in (aside, *_closing(step, language, sender, random)) if row]
    new = "\n\n".join(rows)
    if thread.earlier is None or step.mode == "new":
        return new
    if step.mode in ("forward", "loose"):
        return forwarded(new, thread.earlier, language)
    return replied(new, thread.earlier, program, language)


def _closing(step: Step, language: Language, sender: Person, random: Random) -> list[str]:
    if step.piece in ("newsletter", "spam"):
        return []
    is_short = step.piece == "thanks" and random.random() < 0.4
    closing = "" if is_short else pick(_TEXTS[language].CLOSINGS, random)
    return [closing, signature(sender, language, random)]


def _piece(thread: Thread, step: Step) -> str:
    """The texts of a step; an automatic sender has its own."""
    person = thread.cast.people[step.sender]
    own = person.writes if isinstance(person, Outsider) else ""
    return own or step.piece


def _vocative(person: Person, language: Language) -> str:
    return person.vocative if language == "pl" else person.name.split()[0]


# -- how it is written


def _files(
    thread: Thread, step: Step, facts: Mapping[str, str], at: datetime, random: Random
) -> tuple[Attachment, ...]:
    if step.mode in ("forward", "loose"):
        return thread.files
    return tuple(
        file
        for kind in step.files
        if random.random() < 0.85
        for file in files_of(kind, facts, at, random)
    )


def _style(number: int, random: Random) -> Style:
    """Each sender has his program's way; one mail in fifty cuts a letter of the subject in two."""
    style = _STYLES[number // 7 % len(_STYLES)]
    header: HeaderStyle = "split" if random.random() < 0.02 else style.header
    encoding: Encoding = style.encoding
    return Style(style.charset, encoding, header)


def _body(
    text: str,
    step: Step,
    style: Style,
    number: int,
    files: tuple[Attachment, ...],
    program: Program,
    random: Random,
    domain: str,
) -> bytes:
    way = number // 11 % 10
    is_html_only = step.piece in ("newsletter", "spam") and way < 5
    html, inline = "", None
    if is_html_only or way < 5:
        is_signed = way < 2 and step.piece != "spam"
        content_id = f"logo.{number:08x}@{domain}" if is_signed else ""
        html = as_html(text, program, content_id, random)
        inline = Inline(content_id, logo(domain)) if is_signed else None
    shown = "" if is_html_only else text
    return entity(shown, html, style=style, files=files, inline=inline, random=random)


def _head(
    sender: Person,
    recipients: list[Person],
    subject: str,
    at: datetime,
    internet_message_id: str,
    thread: Thread,
    step: Step,
    style: Style,
    program: Program,
    random: Random,
) -> tuple[bytes, tuple[str, ...]]:
    """The header of the mail itself, and the defects that it has on purpose."""
    plain = Style(style.charset, style.encoding, "B" if style.header == "split" else style.header)
    named = [
        address_header(person.name if random.random() < 0.7 else "", address_of(person), plain)
        for person in recipients
    ]
    rows = [f"From: {address_header(sender.name, address_of(sender), plain)}", f"To: {named[0]}"]
    if named[1:]:
        rows.append("Cc: " + ",\r\n ".join(named[1:]))
    rows.append(f"Subject: {header_words(subject, style)}")
    is_undated = step.piece == "spam" and random.random() < 0.2
    if not is_undated:
        rows.append(f"Date: {date_header(at)}")
    rows.append(f"Message-ID: <{internet_message_id}>")
    if thread.references and step.mode not in ("new", "loose"):
        rows.append(f"In-Reply-To: <{thread.references[-1]}>")
        rows.append("References: " + "\r\n ".join(f"<{one}>" for one in thread.references))
    rows += [_AGENTS[program], "MIME-Version: 1.0", ""]
    return "\r\n".join(rows).encode(), ("no date",) if is_undated else ()


def _domain(address: str) -> str:
    return address.rpartition("@")[2]


def soon_after(at: datetime, random: Random) -> datetime:
    """When the server took a mail in: seconds later."""
    return at + timedelta(seconds=int(random.random() * 50))
