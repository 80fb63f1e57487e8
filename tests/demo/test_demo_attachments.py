"""The files open: their formats' own rules hold."""

import io
import re
import zipfile
import zlib
from random import Random
from xml.etree import ElementTree

import pytest

from app.demo.attachments import docx, jpeg, pdf, png, xlsx
from app.demo.papers import prices

LINES = ["Zażółć gęślą jaźń (100%)", "Faktura FV/2026/03/117"]


@pytest.mark.parametrize(("lines", "pages"), [(1, 1), (46, 1), (47, 2), (138, 3)])
def test_a_pdfs_xref_points_to_its_objects(lines, pages):
    content = pdf("a.pdf", ["Beton C25/30"] * lines).content

    start = int(re.search(rb"startxref\n(\d+)\n%%EOF\n\Z", content)[1])
    table = content[start:].split(b"\n")
    count = int(table[1].split()[1])
    offsets = [int(row[:10]) for row in table[3 : 2 + count]]

    assert content.startswith(b"%PDF-1.4")
    assert table[0] == b"xref"
    assert all(len(row) == 19 for row in table[2 : 2 + count])
    for number, offset in enumerate(offsets, start=1):
        assert content[offset:].startswith(b"%d 0 obj\n" % number)
    assert content.count(b"/Type /Page ") == pages


def test_a_pdfs_streams_have_the_length_they_say():
    content = prices("Spostex", 2026).content

    streams = re.findall(rb"/Length (\d+) >>\nstream\n(.*?)\nendstream", content, re.S)
    assert len(streams) == 3
    assert all(int(length) == len(text) for length, text in streams)


def test_a_pdf_keeps_polish_letters_apart():
    content = pdf("a.pdf", LINES).content

    assert b"/aogonek /cacute" in content
    assert b"(Za\x87\xf3\x83\x81 g" in content
    assert b"\\(100%\\)" in content


@pytest.mark.parametrize("made", [docx("a.docx", LINES), xlsx("a.xlsx", [("Etap", 3), (*LINES,)])])
def test_an_office_file_is_a_sound_zip_of_xml_that_names_its_parts(made):
    with zipfile.ZipFile(io.BytesIO(made.content)) as archive:
        names = archive.namelist()
        roots = {name: ElementTree.fromstring(archive.read(name)) for name in names}
        assert archive.testzip() is None

    overrides = [
        row.get("PartName") for row in roots["[Content_Types].xml"] if "Override" in row.tag
    ]
    assert {name.lstrip("/") for name in overrides} <= set(names)
    text = "".join("".join(root.itertext()) for root in roots.values())
    assert all(line in text for line in LINES)


def test_a_png_holds_its_pixels_under_right_checksums():
    content = png("a.png", Random(1), width=10, height=4).content

    at, kinds = 8, {}
    while at < len(content):
        size = int.from_bytes(content[at : at + 4], "big")
        kind, body = content[at + 4 : at + 8], content[at + 8 : at + 8 + size]
        assert int.from_bytes(content[at + 8 + size : at + 12 + size], "big") == zlib.crc32(
            kind + body
        )
        kinds[kind], at = body, at + 12 + size
    assert list(kinds) == [b"IHDR", b"IDAT", b"IEND"]
    assert len(zlib.decompress(kinds[b"IDAT"])) == 4 * (1 + 3 * 10)


def test_a_jpegs_segments_lead_to_its_scan():
    content = jpeg("a.jpg", Random(1), size_bytes=100_000).content

    at, markers = 2, []
    while markers[-1:] != [0xDA]:
        assert content[at] == 0xFF
        markers.append(content[at + 1])
        at += 2 + int.from_bytes(content[at + 2 : at + 4], "big")
    assert markers[0] == 0xE0
    assert {0xDB, 0xC0, 0xC4} <= set(markers)
    assert len(content) > 100_000
    assert content.endswith(b"\xff\xd9")
