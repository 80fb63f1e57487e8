"""Small documents of every kind, and some that mean harm."""

import base64
import io
import struct
import zipfile
import zlib
from collections.abc import Iterable

from app.demo import attachments

OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_WORD = b'<?xml version="1.0"?><w:document xmlns:w="w"><w:body>'


def pdf(*pages: str) -> bytes:
    """A page for each text."""
    lines = [line for page in pages for line in [page, *[""] * 45]]
    return attachments.pdf("a.pdf", lines).content


def locked_pdf() -> bytes:
    lock = b"/Encrypt << /Filter /Standard /V 1 /R 2 /P -4 /O <%b> /U <%b> >> /ID [<00> <00>]" % (
        b"00" * 32,
        b"11" * 32,
    )
    return pdf("Tajne").replace(b"/Root 1 0 R", b"/Root 1 0 R " + lock)


def pdf_of(content: bytes) -> bytes:
    """One page with this content stream, compressed."""
    stream = zlib.compress(content)
    plain = pdf("x")
    start = plain.index(b"5 0 obj")
    body = b"5 0 obj\n<< /Filter /FlateDecode /Length %d >>\nstream\n%b\nendstream\nendobj\n" % (
        len(stream),
        stream,
    )
    return plain[:start] + body + b"trailer\n<< /Size 6 /Root 1 0 R >>\n%%EOF\n"


def docx(*paragraphs: str) -> bytes:
    return attachments.docx("a.docx", paragraphs).content


def word(*chunks: bytes) -> bytes:
    """A DOCX whose document is these bytes after the beginning."""
    return packed({"word/document.xml": (_WORD, *chunks)})


def xlsx(*, strings: str = "", sheet: str = "", styles: str = "<styleSheet/>") -> bytes:
    return packed(
        {
            "xl/workbook.xml": '<workbook xmlns:r="r"><sheets><sheet name="Koszty 2025" r:id="a"/>'
            "</sheets></workbook>",
            "xl/_rels/workbook.xml.rels": '<R><Relationship Id="a" Target="worksheets/s.xml"/></R>',
            "xl/sharedStrings.xml": f"<sst>{strings}</sst>",
            "xl/styles.xml": styles,
            "xl/worksheets/s.xml": f"<worksheet><sheetData>{sheet}</sheetData></worksheet>",
        }
    )


def pptx(*slides: str) -> bytes:
    """The slides lie in the package in the other order."""
    ids = "".join(f'<p:sldId r:id="r{at}"/>' for at in range(len(slides)))
    files = {
        "ppt/presentation.xml": f'<p:presentation xmlns:p="p" xmlns:r="r">{ids}</p:presentation>'
    }
    relations = ""
    for at, text in enumerate(slides):
        name = f"slides/slide{len(slides) - at}.xml"
        relations += f'<Relationship Id="r{at}" Target="{name}"/>'
        files[f"ppt/{name}"] = (
            f'<p:sld xmlns:p="p" xmlns:a="a"><a:p><a:t>{text}</a:t></a:p></p:sld>'
        )
    return packed(files | {"ppt/_rels/presentation.xml.rels": f"<R>{relations}</R>"})


def opendocument(kind: str, body: str, *, is_locked: bool = False) -> bytes:
    lock = "<m:encryption-data/>" if is_locked else ""
    return packed(
        {
            "mimetype": f"application/vnd.oasis.opendocument.{kind}",
            "content.xml": '<office:document-content xmlns:office="o" xmlns:text="t"'
            ' xmlns:table="b" xmlns:draw="d"><office:body>'
            f"<office:{kind}>{body}</office:{kind}></office:body></office:document-content>",
            "META-INF/manifest.xml": f'<m:manifest xmlns:m="m">{lock}</m:manifest>',
        }
    )


def winmail(name: str, content: bytes) -> bytes:
    def attribute(number: int, value: bytes) -> bytes:
        return struct.pack("<BII", 2, number, len(value)) + value + b"\0\0"

    return (
        b"\x78\x9f\x3e\x22\x01\x00"
        + attribute(0x69002, b"rendering")
        + attribute(0x18010, name.encode() + b"\0")
        + attribute(0x6800F, content)
    )


def mail(subject: str, text: str, *files: tuple[str, bytes]) -> bytes:
    parts = [f"Content-Type: text/plain\r\n\r\n{text}"]
    parts += [
        f'Content-Type: application/octet-stream; name="{name}"\r\n'
        f"Content-Transfer-Encoding: base64\r\n\r\n{base64.encodebytes(content).decode()}"
        for name, content in files
    ]
    body = "".join(f"--b\r\n{part}\r\n" for part in parts)
    head = "From: Jan <jan@spostex.pl>\r\nContent-Type: multipart/mixed; boundary=b\r\n"
    return f"Subject: {subject}\r\n{head}\r\n{body}--b--\r\n".encode()


def packed(files: dict[str, str | Iterable[bytes]]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            with archive.open(name, "w") as member:
                for chunk in [content.encode()] if isinstance(content, str) else content:
                    member.write(chunk)
    return buffer.getvalue()


def locked_zip(content: bytes) -> bytes:
    """The same with the mark of encryption on every member."""
    raw = bytearray(content)
    for signature, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        at = raw.find(signature)
        while at >= 0:
            raw[at + offset] |= 1
            at = raw.find(signature, at + 4)
    return bytes(raw)
