"""What a person wrote himself, told apart from what he quoted and signed with."""

import re

_ORIGINAL = re.compile(
    r"\s*[-_]{2,}\s*(?:Original (?:Message|Appointment)|Wiadomość oryginalna|Oryginalna wiadomość"
    r"|Ursprüngliche Nachricht|Message d'origine|Mensaje original)\s*[-_]{2,}\s*",
    re.IGNORECASE,
)
_BLOCK_FROM = re.compile(r"\s*\*?(?:From|Od|Von|De)\s?:\*?\s.*\S", re.IGNORECASE)
_BLOCK_OTHER = re.compile(
    r"\s*\*?(?:Sent|Date|To|Cc|Subject|Wysłano|Wysłane|Data|Do|DW|UDW|Temat|Gesendet|An|Betreff)"
    r"\s?:\*?(?:\s|$)",
    re.IGNORECASE,
)
_ATTRIBUTION_START = re.compile(
    r"\s*(?:On|W dniu|Dnia|Am|Le|El)\s|\s*(?:pon|wt|śr|czw|pt|sob|niedz)\.,? ", re.IGNORECASE
)
_ATTRIBUTION_END = re.compile(
    r"(?:wrote|writes|pisze|napisał|napisała|napisał\(a\)|napisał/a|pisał|pisała|schrieb|a écrit"
    r"|escribió)[^:]{0,100}:$",
    re.IGNORECASE,
)
_BARE_ATTRIBUTION = re.compile(
    r"\S.{0,200}(?:wrote|writes|said|pisze|napisał|napisała|napisał\(a\)|schrieb):$"
)
# Whatever any of the rules below could mean. Most lines are none of it, and are new at once.
_NOTABLE = re.compile(
    r"\s*(?:[->_\u2014]|\*?(?:From|Od|Von|De)\s?:|(?:On|W dniu|Dnia|Am|Le|El)\s"
    r"|(?:pon|wt|śr|czw|pt|sob|niedz)\.)",
    re.IGNORECASE,
)
_CLOSING = re.compile(
    r"\s*(?:(?:serdecznie |gorąco )?pozdrawiam\b.*|(?:z|łączę) (?:\w+ )?"
    r"(?:poważaniem|pozdrowieniami|wyrazami szacunku).*|pozdrowienia|miłego dnia|pozdr|"
    r"(?:(?:with )?(?:best|kind|kindest|warm|many) )?regards|(?:with )?best wishes|all the best"
    r"|yours (?:sincerely|faithfully|truly)|sincerely(?: yours)?|cheers|(?:many )?thanks"
    r"|thank you|best|mit freundlichen grüßen|(?:viele|beste|liebe) grüße|mfg"
    r")\s*[,.!]*\s*",
    re.IGNORECASE,
)
_MOBILE = re.compile(
    r"\s*(?:sent from (?:my |outlook|yahoo|mail for)|wysłan[eo] z |get outlook for "
    r"|pobierz (?:aplikację )?outlook|von meinem \w+ gesendet).{0,60}",
    re.IGNORECASE,
)
_DISCLAIMER = re.compile(
    r"poufn|adresat|confidential|intended (?:only )?for|disclaimer|vertraulich", re.IGNORECASE
)
_POSTSCRIPT = re.compile(r"\s*p\.?\s?s\b", re.IGNORECASE)
_LONGEST_CLOSING = 50
_LONGEST_SIGNED_LINE = 90
_MOST_SIGNED_LINES = 14
_SENTENCE_BLANKS = 5
_SEPARATORS = {"-- ", "--", "\u2014 "}
_OUTLOOK_RULE = re.compile(r"_{20,}\s*")
_MAX_LINE = 500
_BLOCK_LINES = 6
_MAX_READ = 500_000


