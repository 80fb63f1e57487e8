"""XLSX: what the cells say, a line for each row; days as days, not as numbers."""

import re
from datetime import datetime, timedelta
from typing import Final

from app.extract.office import Attributes, Handler, Listed, Package
from app.extract.pages import Pages, Refused

MOST_STRINGS: Final = 10_000_000
"""Characters of the table of strings."""

_DAY_FORMATS: Final = frozenset((*range(14, 18), 22, *range(27, 37), *range(50, 59)))
"""ECMA-376 18.8.30: the numbers of formats that show days and are not written down."""

_SHOWS_DAYS: Final = re.compile(r"[yd]", re.IGNORECASE)
_LITERAL: Final = re.compile(r'"[^"]*"|\[[^\]]*\]|\\.')
_DAY_ZERO: Final = datetime(1899, 12, 30)  # noqa: DTZ001  # a sheet's days have no time zone
_LAST_DAY: Final = 2_958_466


def read_xlsx(package: Package, pages: Pages) -> None:
    book = "xl/workbook.xml"
    sheets = Listed("sheet")
    package.walk(book, sheets)
    targets = package.targets(book)
    strings, formats = _Strings(), _Formats()
    for name, handler in (("xl/sharedStrings.xml", strings), ("xl/styles.xml", formats)):
        if name in package.names:
            package.walk(name, handler)
    for name, one in sheets.found:
        if one in targets:
            pages.begin(f"sheet {name}")
            package.walk(targets[one], _Cells(pages, strings.found, formats.day_styles()))


class _Strings(Handler):
    """The strings that cells name by number, without how they are pronounced."""

    def __init__(self) -> None:
        self.found: list[str] = []
        self._pieces: list[str] = []
        self._room = MOST_STRINGS
        self._is_text = self._is_spoken = False

    def start(self, name: str, attributes: Attributes) -> None:
        self._is_spoken = self._is_spoken or name == "rPh"
        self._is_text = name == "t" and not self._is_spoken

    def end(self, name: str) -> None:
        self._is_text = False
        if name == "rPh":
            self._is_spoken = False
        if name == "si":
            self.found.append("".join(self._pieces))
            self._pieces = []
            self._room -= 1

    def data(self, text: str) -> None:
        if not self._is_text:
            return
        self._room -= len(text)
        if self._room < 0:
            raise Refused("large")
        self._pieces.append(text)


class _Formats(Handler):
    """Which styles of cells show days."""

    def __init__(self) -> None:
        self._days = set(map(str, _DAY_FORMATS))
        self._styles: list[str] = []
        self._is_of_cells = False

    def start(self, name: str, attributes: Attributes) -> None:
        if name == "numFmt" and _SHOWS_DAYS.search(
            _LITERAL.sub("", attributes.get("formatCode", ""))
        ):
            self._days.add(attributes.get("numFmtId", ""))
        if name == "cellXfs":
            self._is_of_cells = True
        if name == "xf" and self._is_of_cells:
            self._styles.append(attributes.get("numFmtId", ""))

    def end(self, name: str) -> None:
        if name == "cellXfs":
            self._is_of_cells = False

    def day_styles(self) -> frozenset[str]:
        return frozenset(str(at) for at, one in enumerate(self._styles) if one in self._days)


class _Cells(Handler):
    def __init__(self, pages: Pages, strings: list[str], day_styles: frozenset[str]) -> None:
        self._pages = pages
        self._strings = strings
        self._day_styles = day_styles
        self._kind = self._style = ""
        self._value: list[str] = []
        self._is_value = False

    def start(self, name: str, attributes: Attributes) -> None:
        if name == "c":
            self._kind, self._style = attributes.get("t", "n"), attributes.get("s", "")
            self._value = []
        self._is_value = name in ("v", "t")

    def end(self, name: str) -> None:
        self._is_value = False
        if name == "c":
            self._pages.add(self._said("".join(self._value)) + "\t")
        if name == "row":
            self._pages.add("\n")

    def data(self, text: str) -> None:
        if self._is_value:
            self._value.append(text)

    def _said(self, value: str) -> str:
        if self._kind == "s":
            at = int(value) if value.isdecimal() else -1
            return self._strings[at] if 0 <= at < len(self._strings) else ""
        if self._kind != "n" or not value:
            return value
        number = float(value)
        if self._style in self._day_styles and 0 < number < _LAST_DAY:
            moment = _DAY_ZERO + timedelta(days=number)
            return f"{moment:%Y-%m-%d}" if number == int(number) else f"{moment:%Y-%m-%d %H:%M}"
        return f"{number:.15g}"
