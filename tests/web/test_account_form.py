"""The form of a mailbox: a new one, and changing one."""

import re
from datetime import UTC, datetime, timedelta

import pytest

from app.model import DEFAULT_SKIP_FOLDERS, Account
from app.store import accounts, jobs
from tests import make
from tests.web.conftest import Team
from tests.web.test_accounts import FORM, LIST, NEW, named, note_check, own, user_id


def addresses(team: Team) -> list[str]:
    return [account.address for account in accounts.all_accounts(team.store)]


# -- a new one


def test_the_form_has_the_fields_of_the_help_page_in_its_order(alice) -> None:
    """R8, R11-R19: literal labels."""
    text = alice.get(NEW).text
    labels = (
        "User",
        "Email address",
        "IMAP server address",
        "Login",
        "Password",
        "Connection security",
        "Type of authorization",
        "Server port",
        "Verify the correctness of the SSL/TLS server certificate",
        "Skip folders",
        "Once archived, only those whom the archive allows may read it",
        "Confirm",
    )
    form = text[text.index("<legend>User") :]

    places = [form.index(f">{label}<") for label in labels]

    assert places == sorted(places)
    assert re.findall(r'name="skip" value="(\w+)"', text) == list(DEFAULT_SKIP_FOLDERS)
    assert not re.findall(r'name="[^"]*smtp[^"]*"', text.lower())


def test_confirm_saves_and_the_mailbox_is_in_the_list_and_due_at_once(team, charlie) -> None:
    """R7, R8, R23: the default user is the one who adds it."""
    answer = charlie.post(NEW, seen_on=NEW, **FORM)
    listed = charlie.get(answer.headers["location"])

    assert answer.status_code == 303
    assert "biuro@firma.pl" in listed.text
    made = named(team, "biuro@firma.pl")
    assert accounts.users(team.store, made.id) == [team.charlie]
    assert set(made.skip_folders) == set(DEFAULT_SKIP_FOLDERS)
    due = accounts.next_due_at(team.store, frozenset({made.id}))
    assert due is not None
    assert due <= datetime.now(UTC)


def test_an_administrator_chooses_several_people_at_once(team, admin) -> None:
    """R10, R26."""
    people = [user_id(team, team.alice), user_id(team, team.bob), user_id(team, team.bob)]

    answer = admin.post(NEW, seen_on=NEW, **FORM, users=people)

    assert answer.status_code == 303
    made = named(team, "biuro@firma.pl")
    assert accounts.users(team.store, made.id) == [team.alice, team.bob]


@pytest.mark.parametrize("path", [NEW, "/email/accounts/new/test"])
def test_others_are_refused_for_other_people_by_the_server_too(team, alice, path) -> None:
    """R9, A16: 403, and nothing is saved."""
    before = addresses(team)

    answer = alice.post(path, seen_on=NEW, **FORM, users=user_id(team, team.charlie))

    assert answer.status_code == 403
    assert addresses(team) == before
    assert jobs.claim(team.store, now=datetime.now(UTC)) is None


def test_the_list_is_locked_for_others_with_the_reason(alice) -> None:
    """A16."""
    text = alice.get(NEW).text

    assert 'name="users"' not in text
    assert "only an administrator" in text


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        ({"address": ""}, "Type the e-mail address"),
        ({"address": "biuro"}, "no e-mail address"),
        ({"host": ""}, "Type the address of the IMAP server"),
        ({"host": "https://x.pl/"}, "neither a host name nor an IP address"),
        ({"host": "192.168.1.5"}, "Only an administrator"),
        ({"login": ""}, "Type the login"),
        ({"login": "x" * 400}, "at most 320"),
        ({"password": ""}, "Type the password"),
        ({"password": "x" * 1500}, "at most 1000"),
        ({"security": "none"}, "Without encryption"),
        ({"security": "rot13"}, "Choose SSL/TLS, STARTTLS or None."),
        ({"port": "0"}, "from 1 to 65535"),
        ({"port": "nine"}, "from 1 to 65535"),
        ({"port": "99999999999"}, "from 1 to 65535"),
        ({"port": "25"}, "Only an administrator"),
        ({"skip": "x" * 300}, "at most 255"),
    ],
)
def test_each_wrong_field_is_said_and_what_was_typed_is_kept(team, alice, wrong, sentence) -> None:
    answer = alice.post(NEW, seen_on=NEW, **(FORM | wrong))

    assert answer.status_code == 422
    assert sentence in answer.text
    assert "<title>Error:" in answer.text
    assert f'href="#{next(iter(wrong))}"' in answer.text
    assert "biuro@firma.pl" not in addresses(team)
    assert "pass word" not in answer.text


