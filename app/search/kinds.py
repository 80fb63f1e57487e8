"""Kinds of attachments, as they are asked for: by ending, by MIME type, and by family."""

from typing import Final

FAMILIES: Final[dict[str, frozenset[str]]] = {
    "doc": frozenset(("doc", "docx", "docm", "dot", "dotx", "odt", "rtf", "pages")),
    "sheet": frozenset(("xls", "xlsx", "xlsm", "xlsb", "ods", "csv", "numbers")),
    "slides": frozenset(("ppt", "pptx", "pptm", "pps", "ppsx", "odp", "key")),
    "archive": frozenset(("zip", "7z", "rar", "tar", "gz", "bz2", "xz", "tgz")),
    "mail": frozenset(("eml", "msg")),
    "calendar": frozenset(("ics",)),
    "image": frozenset(
        ("png", "jpg", "jpeg", "gif", "webp", "bmp", "tif", "tiff", "svg", "heic", "avif")
    ),
    "audio": frozenset(("mp3", "wav", "ogg", "m4a", "flac", "amr")),
    "video": frozenset(("mp4", "mov", "avi", "mkv", "webm", "3gp")),
    "text": frozenset(("txt", "md", "log")),
}
_SAME: Final = {"jpeg": "jpg", "tiff": "tif", "htm": "html", "word": "doc", "document": "doc"} | {
    "spreadsheet": "sheet",
    "excel": "sheet",
    "presentation": "slides",
    "powerpoint": "slides",
    "picture": "image",
    "photo": "image",
}
_ENDINGS: Final = {
    "application/pdf": "pdf",
    "application/msword": "doc",
    "application/vnd.openxmlformats-officedocument.wordprocessingml.document": "docx",
    "application/vnd.oasis.opendocument.text": "odt",
    "application/rtf": "rtf",
    "text/rtf": "rtf",
    "application/vnd.ms-excel": "xls",
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet": "xlsx",
    "application/vnd.oasis.opendocument.spreadsheet": "ods",
    "text/csv": "csv",
    "application/vnd.ms-powerpoint": "ppt",
    "application/vnd.openxmlformats-officedocument.presentationml.presentation": "pptx",
    "application/vnd.oasis.opendocument.presentation": "odp",
    "application/zip": "zip",
    "message/rfc822": "eml",
    "text/calendar": "ics",
    "text/html": "html",
    "text/plain": "txt",
    "text/xml": "xml",
    "application/xml": "xml",
}
LONGEST: Final = 80


def asked_kind(value: str) -> str:
    """What a typed kind is kept as: "pdf" for ".PDF", "jpg" for "jpeg"; "" for none."""
    kind = value.strip().lower().removeprefix("*").lstrip(".")
    is_kind = kind and len(kind) <= LONGEST and all(c.isalnum() or c in "/.+-" for c in kind)
    return _SAME.get(kind, kind) if is_kind else ""


def kinds_of(content_type: str, filename: str) -> list[str]:
    """All that an attachment may be asked for as: its type, its endings, and their families."""
    kind = content_type.strip().lower()
    stem, dot, ending = filename.strip().lower().rpartition(".")
    found = [kind, _ENDINGS.get(kind, ""), ending if stem and dot else ""]
    whole, _, part = kind.partition("/")
    found += [part] if whole in ("image", "audio", "video") else []
    found += [whole] if whole in FAMILIES and whole != "text" else []
    endings = [_SAME.get(one, one) for one in found if one]
    families = [name for name, of in FAMILIES.items() if not of.isdisjoint((*found, *endings))]
    return [one for one in dict.fromkeys((*endings, *families)) if one == asked_kind(one)]
