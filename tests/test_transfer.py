"""Import: every dialect read, nothing doubled, broken pieces said."""

import gzip
import tracemalloc
import zipfile
from hashlib import sha256
from pathlib import Path

import pytest
import zstandard

from app.errors import Invalid
from app.model import Account, Digest
from app.store import Store, blobs, folders
from app.transfer import check_mail, import_mail, mbox, read_mail
from tests import make
from tests.make import NOW

LF = make.mail("One", message_id="<1@x>").replace(b"\r\n", b"\n")
OTHER = make.mail("Two", message_id="<2@x>").replace(b"\r\n", b"\n")
MBOX = b"From a@b Fri Mar 14 08:00:00 2025\n" + LF + b"\nFrom - Fri Mar 14 08:00:00 2025\n" + OTHER


@pytest.fixture
def box(store: Store) -> Account:
    return make.account(store, make.user(store, "Alice"), host=None)


def bring(store: Store, box: Account, path: Path):
    return import_mail(store, path, box.id, folder="Imported", now=NOW)


def write_mbox(path: Path) -> Path:
    path.write_bytes(MBOX)
    return path


def write_gzip(path: Path) -> Path:
    path = path.with_suffix(".mbox.gz")
    path.write_bytes(gzip.compress(MBOX))
    return path


def write_zstd(path: Path) -> Path:
    path = path.with_suffix(".mbox.zst")
    path.write_bytes(zstandard.compress(MBOX))
    return path


def write_maildir(path: Path) -> Path:
    for folder, name, raw in (("cur", "1:2,S", LF), ("new", "2", OTHER)):
        (path / folder).mkdir(parents=True)
        (path / folder / name).write_bytes(raw)
    return path


def write_folder(path: Path) -> Path:
    (path / "deep").mkdir(parents=True)
    (path / "one.eml").write_bytes(LF)
    (path / "deep" / "two.EML").write_bytes(OTHER)
    (path / "notes.txt").write_text("no mail")
    return path


def write_zip(path: Path) -> Path:
    path = path.with_suffix(".zip")
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("one.eml", LF)
        archive.writestr("../../etc/two.eml", OTHER)
        archive.writestr("bomb.eml", b"0" * 30_000_000)
    return path


WRITERS = [write_mbox, write_gzip, write_zstd, write_maildir, write_folder, write_zip]


@pytest.mark.parametrize("write", WRITERS)
def test_every_form_brings_the_same_two_mails_byte_exact(store, box, tmp_path, write) -> None:
    """R75."""
    done = bring(store, box, write(tmp_path / "mail"))

    assert done.stored == 2
    stored = {blobs.get(store, Digest(digest)) for digest in make.copy_digests(store)}
    assert stored == {LF, OTHER}


def test_importing_twice_or_from_another_form_brings_nothing_new(store, box, tmp_path) -> None:
    bring(store, box, write_mbox(tmp_path / "a.mbox"))

    again = bring(store, box, write_maildir(tmp_path / "b"))

    assert (again.read, again.stored, again.known, again.present) == (2, 0, 0, 2)


def test_what_unpacks_to_too_much_is_said_and_the_rest_comes_in(store, box, tmp_path) -> None:
    done = bring(store, box, write_zip(tmp_path / "mail"))

    assert (done.read, done.stored) == (3, 2)
    assert done.failed == ("bomb.eml: unpacks to 30,000,000 bytes",)
    assert not (tmp_path.parent / "etc").exists()


def test_a_from_line_in_the_text_does_not_cut_a_mail(tmp_path: Path) -> None:
    path = tmp_path / "a.mbox"
    text = b"\nFrom here on it rains.\n\n>From Monday too.\n\n>>From twice.\n"
    path.write_bytes(b"From a@b Fri Mar 14 08:00:00 2025\nSubject: x\n" + text)

    (found,) = read_mail(path)

    assert found.raw.endswith(b"From here on it rains.\n\nFrom Monday too.\n\n>From twice.\n")


@pytest.mark.parametrize(
    "content", [b"", b"PK\x03\x04broken", b"\x00\x01\x02", b"Subject: no mbox\n\nx"]
)
def test_what_is_no_mail_is_refused_before_anything_is_written(
    store, box, tmp_path, content
) -> None:
    path = tmp_path / "what"
    path.write_bytes(content)

    with pytest.raises(Invalid):
        bring(store, box, path)

    assert make.message_ids(store) == []


def test_a_truncated_mbox_gives_what_it_holds(store, box, tmp_path) -> None:
    path = tmp_path / "cut.mbox"
    path.write_bytes(MBOX[:-30])

    assert bring(store, box, path).stored == 2


def test_the_date_of_receipt_is_the_top_received_header(store, box, tmp_path) -> None:
    path = tmp_path / "one.eml"
    path.write_bytes(
        b"Received: from a by b;\n Tue, 04 Feb 2020 10:00:00 +0100\n"
        b"Received: from x by a; Mon, 03 Feb 2020 10:00:00 +0100\n" + LF
    )

    bring(store, box, path)

    (received_at,) = store.archive.conn.execute("select received_at from locations").fetchone()
    assert received_at == 1_580_806_800


def test_the_same_mail_in_another_folder_is_known_not_stored(store, box, tmp_path) -> None:
    path = write_mbox(tmp_path / "a.mbox")
    bring(store, box, path)

    done = import_mail(store, path, box.id, folder="Other", now=NOW)

    assert (done.stored, done.known) == (0, 2)
    assert sha256(LF).digest() in make.copy_digests(store)


def test_looking_whether_there_is_mail_reads_no_whole_message(tmp_path: Path) -> None:
    path = tmp_path / "large.mbox.zst"
    head = b"From a@b Fri Mar 14 08:00:00 2025\nSubject: x\n\n"
    path.write_bytes(zstandard.compress(head + b"0" * 50_000_000))
    tracemalloc.start()

    check_mail(path)

    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 10_000_000


def test_a_message_that_is_too_large_is_said_and_the_others_come_in(
    store, box, tmp_path, monkeypatch
) -> None:
    monkeypatch.setattr(mbox, "LARGEST_MESSAGE", 500)
    path = tmp_path / "a.mbox"
    path.write_bytes(MBOX + b"\nFrom a@b Fri Mar 14 08:00:00 2025\n" + LF + b"y" * 1_000)

    done = bring(store, box, path)
    again = bring(store, box, path)

    (reason,) = done.failed
    assert reason.startswith("a.mbox: a message is larger than ")
    assert (done.stored, again.present, again.failed) == (2, 2, done.failed)
    (ledger,) = folders.ledger(store, box.id)
    assert (ledger.failed, ledger.adds_up) == (1, True)
