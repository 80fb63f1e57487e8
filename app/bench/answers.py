"""How fast the store and the index answer, in process, and how good the suggestions are."""

import gc
import time
from collections.abc import Callable, Iterable, Iterator
from random import Random
from statistics import mean, quantiles
from typing import TypeVar

from app.bench.corpus import SEED, Corpus
from app.demo.company import COMPANY
from app.demo.measure import figures, judge_in_order
from app.model import Viewer
from app.search import search_messages
from app.search.analysis import words
from app.search.suggest import suggest
from app.store import Store, blobs, documents, messages, snippets, users, visibility

T = TypeVar("T")

QUERIES = 100
READS = 1_000
SUGGESTED = 200

QUERY_SHAPES = (
    *("{0}",) * 6,
    *("{0} {1}",) * 5,
    *('"{0} {1}"',) * 4,
    *("{0:.4}*",) * 2,
    "from:{2}",
    "subject:{3}",
    "{0} -{3}",
)


MOST_COPIES = 1_000_000


def measure_reads(store: Store) -> dict[str, float]:
    """Milliseconds to read the text of a message, and a copy with its bytes proved; one by one."""
    random = Random(SEED)  # noqa: S311  # the same messages each time
    ids = random.choices(documents.all_message_ids(store), k=READS)
    copies = random.choices(messages.copies_after(store, 0, limit=MOST_COPIES), k=READS)
    text_times = list(_timed(lambda one: snippets.texts(store, [one]), ids))
    copy_times = list(_timed(lambda one: blobs.read(store, one.id), copies))
    return {
        "text_read_ms": mean(text_times),
        "text_read_p95": p95(text_times),
        "message_read_p95": p95(copy_times),
    }


def measure_search(store: Store, viewer: Viewer) -> dict[str, float]:
    """Milliseconds: a page of 50 with snippets, count and access filter, asked the second time."""
    asked = queries(store, Random(SEED))  # noqa: S311  # the same queries each time
    for query in asked:
        search_messages(store, viewer, query)
    times = list(_timed(lambda query: search_messages(store, viewer, query), asked))
    return {"search_p50": quantiles(times, n=2)[0], "search_p95": p95(times)}


def measure_suggest(store: Store, corpus: Corpus) -> dict[str, float]:
    """On the demo company's mail, each suggested and then filed, in the order of their dates."""
    measured = figures(judge_in_order(store, corpus.demo()))
    viewer = visibility.viewer_of(store, users.by_email(store, COMPANY.people[0].address).id)
    return {
        "suggest_precision": measured.precision,
        "suggest_recall": measured.recall,
        "suggest_top5": measured.top5,
        "suggest_p95": p95(suggest_times(store, viewer)),
    }


def suggest_times(store: Store, viewer: Viewer) -> list[float]:
    """Milliseconds of a suggestion, for some of all the mails."""
    ids = documents.all_message_ids(store)
    sample = Random(SEED).choices(ids, k=SUGGESTED)  # noqa: S311  # the same messages each time
    return list(_timed(lambda one: suggest(store, viewer, one), sample))


def queries(store: Store, random: Random) -> list[str]:
    """Mixed queries from the words of the archive's own mail: the same for the same mail."""
    ids = documents.all_message_ids(store)
    made: list[str] = []
    while len(made) < QUERIES:
        message_id = random.choice(ids)
        text = snippets.texts(store, [message_id])[message_id]
        known = [word for word in words(text[:4000]) if len(word) > 3 and word.isalpha()]
        (document,) = documents.message_documents(store, [message_id])
        subject = [word for word in words(document.mail.subject) if word.isalpha()]
        if len(known) < 2 or not subject:
            continue
        at = random.randrange(len(known) - 1)
        sender = document.mail.sender.address or "root"
        shape = QUERY_SHAPES[len(made) % len(QUERY_SHAPES)]
        made.append(shape.format(known[at], known[at + 1], sender, random.choice(subject)))
    return made


def _timed(ask: Callable[[T], object], questions: Iterable[T]) -> Iterator[float]:
    """Milliseconds of each answer. Rubbish is collected in between, as no time of the answer."""
    gc.collect()
    gc.disable()
    try:
        for question in questions:
            began = time.perf_counter()
            ask(question)
            yield (time.perf_counter() - began) * 1000
    finally:
        gc.enable()


def p95(times: list[float]) -> float:
    return quantiles(times, n=20)[-1]