def test_all_that_is_wrong_is_said_at_once(alice) -> None:
    text = alice.post(NEW, seen_on=NEW).text

    links = [f'href="#{name}"' for name in ("address", "host", "login", "password")]
    assert all(link in text for link in links)
    assert sorted(links, key=text.index) == links


def test_a_typed_password_survives_an_error(team, alice) -> None:
    """It is kept sealed under a token that the form carries, for this person only."""
    first = alice.post(NEW, seen_on=NEW, **(FORM | {"port": "x"})).text
    (token,) = re.findall(r'name="kept" value="([^"]+)"', first)

    answer = alice.post(NEW, seen_on=NEW, **(FORM | {"password": "", "kept": token}))

    assert answer.status_code == 303
    assert named(team, "biuro@firma.pl")
    left = team.store.archive.conn.execute("select count(*) from kept_passwords").fetchone()
    assert left == (0,)


def test_anothers_kept_password_is_worth_nothing(team, alice, charlie) -> None:
    first = alice.post(NEW, seen_on=NEW, **(FORM | {"port": "x"})).text
    (token,) = re.findall(r'name="kept" value="([^"]+)"', first)

    answer = charlie.post(NEW, seen_on=NEW, **(FORM | {"password": "", "kept": token}))

    assert answer.status_code == 422


@pytest.mark.parametrize(("security", "port"), [("tls", 993), ("starttls", 143)])
def test_an_empty_port_follows_the_security(team, alice, security, port) -> None:
    """R17."""
    alice.post(NEW, seen_on=NEW, **(FORM | {"port": "", "security": security}))

    assert named(team, "biuro@firma.pl").port == port


def test_the_same_mailbox_twice_is_refused_kindly(alice) -> None:
    """R11."""
    alice.post(NEW, seen_on=NEW, **FORM)

    answer = alice.post(NEW, seen_on=NEW, **(FORM | {"address": "BIURO@firma.pl"}))

    assert answer.status_code == 422
    assert "This mailbox is there already" in answer.text


def test_doubled_fields_count_once(team, alice) -> None:
    doubled = FORM | {
        "address": ["biuro@firma.pl", "x@x.pl"],
        "skip": ["Spam", "Spam", " ", "📦 מסמכים"],
    }

    alice.post(NEW, seen_on=NEW, **doubled)

    assert set(named(team, "biuro@firma.pl").skip_folders) == {"Spam", "📦 מסמכים"}


def test_skip_folders_are_added_and_removed_without_a_script(alice) -> None:
    """R20."""
    more = alice.post(NEW, seen_on=NEW, **FORM, do="add").text
    fewer = alice.post(NEW, seen_on=NEW, **FORM, do="remove-0").text

    assert more.count('name="skip"') == 7
    assert re.findall(r'name="skip" value="(\w+)"', fewer) == list(DEFAULT_SKIP_FOLDERS[1:])
    assert "pass word" not in more


def test_the_provider_of_an_address_is_known(alice) -> None:
    """R22."""
    microsoft = alice.fragment(f"{LIST}/provider?address=jan@outlook.com").text
    unknown = alice.fragment(f"{LIST}/provider?address=jan@firma.pl").text
    filled = alice.post(NEW, seen_on=NEW, address="jan@gmail.com", do="fill").text

    assert "POP, IMAP, and SMTP settings" in microsoft
    assert 'data-host="outlook.office365.com"' in microsoft
    assert "data-host" not in unknown
    assert 'name="host" value="imap.gmail.com"' in filled


def test_the_provider_is_a_part_of_its_page(alice) -> None:
    page = f"{LIST}/provider?address=jan@gmail.com"

    full, fragment = alice.get(page).text, alice.fragment(page).text

    assert " ".join(fragment.split()) in " ".join(full.split())


# -- changing one


