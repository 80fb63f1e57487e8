"""The facts that a story's texts speak of: goods, sums, numbers, dates. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random

from app.demo.company import DemoRecord
from app.demo.firms import Firm, Language
from app.demo.grammar import pick

STREETS = (
    "Wiślana", "Kościelna Droga", "Brukowa", "Rolnicza", "Zielna", "Sosnowa", "Kolejowa",
    "Ogrodowa", "Szkolna", "Piaskowa", "Graniczna", "Kwiatowa", "Młyńska", "Parkowa", "Słoneczna",
    "Warszawska", "Lipowa", "Akacjowa", "Staszica", "Konopnickiej", "Reymonta", "Armii Poznań",
)  # fmt: skip
MONTHS = {
    "pl": ("stycznia", "lutego", "marca", "kwietnia", "maja", "czerwca", "lipca", "sierpnia",
           "września", "października", "listopada", "grudnia"),
    "en": ("January", "February", "March", "April", "May", "June", "July", "August",
           "September", "October", "November", "December"),
}  # fmt: skip
_MONTH_NAMES = ("styczeń", "luty", "marzec", "kwiecień", "maj", "czerwiec", "lipiec", "sierpień",
                "wrzesień", "październik", "listopad", "grudzień")  # fmt: skip
WEEKDAYS = {
    "pl": ("poniedziałek", "wtorek", "środę", "czwartek", "piątek", "sobotę", "niedzielę"),
    "en": ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"),
}


_FEW = ("egz.", "kpl.", "otworów", "dni", "sheets", "months", "sets", "days")
"""Units of which nobody orders hundreds."""


@dataclass(frozen=True, slots=True)
class Subject:
    """What a story is about: the firms, the project and the goods that it may name."""

    firm: Firm
    other: Firm
    former: Firm
    project: DemoRecord
    item: DemoRecord
    them: str
    other_project: DemoRecord


def facts_of(subject: Subject, language: Language, at: datetime, random: Random) -> dict[str, str]:
    """What stays the same through a story: names, numbers, sums."""
    firm, project, item = subject.firm, subject.project, subject.item
    good, good_gen, unit = pick(firm.goods, random)
    count = 2 + int(random.random() ** 2 * (9 if unit in _FEW else 240))
    net = round(count * (18 + random.random() * 240), 2)
    site = project.said[0] if project.said else "na budowie"
    month, serial = f"{at:%Y/%m}", 1 + int(random.random() * 420)
    return {
        "from_gen": f"{_with(firm.genitive)} {firm.genitive}",
        "with_inst": f"{_with(firm.instrumental)} {firm.instrumental}",
        "co": firm.name, "short": firm.short, "gen": firm.genitive, "inst": firm.instrumental,
        "short_poss": firm.short + ("’" if firm.short.endswith("s") else "’s"),
        "other_gen": subject.other.genitive, "other_inst": subject.other.instrumental,
        "other_from_gen": f"{_with(subject.other.genitive)} {subject.other.genitive}",
        "other_code": subject.other_project.code,
        "other_site": subject.other_project.said[0],
        "other": subject.other.name, "other_short": subject.other.short,
        "former_gen": subject.former.genitive, "former_bare": subject.former.short,
        "them": subject.them,
        "good": good, "good_gen": good_gen, "unit": unit, "qty": str(count),
        "less": str(max(1, count - 1 - int(random.random() * count * 0.4))),
        "good_list": f"{count} {unit} {good_gen}",
        "net": _sum(net, language), "gross": _sum(round(net * 1.23, 2), language),
        "invoice": pick((f"FV/{month}/{serial:03}", f"FV {serial}/{at:%m/%Y}",
                         f"F/{serial:04}/{at:%y}"), random),
        "order": f"ZAM/{at:%Y}/{serial + 211}", "offer": f"OF/{at:%m}/{serial + 37}/{at:%y}",
        "number": str(100_000 + int(random.random() * 899_999)),
        "code": f"[{project.code}]", "project": project.name if random.random() < 0.4
        else (*project.aliases, project.name)[0],
        "works": project.said[1] if project.said else "roboty", "site": site,
        "site_cap": site[:1].upper() + site[1:],
        "item_gen": item.said[0], "item_unit": item.said[1],
        "item_qty": str(3 + int(random.random() * 160)),
        "street": pick(STREETS, random) + f" {1 + int(random.random() * 120)}",
        "days": pick(("7", "14", "21", "30"), random),
    }  # fmt: skip


def facts_of_turn(language: Language, at: datetime, random: Random) -> dict[str, str]:
    """What each mail says anew: days and hours around its own."""
    ahead = at + timedelta(days=1 + int(random.random() * 9))
    return {
        "day": _day(at - timedelta(days=1 + int(random.random() * 6)), language, random),
        "day2": _day(ahead, language, random),
        "due": _day(at + timedelta(days=3 + int(random.random() * 18)), language, random),
        "hour": f"{7 + int(random.random() * 10)}:{pick(('00', '15', '30', '45'), random)}",
        "weekday": WEEKDAYS[language][ahead.weekday()],
        "month": _MONTH_NAMES[at.month - 1] if language == "pl" else MONTHS["en"][at.month - 1],
        "n": str(2 + int(random.random() * 12)),
        "pct": str(3 + int(random.random() * 27)),
    }


def document_lines(title: str, facts: Mapping[str, str], *, extra: int) -> list[str]:
    """The lines of a paper: who, what, how much, and `extra` positions."""
    lines = [
        title,
        "",
        f"Sprzedawca / Seller: {facts['co']}",
        "Nabywca / Buyer: Kowalczyk Budownictwo Sp. z o.o., ul. Wierzbowa 12, 05-092 Łomianki",
        f"Zamówienie / Order: {facts['order']}     Oferta / Offer: {facts['offer']}",
        f"Miejsce dostawy / Delivery: ul. {facts['street']}",
        "",
        f"1. {facts['good']}  {facts['qty']} {facts['unit']}  netto {facts['net']}",
    ]
    count = int(facts["qty"])
    for number in range(2, 2 + extra):
        price = (count * number * 37) % 4_900 + 100
        lines.append(f"{number}. {facts['good']} poz. {number * 7}  {number * 3}  {price},00")
    lines += ["", f"Razem netto: {facts['net']}   brutto: {facts['gross']}"]
    return lines


def _with(name: str) -> str:
    """The preposition "z" or "ze" as it is spoken before a name."""
    return "ze" if name[:1] in "SZŻ" and name[1:2] not in "aeioóuyi" else "z"


def _day(day: datetime, language: Language, random: Random) -> str:
    if random.random() < 0.5:
        return f"{day.day} {MONTHS[language][day.month - 1]}"
    return f"{day:%d.%m.%Y}" if language == "pl" else f"{day.day}/{day.month}/{day.year}"


def _sum(amount: float, language: Language) -> str:
    if language == "en":
        return f"{amount:,.2f}"
    return f"{amount:,.2f}".replace(",", " ").replace(".", ",")
