"""Documents that are XML in a zip: DOCX and PPTX here, others by the same means.

Everything is a stream: no member is unpacked whole, no tree is built, and entities are refused.
"""

import io
import posixpath
import re
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO, Final
from xml.parsers import expat

from app.extract.pages import Pages, Refused

MOST_UNPACKED: Final = 64 << 20
MOST_MEMBERS: Final = 10_000
DEEPEST: Final = 256
LONGEST_TOKEN: Final = 1 << 20
_CHUNK: Final = 1 << 16
_BROKEN: Final = (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, expat.ExpatError,
                  KeyError, OSError, ValueError, OverflowError)  # fmt: skip

_BESIDE: Final = re.compile(r"word/(?:header|footer|footnotes|endnotes|comments)\d*\.xml")

Attributes = dict[str, str]


class Handler:
    """What is done with the elements of one XML file; names come without their namespaces."""

    def start(self, name: str, attributes: Attributes) -> None: ...

    def end(self, name: str) -> None: ...

    def data(self, text: str) -> None: ...


class Package:
    """A zip that holds a document."""

    def __init__(self, content: bytes) -> None:
        with broken_is_damaged():
            self._zip = zipfile.ZipFile(io.BytesIO(content))
            self.names = {info.filename: info for info in self._zip.infolist()}
        if len(self.names) > MOST_MEMBERS:
            raise Refused("large")
        self._room = MOST_UNPACKED

    def walk(self, name: str, handler: Handler) -> None:
        """Have a handler hear of a member's elements. Raises Refused."""
        with broken_is_damaged(), self.opened(name) as stream:
            _parse(self._chunks(stream), handler)

    def beginning(self, name: str, size_bytes: int) -> bytes:
        with broken_is_damaged(), self.opened(name) as stream:
            return stream.read(size_bytes)

    def opened(self, name: str) -> IO[bytes]:
        if self.names[name].flag_bits & 1:
            raise Refused("password")
        return self._zip.open(name)

    def targets(self, name: str) -> dict[str, str]:
        """The members that another one names by ids."""
        folder, file = posixpath.split(name)
        relations = _Relations(folder)
        path = f"{folder}/_rels/{file}.rels"
        if path in self.names:
            self.walk(path, relations)
        return {one: path for one, path in relations.found.items() if path in self.names}

    def _chunks(self, stream: IO[bytes]) -> Iterator[bytes]:
        while chunk := stream.read(_CHUNK):
            self._room -= len(chunk)
            if self._room < 0:
                raise Refused("large")
            yield chunk


@contextmanager
def broken_is_damaged() -> Iterator[None]:
    try:
        yield
    except _BROKEN as exc:
        raise Refused("damaged") from exc
    except RuntimeError as exc:  # how zipfile says that a member is encrypted
        raise Refused("password") from exc


def _parse(chunks: Iterator[bytes], handler: Handler) -> None:
    parser = expat.ParserCreate()
    parser.buffer_text = True
    depth = silent = 0

    def start(name: str, attributes: Attributes) -> None:
        nonlocal depth, silent
        depth += 1
        silent = 0
        if depth > DEEPEST:
            raise Refused("damaged")
        handler.start(name.rpartition(":")[2], attributes)

    def end(name: str) -> None:
        nonlocal depth, silent
        depth -= 1
        silent = 0
        handler.end(name.rpartition(":")[2])

    def data(text: str) -> None:
        nonlocal silent
        silent = 0
        handler.data(text)

    def refuse(*declaration: object) -> None:
        del declaration
        raise Refused("large")

    parser.StartElementHandler = start
    parser.EndElementHandler = end
    parser.CharacterDataHandler = data
    parser.EntityDeclHandler = refuse
    for chunk in chunks:
        silent += len(chunk)
        if silent > LONGEST_TOKEN:  # expat reads one that has no end anew with every chunk
            raise Refused("large")
        parser.Parse(chunk, False)  # noqa: FBT003  # takes no names
    parser.Parse(b"", True)  # noqa: FBT003


class _Relations(Handler):
    def __init__(self, folder: str) -> None:
        self.folder = folder
        self.found: dict[str, str] = {}

    def start(self, name: str, attributes: Attributes) -> None:
        if name == "Relationship":
            path = posixpath.join("/", self.folder, attributes.get("Target", ""))
            self.found[attributes.get("Id", "")] = posixpath.normpath(path).lstrip("/")


class Listed(Handler):
    """The elements of one name, in order: a name of theirs, and the id of their file."""

    def __init__(self, element: str) -> None:
        self.element = element
        self.found: list[tuple[str, str]] = []

    def start(self, name: str, attributes: Attributes) -> None:
        if name == self.element:
            self.found.append((attributes.get("name", ""), attributes.get("r:id", "")))


class _Runs(Handler):
    """The text of DOCX and PPTX: what stands in `t`, a line for each paragraph."""

    BREAKS: Final = {"tab": "\t", "br": "\n", "cr": "\n"}

    def __init__(self, pages: Pages) -> None:
        self.pages = pages
        self.is_text = False

    def start(self, name: str, attributes: Attributes) -> None:
        self.is_text = name == "t"
        if name in self.BREAKS:
            self.pages.add(self.BREAKS[name])

    def end(self, name: str) -> None:
        self.is_text = False
        if name == "p":
            self.pages.add("\n")

    def data(self, text: str) -> None:
        if self.is_text:
            self.pages.add(text)


def read_docx(package: Package, pages: Pages) -> None:
    """Its text, then headers, footers, notes and comments."""
    for name in ["word/document.xml", *sorted(filter(_BESIDE.fullmatch, package.names))]:
        package.walk(name, _Runs(pages))


def read_pptx(package: Package, pages: Pages) -> None:
    show = "ppt/presentation.xml"
    slides = Listed("sldId")
    package.walk(show, slides)
    targets = package.targets(show)
    for number, (_, one) in enumerate(slides.found, start=1):
        if one in targets:
            pages.begin(f"slide {number}")
            package.walk(targets[one], _Runs(pages))
