"""The verbs of mailboxes: who may do what, and what stays."""

from dataclasses import replace
from datetime import timedelta

import pytest

from app import mailboxes
from app.errors import Conflict, Forbidden, Invalid, NotFound
from app.mailboxes import Wanted
from app.model import DEFAULT_SKIP_FOLDERS, Account, Viewer
from app.store import Store, accounts, filings, transaction
from app.store.secrets import load_key, unseal
from app.sync import addresses
from tests import make
from tests.make import NOW

WANTED = Wanted(
    address="office@firma.pl",
    host="imap.firma.pl",
    login="office@firma.pl",
    port=993,
    skip_folders=DEFAULT_SKIP_FOLDERS,
)


@pytest.fixture
def admin(store: Store) -> Viewer:
    return make.viewer(store, make.user(store, "Anna", is_admin=True))


@pytest.fixture
def bob(store: Store) -> Viewer:
    return make.viewer(store, make.user(store, "Bob"))


def create(store: Store, viewer: Viewer | None, *users: Viewer, **wanted) -> Account:
    people = tuple(user.user_id for user in users)
    return mailboxes.create(
        store,
        viewer,
        replace(WANTED, users=people, **wanted),
        "pass word",
        key=load_key(store.directory),
        now=NOW,
    )


def change(store: Store, viewer: Viewer | None, box: Account, *users: Viewer, **given) -> None:
    people = tuple(user.user_id for user in users)
    password, seen = given.pop("password", ""), given.pop("seen", "")
    mailboxes.change(
        store,
        viewer,
        box.id,
        replace(WANTED, users=people, **given),
        password,
        key=load_key(store.directory),
        seen=seen,
        now=NOW,
    )


def now_of(store: Store, viewer: Viewer) -> Viewer:
    return make.viewer(store, viewer.user_id)


def audited(store: Store) -> list[str]:
    return [row[0] for row in store.archive.conn.execute("select verb from audit order by id")]


def test_an_administrator_sets_up_a_common_mailbox_and_one_for_another(store, admin, bob) -> None:
    """R3, R10: the list need not name the administrator."""
    common = create(store, admin, admin, bob)
    single = create(store, admin, bob, address="bob@firma.pl")

    assert accounts.users(store, common.id) == [admin.user_id, bob.user_id]
    assert accounts.users(store, single.id) == [bob.user_id]
    assert audited(store)[:2] == ["create account", "set server"]


def test_others_set_up_their_own_only(store, admin, bob) -> None:
    """R9: nothing is saved."""
    create(store, bob, bob)

    with pytest.raises(Forbidden):
        create(store, bob, bob, admin, address="b@firma.pl")
    with pytest.raises(Forbidden):
        create(store, bob, admin, address="c@firma.pl")

    assert [one.address for one in accounts.all_accounts(store)] == ["office@firma.pl"]


def test_the_password_is_sealed_for_the_account(store, bob) -> None:
    """R14."""
    box = create(store, bob, bob)

    sealed = accounts.sealed_password(store, box.id)

    assert sealed is not None
    assert b"pass word" not in sealed
    assert unseal(load_key(store.directory), box.public_id, sealed) == "pass word"


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"address": ""}, "address"),
        ({"address": "office"}, "address"),
        ({"address": f"{'x' * 400}@firma.pl"}, "address"),
        ({"host": ""}, "host"),
        ({"host": "imap firma"}, "host"),
        ({"host": "imaps://imap.firma.pl"}, "host"),
        ({"host": "x" * 300}, "host"),
        ({"login": " "}, "login"),
        ({"login": "x" * 400}, "login"),
        ({"port": 0}, "port"),
        ({"port": 70_000}, "port"),
        ({"security": "none"}, "security"),
        ({"skip_folders": ("x" * 300,)}, "skip"),
        ({"skip_folders": tuple(map(str, range(101)))}, "skip"),
        ({"users": ()}, "users"),
    ],
)
def test_each_wrong_field_is_named(store, admin, wrong, field) -> None:
    """R11, R12, R17."""
    with pytest.raises(Invalid) as caught:
        mailboxes.create(
            store,
            admin,
            replace(WANTED, **({"users": (admin.user_id,)} | wrong)),
            "pass word",
            key=load_key(store.directory),
            now=NOW,
        )

    assert caught.value.field == field
    assert accounts.all_accounts(store) == []


@pytest.mark.parametrize("password", ["", "x" * 2000, "a\nb", "\ud800"])
def test_odd_passwords_are_refused(store, admin, password) -> None:
    wanted = replace(WANTED, users=(admin.user_id,))

    with pytest.raises(Invalid, match="password") as caught:
        mailboxes.create(store, admin, wanted, password, key=load_key(store.directory), now=NOW)

    assert caught.value.field == "password"