def edit_of(account: Account) -> str:
    return f"{LIST}/{account.public_id}/edit"


def test_editing_keeps_the_password_and_never_shows_it(team, charlie) -> None:
    """R14."""
    charlie.post(NEW, seen_on=NEW, **FORM)
    account = named(team, "biuro@firma.pl")
    sealed = accounts.sealed_password(team.store, account.id)

    page = charlie.get(edit_of(account)).text
    answer = charlie.post(
        edit_of(account), seen_on=NEW, **(FORM | {"password": "", "login": "inny"})
    )

    assert "pass word" not in page
    assert re.search(r'id="password"[^>]*type="password"(?![^>]*value=)', page)
    assert answer.status_code == 303
    assert accounts.sealed_password(team.store, account.id) == sealed
    assert named(team, "biuro@firma.pl").login == "inny"


def test_changed_settings_put_the_old_error_away(team, charlie) -> None:
    charlie.post(NEW, seen_on=NEW, **FORM)
    account = named(team, "biuro@firma.pl")
    before = datetime.now(UTC) - timedelta(minutes=1)
    note_check(team, account, unread=None, new=None, error="Wrong password.", now=before)

    charlie.post(edit_of(account), seen_on=NEW, **(FORM | {"password": "better"}))

    text = charlie.get(LIST).text
    assert "Wrong password." not in text
    assert "settings changed" in text


def test_an_administrator_shares_by_edit(team, admin) -> None:
    """R25, A21: the list may become empty."""
    given = FORM | {"address": "office@firma.pl", "login": "office@firma.pl", "password": ""}
    page = edit_of(team.office)

    admin.post(page, seen_on=page, **given, users=user_id(team, team.charlie))
    shared = accounts.users(team.store, team.office.id)
    admin.post(page, seen_on=page, **given)

    assert shared == [team.charlie]
    assert accounts.users(team.store, team.office.id) == []


@pytest.mark.parametrize("verb", ["edit", "pause", "resume", "close", "test"])
def test_a_shared_mailbox_is_not_its_members_to_change(team, alice, verb) -> None:
    """R9."""
    before = named(team, "office@firma.pl")

    answer = alice.post(f"{LIST}/{team.office.public_id}/{verb}", **FORM)

    assert answer.status_code == 403
    assert named(team, "office@firma.pl") == before
    assert f"{team.office.public_id}/edit" not in alice.get(LIST).text


def test_two_people_who_save_the_same_form_are_told(team, admin) -> None:
    given = FORM | {"address": "office@firma.pl", "login": "office@firma.pl", "password": ""}
    page = edit_of(team.office)
    (version,) = re.findall(r'name="version" value="(\w+)"', admin.get(page).text)
    admin.post(page, seen_on=page, **given, users=user_id(team, team.bob), version=version)

    second = admin.post(page, seen_on=page, **(given | {"login": "x"}), version=version)
    (fresh,) = re.findall(r'name="version" value="(\w+)"', second.text)
    third = admin.post(page, seen_on=page, **(given | {"login": "x"}), version=fresh)

    assert second.status_code == 422
    assert "Somebody else changed this mailbox" in second.text
    assert third.status_code == 303


def test_an_archive_only_mailbox_has_people_to_choose_and_no_server(team, admin) -> None:
    account = make.account(team.store, team.alice, address="old@firma.pl", host=None)

    page = admin.get(edit_of(account)).text
    answer = admin.post(edit_of(account), seen_on=NEW, users=user_id(team, team.bob), is_strict="1")

    assert 'name="host"' not in page
    assert answer.status_code == 303
    assert accounts.users(team.store, account.id) == [team.bob]
    assert named(team, "old@firma.pl").is_strict


def test_pause_resume_and_close(team, charlie) -> None:
    """A21."""
    account = own(team)
    base = f"{LIST}/{account.public_id}"

    charlie.post(f"{base}/pause", seen_on=NEW)
    paused = charlie.get(LIST).text
    charlie.post(f"{base}/resume", seen_on=NEW)
    resumed = own(team)
    charlie.post(f"{base}/close", seen_on=NEW)

    assert ">paused</span>" in paused
    assert resumed.paused_at is None
    assert ">closed</span>" in charlie.get(LIST).text
    assert accounts.users(team.store, account.id) == [team.charlie]
