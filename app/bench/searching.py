"""How fast a search answers by kind, beside notmuch in the same process; and what it takes while an
archive grows, is indexed anew, or shows somebody one message in a hundred."""

import gc
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from random import Random
from statistics import median, quantiles
from urllib.parse import urlencode

from app import mailboxes
from app.bench import notmuch
from app.bench.answers import p95
from app.bench.child import EMAIL, import_apart, index_all
from app.bench.corpus import DEMO_END, SEED, Corpus, bring, times_over, write_maildir
from app.bench.crowd import Reader
from app.bench.figures import SEARCH_KINDS, Measured
from app.bench.pages import Web, serving
from app.bench.peers import measure_peer
from app.demo.mail import DemoDelivery
from app.model import FolderId, Viewer
from app.people import create_user, open_session
from app.search import search_messages
from app.search.analysis import words
from app.store import (
    Store,
    accounts,
    documents,
    folders,
    jobs,
    open_store,
    snippets,
    users,
    visibility,
)
from app.store.totals import totals
from app.transfer import check_mail, mbox

Progress = Callable[[str], None]

EACH = 20
"""Queries of each kind."""
ROUNDS = 3
"""How often each is asked; the first time does not count."""
FEW = 1_000
"""Messages that somebody may read who is shown little."""
SAMPLE = 400
DELIVERED = 10
SMALLER = 10
PATIENCE_SECONDS = 3_600.0
_FEW_EMAIL = "few@localhost"
_FEW_MAILBOX = "few@bench.example"


@dataclass(frozen=True, slots=True)
class Asked:
    """A query in our words and in those of notmuch."""

    kind: str
    ours: str
    theirs: str


def run_search_bench(
    mboxes: Sequence[Path],
    *,
    messages: int,
    times: int = 1,
    with_peers: bool = True,
    progress: Progress = lambda text: None,
) -> Measured:
    """Of the mail of the mboxes `times` over, or of `messages` mails of the demo company.

    Raises Invalid for a file that holds no mail.
    """
    for path in mboxes:
        check_mail(path)
    with tempfile.TemporaryDirectory(prefix="letterbook-bench-") as place:
        directory, corpus = Path(place), Corpus(tuple(mboxes), messages)
        if mboxes:
            corpus = times_over(corpus, times, directory / "mail.mbox")
        progress("importing")
        import_apart(directory / "data", corpus)
        maildir = directory / "maildir"
        if with_peers:
            progress("notmuch reads the same mail")
            write_maildir(corpus, maildir)
            measure_peer("notmuch", maildir, directory / "notmuch")
        measured = measure_archive(directory / "data", corpus, maildir, progress)
        progress("importing a tenth")
        import_apart(directory / "small", _tenth(corpus, directory))
        with _opened(directory / "small") as (store, viewer):
            small = _times(store, viewer, draw(store, viewer))
    figures = measured.figures | {"search_p95_small": p95(small)}
    figures["search_growth"] = figures["search_p95"] / figures["search_p95_small"]
    return replace(measured, figures=figures)


def measure_archive(
    data: Path, corpus: Corpus, maildir: Path, progress: Progress = lambda text: None
) -> Measured:
    """All figures of one archive, whose mail notmuch may have read at `maildir`.

    Effects: adds a reader of few messages, some mail, and indexes everything anew.
    """
    figures: dict[str, float] = {}
    with _opened(data) as (store, viewer):
        found = totals(store)
        figures |= {
            "messages": documents.message_count(store),
            "index_ratio": found.index_bytes / found.raw_bytes,
        }
        progress("searching")
        asked = draw(store, viewer)
        with notmuch.opened(maildir) as peer:
            figures |= _by_kind(store, viewer, asked, peer)
        notes = () if peer else ("notmuch was not measured beside it: no library, or --no-peers.",)
        progress("searching as somebody who may read little")
        few = _let_in_few(store, corpus)
        figures["search_few_p95"] = p95(_times(store, few, asked))
        readers = [_reader(store, EMAIL), _reader(store, _FEW_EMAIL)]
        with serving(data) as web:
            progress("searching over HTTP")
            figures |= _over_http(web, readers[0], asked)
            figures |= {f"web_{name}": value for name, value in web.memory().items()}
            progress("delivering")
            place = {(corpus.mailbox, "fresh"): _folder(store, corpus.mailbox, "fresh")}
            figures["searchable_seconds"] = max(_delivered(store, viewer, place, "steady"))
            progress("indexing everything anew, searching meanwhile")
            figures |= _rebuilt(store, viewer, web, place, asked)
    return Measured(figures, notes)


