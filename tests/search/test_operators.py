"""Every operator of the table, in a real index; what a viewer may not see answers to none."""

from datetime import UTC, datetime

import pytest

from app.search import search_messages
from app.store import folders, holdings, locations, transaction
from app.store.visibility import viewer_of
from tests.search.conftest import NOW, add_account, mail


def found(house, text, *, viewer=None):
    page = search_messages(house.store, viewer or house.alice, text, now=NOW, limit=20)
    assert page.total == len(page.hits)
    return {hit.row.message.subject for hit in page.hits}


def notes(house, text, *, viewer=None):
    return search_messages(house.store, viewer or house.alice, text, now=NOW).query.notes


@pytest.fixture
def people(house):
    house.receive(mail("A", sender="Jan Nowak <jan.nowak@spostex.pl>", Cc="biuro@beton.example"))
    house.receive(mail("B", "spostex", sender="Ewa <ewa@other.example>", to="jan@nowak.example"))
    house.index()
    return house


@pytest.mark.parametrize(
    ("text", "subjects"),
    [
        ("from:nowak", {"A"}),
        ("from:Now", {"A"}),
        ('from:"Jan Nowak"', {"A"}),
        ("from:jan.nowak@spostex.pl", {"A"}),
        ("from:spostex.pl", {"A"}),
        ("from:spost", {"A"}),
        ("from:nowak@spost", {"A"}),
        ("from:@spostex.pl", {"A"}),
        ("to:nowak", {"B"}),
        ("cc:beton", {"A"}),
        ("with:jan", {"A", "B"}),
        ("with:beton.example", {"A"}),
        ("from:spostex.example", set()),
        ("-from:nowak", {"B"}),
        ("from:(jan OR ewa)", {"A", "B"}),
    ],
)
def test_people_are_found_by_name_address_and_domain_whole_or_in_part(people, text, subjects):
    assert found(people, text) == subjects


def test_a_field_is_looked_up_there_only(house):
    house.receive(mail("beton", "stal"))
    house.receive(mail("stal", "nowe\n\n> betonu"))
    house.receive(mail("cement", attachment="beton.pdf"))
    house.index()

    assert found(house, "subject:beton") == {"beton"}
    assert found(house, "body:beton") == {"stal"}
    assert found(house, "filename:beton") == {"cement"}
    assert found(house, "attachment:beton") == set()


@pytest.mark.parametrize(
    ("filename", "kind", "asked"),
    [
        ("a.pdf", "application/octet-stream", "pdf"),
        ("a", "application/pdf", "pdf"),
        ("a.bin", "image/jpeg", "image"),
        ("a.JPG", "application/octet-stream", "jpeg"),
        ("a.odt", "application/octet-stream", "doc"),
        ("a.xlsx", "application/octet-stream", "sheet"),
        ("a.csv", "text/csv", "text/csv"),
    ],
)
def test_a_type_is_known_by_ending_and_by_mime_type(house, filename, kind, asked):
    message = mail("with")
    whole, _, part = kind.partition("/")
    message.add_attachment(b"x", maintype=whole, subtype=part, filename=filename)
    house.receive(message)
    house.receive(mail("without"))
    other = mail("other")
    other.add_attachment(b"x", maintype="application", subtype="zip", filename="a.zip")
    house.receive(other)
    house.index()

    assert found(house, f"type:{asked}") == {"with"}
    assert found(house, "has:attachment") == {"with", "other"}


def test_sizes_are_those_on_the_wire(house):
    house.receive(mail("small", "x"))
    house.receive(mail("large", "faktura za beton\n" * 500))
    house.index()

    assert found(house, "larger:4k") == {"large"}
    assert found(house, "smaller:4k") == {"small"}
    assert found(house, "larger:1G") == set()


def test_dates_and_ages_find_their_days(house):
    house.receive(mail("march"), at=datetime(2025, 3, 13, tzinfo=UTC))
    house.receive(mail("old"), at=datetime(2024, 1, 1, tzinfo=UTC))
    house.index()

    assert found(house, "on:yesterday") == {"march"}
    assert found(house, "before:2025") == {"old"}
    assert found(house, "newer_than:2w") == {"march"}
    assert found(house, "older_than:6m") == {"old"}


@pytest.fixture
def two(house):
    """Alice's mailbox and Bob's hold one mail; each one of its own besides."""
    theirs = add_account(house.store, "secret@team.example", [house.bob.user_id])
    house.theirs = folders.ensure(house.store, theirs.id, "Tajne/Kadry")
    house.bob = viewer_of(house.store, house.bob.user_id)
    both = {"Message_ID": "<both>", "Date": "Fri, 14 Mar 2025 12:00:00 +0000"}
    house.both = house.receive(mail("both", **both))
    house.receive(mail("both", **both), folder=house.theirs)
    house.own = house.receive(mail("alice"))
    house.receive(mail("bob"), folder=house.theirs)
    house.index()
    return house


@pytest.mark.parametrize(
    ("text", "alice", "bob"),
    [
        ("account:office", {"both", "alice"}, set()),
        ("mailbox:secret@team.example", set(), {"both", "bob"}),
        ("account:team.example", {"both", "alice"}, {"both", "bob"}),
        ("-account:secret", {"both", "alice"}, set()),
        ("folder:inbox", {"both", "alice"}, set()),
        ("folder:Kadry", set(), {"both", "bob"}),
        ("folder:tajne/kadry", set(), {"both", "bob"}),
        ("folder:adr", set(), {"both", "bob"}),
        ("-folder:kadry", {"both", "alice"}, set()),
        ("alice OR folder:kadry", {"alice"}, {"both", "bob"}),
    ],
)
def test_mailboxes_and_folders_are_the_viewer_s_own(two, text, alice, bob):
    assert found(two, text) == alice
    assert found(two, text, viewer=two.bob) == bob


