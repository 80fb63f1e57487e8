"""What a document is, by its bytes first and by what is said of it second, and its text."""

import codecs
import re
from dataclasses import dataclass
from typing import Final

from app.extract import tnef
from app.extract.office import Package, read_docx, read_pptx
from app.extract.opendocument import read_opendocument
from app.extract.pages import Pages, Refused
from app.extract.pdf import read_pdf
from app.extract.rtf import read_rtf
from app.extract.sheets import read_xlsx
from app.mail import Leaf, ParsedMail, decode_leaf, html_text, parse
from app.mail.charsets import decode

DEEPEST: Final = 4
"""Mail in mail that is opened."""

MOST_INSIDE: Final = 200
"""Attachments of a mail that are opened."""

_PDF_BYTES: Final = 1024
_OLE: Final = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_OFFICE: Final = {
    "word/document.xml": read_docx,
    "xl/workbook.xml": read_xlsx,
    "ppt/presentation.xml": read_pptx,
    "content.xml": read_opendocument,
}
_MARKUP: Final = re.compile(rb"\s*(?:<!doctype html|<html|<\?xml|<head|<body|<table)", re.I)
_CHARSET: Final = re.compile(
    rb"<(?:meta|\?xml)[^>]{0,200}?(?:charset|encoding)\s*=\s*[\"']?([\w-]+)", re.I
)
_MAIL: Final = re.compile(
    rb"(?:[!-9;-~]{1,76}:[^\n]*\r?\n(?:[ \t][^\n]*\r?\n)*){0,200}?(?:From|Received|Message-ID):",
    re.IGNORECASE,
)
_BOMS: Final = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_TEXT_ENDINGS: Final = frozenset(
    [
        "txt",
        "csv",
        "tsv",
        "log",
        "md",
        "html",
        "htm",
        "xhtml",
        "xml",
        "json",
        "ics",
        "vcf",
        "yaml",
        "yml",
        "ini",
        "sql",
        "patch",
        "diff",
        "srt",
        "tex",
    ]
)


@dataclass(frozen=True, slots=True)
class Document:
    """An attachment: its bytes and what its mail says of them."""

    content: bytes
    content_type: str = ""
    charset: str = ""
    filename: str = ""

    @property
    def ending(self) -> str:
        return self.filename.rpartition(".")[2].lower()


def read_document(document: Document) -> tuple[str, str]:
    """How it went out ("read", "cut", "password" ...), and the text as the store keeps it."""
    pages = Pages()
    status = "read"
    try:
        _read(document, pages, depth=0)
    except Refused as exc:
        status = exc.status
    except MemoryError:
        status = "large"
    except Exception:  # a fault of ours in one document is that document's
        status = "failed"
    text = pages.text()
    if status == "read":
        return ("read" if text else "empty"), text
    if text:
        return "cut", text
    return ("large" if status == "cut" else status), text


def _read(document: Document, pages: Pages, *, depth: int) -> None:
    content = document.content
    if _is_pdf(document):
        read_pdf(content, pages)
    elif content.startswith(b"PK\x03\x04"):
        _read_zip(content, pages)
    elif content.startswith(b"{\\rtf"):
        read_rtf(content, pages)
    elif content.startswith(_OLE):
        raise Refused("password" if "EncryptedPackage".encode("utf-16-le") in content else "old")
    elif content.startswith(tnef.SIGNATURE):
        _read_all(
            [Document(inner, filename=name) for name, inner in tnef.attached(content)], pages, depth
        )
    elif _is_mail(document):
        _read_mail(parse(content), content, pages, depth)
    elif _is_text(document):
        _read_text(document, pages)
    else:
        raise Refused(_declared(document))


def _is_pdf(document: Document) -> bool:
    is_said = document.content_type == "application/pdf" or document.ending == "pdf"
    return document.content.startswith(b"%PDF-") or (
        is_said and b"%PDF-" in document.content[:_PDF_BYTES]
    )


def _declared(document: Document) -> str:
    """What is said to be a document and is none is damaged."""
    is_said = document.content_type in ("application/pdf", "application/rtf") or (
        document.ending in ("pdf", "docx", "xlsx", "pptx", "odt", "ods", "odp", "rtf")
    )
    return "damaged" if is_said else "unknown"


def _read_zip(content: bytes, pages: Pages) -> None:
    package = Package(content)
    for name, read in _OFFICE.items():
        if name in package.names:
            read(package, pages)
            return
    raise Refused("unknown")


def _is_mail(document: Document) -> bool:
    is_said = document.content_type == "message/rfc822" or document.ending == "eml"
    return is_said and _MAIL.match(document.content) is not None


def _is_text(document: Document) -> bool:
    is_said = (
        document.content_type.startswith("text/")
        or document.content_type.endswith(("/xml", "+xml", "/json"))
        or document.ending in _TEXT_ENDINGS
    ) and not document.content_type.startswith("image/")
    return is_said or _MARKUP.match(document.content) is not None


def _read_text(document: Document, pages: Pages) -> None:
    content, charset = document.content, document.charset
    for bom, name in _BOMS:
        if content.startswith(bom):
            content, charset = content[len(bom) :], name
    if not charset.startswith("utf-16") and b"\0" in content[:_PDF_BYTES]:
        raise Refused("unknown")
    is_markup = _MARKUP.match(content) is not None or document.content_type == "text/html"
    if is_markup and not charset:
        said = _CHARSET.search(content[:_PDF_BYTES])
        charset = said[1].decode() if said else ""
    text = decode(content, charset)
    pages.add(html_text(text) if is_markup else text)


def _read_mail(mail: ParsedMail, raw: bytes, pages: Pages, depth: int) -> None:
    people = [f"{one.name} {one.address}" for one in (*mail.from_, *mail.to, *mail.cc)]
    pages.begin("")
    pages.add("\n".join([mail.subject, *people, "", mail.text]))
    _read_all([_inside(raw, leaf) for leaf in mail.leaves if leaf.is_attachment], pages, depth)


def _inside(raw: bytes, leaf: Leaf) -> Document:
    return Document(decode_leaf(raw, leaf), leaf.content_type, leaf.charset, leaf.filename)


def _read_all(documents: list[Document], pages: Pages, depth: int) -> None:
    """Each is named by its file; one that cannot be read is left out."""
    if depth >= DEEPEST:
        return
    outer = pages.prefix
    for document in documents[:MOST_INSIDE]:
        pages.prefix = ", ".join(filter(None, (outer, document.filename.replace(",", " "))))
        pages.begin("")
        try:
            _read(document, pages, depth=depth + 1)
        except Refused as exc:
            if exc.status in ("cut", "slow"):
                raise
    pages.prefix = outer
