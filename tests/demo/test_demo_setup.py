"""The demo company in a store, by the real sync."""

import csv
import json
from datetime import timedelta

import pytest

from app.demo.company import COMPANY
from app.demo.export import export
from app.demo.mail import generate
from app.demo.measure import judge_cold
from app.demo.run import Demo
from app.demo.setup import file_truth, is_demo, message_ids
from app.errors import Conflict, Invalid
from app.filing import suggest
from app.people import viewer_for
from app.store import accounts, blobs, documents, filings, folders, messages, records, users
from app.transfer import read_mail
from app.verify import verify
from tests.demo.conftest import END

ANNA = COMPANY.people[0].address


def stored_ids(store):
    return message_ids(store, documents.all_message_ids(store))


def test_people_roles_records_and_mailboxes_are_there(synced):
    anna = viewer_for(synced.store, ANNA)

    assert len(users.all_active(synced.store)) == len(COMPANY.people) == 8
    assert len(anna.roles) == 2
    assert anna.is_admin
    assert len(accounts.all_accounts(synced.store)) == 5
    warehouse = records.list_visible(synced.store, anna, record_type="warehouse")
    assert "Concrete" in [record.name for record in warehouse]


def test_every_copy_of_every_imported_folder_is_stored_byte_for_byte(synced):
    sent = {c.raw for m in synced.mails if not m.is_skipped for c in m.deliveries}

    copies = messages.copies_after(synced.store, 0, limit=100_000)
    kept = {blobs.read(synced.store, copy.id) for copy in copies}

    assert kept >= sent
    assert verify(synced.store).faults == ()


def test_skipped_folders_are_counted_and_not_imported(synced):
    known = stored_ids(synced.store)
    skipped = [mail for mail in synced.mails if mail.is_skipped]
    counted = [
        folder.server_messages
        for account in accounts.all_accounts(synced.store)
        for folder in folders.of_account(synced.store, account.id)
        if folder.skipped_by
    ]

    assert not {mail.internet_message_id for mail in skipped} & set(known)
    assert sum(counted) == sum(len(mail.deliveries) for mail in skipped) > 0


def test_unread_is_what_the_server_says(synced):
    unseen = sum(
        "\\Seen" not in copy.flags
        for mail in synced.mails
        if not mail.is_skipped
        for copy in mail.deliveries
    )

    checked = synced.sync()

    assert sum(one.unread for one in checked) >= unseen > 0
    assert sum(one.failed_folders for one in checked) == 0


def test_what_is_filed_from_the_start_is_filed_once_it_is_stored(synced):
    expected = [mail for mail in synced.mails if mail.filing]

    synced.demo.tick()
    known = stored_ids(synced.store)

    assert synced.demo.left_to_file == 0
    assert len(expected) > 20
    assert all(filings.is_archived(synced.store, known[m.internet_message_id]) for m in expected)
    assert not any(
        filings.is_archived(synced.store, known[m.internet_message_id])
        for m in synced.mails
        if not m.filing and not m.is_skipped
    )


def test_filing_again_changes_nothing(synced):
    synced.demo.tick()
    before = filed_rows(synced.store)

    left = file_truth(synced.store, synced.mails, now=END)

    assert left == 0
    assert filed_rows(synced.store) == before


def filed_rows(store):
    anna = viewer_for(store, ANNA)
    found = filings.records_of(store, anna, documents.all_message_ids(store))
    return {message_id: [record.name for record in some] for message_id, some in found.items()}


def test_a_delivered_mail_is_seen_at_the_next_pass(synced):
    mail = synced.demo.deliver_next(END)

    synced.sync()

    assert mail.internet_message_id in stored_ids(synced.store)


def test_fresh_mails_of_two_companies_are_offered_and_not_filled_in(synced):
    judged = judge_cold(synced.store, [mail for mail in synced.mails if mail.is_fresh])
    open_ones = [row for row in judged if row.filled is None and len(row.offered) > 1]

    assert len(judged) == 25
    assert len(open_ones) >= 3


def test_records_for_managers_are_hidden_from_the_foreman(synced):
    adam = viewer_for(synced.store, COMPANY.people[-1].address)
    names = [r.name for r in records.list_visible(synced.store, adam, record_type="projects")]

    assert "Otwock Barracks Tender" not in names
    assert "Sulejówek Library" in names


def test_suggestions_ask_for_a_viewer_who_may_read(synced):
    known = stored_ids(synced.store)
    fresh = next(mail for mail in reversed(synced.mails) if mail.record[0] == "companies")

    assert suggest(synced.store, viewer_for(synced.store, ANNA), known[fresh.internet_message_id])


def test_new_mail_is_due_every_forty_seconds(tmp_path):
    clock = [END]
    with Demo(tmp_path / "data", now=lambda: clock[0], messages=2) as demo:
        demo.tick()
        before = demo._live
        clock[0] += timedelta(seconds=41)
        demo.tick()
        demo.tick()

        assert (before, demo._live) == (0, 1)


def test_a_demo_wants_an_empty_directory_and_marks_it(tmp_path):
    with Demo(tmp_path / "data", now=lambda: END, messages=2):
        pass

    assert is_demo(tmp_path / "data")
    with (
        pytest.raises(Conflict, match="holds an archive already"),
        Demo(tmp_path / "data", now=lambda: END, messages=2),
    ):
        pass


def test_an_export_holds_every_copy_the_records_and_the_truth(tmp_path):
    mails = list(generate(messages=120, seed=3, end=END))

    copies = export(tmp_path / "out", COMPANY, mails)

    truth = json.loads((tmp_path / "out" / "truth.json").read_text())
    rows = list(csv.DictReader((tmp_path / "out" / "records.csv").read_text().splitlines()))
    found = [file.read_bytes() for file in (tmp_path / "out").glob("*/**/cur/*")]
    assert copies == sum(len(mail.deliveries) for mail in mails) == len(found)
    assert set(found) == {copy.raw for mail in mails for copy in mail.deliveries}
    assert {key: value and (value["type"], value["name"]) for key, value in truth.items()} == {
        mail.internet_message_id: mail.record for mail in mails
    }
    assert [row["name"] for row in rows] == [record.name for record in COMPANY.records]
    assert rows[-1]["roles"] == "project manager"


def test_an_exported_mailbox_can_be_imported(tmp_path):
    mails = list(generate(messages=30, seed=3, end=END))
    export(tmp_path / "out", COMPANY, mails)
    address = COMPANY.mailboxes[0].address

    read = [(found.folder, found.raw) for found in read_mail(tmp_path / "out" / address)]

    expected = [
        ("" if copy.folder == "INBOX" else copy.folder, copy.raw)
        for mail in mails
        for copy in mail.deliveries
        if copy.mailbox == address
    ]
    assert sorted(read) == sorted(expected)


def test_an_export_leaves_a_full_directory_alone(tmp_path):
    (tmp_path / "mine").write_text("x")

    with pytest.raises(Invalid, match="not empty"):
        export(tmp_path, COMPANY, [])
