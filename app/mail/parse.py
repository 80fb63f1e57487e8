"""A whole message: from bytes to facts."""

import binascii
import hashlib
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from app.mail.charsets import decode, display
from app.mail.headers import MAX_ADDRESSES, parse_addresses, parse_date, parse_ids, parse_message_id
from app.mail.html import MAX_HTML, html_text
from app.mail.structure import Section, fields, split
from app.mail.words import collapse, decode_base64, decode_value, decode_words, parse_parameters
from app.model import Address

PARSER_VERSION = 2
"""Goes up whenever the same bytes give other facts, so that stored mail is read again."""

MAX_TEXT = 10_000_000

_CHUNK = 1_000_000
_STUB_LENGTH = 200
_META_CHARSET = re.compile(rb"<meta[^>]{0,200}?charset\s*=\s*[\"']?([A-Za-z0-9_.:-]{1,40})", re.I)
_CONTROLS = re.compile(r"[\x00-\x1f\x7f]+")
_MAX_FILENAME = 255
_READABLE = ("text/plain", "text/html")


@dataclass(frozen=True, slots=True)
class Leaf:
    """A part without parts. Its encoded body is raw[start:end] of the message it came from."""

    position: int
    content_type: str
    charset: str
    filename: str
    content_id: str
    disposition: str
    transfer_encoding: str
    start: int
    end: int
    is_attachment: bool


@dataclass(frozen=True, slots=True)
class ParsedMail:
    """What one message says about itself.

    `header` is the header block as it stands; of repeated fields the first counted for the facts.
    `references` are those of References, then In-Reply-To, oldest first. `text` is for
    people and for search (LF, quoted text included). `content_digest` is the same for every copy
    of a message, on whatever way it came (32 raw bytes).
    """

    internet_message_id: str
    references: tuple[str, ...]
    subject: str
    sender: Address
    from_: tuple[Address, ...]
    to: tuple[Address, ...]
    cc: tuple[Address, ...]
    bcc: tuple[Address, ...]
    reply_to: tuple[Address, ...]
    sent_at: datetime | None
    header: bytes
    leaves: tuple[Leaf, ...]
    text: str
    html: Leaf | None
    defects: tuple[str, ...]
    content_digest: bytes

    @property
    def headers(self) -> tuple[tuple[str, str], ...]:
        """Every field in order, decoded: most mail is stored and indexed without this."""
        return tuple([(name, decode_value(value)) for name, value in fields(self.header)])


def parse(raw: bytes) -> ParsedMail:
    """The facts in a message's bytes. Never raises: what is wrong is named in `defects`."""
    structure = split(raw)
    defects = dict.fromkeys(structure.defects)
    first = structure.first
    subject, said_from, said_date = [
        collapse(decode_value(first.get(name, b""))) for name in ("subject", "from", "date")
    ]
    leaves = tuple([_leaf(n, section) for n, section in enumerate(structure.sections)])
    texts = _texts(raw, leaves, defects)
    from_ = _addresses(first, "from", defects)
    sent_at = parse_date(first["date"]) if "date" in first else None
    if sent_at is None:
        defects["no readable date" if "date" in first else "no date"] = None
    return ParsedMail(
        internet_message_id=parse_message_id(first.get("message-id", b"")),
        references=_references(first),
        subject=subject,
        sender=(from_ or _addresses(first, "sender", defects) or (Address("", ""),))[0],
        from_=from_,
        to=_addresses(first, "to", defects),
        cc=_addresses(first, "cc", defects),
        bcc=_addresses(first, "bcc", defects),
        reply_to=_addresses(first, "reply-to", defects),
        sent_at=sent_at,
        header=structure.header,
        leaves=leaves,
        text=_readable_text(structure.sections, leaves, texts),
        html=next(
            (one for one in leaves if _is_shown(one) and one.content_type == "text/html"), None
        ),
        defects=tuple(defects),
        content_digest=_content_digest((said_from, subject, said_date), raw, leaves, texts),
    )


