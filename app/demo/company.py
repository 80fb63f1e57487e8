"""The demo team: Kowalczyk Budownictwo Sp. z o.o., its people, roles, mailboxes and records."""

from dataclasses import dataclass, field
from typing import Literal

from app.demo.firms import COMPANIES, Firm
from app.demo.outsiders import CONTACTS, Outsider

DOMAIN = "kowalczyk-budownictwo.example"
TEAM_NAMES = ("Kowalczyk Budownictwo Sp. z o.o.", "Kowalczyk Budownictwo")

OFFICE, FOREMAN, MANAGER = "office worker", "foreman", "project manager"
ROLES = (OFFICE, FOREMAN, MANAGER)

FolderUse = Literal["inbox", "sent", "trash", "junk", "drafts", "invoices", "projects"]


@dataclass(frozen=True, slots=True)
class Colleague:
    """One of the team; `vocative` is how he is spoken to in Polish, `title` how he signs."""

    name: str
    address: str
    roles: tuple[str, ...]
    vocative: str
    title: str
    phone: str
    is_admin: bool = False


@dataclass(frozen=True, slots=True)
class DemoFolder:
    """A folder as the server shows it; `special_use` like "\\Sent" or ""."""

    name: str
    use: FolderUse
    special_use: str = ""


@dataclass(frozen=True, slots=True)
class DemoMailbox:
    """A mailbox, the addresses of those in its "User" list, and its folders, INBOX first."""

    address: str
    users: tuple[str, ...]
    folders: tuple[DemoFolder, ...]

    def folder(self, use: FolderUse) -> str:
        """The name of the folder for a use; INBOX where the mailbox has none for it."""
        return next((f.name for f in self.folders if f.use == use), "INBOX")

    def has(self, use: FolderUse) -> bool:
        return any(f.use == use for f in self.folders)


@dataclass(frozen=True, slots=True)
class DemoRecord:
    """A record to make; `said` is how a Polish mail speaks of it in running text."""

    type: str
    name: str
    code: str = ""
    aliases: tuple[str, ...] = ()
    addresses: tuple[str, ...] = ()
    domains: tuple[str, ...] = ()
    roles: tuple[str, ...] = ()
    said: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Company:
    """The whole demo company."""

    names: tuple[str, ...] = TEAM_NAMES
    domains: tuple[str, ...] = (DOMAIN,)
    roles: tuple[str, ...] = ROLES
    people: tuple[Colleague, ...] = ()
    mailboxes: tuple[DemoMailbox, ...] = ()
    records: tuple[DemoRecord, ...] = ()
    by_address: dict[str, DemoMailbox] = field(default_factory=dict)

    def mailbox_of(self, address: str) -> DemoMailbox | None:
        return self.by_address.get(address)

    def person(self, address: str) -> Colleague:
        return next(person for person in self.people if person.address == address)

    def record(self, record_type: str, name: str) -> DemoRecord:
        return next(r for r in self.records if (r.type, r.name) == (record_type, name))


def _at(local: str) -> str:
    return f"{local}@{DOMAIN}"


