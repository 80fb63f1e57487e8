"""Setting up the team, its members, roles and preferences."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from zoneinfo import ZoneInfo

import pytest

from app import filing, people
from app.errors import Conflict, Invalid, NotFound
from app.model import RoleId, Team, User, UserId
from app.search import search_messages
from app.search.indexer import Indexer
from app.settings import machine_zone
from app.store import Store, open_store, users
from app.store import team as teams
from tests import make
from tests.make import NOW

PASSWORD = "correct horse battery"
FROM = {"address": "127.0.0.1", "agent": "test"}
TEAM = Team(("Kowalczyk",), ("kowalczyk.example",), "en", "Europe/Warsaw")


def set_up(store: Store, email: str = "anna@kowalczyk.example") -> str:
    return people.set_up(store, TEAM, email=email, name="Anna", password=PASSWORD, now=NOW, **FROM)


def change(store: Store, user_id: UserId, *, by: UserId, **given: object) -> None:
    user = users.get(store, user_id)
    given = {"name": user.name, "is_admin": user.is_admin, "roles": []} | given
    version = people.user_version(store, user)
    people.change_user(store, user_id, by=by, now=NOW, **{"version": version, **given})


def test_set_up_signs_the_first_person_in(store: Store) -> None:
    token = set_up(store)

    found = people.viewer_of_session(store, token, now=NOW)
    assert found is not None
    assert found[0].is_admin
    assert teams.get(store) == TEAM
    assert not people.needs_set_up(store)


def test_of_two_at_the_same_moment_exactly_one_sets_up(store: Store) -> None:
    others = [open_store(store.directory) for _ in range(4)]

    def attempt(number: int) -> bool:
        try:
            set_up(others[number], f"user{number}@x.example")
        except Conflict:
            return False
        return True

    with ThreadPoolExecutor(4) as pool:
        won = list(pool.map(attempt, range(4)))
    for other in others:
        other.close()

    assert sum(won) == 1
    assert len(users.every(store)) == 1


def test_a_failed_set_up_leaves_nothing(store: Store) -> None:
    with pytest.raises(Invalid):
        people.set_up(store, TEAM, email="anna", name="Anna", password=PASSWORD, now=NOW, **FROM)

    assert people.needs_set_up(store)
    assert teams.get(store) == Team()


def test_a_person_from_the_command_line_counts_as_set_up(store: Store) -> None:
    people.create_user(store, email="a@b.example", name="A", by=None, now=NOW)

    (set_up_at,) = store.archive.conn.execute("select set_up_at from team").fetchone()
    assert set_up_at == int(NOW.timestamp())
    with pytest.raises(Conflict):
        set_up(store)


def test_a_code_is_compared_without_case_and_dashes() -> None:
    code = people.new_code()

    assert people.digest_of_code(code) == people.digest_of_code(
        f" {code.lower().replace('-', ' ')}"
    )
    assert people.digest_of_code(code) != people.digest_of_code(people.new_code())


def test_without_a_code_nobody_guesses_one(store: Store) -> None:
    with pytest.raises(Invalid, match="not the code"):
        people.check_code(store, "", None, address="10.0.0.1", now=NOW)


def test_guesses_are_forgotten_after_a_while(store: Store) -> None:
    digest = people.digest_of_code("ABCD-EFGH")
    for _ in range(people.MOST_FAILURES["code"]):
        with pytest.raises(Invalid, match="not the code"):
            people.check_code(store, "x", digest, address="10.0.0.1", now=NOW)

    with pytest.raises(Invalid, match="Too many"):
        people.check_code(store, "ABCD-EFGH", digest, address="10.0.0.1", now=NOW)
    people.check_code(store, "ABCD-EFGH", digest, address="10.0.0.2", now=NOW)
    later = NOW + people.FAILURES_WITHIN + timedelta(seconds=1)
    people.check_code(store, "ABCD-EFGH", digest, address="10.0.0.1", now=later)


def test_an_invited_person_comes_in_by_the_link_only(store: Store) -> None:
    boss = make.user(store, "Boss", is_admin=True)

    user, token = people.invite(
        store, email="Ewa@x.example", name="Ewa", is_admin=False, roles=[], by=boss, now=NOW
    )

    assert people.user_of_link(store, token, now=NOW) == user
    assert users.password_hash(store, user.id) is None


def test_an_invitation_with_an_unknown_role_makes_nobody(store: Store) -> None:
    boss = make.user(store, "Boss", is_admin=True)

    with pytest.raises(Invalid, match="not there any more"):
        people.invite(
            store,
            email="e@x.example",
            name="E",
            is_admin=False,
            roles=[RoleId(0)],
            by=boss,
            now=NOW,
        )

    assert len(users.every(store)) == 1


def two_admins(store: Store) -> tuple[UserId, UserId]:
    """Who were both here already."""
    boss, other = make.user(store, "Boss", is_admin=True), make.user(store, "Other", is_admin=True)
    for one in (boss, other):
        people.open_session(store, one, now=NOW, **FROM)
    return boss, other


def test_one_administrator_is_always_left(store: Store) -> None:
    boss, other = two_admins(store)

    change(store, other, by=boss, is_admin=False)

    with pytest.raises(Invalid, match="last administrator"):
        change(store, boss, by=boss, is_admin=False)
    with pytest.raises(Invalid, match="last administrator"):
        people.deactivate_user(store, boss, by=other, now=NOW)
    with pytest.raises(Invalid, match="last administrator"):
        people.deactivate_user(store, boss, by=None, now=NOW)


def test_an_invited_administrator_counts_from_his_first_sign_in_on(store: Store) -> None:
    boss, other = make.user(store, "Boss", is_admin=True), make.user(store, "Other", is_admin=True)
    link = people.create_link(store, other, by=boss, now=NOW)

    with pytest.raises(Invalid, match="counts from his first sign-in on"):
        change(store, boss, by=boss, is_admin=False)
    people.set_password_by_link(store, link, PASSWORD, now=NOW, **FROM)
    change(store, boss, by=boss, is_admin=False)

    assert not make.viewer(store, boss).is_admin


def test_a_deactivated_administrator_is_no_other_administrator(store: Store) -> None:
    boss, other = two_admins(store)
    people.deactivate_user(store, other, by=boss, now=NOW)

    with pytest.raises(Invalid, match="last administrator"):
        change(store, boss, by=boss, is_admin=False)


def test_a_person_saved_in_between_is_a_conflict(store: Store) -> None:
    boss, bob = make.user(store, "Boss", is_admin=True), make.user(store, "Bob")
    shown = people.user_version(store, users.get(store, bob))
    change(store, bob, by=boss, name="Robert")

    with pytest.raises(Conflict):
        change(store, bob, by=boss, name="Bobby", version=shown)

    assert users.get(store, bob).name == "Robert"


def test_who_comes_back_has_his_password_and_roles_again(store: Store) -> None:
    boss = make.user(store, "Boss", is_admin=True)
    bob = people.create_user(
        store,
        email="bob@x.example",
        name="Bob",
        roles=["foreman"],
        password=PASSWORD,
        by=boss,
        now=NOW,
    )
    people.deactivate_user(store, bob, by=boss, now=NOW)

    people.reactivate_user(store, bob, by=boss, now=NOW)

    assert people.sign_in(store, "bob@x.example", PASSWORD, now=NOW, **FROM)
    assert make.viewer(store, bob).roles == {make.role(store, "foreman")}


def test_a_role_that_keeps_something_is_not_removed(store: Store) -> None:
    boss, role = make.user(store, "Boss", is_admin=True), make.role(store, "foreman")
    record = make.record(store, roles=(role,))

    with pytest.raises(Invalid, match="would be open to everybody"):
        people.remove_role(store, role, by=boss, now=NOW)
    store.archive.conn.execute("delete from record_roles where record_id = ?", [record])
    people.remove_role(store, role, by=boss, now=NOW)

    with pytest.raises(NotFound):
        people.use_of_role(store, role)


def test_who_has_the_role_in_its_place_finds_the_mail_of_its_records(store: Store) -> None:
    boss = make.user(store, "Boss", is_admin=True)
    foreman, buyer = make.role(store, "foreman"), make.role(store, "buyer")
    make.deliver(store, make.account(store, boss), make.mail("Zement"))
    (message,) = make.message_ids(store)
    kept = make.record(store, roles=(foreman,), only_for=(boss,))
    filing.file_message(store, make.viewer(store, boss), message, kept, now=NOW)
    bob = make.viewer(store, make.user(store, "Bob", roles=(buyer,)))
    Indexer(store).drain()
    before = search_messages(store, bob, "zement").total

    people.remove_role(store, foreman, in_its_place=buyer, by=boss, now=NOW)
    Indexer(store).drain()

    assert (before, search_messages(store, bob, "zement").total) == (0, 1)


def test_the_time_zone_is_ones_own_then_the_teams_then_the_machines(store: Store) -> None:
    own = User(UserId(1), "x", "a@b.c", "A", is_admin=False, time_zone="Asia/Tokyo")
    none = User(UserId(1), "x", "a@b.c", "A", is_admin=False)
    odd = User(UserId(1), "x", "a@b.c", "A", is_admin=False, time_zone="Mars/Base")

    of_machine = people.zone_of(store, none)
    teams.put(store, TEAM)

    assert people.zone_of(store, own) == ZoneInfo("Asia/Tokyo")
    assert people.zone_of(store, none) == ZoneInfo("Europe/Warsaw")
    assert people.zone_of(store, odd) == of_machine == ZoneInfo(machine_zone())


def test_the_zones_to_choose_from_are_places() -> None:
    assert {"UTC", "Europe/Warsaw"} <= set(people.zone_names())
    assert not any(name.startswith(("Etc/", "posix")) for name in people.zone_names())