def decode_leaf(raw: bytes, leaf: Leaf) -> bytes:
    """The bytes of a leaf without its transfer encoding; as they stand if that is not known."""
    if leaf.transfer_encoding == "base64":
        return decode_base64(raw, leaf.start, leaf.end)
    if leaf.transfer_encoding == "quoted-printable":
        return binascii.a2b_qp(memoryview(raw)[leaf.start : leaf.end])
    return raw[leaf.start : leaf.end]


def leaf_text(raw: bytes, leaf: Leaf) -> str:
    """The text of a leaf under its character set, lines ended by LF."""
    return _text_of(decode_leaf(raw, leaf), leaf)


def _text_of(content: bytes, leaf: Leaf) -> str:
    charset = leaf.charset
    if not charset and leaf.content_type == "text/html":
        named = _META_CHARSET.search(content[:2048])
        charset = named[1].decode("ascii") if named else ""
    text = decode(content, charset)
    if "\r" in text:
        text = text.replace("\r\n", "\n").replace("\r", "\n")
    return text.removeprefix("\ufeff")


def _addresses(first: dict[str, bytes], name: str, defects: dict[str, None]) -> tuple[Address, ...]:
    if name not in first:
        return ()
    found = parse_addresses(first[name])
    if len(found) >= MAX_ADDRESSES:
        defects[f"more than {MAX_ADDRESSES} addresses in one header"] = None
    return found


def _references(first: dict[str, bytes]) -> tuple[str, ...]:
    ids: list[str] = []
    for name in ("references", "in-reply-to"):
        if name in first:
            ids += parse_ids(first[name])
    return tuple(dict.fromkeys(ids))


def _leaf(position: int, section: Section) -> Leaf:
    fields, parameters = section.fields, section.parameters
    disposition, more = "", dict[str, str]()
    if "content-disposition" in fields:
        disposition, more = parse_parameters(fields["content-disposition"])
    filename = more.get("filename") or parameters.get("name", "")
    content_id = fields.get("content-id", b"")
    encoding = fields.get("content-transfer-encoding", b"")
    return Leaf(
        position=position,
        content_type=section.content_type,
        charset=parameters.get("charset", "").lower()[:60],
        filename=_clean_filename(filename) if filename else "",
        content_id=parse_message_id(content_id) if content_id else "",
        disposition=disposition,
        transfer_encoding=_encoding_name(encoding) if encoding else "",
        start=section.start,
        end=section.end,
        is_attachment=_is_attachment(position, section, disposition, filename),
    )


def _clean_filename(filename: str) -> str:
    """The last segment of a claimed file name, without controls."""
    name = _CONTROLS.sub(" ", display(decode_words(filename)))
    return collapse(name.replace("\\", "/").rpartition("/")[2])[-_MAX_FILENAME:]


def _encoding_name(value: bytes) -> str:
    words = decode(value[:100], "").strip("\"' ;").lower().split()
    return words[0].rstrip(";") if words else ""


def _is_attachment(position: int, section: Section, disposition: str, filename: str) -> bool:
    """Whether a person would download it: not the body, not a picture inside it."""
    content_type = section.content_type
    if disposition == "attachment":
        return True
    if content_type in _READABLE:
        return bool(filename) and position > 0
    if content_type.startswith("image/") and "content-id" in section.fields:
        return not (section.is_related or disposition == "inline")
    return not (content_type.startswith("text/") and section.alternative >= 0)


def _is_shown(leaf: Leaf) -> bool:
    return leaf.content_type in _READABLE and not leaf.is_attachment