def test_clear_passwords_need_loopback_or_the_operator(store, admin) -> None:
    """R15."""
    create(store, admin, admin, security="none", host="127.0.0.1", port=143)
    create(store, None, admin, security="none", port=143)
    wanted = replace(WANTED, address="c@firma.pl", security="none", users=(admin.user_id,))
    mailboxes.create(
        store, admin, wanted, "x", key=load_key(store.directory), allow_clear=True, now=NOW
    )

    assert len(accounts.all_accounts(store)) == 3


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1",
        "10.1.2.3",
        "[::1]",
        "::ffff:10.0.0.1",
        "169.254.169.254",
        "localhost",
        "nas.local",
    ],
)
def test_others_than_administrators_name_no_internal_server(store, admin, bob, host) -> None:
    with pytest.raises(Invalid) as caught:
        create(store, bob, bob, host=host)

    assert caught.value.field == "host"
    assert create(store, admin, bob, host=host)


@pytest.mark.parametrize(
    ("address", "is_public"),
    [
        ("8.8.8.8", True),
        ("2606:4700::1111", True),
        ("::ffff:8.8.8.8", True),
        ("127.0.0.1", False),
        ("192.168.1.5", False),
        ("169.254.169.254", False),
        ("100.64.0.1", False),
        ("0.0.0.0", False),
        ("224.0.0.1", False),
        ("fe80::1", False),
        ("fd00:ec2::254", False),
        ("::ffff:127.0.0.1", False),
        ("64:ff9b::7f00:1", False),
        ("2002:7f00:1::", False),
        ("64:ff9b:1::7f00:1", False),
        ("::7f00:1", False),
        ("::ffff:0:7f00:1", False),
        ("fec0::1", False),
        ("5f00::1", False),
    ],
)
def test_public_addresses_are_told_from_internal_ones(address, is_public) -> None:
    assert addresses.is_public(address) is is_public


def test_the_worker_is_bound_by_who_set_the_server_last(store, admin, bob) -> None:
    by_bob = create(store, bob, bob)
    by_admin = create(store, admin, bob, address="b@firma.pl")
    by_operator = create(store, None, bob, address="c@firma.pl")
    bob = now_of(store, bob)
    change(store, bob, by_admin, bob, address="b@firma.pl", login="other")

    assert mailboxes.is_bound_to_public(store, by_bob)
    assert not mailboxes.is_bound_to_public(store, by_admin)
    assert not mailboxes.is_bound_to_public(store, by_operator)


def test_what_an_administrator_set_up_inside_may_be_changed_but_not_moved(
    store, admin, bob
) -> None:
    box = create(store, admin, bob, host="10.0.0.5", port=1143)
    bob = now_of(store, bob)

    change(store, bob, box, bob, host="10.0.0.5", port=1143, login="other")
    with pytest.raises(Invalid, match="Only an administrator"):
        change(store, bob, box, bob, host="10.0.0.6", port=143, password="x")

    assert accounts.get(store, box.id).login == "other"
    assert not mailboxes.is_bound_to_public(store, box)


def test_the_same_address_server_and_login_are_refused(store, admin, bob) -> None:
    """R11."""
    create(store, admin, bob)
    other = create(store, admin, bob, login="another")

    with pytest.raises(Invalid, match="already"):
        create(store, admin, admin, address=" OFFICE@firma.pl ")
    with pytest.raises(Invalid, match="already"):
        change(store, admin, other, bob)


def test_sharing_by_edit_lets_in_and_keeps_out_at_once(store, admin, bob) -> None:
    """R25, R27, A21: the list may become empty, and all of it is audited."""
    box = create(store, admin, admin)

    change(store, admin, box, bob)
    shared = now_of(store, bob).accounts
    change(store, admin, box)

    assert shared == {box.id}
    assert now_of(store, bob).accounts == frozenset()
    assert now_of(store, admin).accounts == frozenset()
    assert audited(store).count("share account") == 2


def test_a_shared_mailbox_is_changed_by_administrators_only(store, admin, bob) -> None:
    box = create(store, admin, admin, bob)
    bob = now_of(store, bob)
    verbs = (mailboxes.pause, mailboxes.resume, mailboxes.close)

    with pytest.raises(Forbidden):
        change(store, bob, box, bob)
    for verb in verbs:
        with pytest.raises(Forbidden):
            verb(store, bob, box.id, now=NOW)

    assert accounts.get(store, box.id) == box


