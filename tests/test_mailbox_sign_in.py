"""oAuth logins of mailboxes: no password beside tokens, sealed tokens, one renewal at a time."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from app import mailboxes
from app.errors import Forbidden, Invalid, NotFound, RemoteError, SignInAgain
from app.mailboxes import Wanted
from app.model import Account, Viewer
from app.settings import Settings
from app.store import Store, accounts, open_store, sign_ins
from app.store.database import sqlite3
from app.store.secrets import load_key
from app.sync.registered import Provider, providers
from tests import make
from tests import openid as openid_server
from tests.openid import OpenId

WANTED = Wanted("office@firma.pl", "imap.gmail.com", "office@firma.pl", 993, auth_type="oauth")
PUBLIC_URL = "http://127.0.0.1:8000"
SESSION = "token-of-anna"


@pytest.fixture
def known(openid: OpenId) -> tuple[Provider, ...]:
    return providers(Settings.from_env(openid.settings("google", "imap.gmail.com")))


@pytest.fixture
def admin(store: Store) -> Viewer:
    return make.viewer(store, make.user(store, "Anna", is_admin=True))


@pytest.fixture
def box(store: Store, admin: Viewer, known: tuple[Provider, ...]) -> Account:
    """A mailbox with an oAuth login that nobody has signed in yet."""
    wanted = replace(WANTED, users=(admin.user_id,))
    given = {"key": load_key(store.directory), "providers": known, "now": utc_now()}
    return mailboxes.create(store, admin, wanted, "not kept", **given)


def utc_now() -> datetime:
    return datetime.now(UTC)


def change(store: Store, viewer: Viewer, box: Account, known, password="", **given) -> Account:
    wanted = replace(WANTED, **{"users": (viewer.user_id,), **given})
    given = {"key": load_key(store.directory), "providers": known, "now": utc_now()}
    mailboxes.change(store, viewer, box.id, wanted, password, **given)
    return accounts.get(store, box.id)


def begin(store: Store, viewer: Viewer, box: Account, known, *, session: str = SESSION) -> str:
    return mailboxes.begin_sign_in(
        store,
        viewer,
        box.id,
        mailboxes.provider_of_account(box, known),
        session=session,
        public_url=PUBLIC_URL,
        key=load_key(store.directory),
        now=utc_now(),
    )


def take(store: Store, viewer: Viewer, state: str, *, session: str = SESSION, now=None):
    key = load_key(store.directory)
    return mailboxes.take_sign_in(
        store, viewer, state, session=session, key=key, now=now or utc_now()
    )


def sign_in(store: Store, viewer: Viewer, box: Account, known, openid: OpenId) -> None:
    answer = openid.answer(begin(store, viewer, box, known), box.login)
    account, flow = take(store, viewer, answer["state"])
    provider = mailboxes.provider_of_account(account, known)
    key = load_key(store.directory)
    mailboxes.finish_sign_in(store, viewer, account, provider, flow, answer, key=key, now=utc_now())


def token(store: Store, box: Account, known, *, now: datetime | None = None) -> str:
    key = load_key(store.directory)
    secret = mailboxes.secret_of(store, box, key=key, known=known, now=lambda: now or utc_now())
    assert not isinstance(secret, str)
    return secret()


def secrets(store: Store, box: Account) -> tuple[bool, bool]:
    """Whether there is a password, and whether there are tokens."""
    has_password = accounts.sealed_password(store, box.id) is not None
    return has_password, sign_ins.sealed_tokens(store, box.id) is not None


# -- no password beside tokens


def test_an_oauth_login_keeps_no_password(store, admin, box, known, openid) -> None:
    """R16."""
    before = secrets(store, box)

    sign_in(store, admin, box, known, openid)

    assert before == (False, False)
    assert box.needs_sign_in
    assert secrets(store, box) == (False, True)
    assert not accounts.get(store, box.id).needs_sign_in


def test_switching_the_type_erases_the_other_secret(store, admin, box, known, openid) -> None:
    """R16: both ways; a password must be typed for a password login."""
    sign_in(store, admin, box, known, openid)

    with pytest.raises(Invalid, match="Type the password"):
        change(store, admin, box, known, auth_type="password")
    change(store, admin, box, known, "pass word", auth_type="password")
    with_password = secrets(store, box)
    changed = change(store, admin, box, known, auth_type="oauth")

    assert with_password == (True, False)
    assert secrets(store, box) == (False, False)
    assert changed.needs_sign_in


def test_the_database_itself_refuses_a_password_beside_tokens(store, admin, box) -> None:
    sign_ins.put_tokens(store, box.id, b"sealed")

    with pytest.raises(sqlite3.IntegrityError):
        store.archive.conn.execute("update accounts set sealed_password = x'00'")


@pytest.mark.parametrize(
    ("given", "stays"),
    [
        ({"login": "jan@firma.pl"}, False),
        ({"host": "imap.googlemail.com"}, False),
        ({"address": "other@firma.pl"}, True),
        ({"skip_folders": ("Alt",)}, True),
        ({"is_strict": True}, True),
    ],
)
def test_a_sign_in_belongs_to_its_login_and_server(
    store, admin, box, openid, given, *, stays: bool
) -> None:
    servers = "imap.gmail.com imap.googlemail.com"
    known = providers(Settings.from_env(openid.settings("google", servers)))
    sign_in(store, admin, box, known, openid)

    changed = change(store, admin, box, known, **given)

    assert secrets(store, box) == (False, stays)
    assert changed.needs_sign_in is not stays


def test_a_closed_mailbox_forgets_its_sign_in(store, admin, box, known, openid) -> None:
    """A21."""
    sign_in(store, admin, box, known, openid)

    mailboxes.close(store, admin, box.id, now=utc_now())

    assert secrets(store, box) == (False, False)


def test_a_provider_that_is_not_set_up_is_said(store, admin) -> None:
    known = providers(Settings.from_env({}))
    wanted = replace(WANTED, users=(admin.user_id,))
    given = {"key": load_key(store.directory), "providers": known, "now": utc_now()}

    with pytest.raises(Invalid, match="LETTERBOOK_GOOGLE_CLIENT_ID") as raised:
        mailboxes.create(store, admin, wanted, "", **given)

    assert raised.value.field == "auth_type"


# -- the way there and back


def test_a_sign_in_comes_back_once(store, admin, box, known) -> None:
    state = state_of(begin(store, admin, box, known))

    take(store, admin, state)

    with pytest.raises(Invalid, match="out of date"):
        take(store, admin, state)


def test_a_sign_in_comes_back_to_its_own_browser_and_person(store, admin, box, known) -> None:
    other = make.viewer(store, make.user(store, "Olga", is_admin=True))
    state = state_of(begin(store, admin, box, known))

    for viewer, session in ((admin, "another session"), (other, SESSION)):
        with pytest.raises(Invalid, match="out of date"):
            take(store, viewer, state, session=session)
    assert take(store, admin, state)[0].id == box.id


def test_a_sign_in_that_took_too_long_is_void(store, admin, box, known) -> None:
    state = state_of(begin(store, admin, box, known))

    with pytest.raises(Invalid, match="out of date"):
        take(store, admin, state, now=utc_now() + timedelta(minutes=11))


def test_a_new_sign_in_voids_the_one_before(store, admin, box, known) -> None:
    first = state_of(begin(store, admin, box, known))
    begin(store, admin, box, known)

    with pytest.raises(Invalid, match="out of date"):
        take(store, admin, first)


def test_only_who_may_change_a_mailbox_signs_it_in(store, admin, box, known) -> None:
    bob = make.viewer(store, make.user(store, "Bob"))
    with pytest.raises(NotFound):
        begin(store, bob, box, known)
    accounts.add_users(store, box.id, [bob.user_id])
    bob = make.viewer(store, bob.user_id)

    with pytest.raises(Forbidden):
        begin(store, bob, box, known)


def test_a_right_that_is_lost_meanwhile_counts(store, admin, known, openid) -> None:
    bob = make.viewer(store, make.user(store, "Bob"))
    wanted = replace(WANTED, users=(bob.user_id,))
    given = {"key": load_key(store.directory), "providers": known, "now": utc_now()}
    box = mailboxes.create(store, bob, wanted, "", **given)
    bob = make.viewer(store, bob.user_id)
    state = state_of(begin(store, bob, box, known))
    accounts.put_users(store, box.id, [admin.user_id])

    with pytest.raises(NotFound):
        take(store, make.viewer(store, bob.user_id), state)


def test_a_login_that_was_changed_meanwhile_voids_the_sign_in(
    store, admin, box, known, openid
) -> None:
    answer = openid.answer(begin(store, admin, box, known), box.login)
    account, flow = take(store, admin, answer["state"])
    change(store, admin, box, known, "pass word", auth_type="password")
    provider, key = mailboxes.provider_of_account(account, known), load_key(store.directory)

    with pytest.raises(Invalid, match="out of date"):
        mailboxes.finish_sign_in(
            store, admin, account, provider, flow, answer, key=key, now=utc_now()
        )

    assert secrets(store, box) == (True, False)


def test_the_audit_says_who_signed_in_and_no_more(store, admin, box, known, openid) -> None:
    sign_in(store, admin, box, known, openid)

    row = store.archive.conn.execute(
        "select verb, user_id, detail from audit order by id desc limit 1"
    ).fetchone()
    assert row == ("sign in", admin.user_id, "{}")


def state_of(url: str) -> str:
    return dict(pair.split("=", 1) for pair in url.split("?")[1].split("&"))["state"]


# -- tokens


def test_nothing_of_a_sign_in_lies_open_on_the_disk(store, admin, box, known, openid) -> None:
    url = begin(store, admin, box, known)
    answer = openid.answer(url, box.login)
    waiting = on_disk(store)
    account, flow = take(store, admin, answer["state"])
    provider, key = mailboxes.provider_of_account(account, known), load_key(store.directory)
    mailboxes.finish_sign_in(store, admin, account, provider, flow, answer, key=key, now=utc_now())
    current = token(store, box, known)

    (renewal,) = openid.refresh
    verifier = openid.requests[0]["code_verifier"]
    assert answer["state"].encode() not in waiting
    assert verifier.encode() not in waiting
    for secret in (current, renewal, answer["code"], verifier, openid_server.CLIENT_SECRET):
        assert secret.encode() not in on_disk(store)


def on_disk(store: Store) -> bytes:
    return b"".join(path.read_bytes() for path in store.directory.glob("*.db*"))


def test_tokens_open_for_their_own_mailbox_only(store, admin, box, known, openid) -> None:
    sign_in(store, admin, box, known, openid)
    other = make.account(store, admin.user_id, address="other@firma.pl", host="imap.gmail.com")
    store.archive.conn.execute(
        "update accounts set auth_type = 'oauth', sealed_tokens ="
        " (select sealed_tokens from accounts where id = ?) where id = ?",
        [box.id, other.id],
    )

    with pytest.raises(SignInAgain, match="present secret key"):
        token(store, accounts.get(store, other.id), known)


def test_renewed_tokens_are_kept(store, admin, box, known, openid) -> None:
    sign_in(store, admin, box, known, openid)
    later = utc_now() + timedelta(hours=2)

    first = token(store, box, known, now=later)
    second = token(store, box, known, now=later)

    assert first == second
    assert len(openid.requests) == 2


def test_many_threads_renew_once(store, admin, box, known, openid) -> None:
    sign_in(store, admin, box, known, openid)
    later = utc_now() + timedelta(hours=2)

    def ask(_: int) -> str:
        own = open_store(store.directory)
        try:
            return token(own, box, known, now=later)
        finally:
            own.close()

    with ThreadPoolExecutor(6) as pool:
        found = set(pool.map(ask, range(6)))

    assert len(found) == 1
    assert [form["grant_type"] for form in openid.requests].count("refresh_token") == 1


def test_a_dead_sign_in_is_asked_about_once(store, admin, box, known, openid) -> None:
    """No retry storm: nobody asks again, and the mailbox is not looked at by itself."""
    sign_in(store, admin, box, known, openid)
    openid.revoke_all()
    later = utc_now() + timedelta(hours=2)

    for _ in range(3):
        with pytest.raises(SignInAgain):
            token(store, box, known, now=later)

    assert [form["grant_type"] for form in openid.requests].count("refresh_token") == 1
    assert secrets(store, box) == (False, False)
    assert accounts.claim_due(store, now=later, next_at=later) is None


def test_trouble_at_the_provider_leaves_the_sign_in(store, admin, box, known, openid) -> None:
    sign_in(store, admin, box, known, openid)
    later = utc_now() + timedelta(hours=2)
    openid.failing_status = 503

    with pytest.raises(RemoteError):
        token(store, box, known, now=later)
    openid.failing_status = 0

    assert token(store, box, known, now=later)


def test_a_sign_in_of_a_person_is_not_undone_by_a_renewal(store, admin, box, known, openid) -> None:
    sign_in(store, admin, box, known, openid)
    before = sign_ins.sealed_tokens(store, box.id)
    sign_in(store, admin, box, known, openid)
    now = sign_ins.sealed_tokens(store, box.id)
    assert before is not None

    sign_ins.replace_tokens(store, box.id, before, None)

    assert sign_ins.sealed_tokens(store, box.id) == now != before


def test_a_mailbox_is_looked_at_when_somebody_has_signed_in(
    store, admin, box, known, openid
) -> None:
    now = utc_now()
    before = accounts.claim_due(store, now=now + timedelta(days=1), next_at=now)

    sign_in(store, admin, box, known, openid)

    assert before is None
    claimed = accounts.claim_due(store, now=utc_now(), next_at=now + timedelta(days=1))
    assert claimed is not None
    assert claimed.id == box.id