OFFICE_ADDRESS = _at("biuro")
ANNA = Colleague(
    "Anna Kowalczyk", _at("anna.kowalczyk"), (OFFICE, MANAGER), "Pani Anno",
    "Prezes zarządu", "+48 22 555 01 10", is_admin=True,
)  # fmt: skip
JAN = Colleague(
    "Jan Kowalczyk", _at("jan.kowalczyk"), (MANAGER,), "Panie Janie",
    "Kierownik projektu", "+48 22 555 01 11",
)  # fmt: skip
MARTA = Colleague(
    "Marta Zając", _at("marta.zajac"), (MANAGER,), "Pani Marto",
    "Kierownik projektu", "+48 22 555 01 12",
)  # fmt: skip
EWA = Colleague(
    "Ewa Nowicka", _at("ewa.nowicka"), (OFFICE,), "Pani Ewo",
    "Dział zakupów", "+48 22 555 01 13",
)  # fmt: skip
DOROTA = Colleague(
    "Dorota Wilk", _at("dorota.wilk"), (OFFICE,), "Pani Doroto",
    "Księgowość", "+48 22 555 01 14",
)  # fmt: skip
MICHAL = Colleague(
    "Michał Wójcik", _at("michal.wojcik"), (FOREMAN,), "Panie Michale",
    "Kierownik robót", "+48 601 555 215",
)  # fmt: skip
KRZYSZTOF = Colleague(
    "Krzysztof Lis", _at("krzysztof.lis"), (FOREMAN, MANAGER), "Panie Krzysztofie",
    "Kierownik budowy", "+48 601 555 216",
)  # fmt: skip
ADAM = Colleague(
    "Adam Sikora", _at("adam.sikora"), (FOREMAN,), "Panie Adamie",
    "Brygadzista", "+48 601 555 217",
)  # fmt: skip
PEOPLE = (ANNA, JAN, MARTA, EWA, DOROTA, MICHAL, KRZYSZTOF, ADAM)

_POLISH = (
    DemoFolder("INBOX", "inbox"),
    DemoFolder("Wysłane", "sent", "\\Sent"),
    DemoFolder("Kosz", "trash", "\\Trash"),
    DemoFolder("Spam", "junk", "\\Junk"),
    DemoFolder("Szkice", "drafts", "\\Drafts"),
)
_ENGLISH = (
    DemoFolder("INBOX", "inbox"),
    DemoFolder("Sent Items", "sent"),
    DemoFolder("Deleted Items", "trash"),
    DemoFolder("Junk Email", "junk"),
)
MAILBOXES = (
    DemoMailbox(
        OFFICE_ADDRESS,
        (ANNA.address, EWA.address, DOROTA.address),
        (*_POLISH, DemoFolder("Faktury & umowy", "invoices")),
    ),
    DemoMailbox(ANNA.address, (ANNA.address,), _POLISH),
    DemoMailbox(JAN.address, (JAN.address,), (*_POLISH, DemoFolder("Projekty", "projects"))),
    DemoMailbox(MARTA.address, (MARTA.address,), _ENGLISH),
    DemoMailbox(MICHAL.address, (MICHAL.address, KRZYSZTOF.address), _POLISH),
)

