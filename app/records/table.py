"""Records as a table of text: read from whatever a spreadsheet writes, and written for one."""

import csv
import io
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Final

from app.errors import Invalid
from app.model import Record, RoleId, UserId
from app.search.analysis import fold

COLUMNS: Final = (
    "type",
    "name",
    "code",
    "aliases",
    "domains",
    "addresses",
    "notes",
    "external_id",
    "roles",
    "users",
)
LARGEST_TABLE: Final = 64 << 20
MOST_ROWS: Final = 200_000
SEPARATORS: Final = {",": "comma", ";": "semicolon", "\t": "tab"}
_HEADERS: Final = {
    "type": "type kind recordtype typ rodzaj typrekordu",
    "name": "name nazwa",
    "code": "code kod",
    "aliases": "aliases alias knownas aliasy znanejako innenazwy",
    "domains": "domains domain domeny domena",
    "addresses": "addresses address emails email adresy adres adresyemail adresemail",
    "notes": "notes note notatki notatka uwagi",
    "external_id": "externalid idzewnetrzne identyfikatorzewnetrzny zewnetrznyid",
    "roles": "roles role rola",
    "users": "users user people uzytkownicy uzytkownik osoby",
}
_COLUMN_OF: Final = {word: name for name, words in _HEADERS.items() for word in words.split()}
_UTF_16: Final = ((b"\xff\xfe", "utf-16-le"), (b"\xfe\xff", "utf-16-be"))
_ENCODING_NAMES: Final = {"cp1250": "Windows-1250"}
_NOT_TEXT: Final = frozenset(range(32)) - frozenset(b"\t\n\r\f")
_FORMULA: Final = r"""(?:^|(?<=[;\t\r\n]))%s(?=[ "]*[=+\-@\t\r])"""
_PIECE: Final = 1 << 20


@dataclass(frozen=True, slots=True)
class Row:
    """A row: the line it begins in, and its cells by column; one that is absent says nothing."""

    number: int
    cells: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Table:
    """How a file was understood: `ignored` are its columns that are none of ours."""

    path: Path
    encoding: str
    separator: str
    columns: tuple[str, ...]
    ignored: tuple[str, ...]
    first_row: int

    @property
    def said(self) -> str:
        """How it was read, in words."""
        encoding = _ENCODING_NAMES.get(self.encoding, self.encoding.upper())
        return f"{encoding.removesuffix('-SIG')}, {SEPARATORS[self.separator]}"


def open_table(path: Path) -> Table:
    """Find out how a file is written; nothing is kept open.

    Raises Invalid for what is no table of records: too large, binary, in no known encoding, without
    the columns.
    """
    size = path.stat().st_size
    if size > LARGEST_TABLE:
        raise Invalid(
            "file",
            f"The file has {size >> 20:,} MB; a file of records has at most"
            f" {LARGEST_TABLE >> 20} MB. Cut it into several: each needs the line of column names.",
        )
    encoding = _encoding_of(path)
    with _opened(path, encoding) as file:
        line, number = file.readline(_PIECE), 1
        while line and not line.strip():
            line, number = file.readline(_PIECE), number + 1
        said = line.strip().lower().removeprefix("sep=")
        if line.lower().startswith("sep=") and said in SEPARATORS:
            line, number = file.readline(_PIECE), number + 1
    if not line.strip():
        raise Invalid("file", "The file is empty.")
    separator, cells = _header(line)
    columns = [_COLUMN_OF.get(_bare(cell), "") for cell in cells]
    for name in COLUMNS:
        if columns.count(name) > 1:
            raise Invalid("file", f"The column {name!r} stands twice in the first line.")
    missing = [name for name in ("type", "name") if name not in columns]
    if missing:
        raise Invalid(
            "file",
            f"The first line must name the columns; {' and '.join(map(repr, missing))} is missing."
            f" Columns are: {', '.join(COLUMNS)}. Only type and name are needed.",
        )
    ignored = tuple(
        cell for cell, name in zip(cells, columns, strict=True) if not name and cell.strip()
    )
    return Table(path, encoding, separator, tuple(columns), ignored, number + 1)


def rows(table: Table) -> Iterator[Row | Invalid]:
    """The rows that hold something; of one that makes no sense what is wrong, with its number.

    Raises Invalid for a quote that never ends and for too many rows: nothing after it is certain.
    """
    with _opened(table.path, table.encoding) as file:
        for _ in range(table.first_row - 1):
            file.readline()
        reader = csv.reader(file, delimiter=table.separator, strict=True)
        begins, count = table.first_row, 0
        while True:
            try:
                cells = next(reader)
            except StopIteration:
                return
            except csv.Error as exc:
                raise Invalid("file", _broken(begins, str(exc))) from exc
            number, begins = begins, table.first_row + reader.line_num
            if not any(cell.strip() for cell in cells):
                continue
            count += 1
            if count > MOST_ROWS:
                raise Invalid("file", f"The file has more than {MOST_ROWS:,} rows. Cut it.")
            yield _row(table, number, cells)