def draw(store: Store, viewer: Viewer) -> list[Asked]:
    """`EACH` queries of each kind from the archive's own mail, the same for the same mail."""
    random = Random(SEED)  # noqa: S311  # the same queries each time
    ids = documents.all_message_ids(store)
    texts = list(snippets.texts(store, random.sample(ids, min(SAMPLE, len(ids)))).values())
    rows = [[w for w in words(text[:4_000]) if len(w) > 3 and w.isalpha()] for text in texts]
    rows = [row for row in rows if len(row) > 1]
    known = sorted({word for row in rows for word in random.sample(row, min(3, len(row)))})
    known = random.sample(known, min(len(known), SAMPLE))
    held = sorted(known, key=lambda one: (search_messages(store, viewer, one, limit=1).total, one))
    rare, common = held[: len(held) // 3], held[-max(EACH, len(held) // 20) :]
    middling = held[len(held) // 2 : -len(held) // 5] or held
    made: list[Asked] = []
    for _ in range(EACH):
        row = random.choice(rows)
        at = random.randrange(len(row) - 1)
        (mail,) = documents.message_documents(store, [random.choice(ids)])
        sender, month = mail.mail.sender.address or "root", mail.sort_at.date().replace(day=1)
        spring = month.replace(year=month.year + 1)
        word, one, two = random.choice(common), random.choice(row), random.choice(row)
        drawn = (
            *((random.choice(group),) * 2 for group in (rare, middling, common)),
            (f"{one} {two}",) * 2,
            (f'"{row[at]} {row[at + 1]}"',) * 2,
            (f"{random.choice(middling):.4}*",) * 2,
            (f"from:{sender}",) * 2,
            (f"{word} after:{month} before:{spring}", f"{word} date:{month}..{spring}"),
        )
        made += [Asked(kind, *pair) for kind, pair in zip(SEARCH_KINDS, drawn, strict=True)]
    return made


# -- times


def _by_kind(
    store: Store, viewer: Viewer, asked: Sequence[Asked], peer: notmuch.Notmuch | None
) -> dict[str, float]:
    """Milliseconds of ours and of notmuch, each query in turn, so that both meet the same noise."""
    ours: dict[str, list[float]] = {}
    theirs: dict[str, list[float]] = {}
    for one, is_counted in _rounds(asked):
        mine = _timed(search_messages, store, viewer, one.ours)
        other = _timed(peer.page, one.theirs) if peer else None
        if is_counted:
            ours.setdefault(one.kind, []).append(mine)
        if is_counted and other is not None:
            theirs.setdefault(one.kind, []).append(other)
    return _figures("search", ours) | (_figures("notmuch_search", theirs) if theirs else {})


def _figures(name: str, times: dict[str, list[float]]) -> dict[str, float]:
    every = [one for some in times.values() for one in some]
    figures = {f"{name}_p50": median(every), f"{name}_p95": p95(every)}
    for kind, some in times.items():
        figures |= {f"{name}_{kind}_p50": median(some), f"{name}_{kind}_p95": p95(some)}
    return figures


def _times(store: Store, viewer: Viewer, asked: Sequence[Asked]) -> list[float]:
    times = [
        (is_counted, _timed(search_messages, store, viewer, one.ours))
        for one, is_counted in _rounds(asked)
    ]
    return [spent for is_counted, spent in times if is_counted]


def _rounds(asked: Sequence[Asked]) -> Iterator[tuple[Asked, bool]]:
    gc.collect()
    gc.disable()
    try:
        for number in range(ROUNDS):
            yield from ((one, number > 0) for one in asked)
    finally:
        gc.enable()


def _timed(ask: Callable[..., object], *arguments: object) -> float:
    """Milliseconds."""
    began = time.perf_counter()
    ask(*arguments)
    return (time.perf_counter() - began) * 1000


def _over_http(web: Web, reader: Reader, asked: Sequence[Asked]) -> dict[str, float]:
    paths = [f"/search?{urlencode({'q': one.ours})}" for one in asked]
    for path in paths:
        web.get(path, reader)
    times = [_timed(web.show, path, reader) for path in paths]
    return {"search_page_p50": quantiles(times, n=2)[0], "search_page_p95": p95(times)}


# -- while it is written


def _delivered(
    store: Store, viewer: Viewer, place: dict[tuple[str, str], FolderId], name: str
) -> Iterator[float]:
    """Seconds from the end of the transaction that stores a mail until a search finds it."""
    for number in range(DELIVERED):
        yield _deliver(store, viewer, place, f"{name}{number}")


def _deliver(
    store: Store, viewer: Viewer, place: dict[tuple[str, str], FolderId], word: str
) -> float:
    ((mailbox, folder),) = place
    raw = (
        f"From: Anna <anna@bench.example>\nSubject: {word}fresh\nDate: Mon, 01 Jun 2026 10:00:00"
        f" +0000\nMessage-ID: <{word}@bench.example>\n\nIt has just come in.\n"
    )
    uid = sum(word.encode()) + 1_000 * len(word)
    mail = DemoDelivery(mailbox, folder, raw.encode(), (), DEMO_END)
    bring(store, place, [mail], first_uid=uid, now=datetime.now(UTC))
    began = time.monotonic()
    while not search_messages(store, viewer, f"{word}fresh").hits:
        if time.monotonic() - began > PATIENCE_SECONDS:
            return PATIENCE_SECONDS
        time.sleep(0.01)
    return time.monotonic() - began


def _rebuilt(
    store: Store,
    viewer: Viewer,
    web: Web,
    place: dict[tuple[str, str], FolderId],
    asked: Sequence[Asked],
) -> dict[str, float]:
    """Rate of indexing everything anew, and what searches find and cost until that is done."""
    before = {one.ours: _found(store, viewer, one.ours) for one in asked}
    job = jobs.add(store, "reindex", by=None, now=datetime.now(UTC))
    began, times, found_after, other = time.monotonic(), list[float](), list[float](), 0
    most = 0.0
    while not jobs.outcome(store, job).is_done and time.monotonic() - began < PATIENCE_SECONDS:
        for one in islice(asked, len(times) % len(asked), len(times) % len(asked) + 5):
            times.append(_timed(search_messages, store, viewer, one.ours))
            other += _found(store, viewer, one.ours) != before[one.ours]
            time.sleep(0.01)  # one who reads between two searches; the worker has the other core
        most = max(most, web.memory(of_worker=True).get("anon_megabytes", 0.0))
        if len(found_after) < DELIVERED:
            found_after.append(_deliver(store, viewer, place, f"anew{len(found_after)}"))
    spent = time.monotonic() - began
    return {
        "rebuild_rate": documents.message_count(store) / spent,
        "rebuild_search_p95": p95(times),
        "rebuild_search_max": max(times),
        "rebuild_answers_changed": other,
        "rebuild_searchable_seconds": max(found_after),
        "worker_anon_megabytes": most,
    }


def _found(store: Store, viewer: Viewer, query: str) -> list[str]:
    hits = search_messages(store, viewer, query, limit=20).hits
    # What is delivered meanwhile has this date and is left out.
    return [hit.row.message.public_id for hit in hits if "fresh" not in hit.row.message.subject]


# -- people and places


class _opened:  # noqa: N801  # used as a function
    """A store and the viewer who may read all of it, closed at the end."""

    def __init__(self, data: Path) -> None:
        self._store = open_store(data)

    def __enter__(self) -> tuple[Store, Viewer]:
        user = users.by_email(self._store, EMAIL)
        return self._store, visibility.viewer_of(self._store, user.id)

    def __exit__(self, *exc: object) -> None:
        self._store.close()


def _let_in_few(store: Store, corpus: Corpus) -> Viewer:
    """Somebody of a mailbox that holds a few of the mails as well."""
    user = create_user(store, email=_FEW_EMAIL, name="Few", by=None, now=DEMO_END)
    mailboxes.open_archive(store, None, _FEW_MAILBOX, [user], now=DEMO_END)
    place = {(_FEW_MAILBOX, "few"): _folder(store, _FEW_MAILBOX, "few")}
    step = max(1, documents.message_count(store) // FEW)
    some = islice(corpus.copies(), 0, step * FEW, step)
    mails = (replace(copy, mailbox=_FEW_MAILBOX, folder="few") for copy in some)
    bring(store, place, mails, now=DEMO_END)
    index_all(store)
    return visibility.viewer_of(store, user)


def _folder(store: Store, address: str, name: str) -> FolderId:
    return folders.ensure(store, accounts.by_address(store, address).id, name).id


def _reader(store: Store, email: str) -> Reader:
    user = users.by_email(store, email).id
    token = open_session(store, user, address="127.0.0.1", agent="bench", now=datetime.now(UTC))
    return Reader(user, token)


def _tenth(corpus: Corpus, directory: Path) -> Corpus:
    if not corpus.mboxes:
        return replace(corpus, messages=max(300, corpus.messages // SMALLER))
    number = sum(1 for _ in corpus.copies()) // SMALLER
    path = directory / "small.mbox"
    with path.open("wb") as file:
        file.writelines(_written(islice(corpus.copies(), max(number, 1))))
    return Corpus((path,))


def _written(copies: Iterable[DemoDelivery]) -> Iterator[bytes]:
    return (mbox.written(copy.raw, copy.received_at) for copy in copies)
