"""The files that a story's mails carry. Pure, and the same for the same facts."""

from collections.abc import Mapping
from datetime import datetime
from functools import lru_cache
from random import Random

from app.demo.attachments import Attachment, docx, jpeg, pdf, png, xlsx
from app.demo.grammar import pick
from app.demo.scene import document_lines
from app.demo.stories import File

_RULES = (
    "Regulamin BHP na placu budowy", "",
    "1. Każdy pracownik nosi kask, kamizelkę i buty ochronne.",
    "2. Praca na wysokości wymaga szelek i asekuracji.",
    "3. Zabrania się przebywania pod zawieszonym ładunkiem.",
    "4. Wypadek zgłasza się natychmiast kierownikowi budowy.",
    "5. Materiały niebezpieczne przechowuje się w wyznaczonym miejscu.",
)  # fmt: skip


def files_of(
    kind: File, facts: Mapping[str, str], at: datetime, random: Random
) -> tuple[Attachment, ...]:
    """The files of one kind, most often one."""
    if kind == "photos":
        return tuple(_photo(at, number, random) for number in range(1 + int(random.random() * 3)))
    if kind == "prices":
        return (prices(facts["short"], at.year),)
    if kind == "rules":
        return (rules(),) if random.random() < 0.3 else ()
    extra = int(random.random() ** 2 * 100)
    if kind == "invoice":
        name = facts["invoice"].replace("/", "_").replace(" ", "_")
        lines = document_lines(f"Faktura VAT {facts['invoice']}", facts, extra=extra)
        return (pdf(f"{name}.pdf", lines),)
    number = facts["offer"].replace("/", "-")
    if kind == "schedule":
        return (xlsx(f"Harmonogram {facts['code']} {at:%d-%m}.xlsx", _stages(at)),)
    if kind == "plan":
        width, height = 120 + int(random.random() * 200), 60 + int(random.random() * 80)
        return (png(f"rzut_{facts['n']}.png", random, width=width, height=height),)
    if kind == "offer" and extra < 12:
        rows = [(row, len(row)) for row in document_lines(facts["offer"], facts, extra=40)]
        return (xlsx(f"Oferta {number}.xlsx", rows),)
    if kind == "offer":
        return (pdf(f"Oferta {number}.pdf", document_lines(number, facts, extra=extra)),)
    title = "Zamówienie" if kind == "order" else "Zestawienie prac"
    lines = document_lines(f"{title} {facts['order']}", facts, extra=extra)
    return (docx(f"{title} {facts['number']}.docx", lines),)


@lru_cache(maxsize=64)
def prices(short: str, year: int) -> Attachment:
    """A firm's price list of a year: the same file in many mails."""
    random = Random(f"prices {short} {year}")  # noqa: S311  # no secret
    lines = [f"Cennik {short} {year}", ""]
    lines += [
        f"{number:03}  {pick(('profil', 'mata', 'kotwa', 'listwa', 'worek', 'paleta'), random)}"
        f" typ {int(random.random() * 90) + 10}   {int(random.random() * 900) + 5},00 zł"
        for number in range(1, 120)
    ]
    return pdf(f"Cennik {short} {year}.pdf", lines)


@lru_cache(maxsize=1)
def rules() -> Attachment:
    return pdf("Regulamin BHP.pdf", _RULES)


@lru_cache(maxsize=64)
def logo(domain: str) -> Attachment:
    """The picture in a firm's signature: the same in all its mails."""
    return png("logo.png", Random(f"logo {domain}"))  # noqa: S311  # no secret


def _photo(at: datetime, number: int, random: Random) -> Attachment:
    size_bytes = 12_000 + int(random.random() ** 2 * 60_000)
    return jpeg(f"IMG_{at:%Y%m%d}_{1200 + number}.jpg", random, size_bytes=size_bytes)


def _stages(at: datetime) -> list[tuple[str | float, ...]]:
    stages = ("Roboty ziemne", "Fundamenty", "Zbrojenie", "Szalunki", "Betonowanie", "Dach",
              "Instalacje", "Tynki", "Posadzki", "Zagospodarowanie terenu")  # fmt: skip
    head: list[tuple[str | float, ...]] = [("Etap", "Tydzień", "Dni", "Zaawansowanie %")]
    return head + [
        (stage, at.isocalendar().week + week, 5 + week % 3 * 5, max(0, 90 - week * 14))
        for week, stage in enumerate(stages)
    ]
