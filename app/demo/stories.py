"""What happens: kinds of correspondence as rows of steps, and who takes which part."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import accumulate
from random import Random
from typing import Literal

from app.demo.company import (
    ADAM,
    ANNA,
    DOROTA,
    EWA,
    JAN,
    KRZYSZTOF,
    MARTA,
    MICHAL,
    OFFICE_ADDRESS,
    PROJECTS,
    WAREHOUSE,
    Colleague,
    DemoRecord,
)
from app.demo.firms import BY_NAME, COMPANIES, Firm, Language
from app.demo.grammar import pick
from app.demo.outsiders import (
    CRAFTSMEN,
    FRIENDS,
    MOVED,
    SENDERS,
    SPAMMERS,
    STAFF,
    STRANGERS,
    Outsider,
)
from app.demo.scene import Subject

Part = Literal["them", "office", "boss", "pm", "foreman", "hand", "craftsman", "friend", "sender",
               "stranger"]  # fmt: skip
Mode = Literal["new", "reply", "retitled", "forward", "loose"]
"""`retitled`: an answer under another subject; `loose`: a forward that names no earlier mail."""

About = Literal["companies", "projects", "warehouse", "contacts", ""]
File = Literal["invoice", "offer", "order", "photos", "schedule", "report", "prices", "rules",
               "plan"]  # fmt: skip
Person = Colleague | Outsider


@dataclass(frozen=True, slots=True)
class Step:
    """One mail of a story. It is written with `chance`; if not, the story ends.

    `turns_to`: from here on the mails belong to the story's firm, or to the other firm.
    """

    sender: Part
    to: tuple[Part, ...]
    piece: str
    mode: Mode = "new"
    files: tuple[File, ...] = ()
    chance: float = 1.0
    turns_to: Literal["firm", "other", ""] = ""


@dataclass(frozen=True, slots=True)
class Story:
    """`about` is the type of the record that its mails belong to; "": none."""

    steps: tuple[Step, ...]
    weight: float
    about: About
    languages: tuple[Language, ...] = ("pl",)
    folder: Literal["inbox", "junk", "trash"] = "inbox"


@dataclass(frozen=True, slots=True)
class Cast:
    """Who takes part in one telling of a story, what it is about, and where it belongs."""

    story: Story
    people: dict[Part, Person]
    subject: Subject
    language: Language
    record: tuple[str, str] | None


_BOTH: tuple[Language, ...] = ("pl", "en")
STORIES = (
    Story((
        Step("them", ("office",), "invoice", files=("invoice",)),
        Step("office", ("them",), "invoice_question", "reply", chance=0.4),
        Step("them", ("office",), "invoice_answer", "reply", chance=0.8),
        Step("office", ("them",), "thanks", "reply", chance=0.3),
    ), 15, "companies", _BOTH),
    Story((Step("them", ("office", "boss"), "reminder", files=("invoice",)),), 4, "companies",
          _BOTH),
    Story((
        Step("office", ("them",), "ask_offer"),
        Step("them", ("office", "pm"), "offer", "reply", files=("offer",), chance=0.9),
        Step("office", ("them",), "order", "reply", files=("order",), chance=0.7),
        Step("them", ("office",), "confirm", "reply", chance=0.8),
        Step("them", ("office", "foreman"), "delivery", "reply", chance=0.6),
    ), 10, "companies", _BOTH),
    Story((
        Step("pm", ("them",), "ask_offer"),
        Step("them", ("pm",), "offer", "reply", files=("offer",), chance=0.9),
        Step("pm", ("office",), "forward", "forward", files=("offer",), chance=0.5),
    ), 6, "companies", _BOTH),
    Story((Step("them", ("office",), "offer", files=("prices",)),), 5, "companies", _BOTH),
    Story((
        Step("them", ("office", "foreman"), "delivery"),
        Step("foreman", ("them",), "thanks", "reply", chance=0.5),
    ), 7, "companies", _BOTH),
    Story((
        Step("foreman", ("them", "office"), "complaint", files=("photos",)),
        Step("them", ("foreman", "office"), "complaint_answer", "reply", chance=0.85),
        Step("foreman", ("boss",), "forward", "forward", chance=0.3),
    ), 5, "companies", _BOTH),
    Story((
        Step("pm", ("boss", "foreman", "office"), "site_plan", files=("schedule",)),
        Step("foreman", ("pm",), "site_answer", "reply", chance=0.5),
    ), 7, "projects"),
    Story((
        Step("foreman", ("pm",), "site_report", files=("photos",)),
        Step("pm", ("foreman",), "site_answer", "reply", chance=0.6),
        Step("foreman", ("pm",), "thanks", "reply", chance=0.3),
    ), 8, "projects"),
    Story((
        Step("them", ("pm", "boss"), "investor", files=("plan",)),
        Step("pm", ("them",), "thanks", "reply", chance=0.6),
    ), 6, "projects", _BOTH),
    Story((
        Step("hand", ("office", "foreman"), "stock"),
        Step("office", ("foreman",), "stock_answer", "reply", chance=0.4),
    ), 7, "warehouse"),
    Story((
        Step("craftsman", ("pm", "office"), "craftsman", files=("report",)),
        Step("pm", ("craftsman",), "craftsman_answer", "reply", chance=0.6),
    ), 6, "contacts"),
    Story((
        Step("them", ("office",), "moved", files=("prices",)),
        Step("office", ("them",), "thanks", "reply", chance=0.5),
    ), 2, "companies", _BOTH),
    Story((
        Step("office", ("boss", "pm"), "two_offers", files=("offer",)),
        Step("boss", ("office",), "decision", "reply", chance=0.6),
    ), 4, "companies"),
    Story((
        Step("them", ("office",), "offer", files=("offer",)),
        Step("office", ("pm",), "forward", "forward", files=("offer",)),
        Step("pm", ("office",), "thanks", "reply", chance=0.4),
    ), 5, "companies", _BOTH),
    Story((
        Step("pm", ("boss", "office"), "about_firm"),
        Step("boss", ("pm",), "thanks", "reply", chance=0.4),
    ), 5, "companies", _BOTH),
    Story((
        Step("them", ("pm",), "offer", files=("offer",)),
        Step("pm", ("boss",), "forward", "loose", files=("offer",), chance=0.9),
        Step("boss", ("pm",), "thanks", "reply", chance=0.5),
    ), 3, "companies", _BOTH),
    Story((
        Step("office", ("them",), "ask_offer"),
        Step("them", ("office", "pm"), "offer", "reply", files=("offer",)),
        Step("office", ("pm", "boss"), "drift", "reply", turns_to="other", chance=0.6),
        Step("boss", ("office",), "drift_answer", "reply", chance=0.6),
        Step("office", ("boss",), "thanks", "reply", chance=0.5),
    ), 1, "companies", _BOTH),
    Story((
        Step("them", ("office",), "delivery"),
        Step("office", ("them",), "thanks", "reply"),
        Step("office", ("pm", "boss"), "drift", "retitled", turns_to="other", chance=0.8),
        Step("boss", ("office",), "drift_answer", "reply", chance=0.6),
    ), 2, "companies", _BOTH),
    Story((
        Step("pm", ("boss", "foreman", "office"), "site_plan"),
        Step("foreman", ("pm",), "site_answer", "reply", chance=0.7),
        Step("pm", ("foreman",), "site_answer", "reply", chance=0.7),
        Step("foreman", ("pm", "office"), "bad_delivery", "retitled", turns_to="firm"),
        Step("office", ("foreman",), "thanks", "reply", chance=0.4),
    ), 1, "projects"),
    Story((
        Step("friend", ("boss",), "private", files=("photos",)),
        Step("boss", ("friend",), "thanks", "reply", chance=0.5),
    ), 3, "", _BOTH),
    Story((Step("friend", ("pm",), "private"),), 2, "", _BOTH),
    Story((Step("office", ("boss", "pm", "foreman"), "inside", files=("rules",)),), 7, ""),
    Story((Step("sender", ("office",), "newsletter"),), 8, "", _BOTH),
    Story((Step("sender", ("office",), "spam"),), 1, "", _BOTH),
    Story((Step("stranger", ("office",), "cold_offer"),), 3, "", _BOTH),
    Story((Step("sender", ("boss",), "newsletter"),), 3, "", _BOTH, "trash"),
    Story((Step("sender", ("pm",), "newsletter"),), 2, "", _BOTH, "trash"),
    Story((Step("sender", ("office",), "spam"),), 4, "", _BOTH, "junk"),
)  # fmt: skip
_REACHES = [*accumulate(story.weight for story in STORIES)]

FRESH = {
    "companies": Story(
        (Step("them", ("office", "pm"), "fresh", files=("offer",)),), 0, "companies", _BOTH
    ),
    "two": Story((Step("them", ("office", "boss"), "fresh_two"),), 0, "companies", _BOTH),
    "projects": Story((Step("them", ("pm", "boss"), "investor"),), 0, "projects"),
    "warehouse": Story((Step("hand", ("office", "foreman"), "stock"),), 0, "warehouse"),
    "contacts": Story((Step("craftsman", ("office", "pm"), "craftsman"),), 0, "contacts"),
}

_OWN_PROJECTS = {
    "Gmina Łomianki": "Łomianki Playground Construction",
    "Spółdzielnia Mieszkaniowa Zorza": "Zorza Estate Insulation",
}
_PLANNERS = (
    *_OWN_PROJECTS,
    "Whitfield & Cole Architects LLP",
    "Geo-Test Pracownia Geotechniczna s.c.",
    "Instal-Term Sp. j.",
)
_CONFIDENTIAL = tuple(firm.name for firm in COMPANIES if firm.is_confidential)
_PLAIN_PROJECTS = tuple(project for project in PROJECTS if not project.roles)


def next_story(random: Random) -> Story:
    """A kind of story, the frequent ones more often."""
    at = random.random() * _REACHES[-1]
    return next(story for story, reach in zip(STORIES, _REACHES, strict=True) if at < reach)


def cast(story: Story, at: datetime, random: Random) -> Cast:
    """Give the parts of a story to people, and choose what it is about."""
    language = story.languages[random.random() < 0.4] if len(story.languages) > 1 else "pl"
    them = _their_person(story, language, at.year, random)
    manager = pick((JAN, MARTA), random)
    pieces = {step.piece for step in story.steps}
    is_for_all = story.about != "projects" or "foreman" in _parts(story)
    project = pick(_begun(_PLAIN_PROJECTS if is_for_all else PROJECTS, at), random)
    if story.about == "projects" and "them" in _parts(story) and them.firm in _OWN_PROJECTS:
        project = next(one for one in PROJECTS if one.name == _OWN_PROJECTS[them.firm])
    item = pick(WAREHOUSE, random)
    firm = BY_NAME[them.firm]
    subject = Subject(
        firm=firm,
        other=_other(firm.name, random),
        former=BY_NAME[them.former] if "moved" in pieces else firm,
        project=project,
        item=item,
        them=them.name,
        other_project=pick([p for p in _PLAIN_PROJECTS if p is not project], random),
    )
    craftsman = pick(CRAFTSMEN, random)
    people: dict[Part, Person] = {
        "them": them,
        "office": EWA if "invoice" not in pieces else DOROTA,
        "boss": ANNA,
        "pm": manager,
        "foreman": MICHAL,
        "hand": pick((ADAM, MICHAL, KRZYSZTOF), random),
        "craftsman": craftsman,
        "friend": pick([one for one in FRIENDS if one.language == language], random),
        "sender": pick(
            [
                one
                for one in (SPAMMERS if "spam" in pieces else SENDERS)
                if one.language == language
            ],
            random,
        ),
        "stranger": pick([one for one in STRANGERS if one.language == language], random),
    }
    record = _record(story.about, firm.name, project, item, craftsman)
    return Cast(story, people, subject, language, record)


def address_of(person: Person) -> str:
    """Where mail to a person goes: the office people share a mailbox."""
    return OFFICE_ADDRESS if person in (EWA, DOROTA) else person.address


def _parts(story: Story) -> set[Part]:
    return {part for step in story.steps for part in (step.sender, *step.to)}


def _begun(projects: Sequence[DemoRecord], at: datetime) -> Sequence[DemoRecord]:
    """Those whose code has no later year; all, where that leaves none."""
    return [one for one in projects if int(one.code.split("-")[1]) <= at.year] or projects


def _their_person(story: Story, language: Language, year: int, random: Random) -> Outsider:
    pieces = {step.piece for step in story.steps}
    if "moved" in pieces:
        among = [one for one in MOVED if one.language == language] or list(MOVED)
    elif story.about == "projects" and "them" in _parts(story):
        among = [one for one in STAFF if one.firm in _PLANNERS and one.language == language]
    else:
        among = [
            one
            for one in STAFF
            if one.language == language
            and one.since <= year <= one.until
            and one.employer is not None
            and one.employer.is_supplier
            and not ("foreman" in _parts(story) and one.firm in _CONFIDENTIAL)
            and not (story.steps[0].sender != "them" and one.signs_in_full)
        ]
    return pick(among, random)


def _record(
    about: About, firm: str, project: DemoRecord, item: DemoRecord, craftsman: Outsider
) -> tuple[str, str] | None:
    names = {
        "companies": firm,
        "projects": project.name,
        "warehouse": item.name,
        "contacts": craftsman.name,
    }
    return (about, names[about]) if about else None


def _other(name: str, random: Random) -> Firm:
    """Another firm of the same trade, or any."""
    goods = BY_NAME[name].goods
    same = [firm for firm in COMPANIES if firm.goods is goods and firm.name != name]
    open_firms = [f for f in COMPANIES if f.name != name and not f.is_confidential]
    return pick(same or open_firms, random)
