"""Which folders are not imported (R21)."""

from collections.abc import Sequence
from datetime import UTC, datetime
from unicodedata import normalize

import pytest

from app.model import DEFAULT_SKIP_FOLDERS
from app.store import Store, folders
from app.sync import sync_account
from app.sync import test_connection as check_connection
from app.sync.remote import RemoteFolder
from app.sync.skip import skip_entries
from tests.sync.conftest import add_account
from tests.sync.extended import ExtendedImap, HeldFolder, serving


def folder(name: str, special_use: str = "", *, delimiter: str = "/") -> RemoteFolder:
    return RemoteFolder(name, special_use, is_selectable=True, delimiter=delimiter)


def skipped_by(
    name: str, special_use: str, entries: Sequence[str], *, delimiter: str = "/"
) -> str | None:
    (entry,) = skip_entries([folder(name, special_use, delimiter=delimiter)], entries)
    return entry


@pytest.mark.parametrize(
    ("name", "entry"),
    [
        ("Trash", "Trash"),
        ("trash", "Trash"),
        ("INBOX/TRASH", "Trash"),
        ("Trash/2024/May", "Trash"),
        ("[Gmail]/Trash", "Trash"),
        ("[Gmail]/Spam", "Spam"),
        ("[Gmail]/Kosz", "Trash"),
        ("Deleted Items", "Trash"),
        ("Junk Email", "Junk"),
        ("Social", "Social"),
        ("Gelöschte Elemente", "Trash"),
        ("Entwürfe", "Drafts"),
        ("Wersje robocze", "Drafts"),
        ("Brouillons", "Drafts"),
        ("Papelera", "Trash"),
        ("Elementy usunięte", "Trash"),
        ("Wiadomości-śmieci", "Junk"),
        ("Kopie robocze", "Drafts"),
        ("Gelöscht", "Trash"),
        ("Junk-E-Mail", "Junk"),
        ("Corbeille", "Trash"),
        ("Courrier indésirable", "Junk"),
        ("Törölt elemek", "Trash"),
        ("Levélszemét", "Junk"),
        ("Silinmiş Öğeler", "Trash"),
        ("Удалённые", "Trash"),
        ("削除済みアイテム", "Trash"),
        ("[Google Mail]/Bin", "Trash"),
        ("INBOX/Szkice", "Drafts"),
        ("Bulk", "Junk"),
        (normalize("NFD", "Éléments supprimés"), "Trash"),
        ("Altes Postfach/Gelöschte Elemente/2019", "Trash"),
    ],
)
def test_the_default_entries_keep_out_what_others_call_them(name: str, entry: str) -> None:
    assert skipped_by(name, "", DEFAULT_SKIP_FOLDERS) == entry


@pytest.mark.parametrize(
    "name",
    [
        "INBOX",
        "Sent",
        "Trash cans Ltd",
        "Archive/Drafting",
        "Spamhaus",
        "Projekty/Szkice",
        "Marketing/Werbung",
        "Sklep/Koš",
        "Gesendete Elemente",
        "Elementy wysłane",
        "[Gmail]/All Mail",
    ],
)
def test_other_folders_are_imported(name: str) -> None:
    assert skipped_by(name, "", DEFAULT_SKIP_FOLDERS) is None


@pytest.mark.parametrize(
    ("special_use", "entry"), [("\\Trash", "Trash"), ("\\Junk", "Junk"), ("\\Drafts", "Drafts")]
)
def test_a_role_keeps_out_whatever_the_folder_is_called(special_use: str, entry: str) -> None:
    assert skipped_by("Xyzzy", special_use, DEFAULT_SKIP_FOLDERS) == entry


def test_what_the_server_marks_keeps_out_what_lies_below_it() -> None:
    listed = [folder("Xyzzy", "\\Trash"), folder("Xyzzy/2024/May"), folder("Xyzzy 2")]

    assert skip_entries(listed, DEFAULT_SKIP_FOLDERS) == ["Trash", "Trash", None]


@pytest.mark.parametrize(
    ("offered", "refused", "entry"),
    [
        ("IMAP4rev1 SPECIAL-USE LIST-EXTENDED", {}, "Trash"),
        ("IMAP4rev1 SPECIAL-USE LIST-EXTENDED LIST-STATUS", {}, "Trash"),
        ("IMAP4rev1 SPECIAL-USE LIST-EXTENDED", {'LIST "" "*" RETURN': "BAD what?"}, None),
    ],
)
def test_a_server_is_asked_for_its_marks_before_saving_and_after(
    store: Store, offered: str, refused: dict[str, str], entry: str | None
) -> None:
    """What "Test connection" shows is what becomes of the folders (R21)."""
    held = {"INBOX": HeldFolder(), "Xyzzy": HeldFolder(attributes="\\Trash")}
    server = ExtendedImap(held, offered, refused, tells_uses_when_asked=True)
    with serving(server) as port:
        account = add_account(store, login="ann@ex.test", port=port, security="none")
        given = {"now": lambda: datetime.now(UTC), "ca_file": None, "public_only": False}
        tested = check_connection(account, "secret", tell=lambda tested: None, **given)
        sync_account(store, account, "secret", now=lambda: datetime.now(UTC))

    shown = {one.name: one.skipped_by for one in tested.folders}
    kept = {one.name: one.skipped_by for one in folders.of_account(store, account.id)}
    assert shown == kept == {"INBOX": None, "Xyzzy": entry}


def test_a_server_that_marks_inbox_keeps_nothing_out() -> None:
    listed = [folder("INBOX", "\\Trash"), folder("INBOX/Customers")]

    assert skip_entries(listed, DEFAULT_SKIP_FOLDERS) == [None, None]


def test_an_entry_meant_literally_is_named_before_a_role() -> None:
    assert skipped_by("Deleted", "\\Trash", DEFAULT_SKIP_FOLDERS) == "Deleted"


def test_sent_mail_is_imported() -> None:
    """R5."""
    assert skipped_by("Wysłane", "\\Sent", DEFAULT_SKIP_FOLDERS) is None


def test_without_its_entry_a_role_keeps_nothing_out() -> None:
    assert skipped_by("Kosz", "\\Trash", ["Junk"]) is None


def test_an_entry_of_ones_own_matches_name_or_path_whatever_the_case() -> None:
    assert skipped_by("Firma/Prywatne/Żona", "", ["PRYWATNE"]) == "PRYWATNE"
    assert skipped_by("Firma/Prywatne", "", ["firma/prywatne"]) == "firma/prywatne"
    assert skipped_by("Prywatne 2", "", ["Prywatne"]) is None


def test_the_servers_own_delimiter_divides_the_path() -> None:
    assert skipped_by("INBOX.Trash.Old", "", ["Trash"], delimiter=".") == "Trash"
    assert skipped_by("Trash.Old", "", ["Trash"], delimiter="/") is None


def test_an_empty_entry_matches_nothing() -> None:
    assert skipped_by("INBOX", "", ["", " "]) is None
