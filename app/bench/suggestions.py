"""How good and how fast suggestions are: several seeds and sizes, and among 100,000 records."""

import shutil
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from random import Random
from statistics import quantiles

from app.bench.answers import p95, suggest_times
from app.bench.child import EMAIL, index_all
from app.bench.corpus import DEMO_END, Corpus, bring, open_places
from app.bench.figures import Measured
from app.demo.company import COMPANY, OFFICE
from app.demo.mail import DemoMail, generate
from app.demo.measure import Judged, figures, judge_cold, judge_in_order, misses
from app.demo.scene import STREETS
from app.model import RoleId, UserId
from app.people import create_user
from app.records import Draft, add_record
from app.store import Store, open_store, transaction, users, visibility

TUNED = ((1, 1_000), (2, 1_000), (3, 1_000), (4, 1_000), (5, 1_000), (1, 300), (1, 3_000))
"""Seeds and sizes that the weights were chosen on."""

HELD_OUT = ((101, 1_000), (102, 1_000), (103, 1_000), (106, 1_000), (105, 3_000))
"""Seeds and sizes that no weight was chosen on."""

MOST_RECORDS = 100_000
VISIBLE_EACH = 100
"""One record in so many is for everybody, the others for the office."""

_AT_ONCE = 5_000
_MISSES_SHOWN = 12

Progress = Callable[[str], None]


def run_suggest_bench(
    *,
    tuned: Sequence[tuple[int, int]] = TUNED,
    held_out: Sequence[tuple[int, int]] = HELD_OUT,
    number: int = MOST_RECORDS,
    timed: int = 1_000,
    progress: Progress = lambda text: None,
) -> Measured:
    """Shares on the demo company's mail, and milliseconds among `number` records, `timed` mails."""
    measured: dict[str, float] = {}
    notes: list[str] = []
    for name, runs in (("suggest", tuned), ("held_out", held_out)):
        filed: list[Judged] = []
        for seed, messages in runs:
            progress(f"seed {seed}, {messages:,} mails")
            cold, warm = _judged(seed, messages)
            notes.append(f"{name}, seed {seed}, {messages:,} mails: {_said(cold, warm)}")
            filed += warm
        precision, recall, top5 = figures(filed)
        measured |= {f"{name}_precision": precision, f"{name}_recall": recall, f"{name}_top5": top5}
        notes += [
            f"{name}, {len(filed):,} mails, {miss}: {kind} {count}"
            for miss, kind, count in misses(filed)[:_MISSES_SHOWN]
        ]
    progress(f"{number:,} records")
    return Measured(measured | _times(number, timed), tuple(notes))


def _judged(seed: int, messages: int) -> tuple[list[Judged], list[Judged]]:
    """With nothing filed yet, and each on its day."""
    mails = list(generate(messages=messages, seed=seed, end=DEMO_END))
    with company(mails) as (store, _):
        return judge_cold(store, mails), judge_in_order(store, mails)


def _said(cold: list[Judged], warm: list[Judged]) -> str:
    rows = (("filed", warm), ("cold", cold))
    return ", ".join(
        "{} {:.3f} {:.3f} {:.3f}".format(name, *figures(judged)) for name, judged in rows
    )


@contextmanager
def company(mails: Sequence[DemoMail]) -> Iterator[tuple[Store, UserId]]:
    """The demo company with its mail, and somebody who may read all of it."""
    path = Path(tempfile.mkdtemp(prefix="letterbook-bench-"))
    store = open_store(path)
    try:
        user = create_user(store, email=EMAIL, name="Bench", by=None, now=DEMO_END)
        places = open_places(store, Corpus(messages=len(mails)), user, now=DEMO_END)
        index_all(store)
        copies = (copy for mail in mails if not mail.is_skipped for copy in mail.deliveries)
        bring(store, places, copies, now=DEMO_END)
        index_all(store)
        yield store, user
    finally:
        store.close()
        shutil.rmtree(path)


# -- among many records


