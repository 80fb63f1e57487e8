"""ODT, ODS and ODP."""

from typing import Final

from app.extract.office import Attributes, Handler, Package
from app.extract.pages import Pages, Refused

_MANIFEST_BYTES: Final = 200_000


def read_opendocument(package: Package, pages: Pages) -> None:
    manifest = "META-INF/manifest.xml"
    if manifest in package.names and b"encryption-data" in package.beginning(
        manifest, _MANIFEST_BYTES
    ):
        raise Refused("password")
    package.walk("content.xml", _Paragraphs(pages))


class _Paragraphs(Handler):
    """A line for each paragraph; tables of a spreadsheet and slides of a show are pages."""

    def __init__(self, pages: Pages) -> None:
        self._pages = pages
        self._open = 0
        self._slides = 0
        self._is_sheet = False

    def start(self, name: str, attributes: Attributes) -> None:
        match name:
            case "p" | "h":
                self._open += 1
            case "tab":
                self._pages.add("\t")
            case "s":
                self._pages.add(" ")
            case "line-break":
                self._pages.add("\n")
            case "spreadsheet":
                self._is_sheet = True
            case "table" if self._is_sheet:
                self._pages.begin(f"sheet {attributes.get('table:name', '')}")
            case "page":
                self._slides += 1
                self._pages.begin(f"slide {self._slides}")

    def end(self, name: str) -> None:
        if name in ("p", "h"):
            self._open -= 1
            self._pages.add("\n")

    def data(self, text: str) -> None:
        if self._open:
            self._pages.add(text)