def split_quoted(text: str) -> tuple[str, str]:
    """The new text, and the quoted text with the signature; together they hold every line.

    Quoted are lines with ">" and the "... wrote:" above them; everything from a copied header
    block (Outlook), from "Original Message", or from a signature on. A forwarded mail that opens
    a text is new: there is nothing else to read. Only the first 500,000 characters are looked at.
    """
    end = text.find("\n", _MAX_READ) if len(text) > _MAX_READ else -1
    text, rest = (text, "") if end < 0 else (text[:end], text[end:])
    lines = text.split("\n")
    new: list[str] = []
    quoted: list[str] = []
    position = 0
    while position < len(lines):
        line = lines[position]
        if ":" not in line and not _NOTABLE.match(line):
            new.append(line)
            position += 1
            continue
        if _is_quoted(line):
            quoted.append(line)
            position += 1
            continue
        if _cuts(lines, position) and _has_words(new, quoted):
            break
        height = _attribution_height(lines, position)
        if not height:
            new.append(line)
            position += 1
            continue
        quoted += lines[position : position + height]
        position += height
        if not _quotes_follow(lines, position):
            break
    quoted += lines[position:]
    (quoted if position < len(lines) or not new else new).append(rest)
    return "\n".join(new).strip(), "\n".join(quoted).strip("\n")


def split_signature(text: str) -> tuple[str, str]:
    """New text without the lines it is signed with, and those lines, from the closing words on.

    They are short lines at the end after "Pozdrawiam", "Best regards" or the like, with a
    disclaimer at most; a postscript is new text. For ranking only: the page shows them as written.
    """
    lines = text.rstrip().split("\n")
    first = max(0, len(lines) - 2 * _MOST_SIGNED_LINES)
    for position in range(first, len(lines)):
        line = lines[position]
        if len(line) > _LONGEST_CLOSING or not (_CLOSING.fullmatch(line) or _MOBILE.match(line)):
            continue
        end = next(
            (n for n in range(position + 1, len(lines)) if _POSTSCRIPT.match(lines[n])), len(lines)
        )
        signed = [row for row in lines[position + 1 : end] if row.strip()]
        if len(signed) <= _MOST_SIGNED_LINES and all(map(_is_signed, signed)):
            new = [*lines[:position], *lines[end:]]
            return "\n".join(new).strip(), "\n".join(lines[position:end])
    return text, ""


def _is_signed(line: str) -> bool:
    is_sentence = line.rstrip().endswith((".", "?", "!")) and line.count(" ") >= _SENTENCE_BLANKS
    if len(line) <= _LONGEST_SIGNED_LINE and not is_sentence:
        return True
    return _DISCLAIMER.search(line[:_MAX_LINE]) is not None


def _is_quoted(line: str) -> bool:
    return line.startswith((">", " >")) and not line.startswith(">From ")


def _has_words(new: list[str], quoted: list[str]) -> bool:
    return bool(quoted) or any(line.strip() for line in new)


def _cuts(lines: list[str], position: int) -> bool:
    """Whether everything from this line on is a signature or somebody else's mail."""
    line = lines[position][:_MAX_LINE]
    if line in _SEPARATORS:
        return True
    if line.lstrip().startswith(("-", "_")):
        if _OUTLOOK_RULE.fullmatch(line):
            following = next(
                (n for n in range(position + 1, min(position + 3, len(lines))) if lines[n].strip()),
                None,
            )
            return following is not None and _is_header_block(lines, following)
        return _ORIGINAL.fullmatch(line) is not None
    return _is_header_block(lines, position)


def _is_header_block(lines: list[str], position: int) -> bool:
    if not _BLOCK_FROM.match(lines[position][:_MAX_LINE]):
        return False
    following = lines[position + 1 : position + 1 + _BLOCK_LINES]
    return sum(_BLOCK_OTHER.match(line[:_MAX_LINE]) is not None for line in following) >= 2


def _attribution_height(lines: list[str], position: int) -> int:
    """How many lines the "On ... wrote:" here has; 0 if there is none."""
    line = lines[position][:_MAX_LINE].rstrip()
    if not line:
        return 0
    if line.endswith(":") and _BARE_ATTRIBUTION.match(line) and _quotes_follow(lines, position + 1):
        return 1
    if not _ATTRIBUTION_START.match(line):
        return 0
    for height in range(1, 4):
        last = lines[position + height - 1 : position + height]
        if not last or not last[0].strip() or _is_quoted(last[0]):
            return 0
        if _ATTRIBUTION_END.search(last[0][-_MAX_LINE:].rstrip()):
            return height
    return 0


def _quotes_follow(lines: list[str], position: int) -> bool:
    following = (line for line in lines[position : position + 3] if line.strip())
    return _is_quoted(next(following, ""))