@pytest.mark.parametrize("text", ["account:{}", "folder:{}", "attached:{}", "thread:{}"])
def test_what_is_hidden_is_answered_like_what_does_not_exist(two, text):
    two.record("Kadry", users=[two.bob.user_id])
    two.index()

    hidden = notes(two, text.format("kadry"))
    absent = notes(two, text.format("nosuch"))

    assert [note.replace("kadry", "nosuch") for note in hidden] == list(absent)
    assert "is called" in absent[0]


def test_unread_is_that_of_the_viewer_s_mailboxes_at_once(two):
    assert found(two, "is:unread") == {"both", "alice"}

    locations.set_flags(two.store, two.folder.id, 1, {1: ("\\Seen",)})

    assert found(two, "is:unread") == {"alice"}
    assert found(two, "is:read") == {"both"}
    assert found(two, "is:unread", viewer=two.bob) == {"both", "bob"}
    two.index()
    assert found(two, "is:unread") == {"alice"}
    assert found(two, "is:unread", viewer=two.bob) == {"both", "bob"}


def test_in_queue_is_what_waits_in_the_viewer_s_mailboxes_at_once(two):
    record = two.record("Spostex S.A.")
    two.file(two.both, record)
    assert found(two, "in:queue") == {"alice"}
    two.index()
    assert found(two, "in:queue") == {"alice"}
    assert found(two, "in:queue", viewer=two.bob) == {"bob"}

    with transaction(two.store):
        holdings.set_aside(two.store, two.own, [two.account.id], by=two.alice.user_id, now=NOW)

    assert found(two, "in:queue") == set()
    two.index()
    assert found(two, "in:queue") == set()
    assert found(two, "-in:queue") == {"both", "alice"}


def test_a_mail_that_moved_is_in_its_new_folder(two):
    sent = folders.ensure(two.store, two.account.id, "Projekty")
    message = mail("alice", Message_ID="<3@example.org>", Date="Fri, 14 Mar 2025 12:03:00 +0000")
    two.receive(message, folder=sent)
    two.index()
    assert found(two, "folder:projekty") == {"alice"}

    locations.mark_gone(two.store, two.folder.id, 1, [3], now=NOW)
    locations.mark_gone(two.store, two.folder.id, 1, [1], now=NOW)
    two.index()

    assert found(two, "folder:projekty") == {"alice"}
    assert found(two, "folder:inbox") == {"both"}


@pytest.fixture
def filed(house):
    """Under an open record, under one that Bob may not see, under both, and under none."""
    house.open = house.record("Spostex S.A.", code="SPX", aliases=["Betoniarnia"])
    house.closed = house.record("Kadry", kind="projects", users=[house.alice.user_id])
    everybody = [house.alice.user_id, house.bob.user_id]
    shared = folders.ensure(
        house.store, add_account(house.store, "shared@team.example", everybody).id, "INBOX"
    )
    records = {"open": [house.open], "closed": [house.closed], "none": []}
    for subject, under in (records | {"double": [house.open, house.closed]}).items():
        message_id = house.receive(mail(subject), folder=shared)
        for record in under:
            house.file(message_id, record)
    house.alice = viewer_of(house.store, house.alice.user_id)
    house.bob = viewer_of(house.store, house.bob.user_id)
    house.index()
    return house


@pytest.mark.parametrize(
    ("text", "alice", "bob"),
    [
        ('attached:"Spostex S.A."', {"open", "double"}, {"open", "double"}),
        ("attached:spx", {"open", "double"}, {"open", "double"}),
        ("attached:betoniarnia", {"open", "double"}, {"open", "double"}),
        ("attached:spos", {"open", "double"}, {"open", "double"}),
        ("attached:kadry", {"closed", "double"}, set()),
        ("-attached:kadry", {"open", "none"}, {"open", "closed", "double", "none"}),
        ("attached:none", {"none"}, {"closed", "none"}),
        ("-attached:none", {"open", "closed", "double"}, {"open", "double"}),
        ("subject:open OR attached:none", {"open", "none"}, {"open", "closed", "none"}),
        ("type-of-record:projects", {"closed", "double"}, set()),
        ("type-of-record:Company", {"open", "double"}, {"open", "double"}),
        ("-type-of-record:projects", {"open", "none"}, {"open", "closed", "double", "none"}),
    ],
)
def test_a_filing_counts_for_those_who_may_see_its_record(filed, text, alice, bob):
    assert found(filed, text) == alice
    assert found(filed, text, viewer=filed.bob) == bob


def test_a_conversation_is_found_by_one_of_its_messages(house):
    first = house.receive(mail("first", Message_ID="<a@x>"))
    house.receive(mail("second", In_Reply_To="<a@x>"))
    house.receive(mail("other"))
    house.index()
    (public_id,) = house.store.archive.conn.execute(
        "select public_id from messages where id = ?", [first]
    ).fetchone()

    assert found(house, f"thread:{public_id}") == {"first", "second"}
    assert found(house, f"thread:{public_id} -subject:first") == {"second"}
    assert found(house, f"thread:{public_id}", viewer=house.bob) == set()