def _times(number: int, messages: int) -> dict[str, float]:
    """Of somebody who sees all records, and of somebody who sees one in `VISIBLE_EACH`."""
    mails = list(generate(messages=messages, seed=1, end=DEMO_END))
    with company(mails) as (store, user):
        (office,) = users.role_ids(store, (OFFICE,))
        _add_records(store, number, office)
        index_all(store)
        judge_in_order(store, mails)
        anna = users.by_email(store, COMPANY.people[0].address).id
        all_times = suggest_times(store, visibility.viewer_of(store, anna))
        some_times = suggest_times(store, visibility.viewer_of(store, user))
    return {
        "suggest_records": number,
        "suggest_p50": quantiles(all_times, n=2)[0],
        "suggest_p95": p95(all_times),
        "suggest_some_p95": p95(some_times),
    }


_STARTS = ("Bet", "Stal", "Hydro", "Elektro", "Term", "Eko", "Inter", "Pol", "Euro", "Mega", "Dom",
           "Trans", "Geo", "Agro", "Vit", "Lux", "Max", "Nord", "Sil", "Kar")  # fmt: skip
_ENDS = ("bud", "ex", "mont", "pol", "system", "instal", "plast", "serwis", "mar", "tech", "dach",
         "kop", "bruk", "drew", "met", "gaz", "lak", "tex", "form", "bet")  # fmt: skip
_FORMS = ("Sp. z o.o.", "S.A.", "Sp. j.", "s.c.", "Sp. k.", "GmbH", "Ltd", "")
_FIRST = ("Jan", "Anna", "Piotr", "Maria", "Tomasz", "Ewa", "Marek", "Katarzyna", "Paweł", "Zofia")
_FAMILY = ("Nowak", "Kowalski", "Wiśniewski", "Wójcik", "Lewandowski", "Zieliński", "Szymański",
           "Dąbrowski", "Kozłowski", "Mazur", "Krawczyk", "Król", "Wróbel", "Pawlak")  # fmt: skip
_TOWNS = ("Łomianki", "Marki", "Piaseczno", "Radom", "Otwock", "Legionowo", "Ząbki", "Kielce",
          "Płock", "Siedlce", "Ostrołęka", "Grójec", "Mińsk", "Pruszków", "Wołomin")  # fmt: skip
_WORKS = ("Budowa hali", "Remont dachu", "Przebudowa ulicy", "Osiedle", "Parking", "Plac zabaw")
_GOODS = ("beton", "żwir", "piasek płukany", "kostka brukowa", "cegła pełna", "wełna mineralna",
          "płyta OSB", "pręt żebrowany", "kabel YDY", "rura PEX", "farba biała")  # fmt: skip


def _add_records(store: Store, number: int, office: RoleId) -> None:
    random = Random(number)  # noqa: S311  # the same records each time
    for first in range(0, number, _AT_ONCE):
        with transaction(store):
            for serial in range(first, min(first + _AT_ONCE, number)):
                kind, draft = _record(serial, random)
                if serial % VISIBLE_EACH:
                    draft = replace(draft, roles=(office,))
                add_record(store, record_type=kind, draft=draft, by=None, now=DEMO_END)


def _record(serial: int, random: Random) -> tuple[str, Draft]:
    """A type and a record with a name that no other has: half companies, a third people."""
    family, town = random.choice(_FAMILY), random.choice(_TOWNS)
    word = random.choice(_STARTS) + random.choice(_ENDS)
    host = f"{word.lower()}{serial}.example"
    if serial % 6 < 3:
        name = f"{word} {random.choice((family, town))} {serial} {random.choice(_FORMS)}".strip()
        return "companies", Draft(name, domains=(host,))
    if serial % 6 < 5:
        person = f"{random.choice(_FIRST)} {family}"
        draft = Draft(f"{person} {serial}", aliases=(person,), addresses=(f"m@{host}",))
        return "contacts", draft
    if serial % 12 < 6:
        name = f"{random.choice(_WORKS)} {town}, {random.choice(STREETS)} {serial}"
        return "projects", Draft(name, code=f"BUD-{serial}")
    good = random.choice(_GOODS)
    return "warehouse", Draft(f"{good} {serial}", aliases=(good,))
