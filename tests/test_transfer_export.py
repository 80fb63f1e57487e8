"""Export: only what may be read, exactly, whole or not at all; and it comes back as it went."""

import mailbox
import os
import stat
import zipfile
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app import search
from app.demo.mail import generate
from app.errors import Conflict, Invalid
from app.filing import file_message, unfile
from app.model import Account, Viewer
from app.search import indexer
from app.store import Store, audit, messages, open_store
from app.transfer import export_all, export_found, import_mail, read_mail, writers
from tests import make
from tests.demo.conftest import END
from tests.make import NOW
from tests.test_transfer_mbox import MAILS

BCC = make.mail("Bcc", message_id="<b@x>", headers="Bcc: boss@firma.pl\n")
PLAIN = make.mail("Plain", message_id="<p@x>", text="beton\n\nFrom here on")
FORMS = ["mbox", "eml", "maildir", "zip"]


class Office:
    """Alice's mailbox with two mails that lie under a record which Bob may see."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.alice = make.user(store, "Alice")
        self.bob = make.viewer(store, make.user(store, "Bob"))
        self.box = make.account(store, self.alice)
        make.deliver(store, self.box, BCC, PLAIN, flags=("\\Flagged", "\\Seen"))
        self.record = make.record(store)

    def viewer(self) -> Viewer:
        return make.viewer(self.store, self.alice)

    def file(self, number: int) -> None:
        message_id = make.message_ids(self.store)[number]
        file_message(self.store, self.viewer(), message_id, self.record, roles=[], now=NOW)

    def index(self) -> None:
        while indexer.Indexer(self.store).drain():
            pass


@pytest.fixture
def office(store: Store) -> Office:
    return Office(store)


def export(store: Store, viewer: Viewer, to: Path, form: str = "eml", query: str = ""):
    return export_found(store, viewer, query, form=form, to=to, now=NOW)


def raws(path: Path) -> set[bytes]:
    return {found.raw for found in read_mail(path)}


def files(path: Path) -> list[Path]:
    return [file for file in path.rglob("*") if file.is_file()]


def test_a_member_gets_the_exact_bytes(office: Office, tmp_path: Path) -> None:
    done = export(office.store, office.viewer(), tmp_path / "out")

    assert raws(tmp_path / "out") == {BCC, PLAIN}
    assert (done.messages, done.without_bcc, done.failed) == (2, 0, ())


def test_others_get_what_was_filed_without_bcc_and_marked(office: Office, tmp_path: Path) -> None:
    office.file(0)

    done = export(office.store, office.bob, tmp_path / "out")

    (file,) = files(tmp_path / "out")
    mark = b"X-Letterbook-Copy: without Bcc, so not the exact bytes\r\n"
    assert file.read_bytes() == mark + BCC.replace(b"Bcc: boss@firma.pl\r\n", b"")
    assert file.name.endswith("-without-bcc.eml")
    assert (done.messages, done.without_bcc) == (1, 1)


@pytest.mark.parametrize("form", ["eml", "maildir"])
def test_a_file_without_bcc_is_not_named_by_the_exact_bytes(office, tmp_path, form) -> None:
    """Their SHA-256 would tell whoever tries out names which of them was in Bcc."""
    office.file(0)
    (exact, _) = messages.copies_after(office.store, 0, limit=9)

    export(office.store, office.bob, tmp_path / "out", form)

    (file,) = files(tmp_path / "out")
    assert exact.public_id not in file.name


def test_who_may_read_nothing_gets_an_empty_export(office: Office, tmp_path: Path) -> None:
    done = export(office.store, office.bob, tmp_path / "out.mbox", "mbox")

    assert (done.messages, (tmp_path / "out.mbox").read_bytes()) == (0, b"")


def test_a_query_gives_all_it_finds_and_not_one_page(
    office: Office, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(search, "PER_PAGE", 2)
    mails = [make.mail(f"Mail {n}", text="zbrojenie", message_id=f"<{n}@x>") for n in range(7)]
    make.deliver(office.store, office.box, *mails, first_uid=10)
    office.index()

    export(office.store, office.viewer(), tmp_path / "out.mbox", "mbox", "zbrojenie")

    assert raws(tmp_path / "out.mbox") == set(mails)


def test_what_is_hidden_after_it_was_indexed_does_not_go_out(office, tmp_path) -> None:
    office.file(1)
    office.index()
    before = export(office.store, office.bob, tmp_path / "before", query="beton")
    unfile(office.store, office.viewer(), make.message_ids(office.store)[1], office.record, now=NOW)

    after = export(office.store, office.bob, tmp_path / "after", query="beton")

    assert (before.messages, after.messages) == (1, 0)


def test_a_missing_index_refuses_rather_than_leaves_mail_out(office, tmp_path) -> None:
    with pytest.raises(Conflict, match="reindex"):
        export(office.store, office.viewer(), tmp_path / "out", query="beton")

    assert list(tmp_path.glob("*out*")) == []


def test_exports_are_audited(office: Office, tmp_path: Path) -> None:
    export(office.store, office.viewer(), tmp_path / "out")
    export_all(office.store, form="mbox", to=tmp_path / "all.mbox", now=NOW)

    assert audit.latest_verbs(office.store, 2) == ["export all", "export"]


def test_dates_are_those_of_receipt_and_nobody_else_may_read(office, tmp_path) -> None:
    for form in ("eml", "maildir", "mbox"):
        export(office.store, office.viewer(), tmp_path / form, form)

    written = files(tmp_path / "eml") + files(tmp_path / "maildir")
    assert {file.stat().st_mtime for file in written} == {NOW.timestamp()}
    assert (
        (tmp_path / "mbox")
        .read_bytes()
        .startswith(b"From %d.bytes@letterbook.invalid Fri Mar 14 09:00:00 2025\n" % len(BCC))
    )
    modes = {stat.S_IMODE(file.stat().st_mode) for file in [*written, tmp_path / "mbox"]}
    assert modes == {0o600}
    assert {(tmp_path / form).stat().st_mode & 0o77 for form in ("eml", "maildir")} == {0}


def test_other_programs_read_our_mbox(office: Office, tmp_path: Path) -> None:
    export(office.store, office.viewer(), tmp_path / "out.mbox", "mbox")

    box = mailbox.mbox(tmp_path / "out.mbox")
    subjects = [message["Subject"] for message in box]
    box.close()

    assert subjects == ["Bcc", "Plain"]


# -- everything


def test_all_as_maildir_keeps_mailboxes_folders_and_flags(office, tmp_path) -> None:
    make.deliver(office.store, office.box, PLAIN, folder="Wysłane/2024.12", first_uid=1)
    make.deliver(office.store, office.box, BCC, folder="INBOX", first_uid=99)
    other = make.account(office.store, address="a/../b@firma.pl", host="second")
    make.deliver(office.store, other, BCC, folder="/")

    done = export_all(office.store, form="maildir", to=tmp_path / "out", now=NOW)

    found = {(f.folder, f.raw, f.flags) for f in read_mail(tmp_path / "out" / "office@firma.pl")}
    assert found == {
        ("", BCC, ("\\Flagged", "\\Seen")),
        ("", BCC, ()),
        ("", PLAIN, ("\\Flagged", "\\Seen")),
        ("Wysłane/2024.12", PLAIN, ()),
    }
    assert raws(tmp_path / "out" / "a_.._b@firma.pl") == {BCC}
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == [
        "a_.._b@firma.pl",
        "office@firma.pl",
    ]
    assert done.messages == 5


def test_what_the_server_deleted_is_in_it_and_what_it_moved_once(office, tmp_path) -> None:
    conn = office.store.archive.conn
    conn.execute("update locations set gone_since = 1")
    make.deliver(office.store, office.box, PLAIN, folder="Moved")

    export_all(office.store, form="maildir", to=tmp_path / "out", now=NOW)

    found = [(f.folder, f.raw) for f in read_mail(tmp_path / "out" / "office@firma.pl")]
    assert sorted(found) == [("", BCC), ("Moved", PLAIN)]


@pytest.mark.parametrize("form", ["mbox", "eml"])
def test_all_writes_every_copy_once(office: Office, tmp_path: Path, form: str) -> None:
    make.deliver(office.store, office.box, PLAIN, folder="Again")

    done = export_all(office.store, form=form, to=tmp_path / "out", now=NOW)

    assert raws(tmp_path / "out") == {BCC, PLAIN}
    assert done.messages == 2


@pytest.mark.parametrize(
    ("folder", "directory"),
    [
        ("INBOX", "."),
        ("Sent/2024", ".Sent.2024"),
        ("Wysłane", ".Wys&AUI-ane"),
        ("a.b", ".a&AC4-b"),
        ("..", ".&AC4-&AC4-"),
    ],
)
def test_folder_names_are_those_of_maildir(folder: str, directory: str) -> None:
    assert writers.folder_directory(folder) == directory


@pytest.mark.parametrize("folder", ["/", "x" * 300, "ł" * 200])
def test_a_folder_name_that_cannot_be_one_becomes_a_number(folder: str) -> None:
    assert len(writers.folder_directory(folder)) == 33


# -- where it goes


@pytest.mark.parametrize("form", FORMS)
def test_what_is_there_is_left_alone(office: Office, tmp_path: Path, form: str) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "mine.eml").write_text("x")
    (tmp_path / "link").symlink_to(tmp_path / "nowhere")

    for name in ("out", "link", "none/out"):
        with pytest.raises(Invalid):
            export(office.store, office.viewer(), tmp_path / name, form.replace("zip", "eml"))

    assert [file.name for file in files(tmp_path / "out")] == ["mine.eml"]


def test_an_empty_folder_may_be_named(office: Office, tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()

    export(office.store, office.viewer(), tmp_path / "out")

    assert raws(tmp_path / "out") == {BCC, PLAIN}


def test_an_export_that_is_stopped_leaves_nothing(office: Office, tmp_path: Path) -> None:
    def stop(done: object) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        export_all(office.store, form="eml", to=tmp_path / "out", now=NOW, progress=stop)

    assert sorted(path.name for path in tmp_path.iterdir()) == ["data"]
    assert os.umask(0o022) != 0o077


def test_a_damaged_copy_is_said_and_the_rest_goes_out(office: Office, tmp_path: Path) -> None:
    copy = messages.copies_after(office.store, 0, limit=1)[0]
    office.store.mail.conn.execute("delete from blobs where id = ?", [copy.id])

    done = export(office.store, office.viewer(), tmp_path / "out")

    assert raws(tmp_path / "out") == {PLAIN}
    (reason,) = done.failed
    name = make.public_id(office.store, copy.message_id)
    assert reason == f"message {name}: The stored bytes of blob {copy.id} are missing."


def test_a_zip_has_a_limit_and_says_so(office, tmp_path, monkeypatch) -> None:
    monkeypatch.setattr(writers, "MOST_IN_ZIP", 1)

    with pytest.raises(Invalid, match="Name a folder"):
        export(office.store, office.viewer(), tmp_path / "out.zip")

    assert not (tmp_path / "out.zip").exists()


def test_entries_of_a_zip_are_dated_and_private(office: Office, tmp_path: Path) -> None:
    export(office.store, office.viewer(), tmp_path / "out.zip")

    with zipfile.ZipFile(tmp_path / "out.zip") as archive:
        entries = archive.infolist()
    assert {entry.date_time for entry in entries} == {(2025, 3, 14, 9, 0, 0)}
    assert {entry.external_attr >> 16 for entry in entries} == {0o600}


# -- there and back


def target(directory: Path, form: str) -> tuple[str, Path]:
    return ("eml", directory / "out.zip") if form == "zip" else (form, directory / "out")


def back(store: Store, box: Account, path: Path):
    return import_mail(store, path, box.id, folder="INBOX", now=NOW)


@pytest.mark.parametrize("form", FORMS)
@settings(max_examples=12, deadline=None)
@given(mails=st.lists(MAILS, min_size=1, max_size=5, unique=True))
def test_odd_bytes_come_back_as_the_same_copies(form: str, mails: list[bytes]) -> None:
    with TemporaryDirectory() as name:
        store = open_store(Path(name) / "data")
        alice = make.user(store, "Alice")
        box = make.account(store, alice, host=None)
        make.deliver(store, box, *mails)
        kind, path = target(Path(name), form)

        export_all(store, form=kind, to=path, now=NOW)
        done = back(store, box, path / box.address if kind == "maildir" else path)

        assert (done.read, done.present, done.failed) == (len(mails), len(mails), ())
        assert sorted(make.copy_digests(store)) == sorted(set(make.copy_digests(store)))
        assert len(make.copy_digests(store)) == len(mails)
        store.close()


@pytest.mark.parametrize("form", FORMS)
def test_the_demo_companys_mail_comes_back_as_the_same_copies(store, tmp_path, form) -> None:
    alice = make.user(store, "Alice")
    box = make.account(store, alice, host=None)
    mails = generate(messages=60, seed=5, end=END)
    copies = {copy.raw for mail in mails for copy in mail.deliveries}
    make.deliver(store, box, *sorted(copies))
    kind, path = target(tmp_path, form)
    before = len(make.message_ids(store))

    exported = export(store, make.viewer(store, alice), path, kind)
    done = back(store, box, path)

    assert exported.messages == before
    assert (done.read, done.present) == (before, before)
    assert len(make.message_ids(store)) == before
    assert len(make.copy_digests(store)) == len(copies)


def test_a_message_of_a_far_year_does_not_keep_a_zip_from_being_made(
    office: Office, tmp_path: Path
) -> None:
    far = datetime(2999, 1, 1, tzinfo=UTC)
    make.deliver(office.store, office.box, make.mail("Far"), first_uid=9, received_at=far)

    done = export_all(office.store, form="eml", to=tmp_path / "all.zip", now=NOW)

    assert (done.messages, done.failed) == (3, ())