def write_table(
    records: Iterable[Record], *, roles: Mapping[RoleId, str], users: Mapping[UserId, str]
) -> Iterator[str]:
    """The records as the same table, piece by piece; `users` are e-mail addresses."""
    yield _line(COLUMNS)
    for record in records:
        yield _line(
            plain(cell)
            for cell in (
                record.type,
                record.name,
                record.code,
                ";".join(record.aliases),
                ";".join(record.domains),
                ";".join(record.addresses),
                record.notes,
                record.external_id,
                ";".join(roles[one] for one in record.roles),
                ";".join(users[one] for one in record.users),
            )
        )


def several(cell: str, *, at_commas: bool = False) -> tuple[str, ...]:
    """The values of a cell that holds several: between semicolons or lines, or commas too."""
    for sign in "\n|," if at_commas else "\n|":
        cell = cell.replace(sign, ";")
    return tuple(value.strip() for value in cell.split(";") if value.strip())


def _row(table: Table, number: int, cells: list[str]) -> Row | Invalid:
    width = len(table.columns)
    if any(cell.strip() for cell in cells[width:]):
        return Invalid(
            str(number),
            f"It has {len(cells)} cells, the first line {width}. A value that contains the"
            " separator stands in quotes.",
        )
    named = zip(table.columns, cells, strict=False)
    return Row(number, {name: _unquoted(cell) for name, cell in named if name})


def _broken(number: int, reason: str) -> str:
    if "end of data" in reason or "field limit" in reason:
        return f"Row {number}: a quote is opened that never ends. Nothing was imported."
    return (
        f"Row {number}: a quote stands where none belongs ({reason}). A quote inside a value is"
        ' written twice (""). Nothing was imported.'
    )


def _header(line: str) -> tuple[str, list[str]]:
    """The separator under which the first line names most of our columns, and its cells."""
    read = [(sign, next(csv.reader([line], delimiter=sign), [])) for sign in SEPARATORS]
    return max(read, key=lambda one: sum(_bare(cell) in _COLUMN_OF for cell in one[1]))


def _bare(cell: str) -> str:
    return "".join(sign for sign in fold(cell) if sign.isalnum())


def _encoding_of(path: Path) -> str:
    """UTF-8, UTF-16 or Windows-1250. Raises Invalid for what is no text in any of them."""
    with path.open("rb") as file:
        start = file.read(4096)
    if start.startswith((b"PK\x03\x04", b"\xd0\xcf\x11\xe0")):
        raise Invalid(
            "file", "This is a workbook, not a CSV file. In the spreadsheet: save it as CSV UTF-8."
        )
    encoding = next((name for mark, name in _UTF_16 if start.startswith(mark)), "")
    encoding = encoding or _bare_utf_16(start)
    if encoding:
        _check(path, encoding)
        return encoding
    broken = _first_broken_line(path)
    if broken is None:
        _check(path, "utf-8-sig")
        return "utf-8-sig"
    number, has_utf_8 = broken
    if has_utf_8 or start.startswith(b"\xef\xbb\xbf"):
        raise Invalid(
            "file",
            f"Row {number} is not written in UTF-8, though other rows are. Save the whole file as"
            " UTF-8.",
        )
    _check(path, "cp1250")
    return "cp1250"


def _bare_utf_16(start: bytes) -> str:
    """UTF-16 that does not say so: every second byte of a table is 0."""
    for name, zeros in (("utf-16-le", start[1::2]), ("utf-16-be", start[0::2])):
        if zeros and zeros.count(0) > len(zeros) * 0.7:
            return name
    return ""


def _first_broken_line(path: Path) -> tuple[int, bool] | None:
    """The first line that is no UTF-8, and whether as many others are, beyond ASCII; None: all."""
    broken, first, good = 0, 0, 0
    with path.open("rb") as file:
        for number, line in enumerate(iter(lambda: file.readline(_PIECE), b""), start=1):
            if line.isascii():
                continue
            try:
                line.decode()
                good += 1
            except UnicodeDecodeError:
                broken += 1
                first = first or number
    return (first, good >= broken) if broken else None


def _check(path: Path, encoding: str) -> None:
    """Raises Invalid if the file is no text in this encoding."""
    try:
        with _opened(path, encoding) as file:
            for number, line in enumerate(iter(lambda: file.readline(_PIECE), ""), start=1):
                if any(ord(sign) in _NOT_TEXT for sign in line):
                    raise Invalid(
                        "file", f"Row {number} holds bytes that are no text: this is no CSV file."
                    )
    except UnicodeError as exc:
        raise Invalid(
            "file",
            "The file is written in none of UTF-8, UTF-16 and Windows-1250. Save it as CSV UTF-8.",
        ) from exc


def _opened(path: Path, encoding: str) -> IO[str]:
    """The text of a file; the mark of its byte order is passed over."""
    file = path.open(encoding=encoding, newline="")
    if encoding.startswith("utf-16") and file.read(1) != "\ufeff":
        file.seek(0)
    return file


def _line(cells: Iterable[str]) -> str:
    written = io.StringIO()
    csv.writer(written).writerow(list(cells))
    return written.getvalue()


def plain(cell: str) -> str:
    """A cell of which no spreadsheet takes a piece for a formula, wherever it cuts lines.

    Where a comma is the decimal sign they cut at semicolons, and at the line ends of quoted cells.
    """
    return re.sub(_FORMULA % "", "'", cell)


def _unquoted(cell: str) -> str:
    """A cell as `write_table` was given it."""
    return re.sub(_FORMULA % "'", "", cell.strip())
