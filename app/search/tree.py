"""A query as a tree of our own: what it may consist of, and how it is said in words."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Literal, get_args

FieldName = Literal["from", "to", "cc", "bcc", "with", "subject", "body", "filename", "attachment"]
FIELD_NAMES: tuple[FieldName, ...] = get_args(FieldName)

OwnName = Literal["account", "folder", "in", "is", "attached", "type-of-record", "thread"]


@dataclass(frozen=True, slots=True)
class Term:
    """One word, in any inflection: `word` is folded, `stems` are empty where only it counts."""

    word: str
    stems: frozenset[str] = frozenset()
    written: str = field(default="", compare=False)


@dataclass(frozen=True, slots=True)
class Phrase:
    """Two or more folded words in a row: typed in quotes, or one word with punctuation in it.

    `slop` other words may stand among them; `is_open`: the last word of an address may go on.
    """

    words: tuple[str, ...]
    written: str = field(default="", compare=False)
    slop: int = 0
    is_open: bool = False


@dataclass(frozen=True, slots=True)
class Prefix:
    """Words that begin so; `start` is folded and has three letters or more."""

    start: str
    written: str = field(default="", compare=False)


@dataclass(frozen=True, slots=True)
class Near:
    """Words that differ from a folded one by a letter or two; nobody types it."""

    word: str
    distance: int


@dataclass(frozen=True, slots=True)
class Field:
    """A part of the tree that is looked up in one field only."""

    name: FieldName
    node: "Node"


@dataclass(frozen=True, slots=True)
class Range:
    """From `start` on and earlier than `end`, both aware; None: open."""

    start: datetime | None
    end: datetime | None


@dataclass(frozen=True, slots=True)
class Size:
    """More than `above` bytes, or fewer than `below`."""

    above: int | None
    below: int | None
    written: str = field(default="", compare=False)


@dataclass(frozen=True, slots=True)
class Kind:
    """With an attachment of this kind: an ending, a MIME type, or a family (`app.search.kinds`)."""

    name: str


@dataclass(frozen=True, slots=True)
class Flag:
    """Mail of which something is so."""

    name: Literal["has_attachment", "is_archived"]


@dataclass(frozen=True, slots=True)
class Own:
    """What only the viewer's mailboxes and records can say: to be made `Held` or `Ids`."""

    name: OwnName
    value: str
    at: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class Held:
    """Mail that bears one of the tokens of its `facts`, or of its records' scopes."""

    tokens: frozenset[str]
    name: Literal["fact", "record_scope"] = "fact"


@dataclass(frozen=True, slots=True)
class Ids:
    """These messages."""

    ids: frozenset[int]


@dataclass(frozen=True, slots=True)
class And:
    nodes: tuple["Node", ...]


@dataclass(frozen=True, slots=True)
class Or:
    nodes: tuple["Node", ...]


@dataclass(frozen=True, slots=True)
class Not:
    node: "Node"


Node = (
    Term
    | Phrase
    | Prefix
    | Near
    | Field
    | Range
    | Size
    | Kind
    | Flag
    | Own
    | Held
    | Ids
    | And
    | Or
    | Not
)


def sentence(node: Node) -> str:
    """ "from: jan · text: faktura": the parts that must all hold, words for the text together."""
    parts: list[str] = []
    text: list[str] = []
    for one in node.nodes if isinstance(node, And) else (node,):
        is_text = isinstance(one, (Term, Phrase, Prefix))
        is_group = isinstance(one, Or) and not _has_fields(one)
        if (is_text or is_group) and not text:
            parts.append("")
        if is_text or is_group:
            text.append(f"({said(one)})" if is_group else said(one))
        else:
            parts.append(said(one))
    if len(text) == 1:
        text[0] = text[0].removeprefix("(").removesuffix(")")
    return " · ".join(part or f"text: {' '.join(text)}" for part in parts)


def said(node: Node) -> str:
    """One part in words."""
    match node:
        case Term() | Phrase() | Prefix():
            return node.written
        case Field(name=name, node=inner):
            return f"{name}: {said(inner)}"
        case Not(node=inner):
            return f"not {_grouped(inner)}"
        case Or(nodes=nodes):
            return " or ".join(_grouped(one) for one in nodes)
        case And(nodes=nodes):
            return " and ".join(_grouped(one) for one in nodes)
        case _:
            return _said_fact(node)


def _said_fact(node: Near | Range | Size | Kind | Flag | Own | Held | Ids) -> str:
    match node:
        case Range(start=start, end=end):
            return _said_dates(start, end)
        case Size(above=above, written=written):
            return f"larger than {written}" if above is not None else f"smaller than {written}"
        case Kind(name=name):
            return f"type: {name}"
        case Flag(name=name):
            return "has an attachment" if name == "has_attachment" else "in the archive"
        case Own():
            return _said_own(node)
        case _:
            return ""


def _said_own(node: Own) -> str:
    if node.name == "in":
        return "in the queue"
    if node.name == "is":
        return node.value
    if node.name == "attached" and node.value == "none":
        return "attached to no record"
    return f"{node.name}: {node.value}"


def _grouped(node: Node) -> str:
    return f"({said(node)})" if isinstance(node, (And, Or)) else said(node)


def _said_dates(start: datetime | None, end: datetime | None) -> str:
    if start is None or end is None:
        return f"from {_day(start)} on" if start else f"before {_day(end)}"
    last = (end - timedelta(hours=1)).date()
    if start.date() == last:
        return _day(start)
    is_month = start.day == 1 and last.month == start.month and end.day == 1
    if is_month and last.year == start.year:
        return _day(start)[:7]
    is_year = (start.month, start.day, end.month, end.day) == (1, 1, 1, 1)
    if is_year and last.year == start.year:
        return _day(start)[:4]
    return f"{_day(start)} to {last.isoformat()}"


def _day(moment: datetime | None) -> str:
    return moment.date().isoformat() if moment else ""


def _has_fields(node: Node) -> bool:
    if isinstance(node, (And, Or)):
        return any(_has_fields(one) for one in node.nodes)
    return not isinstance(node, (Term, Phrase, Prefix))
