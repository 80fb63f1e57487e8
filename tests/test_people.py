"""Sign-in, sessions and one-time links."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier

import pytest

from app import filing, people
from app.errors import AuthFailed, Invalid, NotFound
from app.model import UserId
from app.store import Store, audit, filings, open_store, users
from tests import make
from tests.make import NOW

PASSWORD = "correct horse battery"
FROM = {"address": "127.0.0.1", "agent": "test"}


@pytest.fixture
def alice(store: Store) -> UserId:
    return people.create_user(
        store, email="Alice@Firma.pl", name="Alice", password=PASSWORD, by=None, now=NOW
    )


def sign_in(store: Store, password: str = PASSWORD, email: str = "alice@firma.pl", now=NOW) -> str:
    return people.sign_in(store, email, password, now=now, **FROM)


def test_the_address_may_be_typed_in_any_case(store: Store, alice: UserId) -> None:
    token = sign_in(store, email=" ALICE@firma.PL ")

    found = people.viewer_of_session(store, token, now=NOW)
    assert found is not None
    assert found[0].user_id == alice


@pytest.mark.parametrize(
    ("email", "password"),
    [("alice@firma.pl", "wrong password!"), ("eve@firma.pl", PASSWORD), ("", ""), ("\ud800", "x")],
)
def test_one_sentence_for_every_wrong_pair(store: Store, alice, email, password) -> None:
    with pytest.raises(AuthFailed, match="e-mail address or the password is wrong"):
        sign_in(store, password, email)


def test_a_person_without_a_password_cannot_sign_in(store: Store) -> None:
    people.create_user(store, email="bob@firma.pl", name="Bob", by=None, now=NOW)

    with pytest.raises(AuthFailed):
        sign_in(store, "", "bob@firma.pl")


def test_too_many_failures_close_the_door_for_a_while(store: Store, alice) -> None:
    for _ in range(people.MOST_FAILURES["user"]):
        with pytest.raises(AuthFailed, match="wrong"):
            sign_in(store, "not the password")

    with pytest.raises(AuthFailed, match="Too many attempts"):
        sign_in(store)
    assert sign_in(store, now=NOW + people.FAILURES_WITHIN + timedelta(seconds=1))


def test_a_session_ends_by_itself(store: Store, alice) -> None:
    idle, steady = sign_in(store), sign_in(store)
    for day in range(0, 30, 5):
        assert people.viewer_of_session(store, steady, now=NOW + timedelta(days=day))

    assert people.viewer_of_session(store, idle, now=NOW + timedelta(days=8)) is None
    assert people.viewer_of_session(store, steady, now=NOW + timedelta(days=31)) is None


def test_signing_out_ends_the_session_and_no_other(store: Store, alice) -> None:
    one, other = sign_in(store), sign_in(store)

    people.sign_out(store, one, now=NOW)

    assert people.viewer_of_session(store, one, now=NOW) is None
    assert people.viewer_of_session(store, other, now=NOW) is not None


def test_the_database_does_not_hold_what_a_cookie_holds(store: Store, alice) -> None:
    token = sign_in(store)

    rows = store.archive.conn.execute("select * from sessions").fetchall()

    assert token.encode() not in repr(rows).encode()


def test_a_link_sets_the_password_once_and_ends_other_sessions(store: Store, alice) -> None:
    old = sign_in(store)
    link = people.create_link(store, alice, by=None, now=NOW)

    new = people.set_password_by_link(store, link, "another long one", now=NOW, **FROM)

    assert people.viewer_of_session(store, old, now=NOW) is None
    assert people.viewer_of_session(store, new, now=NOW) is not None
    with pytest.raises(NotFound):
        people.set_password_by_link(store, link, "yet another one", now=NOW, **FROM)


def test_a_link_grows_old(store: Store, alice) -> None:
    link = people.create_link(store, alice, by=None, now=NOW)

    with pytest.raises(NotFound, match="too old"):
        people.user_of_link(store, link, now=NOW + people.LINK_FOR)


def test_a_deactivated_person_is_out_at_once(store: Store, alice) -> None:
    token = sign_in(store)

    people.deactivate_user(store, alice, by=None, now=NOW)

    assert people.viewer_of_session(store, token, now=NOW) is None
    with pytest.raises(AuthFailed):
        sign_in(store)


@pytest.mark.parametrize("password", ["short", "x" * 2000])
def test_passwords_are_of_sensible_length(store: Store, password: str) -> None:
    with pytest.raises(Invalid, match="characters"):
        people.create_user(store, email="a@b.pl", name="A", password=password, by=None, now=NOW)


def test_rights_count_from_the_next_request(store: Store, alice) -> None:
    token = sign_in(store)
    box = make.account(store, alice)

    before = people.viewer_of_session(store, token, now=NOW)
    store.archive.conn.execute("delete from account_users")
    after = people.viewer_of_session(store, token, now=NOW)

    assert before is not None
    assert after is not None
    assert (before[0].accounts, after[0].accounts) == ({box.id}, frozenset())


def test_of_two_who_use_a_link_at_once_one_wins(store: Store, alice: UserId) -> None:
    link = people.create_link(store, alice, by=None, now=NOW)
    passwords = [f"the password of browser {number}" for number in range(2)]
    ready = Barrier(len(passwords))

    def use(password: str) -> str | None:
        own = open_store(store.directory)
        ready.wait()
        try:
            return people.set_password_by_link(own, link, password, now=NOW, **FROM)
        except NotFound:
            return None
        finally:
            own.close()

    with ThreadPoolExecutor(len(passwords)) as threads:
        tokens = list(threads.map(use, passwords))

    (won,) = [number for number, token in enumerate(tokens) if token]
    assert people.viewer_of_session(store, tokens[won] or "", now=NOW) is not None
    assert sign_in(store, passwords[won])
    with pytest.raises(AuthFailed):
        sign_in(store, passwords[1 - won])


def test_when_somebody_was_here_last_outlives_his_sessions(store: Store, alice: UserId) -> None:
    token = sign_in(store)
    later = NOW + timedelta(days=2)
    people.viewer_of_session(store, token, now=later)

    people.deactivate_user(store, alice, by=None, now=later)

    (person,) = users.people(store, now=later)
    assert person.last_seen_at == later


def test_an_administrator_who_was_one_is_none_at_his_next_request(store: Store, alice) -> None:
    """R78: in the session that is open."""
    boss = people.create_user(
        store, email="boss@firma.pl", name="B", is_admin=True, password=PASSWORD, by=None, now=NOW
    )
    other = people.create_user(
        store, email="o@firma.pl", name="O", is_admin=True, password=PASSWORD, by=boss, now=NOW
    )
    token = sign_in(store, email="o@firma.pl")
    version = people.user_version(store, users.get(store, other))

    people.change_user(
        store, other, name="O", is_admin=False, roles=(), version=version, by=boss, now=NOW
    )

    found = people.viewer_of_session(store, token, now=NOW)
    assert found is not None
    assert not found[0].is_admin


def test_what_a_deactivated_person_did_stays_and_he_reads_no_more(store: Store, alice) -> None:
    """R69: his filings, his lines, the mail of his mailbox; he counts among the readers no more."""
    bob = make.user(store, "Bob")
    box = make.account(store, alice, address="alice@firma.pl")
    make.deliver(store, box, make.mail())
    (message,) = make.message_ids(store)
    record = make.record(store)
    filing.file_message(store, make.viewer(store, alice), message, record, now=NOW)
    _, token = people.create_token(store, alice, name="ERP", scopes=["read"], days=9, now=NOW)

    people.deactivate_user(store, alice, by=bob, now=NOW)

    viewer = make.viewer(store, bob)
    (lies,) = filings.visible(store, viewer, message)
    assert (lies.filed_by, lies.record.id) == (alice, record)
    assert ("archive", alice) in audit.verbs_on(store, message)
    assert filing.readers(store, viewer, message, None, ()).people == 1
    with pytest.raises(AuthFailed):
        people.viewer_of_token(store, token, address="10.0.0.1", now=NOW)