def test_another_ones_mailbox_is_not_there(store, admin, bob) -> None:
    box = create(store, admin, admin)

    with pytest.raises(NotFound):
        change(store, bob, box, bob)
    with pytest.raises(NotFound):
        mailboxes.find_account(store, bob, box.public_id)


def test_an_empty_password_keeps_the_saved_one(store, bob) -> None:
    """R14."""
    box = create(store, bob, bob)
    before = accounts.sealed_password(store, box.id)
    bob = now_of(store, bob)

    change(store, bob, box, bob, login="other")

    assert accounts.sealed_password(store, box.id) == before
    assert accounts.get(store, box.id).login == "other"


def test_a_saved_password_is_never_sent_to_another_server(store, admin) -> None:
    box = create(store, admin, admin)

    with pytest.raises(Invalid, match="another"):
        change(store, admin, box, admin, host="imap.evil.example")
    with pytest.raises(Invalid, match="another"):
        change(store, admin, box, admin, port=1993)
    change(store, admin, box, admin, host="imap.other.example", password="new")

    assert accounts.get(store, box.id).host == "imap.other.example"


def test_changed_settings_are_tried_at_once(store, admin) -> None:
    box = create(store, admin, admin)
    accounts.set_due(store, box.id, at=NOW.replace(year=2030))

    change(store, admin, box, admin, login="other")

    assert accounts.claim_due(store, now=NOW, next_at=NOW) is not None


def test_two_people_with_the_same_form_do_not_overwrite_each_other(store, admin, bob) -> None:
    box = create(store, admin, admin)
    seen = mailboxes.version(box, [admin.user_id])
    change(store, admin, box, admin, bob, seen=seen)

    with pytest.raises(Conflict, match="Somebody else"):
        change(store, admin, box, admin, seen=seen)

    assert accounts.users(store, box.id) == [admin.user_id, bob.user_id]


def test_a_closed_mailbox_keeps_its_mail_and_people_and_forgets_its_password(store, bob) -> None:
    """A21."""
    box = create(store, bob, bob)
    make.deliver(store, box, make.mail())
    bob = now_of(store, bob)

    mailboxes.close(store, bob, box.id, now=NOW)

    assert accounts.sealed_password(store, box.id) is None
    assert accounts.users(store, box.id) == [bob.user_id]
    assert len(make.message_ids(store)) == 1
    assert accounts.claim_due(store, now=NOW, next_at=NOW) is None


def test_a_closed_mailbox_opens_again_with_a_password(store, bob) -> None:
    box = create(store, bob, bob)
    bob = now_of(store, bob)
    mailboxes.close(store, bob, box.id, now=NOW)

    change(store, bob, box, bob)
    still_closed = accounts.get(store, box.id).closed_at
    change(store, bob, box, bob, password="again")

    assert still_closed == NOW
    assert accounts.get(store, box.id).closed_at is None


def test_pausing_and_resuming(store, bob) -> None:
    box = create(store, bob, bob)
    bob = now_of(store, bob)

    mailboxes.pause(store, bob, box.id, now=NOW)
    paused = accounts.claim_due(store, now=NOW, next_at=NOW)
    mailboxes.resume(store, bob, box.id, now=NOW)

    assert paused is None
    assert accounts.claim_due(store, now=NOW, next_at=NOW) is not None
    assert audited(store)[-2:] == ["pause account", "resume account"]


def test_strictness_changes_what_the_index_says_of_archived_mail(store, admin) -> None:
    """A5: the members' search follows."""
    box = create(store, admin, admin)
    make.deliver(store, box, make.mail())
    (message,) = make.message_ids(store)
    record = make.record(store)
    with transaction(store):
        filings.add(store, message, record, by=admin.user_id, now=NOW)
    store.archive.conn.execute("delete from index_queue")

    mailboxes.share(store, admin, box.id, [admin.user_id], is_strict=True, now=NOW)

    queued = store.archive.conn.execute("select kind, subject_id from index_queue").fetchall()
    assert queued == [("message", message)]


def test_old_checks_that_found_nothing_go_and_the_others_stay(store, admin) -> None:
    """A14."""
    box, past = create(store, admin, admin), NOW - timedelta(days=31)
    for new, error in ((0, None), (2, None), (0, "It slept."), (0, None)):
        accounts.record_check(store, box.id, unread=1, new=new, error=error, now=past)

    for _ in range(2):
        accounts.record_check(store, box.id, unread=1, new=0, error=None, now=NOW)

    kept = accounts.checks(store, box.id, limit=9)
    assert [(check.new, check.error) for check in kept] == [
        (0, None), (0, None), (0, "It slept."), (2, None),
    ]  # fmt: skip
