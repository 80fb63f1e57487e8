"""R4: the text of documents, known by their bytes and named by their pages."""

import pytest

from app.extract import kinds, pages
from app.extract.kinds import Document, read_document
from app.store import extracts
from tests.extract import documents as make

CELLS = (
    '<row><c t="s"><v>1</v></c><c><v>1234.5600000000001</v></c><c s="1"><v>45730</v></c></row>'
    '<row><c t="inlineStr"><is><t>w linii</t></is></c><c t="s"><v>7</v></c></row>'
)
STRINGS = "<si><t>zero</t></si><si><r><t>Beton</t></r><r><t> B25</t></r><rPh><t>x</t></rPh></si>"
STYLES = (
    '<styleSheet><numFmts><numFmt numFmtId="170" formatCode="[$-415]d mmmm yyyy"/></numFmts>'
    '<cellStyleXfs><xf numFmtId="14"/></cellStyleXfs>'
    '<cellXfs><xf numFmtId="0"/><xf numFmtId="170"/></cellXfs></styleSheet>'
)
RTF = (
    rb"{\rtf1\ansi\ansicpg1250{\fonttbl{\f0 Arial;}}{\*\generator Word;}{\info{\title T}}"
    rb"Za\'bf\'f3\'b3\'e6 \uc1\u322?\u-10179?\u-8704?\par \b g\'eascie\b0\line{\pict 0102}"
    rb"{\bin3 }}}\~x}"
)

READ = {
    "pdf": (make.pdf("Zażółć", "Gęślą"), "\fpage 1\nZażółć\fpage 2\nGęślą"),
    "docx": (make.docx("Zażółć & co", "Gęślą"), "Zażółć & co\nGęślą"),
    "docx breaks": (
        make.word(b"<w:p><w:t>a</w:t><w:tab/><w:t>b</w:t><w:br/><w:instrText>no</w:instrText>"
                  b"<w:t>c</w:t></w:p></w:body></w:document>"),
        "a\tb\nc",
    ),
    "xlsx": (
        make.xlsx(strings=STRINGS, sheet=CELLS, styles=STYLES),
        "\fsheet Koszty 2025\nBeton B25\t1234.56\t2025-03-14\t\nw linii",
    ),
    "pptx": (make.pptx("Pierwszy", "Drugi"), "\fslide 1\nPierwszy\fslide 2\nDrugi"),
    "odt": (
        make.opendocument(
            "text", "<text:h>Tytuł</text:h><text:p>a<text:s/>b<text:tab/>c</text:p>x"
        ),
        "Tytuł\na b\tc",
    ),
    "ods": (
        make.opendocument(
            "spreadsheet", '<table:table table:name="Arkusz"><text:p>5</text:p></table:table>'
        ),
        "\fsheet Arkusz\n5",
    ),
    "odp": (
        make.opendocument(
            "presentation", "<draw:page/><draw:page><text:p>Plan</text:p></draw:page>"
        ),
        "\fslide 2\nPlan",
    ),
    "rtf": (RTF, "Zażółć ł😀\ngęscie\n\xa0x".replace("\xa0", " ")),
    "winmail": (make.winmail("faktura.pdf", make.pdf("FV 7")), "\ffaktura.pdf, page 1\nFV 7"),
}  # fmt: skip


@pytest.mark.parametrize("name", READ)
def test_a_document_is_known_by_its_bytes(name):
    content, text = READ[name]

    assert read_document(Document(content)) == ("read", text)


@pytest.mark.parametrize(
    ("document", "text"),
    [
        (Document("zażółć".encode(), "text/plain", "utf-8"), "zażółć"),
        (Document("zażółć".encode("cp1250"), "text/csv", "windows-1250"), "zażółć"),
        (Document("zażółć".encode("cp1250"), filename="a.CSV"), "zażółć"),
        (Document("zażółć".encode("utf-16"), filename="a.txt"), "zażółć"),
        (Document(b"\xef\xbb\xbfa\fb\r\nc", "text/plain"), "a\nb\nc"),
        (
            Document(
                b'<html><meta charset="iso-8859-2"><p>'
                + "zażółć<script>no</script>".encode("iso-8859-2")
            ),
            "zażółć",
        ),
        (Document(b'<?xml version="1.0"?><Fa><Nr>FV/7</Nr></Fa>', "application/xml"), "FV/7"),
    ],
)
def test_text_is_known_by_what_is_said_of_it(document, text):
    assert read_document(document) == ("read", text)


