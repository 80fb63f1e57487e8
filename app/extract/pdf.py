"""PDF, by PDFium."""

import re
from typing import Final

import pypdfium2
from pypdfium2 import raw as pdfium

from app.extract.pages import Pages, Refused

MOST_OF_PAGE: Final = 500_000
_HYPHEN: Final = re.compile("[\x02\ufffe](?:\r?\n)?")
"""PDFium's marks for a hyphen at the end of a line, where a word is parted."""


def read_pdf(content: bytes, pages: Pages) -> None:
    try:
        document = pypdfium2.PdfDocument(content)
    except pypdfium2.PdfiumError as exc:
        is_locked = exc.err_code == pdfium.FPDF_ERR_PASSWORD
        raise Refused("password" if is_locked else "damaged") from exc
    try:
        for number in range(len(document)):
            pages.begin(f"page {number + 1}")
            pages.add(_page_text(document, number))
    finally:
        document.close()


def _page_text(document: pypdfium2.PdfDocument, number: int) -> str:
    """A page that is broken costs its own text only."""
    try:
        page = document[number]
        text = page.get_textpage()
    except pypdfium2.PdfiumError:
        return ""
    found = text.get_text_range(0, min(text.count_chars(), MOST_OF_PAGE))
    text.close()
    page.close()
    return _HYPHEN.sub("", found)
