"""A query as a tree of our own: what it may consist of, and how it is said in words."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Literal, get_args

FieldName = Literal["from", "to", "cc", "bcc", "with", "subject", "filename", "attachment"]
FIELD_NAMES: tuple[FieldName, ...] = get_args(FieldName)


@dataclass(frozen=True, slots=True)
class Term:
    """One word, in any inflection: `word` is folded, `stems` are empty where only it counts."""

    word: str
    stems: frozenset[str] = frozenset()
    written: str = field(default="", compare=False)


@dataclass(frozen=True, slots=True)
class Phrase:
    """Two or more folded words in a row: typed in quotes, or one word with punctuation in it."""

    words: tuple[str, ...]
    written: str = field(default="", compare=False)


@dataclass(frozen=True, slots=True)
class Prefix:
    """Words that begin so; `start` is folded and has three letters or more."""

    start: str
    written: str = field(default="", compare=False)


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
class Flag:
    """Mail of which something is so."""

    name: Literal["has_attachment", "is_archived"]


@dataclass(frozen=True, slots=True)
class And:
    nodes: tuple["Node", ...]


@dataclass(frozen=True, slots=True)
class Or:
    nodes: tuple["Node", ...]


@dataclass(frozen=True, slots=True)
class Not:
    node: "Node"


Node = Term | Phrase | Prefix | Field | Range | Flag | And | Or | Not


def sentence(node: Node) -> str:
    """ "from: jan · text: faktura": the parts that must all hold, words for the text together."""
    parts: list[str] = []
    text: list[str] = []
    for one in node.nodes if isinstance(node, And) else (node,):
        if isinstance(one, (Term, Phrase, Prefix)):
            text.append(_said(one))
        elif isinstance(one, Or) and not _has_fields(one):
            text.append(f"({_said(one)})")
        else:
            parts.append(_said(one))
    if len(text) == 1:
        text[0] = text[0].removeprefix("(").removesuffix(")")
    return " · ".join([*parts, *([f"text: {' '.join(text)}"] if text else [])])


def _said(node: Node) -> str:
    match node:
        case Term() | Phrase() | Prefix():
            return node.written
        case Field(name=name, node=inner):
            return f"{name}: {_said(inner)}"
        case Range(start=start, end=end):
            return _said_dates(start, end)
        case Flag(name=name):
            return "has an attachment" if name == "has_attachment" else "in the archive"
        case Not(node=inner):
            return f"not {_grouped(inner)}"
        case Or(nodes=nodes):
            return " or ".join(_grouped(one) for one in nodes)
        case And(nodes=nodes):
            return " and ".join(_grouped(one) for one in nodes)


def _grouped(node: Node) -> str:
    return f"({_said(node)})" if isinstance(node, (And, Or)) else _said(node)


def _said_dates(start: datetime | None, end: datetime | None) -> str:
    if start and end:
        last = (end - timedelta(hours=1)).date()
        return f"{start:%Y-%m-%d}" if start.date() == last else f"{start:%Y-%m-%d} to {last}"
    return f"from {start:%Y-%m-%d} on" if start else f"before {end:%Y-%m-%d}"


def _has_fields(node: Node) -> bool:
    if isinstance(node, (And, Or)):
        return any(_has_fields(one) for one in node.nodes)
    return not isinstance(node, (Term, Phrase, Prefix))