def test_mail_in_mail_is_read_with_its_attachments():
    inner = make.mail("Wewnętrzny", "Głęboko.", ("a.pdf", make.pdf("FV 1")), ("no.pdf", b"%PDF-x"))
    outer = make.mail("Fwd", "Zobacz.", ("inner.eml", inner), ("b, c.txt", b"notatka"))

    status, text = read_document(Document(outer, "message/rfc822"))

    assert status == "read"
    assert [name for name, _ in extracts.pages(text)] == [
        "", "inner.eml", "inner.eml, a.pdf, page 1", "b  c.txt",
    ]  # fmt: skip
    assert text.startswith("\f\nFwd\nJan jan@spostex.pl\n\nZobacz.")


def test_mail_is_opened_so_deep_and_no_deeper():
    inner = make.mail("0", "dno")
    for depth in range(1, 8):
        inner = make.mail(str(depth), f"pietro {depth}", ("m.eml", inner))

    _, text = read_document(Document(inner, "message/rfc822"))

    assert "pietro 3" in text
    assert "pietro 2" not in text


REFUSED = {
    "password": [make.locked_pdf(), make.locked_zip(make.docx("a")),
                 make.OLE + "EncryptedPackage".encode("utf-16-le"),
                 make.opendocument("text", "<text:p>a</text:p>", is_locked=True)],
    "old": [make.OLE + bytes(600)],
    "damaged": [b"%PDF-1.7 nothing", make.docx("a")[:200], make.word(b"<w:p>"),
                make.word(b"<a>" * 100_000), b"{\\rtf1" + b"{" * 100_000],
    "empty": [make.pdf(""), make.docx("")],
    "unknown": [b"\x89PNG\r\n\x1a\n", b"", bytes(range(256)), make.packed({"a.txt": "b"})],
    "large": [
        make.packed({"word/document.xml": '<!DOCTYPE d [<!ENTITY a "b">]><t>&a;</t>'}),
        make.word(*[b" " * (1 << 20)] * 65),
        make.word(b'<a b="', *[b"x" * (1 << 20)] * 3),
        make.word(b"<w:t>", *[b" " * (1 << 20)] * 2),
        make.packed({f"{at}": "" for at in range(10_001)}),
    ],
}  # fmt: skip


@pytest.mark.parametrize(
    ("status", "at"), [(name, at) for name, some in REFUSED.items() for at in range(len(some))]
)
def test_what_cannot_be_read_says_why(status, at):
    assert read_document(Document(REFUSED[status][at])) == (status, "")


def test_a_broken_file_that_claims_to_be_a_document_is_damaged():
    assert read_document(Document(b"rubbish", "application/pdf")) == ("damaged", "")
    assert read_document(Document(b"rubbish", filename="a.docx")) == ("damaged", "")
    assert read_document(Document(b"rubbish", filename="a.png")) == ("unknown", "")


def test_text_that_does_not_end_is_cut():
    line = '<row><c t="s"><v>0</v></c></row>'
    content = make.xlsx(strings=f"<si><t>{'x' * 32_000}</t></si>", sheet=line * 1_000)

    status, text = read_document(Document(content))

    assert status == "cut"
    assert len(text) <= extracts.MOST_CHARACTERS + pages.LONGEST_NAME


def test_time_that_is_over_keeps_what_was_read(monkeypatch):
    monkeypatch.setattr(pages.time, "process_time", iter([0.0, *[0.1] * 4, *[9.0] * 9]).__next__)

    assert read_document(Document(make.pdf("a", "b", "c", "d")))[0] == "cut"


def test_a_fault_of_ours_is_the_documents_only(monkeypatch):
    def fail(document, pages, *, depth):
        raise LookupError

    monkeypatch.setattr(kinds, "_read", fail)

    assert read_document(Document(b"a", "text/plain")) == ("failed", "")


def test_child_and_store_agree_on_how_long_a_text_is():
    assert pages.MOST_CHARACTERS == extracts.MOST_CHARACTERS
