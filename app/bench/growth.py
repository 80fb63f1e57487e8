"""What an archive takes as it grows: time for the next mail, bytes for the next copy and record."""

import re
from binascii import b2a_base64
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from itertools import islice
from pathlib import Path
from random import Random

from app import mailboxes
from app.bench.child import EMAIL, index_all
from app.bench.clock import Aside, Spent, spent_here
from app.bench.corpus import DEMO_END, SEED, Corpus, bring, open_places
from app.demo.mail import DemoDelivery
from app.filing import file_message
from app.people import create_user
from app.records import create_record
from app.store import Store, documents, folders, open_store, visibility
from app.store.totals import totals

SLICE = 10_000
COPIES = 1_000
RECORDS = 20
ATTACHED_BYTES = 10_000_000
FURTHER = "further@bench.example"

_LARGE_HEAD = b"""From: Anna <anna@bench.example>
To: Bart <bart@bench.example>
Subject: The drawings
Date: Mon, 01 Jun 2026 10:00:00 +0000
Message-ID: <large@bench.example>
MIME-Version: 1.0
Content-Type: multipart/mixed; boundary=b

--b
Content-Type: text/plain

The drawings of the hall are attached.

--b
Content-Type: application/octet-stream; name=drawings.bin
Content-Disposition: attachment; filename=drawings.bin
Content-Transfer-Encoding: base64

"""


def measure_growth(
    directory: Path, corpus: Corpus, number: int, progress: Callable[[str], None]
) -> dict[str, float]:
    """Import `number` mails, and hold the last 10,000 against the first; store and index.

    Of an mbox with fewer mails, the last so many.
    """
    known = sum(1 for _ in islice(corpus.copies(), SLICE))
    slice_size = min(SLICE, known if corpus.mboxes else SLICE, max(1, number // 3))
    aside, laps = Aside(), list[Spent]()
    store = open_store(directory)
    user = create_user(store, email=EMAIL, name="Bench", by=None, now=DEMO_END)
    places = open_places(store, corpus, user, now=DEMO_END)
    index_all(store)
    mails = aside.each(corpus.grown(number, slice_size=slice_size))
    for at in range(0, number - slice_size + 1, slice_size):
        began, aside_began = spent_here(), aside.spent
        some = islice(mails, slice_size)
        bring(store, places, some, first_uid=at + 1, now=DEMO_END, progress=progress)
        index_all(store)
        laps.append(spent_here() - began - (aside.spent - aside_began))
    store.close()
    first, last = laps[0], laps[-1]
    return {
        "growth_messages": len(laps) * slice_size,
        "import_first_rate": slice_size / first.cpu_seconds,
        "import_last_rate": slice_size / last.cpu_seconds,
        "import_growth": first.cpu_seconds / last.cpu_seconds,
        "import_growth_wall": first.wall_seconds / last.wall_seconds,
    }


def measure_further_copies(directory: Path, corpus: Corpus) -> dict[str, float]:
    """Bytes of the databases for each mail that another mailbox received as well."""
    mails = list(islice(corpus.copies(), COPIES))
    store = open_store(directory)
    user = create_user(store, email=EMAIL, name="Bench", by=None, now=DEMO_END)
    places = open_places(store, corpus, user, now=DEMO_END)
    index_all(store)
    bring(store, places, mails, now=DEMO_END)
    before = _settled(store)
    store = open_store(directory)
    account = mailboxes.open_archive(store, None, FURTHER, [user], now=DEMO_END)
    place = {(FURTHER, "import"): folders.ensure(store, account.id, "import").id}
    copies = [_received_elsewhere(mail, number) for number, mail in enumerate(mails)]
    bring(store, place, copies, now=DEMO_END)
    return {"further_copy_bytes": (_settled(store)[0] - before[0]) / len(copies)}


def measure_records(directory: Path) -> dict[str, float]:
    """Bytes of databases and index for each further record that a mail of 10 MB lies under."""
    corpus = Corpus((Path("one"),))
    store = open_store(directory)
    user = create_user(store, email=EMAIL, name="Bench", by=None, now=DEMO_END)
    places = open_places(store, corpus, user, now=DEMO_END)
    ((mailbox, folder),) = places
    mail = DemoDelivery(mailbox, folder, _large_mail(), (), DEMO_END)
    index_all(store)
    bring(store, places, [mail], now=DEMO_END)
    (message_id,) = documents.all_message_ids(store)
    records = [
        create_record(store, record_type="companies", name=f"Firma {number}", by=None, now=DEMO_END)
        for number in range(RECORDS)
    ]
    viewer = visibility.viewer_of(store, user)
    file_message(store, viewer, message_id, records[0], now=DEMO_END)
    before = _settled(store)
    store = open_store(directory)
    for record_id in records[1:]:
        file_message(store, viewer, message_id, record_id, now=DEMO_END)
    return {"attach_bytes": (sum(_settled(store)) - sum(before)) / (RECORDS - 1)}


def _settled(store: Store) -> tuple[int, int]:
    """Bytes of the databases and of the index, when all is written. Effects: closes the store."""
    index_all(store)
    directory = store.directory
    # The last to close a database brings its write-ahead log into it.
    store.close()
    store = open_store(directory)
    found = totals(store)
    store.close()
    return found.database_bytes, found.index_bytes


def _received_elsewhere(mail: DemoDelivery, number: int) -> DemoDelivery:
    """The mail as another mailbox has it: other trace headers on top (RFC 5321 4.4)."""
    line_end = b"\r\n" if re.match(rb"[^\n]*\r\n", mail.raw) else b"\n"
    way = Random(SEED + number)  # noqa: S311  # the same headers each time
    at = (DEMO_END - timedelta(minutes=number)).strftime("%a, %d %b %Y %H:%M:%S +0000")
    trace = (
        f"Return-Path: <bounce-{way.getrandbits(48):x}@lists.example>",
        f"Delivered-To: {FURTHER}",
        f"Received: from mx{way.randrange(1, 9)}.bench.example (mx.bench.example [192.0.2.7])",
        f"\tby imap.bench.example (Postfix) with ESMTPS id {way.getrandbits(56):X}",
        f"\tfor <{FURTHER}>; {at}",
        f"Received: from out.lists.example (out.lists.example [192.0.2.{way.randrange(1, 250)}])",
        f"\tby mx.bench.example (Postfix) with ESMTPS id {way.getrandbits(56):X}; {at}",
    )
    head = b"".join(line.encode() + line_end for line in trace)
    return replace(mail, mailbox=FURTHER, folder="import", raw=head + mail.raw, flags=())


def _large_mail() -> bytes:
    """A mail of 10 MB, nearly all of it an attachment that does not compress."""
    content = Random(SEED).randbytes(ATTACHED_BYTES * 57 // 78)  # noqa: S311  # the same each time
    lines = [b2a_base64(content[at : at + 57]) for at in range(0, len(content), 57)]
    return _LARGE_HEAD + b"".join(lines) + b"\n--b--\n"