def _texts(raw: bytes, leaves: tuple[Leaf, ...], defects: dict[str, None]) -> dict[int, str]:
    """The decoded text of each text leaf by position, as far as the limit of 10 MB goes."""
    texts: dict[int, str] = {}
    budget = MAX_TEXT
    for leaf in leaves:
        if not leaf.content_type.startswith("text/"):
            continue
        if leaf.end - leaf.start > budget:
            defects["more than 10 MB of text"] = None
            continue
        budget -= leaf.end - leaf.start
        texts[leaf.position] = leaf_text(raw, leaf)
        if leaf.content_type == "text/html" and len(texts[leaf.position]) > MAX_HTML:
            defects["more than 4 MB of HTML"] = None
    return texts


def _readable_text(
    sections: tuple[Section, ...],
    leaves: tuple[Leaf, ...],
    texts: dict[int, str],
) -> str:
    """Plain text where there is some, HTML as text elsewhere; of alternatives one is taken."""
    groups: dict[int, list[Leaf]] = {}
    for section, leaf in zip(sections, leaves, strict=True):
        if _is_shown(leaf) and leaf.position in texts:
            is_alone = section.alternative < 0
            groups.setdefault(-1 - leaf.position if is_alone else section.alternative, []).append(
                leaf
            )
    chosen = [_group_text(group, texts) for group in groups.values()]
    return display("\n\n".join([text for text in chosen if text]))


def _group_text(group: list[Leaf], texts: dict[int, str]) -> str:
    plain = [texts[one.position].strip("\n") for one in group if one.content_type == "text/plain"]
    text = "\n\n".join([one for one in plain if one.strip()])
    if len(text) > _STUB_LENGTH or len(plain) == len(group):
        return text
    rich = [html_text(texts[one.position]) for one in group if one.content_type == "text/html"]
    longer = "\n\n".join([one for one in rich if one])
    # "Your program does not show HTML" is no text of a message.
    return longer if len(longer) > 4 * len(text) else text


def _content_digest(
    said: tuple[str, str, str], raw: bytes, leaves: tuple[Leaf, ...], texts: dict[int, str]
) -> bytes:
    """SHA-256 over From, Subject and Date, then each leaf's type, file name and content.

    Each field is preceded by its length (8 bytes, big-endian); a content is itself given by the
    SHA-256 of its bytes, so that nothing large is held twice.
    """
    digest = hashlib.sha256()
    for text in said:
        _update(digest, text.encode("utf-8", "surrogatepass"))
    for leaf in leaves:
        _update(digest, leaf.content_type.encode("utf-8", "surrogatepass"))
        _update(digest, leaf.filename.encode("utf-8", "surrogatepass"))
        _update(digest, _leaf_digest(raw, leaf, texts.get(leaf.position)))
    return digest.digest()


def _update(digest: "hashlib._Hash", field: bytes) -> None:
    digest.update(len(field).to_bytes(8, "big"))
    digest.update(field)


def _leaf_digest(raw: bytes, leaf: Leaf, text: str | None) -> bytes:
    """The SHA-256 of a leaf's content. Line ends of unencoded leaves are the transport's: LF."""
    if text is not None:
        content = text.encode("utf-8", "surrogatepass").rstrip()
        return _lines_digest(content, _without_trailing_space)
    content = decode_leaf(raw, leaf)
    if leaf.transfer_encoding == "base64":
        return hashlib.sha256(content).digest()
    return _lines_digest(content.rstrip(b"\r\n"), _with_lf)


def _lines_digest(content: bytes, tidy: Callable[[bytes], bytes]) -> bytes:
    """The SHA-256 of tidied lines, a megabyte at a time."""
    digest = hashlib.sha256()
    start = 0
    while start < len(content):
        end = content.find(b"\n", start + _CHUNK)
        end = len(content) if end < 0 else end + 1
        digest.update(tidy(content[start:end]))
        start = end
    return digest.digest()


def _with_lf(lines: bytes) -> bytes:
    return lines.replace(b"\r\n", b"\n")


def _without_trailing_space(lines: bytes) -> bytes:
    if b" \n" not in lines and b"\t\n" not in lines:
        return lines
    return b"\n".join([line.rstrip(b" \t") for line in lines.split(b"\n")])
