"""Which folders are not imported (R21)."""

import pytest

from app.model import DEFAULT_SKIP_FOLDERS
from app.sync.skip import skipped_by


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
    ],
)
def test_the_default_entries_keep_out_what_others_call_them(name: str, entry: str) -> None:
    assert skipped_by(name, "", DEFAULT_SKIP_FOLDERS) == entry


@pytest.mark.parametrize(
    "name", ["INBOX", "Sent", "Trash cans Ltd", "Archive/Drafting", "Spamhaus"]
)
def test_other_folders_are_imported(name: str) -> None:
    assert skipped_by(name, "", DEFAULT_SKIP_FOLDERS) is None


@pytest.mark.parametrize(
    ("special_use", "entry"), [("\\Trash", "Trash"), ("\\Junk", "Junk"), ("\\Drafts", "Drafts")]
)
def test_a_role_keeps_out_whatever_the_folder_is_called(special_use: str, entry: str) -> None:
    assert skipped_by("Xyzzy", special_use, DEFAULT_SKIP_FOLDERS) == entry


def test_sent_mail_is_imported() -> None:
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