PROJECTS = (
    DemoRecord(
        "projects", "Łomianki Playground Construction", "PRJ-2024-003",
        ("Plac zabaw Łomianki",), said=("w Łomiankach", "plac zabaw"),
    ),
    DemoRecord(
        "projects", "Zorza Estate Insulation", "PRJ-2023-011",
        ("Termomodernizacja osiedla Zorza",), said=("na Zorzy", "docieplenie bloków"),
    ),
    DemoRecord(
        "projects", "Jabłonna Sports Hall", "PRJ-2024-007",
        ("Hala sportowa Jabłonna",), said=("w Jabłonnie", "hala sportowa"),
    ),
    DemoRecord(
        "projects", "Wawer Kindergarten Extension", "PRJ-2024-012",
        ("Przedszkole Wawer",), said=("w Wawrze", "rozbudowa przedszkola"),
    ),
    DemoRecord(
        "projects", "Piaseczno Car Park", "PRJ-2025-001",
        ("Parking Piaseczno",), said=("w Piasecznie", "parking przy dworcu"),
    ),
    DemoRecord(
        "projects", "Legionowo Footbridge", "PRJ-2025-004",
        ("Kładka Legionowo",), said=("w Legionowie", "kładka nad torami"),
    ),
    DemoRecord(
        "projects", "Ożarów Storage Hall", "PRJ-2025-006",
        ("Hala magazynowa Ożarów",), said=("w Ożarowie", "hala magazynowa"),
    ),
    DemoRecord(
        "projects", "Marki Noise Barrier", "PRJ-2025-009",
        ("Ekrany akustyczne Marki",), said=("w Markach", "ekrany akustyczne"),
    ),
    DemoRecord(
        "projects", "Konstancin Villa Renovation", "PRJ-2026-002",
        ("Willa Konstancin",), said=("w Konstancinie", "remont willi"),
    ),
    DemoRecord(
        "projects", "Nowy Dwór Pumping Station", "PRJ-2026-005",
        ("Przepompownia Nowy Dwór",), said=("w Nowym Dworze", "przepompownia"),
    ),
    DemoRecord(
        "projects", "Pruszków Office Refit", "PRJ-2023-004",
        ("Biurowiec Pruszków",), said=("w Pruszkowie", "aranżacja biurowca"),
    ),
    DemoRecord(
        "projects", "Sulejówek Library", "PRJ-2026-008",
        ("Biblioteka Sulejówek",), said=("w Sulejówku", "biblioteka"),
    ),
    DemoRecord("projects", "Radom", "PRJ-2025-012", said=("w Radomiu", "remont hali stali")),
    DemoRecord(
        "projects", "Otwock Barracks Tender", "PRJ-2026-011",
        ("Przetarg Otwock",), roles=(MANAGER,), said=("w Otwocku", "przetarg na koszary"),
    ),
)  # fmt: skip
WAREHOUSE = (
    DemoRecord("warehouse", "Concrete", aliases=("beton",), said=("betonu", "m3")),
    DemoRecord(
        "warehouse", "Rebar 12 mm", aliases=("pręt żebrowany 12 mm",),
        said=("prętów żebrowanych 12 mm", "t"),
    ),
    DemoRecord(
        "warehouse", "Rebar 16 mm", aliases=("pręt żebrowany 16 mm",),
        said=("prętów żebrowanych 16 mm", "t"),
    ),
    DemoRecord("warehouse", "Cement", aliases=("cement portlandzki",), said=("cementu", "worków")),
    DemoRecord("warehouse", "Washed Sand", aliases=("piasek płukany",),
               said=("piasku płukanego", "t")),
    DemoRecord("warehouse", "Gravel 8/16", aliases=("żwir 8/16",), said=("żwiru 8/16", "t")),
    DemoRecord("warehouse", "Frame Scaffolding", aliases=("rusztowanie ramowe",),
               said=("rusztowania ramowego", "m2")),
    DemoRecord("warehouse", "Formwork Panels", aliases=("płyty szalunkowe",),
               said=("płyt szalunkowych", "szt.")),
    DemoRecord("warehouse", "Mineral Wool 15 cm", aliases=("wełna mineralna 15 cm",),
               said=("wełny mineralnej 15 cm", "m2")),
    DemoRecord("warehouse", "Roof Membrane", aliases=("membrana dachowa",),
               said=("membrany dachowej", "rolek")),
    DemoRecord("warehouse", "Paving Stones", aliases=("kostka brukowa",),
               said=("kostki brukowej", "m2")),
    DemoRecord("warehouse", "Timber Beams", aliases=("belki drewniane",),
               said=("belek drewnianych", "szt.")),
    DemoRecord("warehouse", "Nails", aliases=("gwoździe",), said=("gwoździ", "kg")),
    DemoRecord("warehouse", "Safety Helmets", aliases=("kaski ochronne",),
               said=("kasków ochronnych", "szt.")),
)  # fmt: skip


def company_record(firm: Firm) -> DemoRecord:
    roles = (MANAGER, OFFICE) if firm.is_confidential else ()
    return DemoRecord(
        "companies",
        firm.name,
        aliases=firm.aliases,
        addresses=firm.addresses,
        domains=(firm.domain,) if firm.domain else (),
        roles=roles,
    )


def contact_record(contact: Outsider) -> DemoRecord:
    return DemoRecord("contacts", contact.name, addresses=contact.known_addresses)


COMPANY = Company(
    people=PEOPLE,
    mailboxes=MAILBOXES,
    records=(
        *map(company_record, COMPANIES),
        *map(contact_record, CONTACTS),
        *WAREHOUSE,
        *PROJECTS,
    ),
    by_address={mailbox.address: mailbox for mailbox in MAILBOXES},
)
