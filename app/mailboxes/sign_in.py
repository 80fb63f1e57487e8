"""oAuth logins: somebody signs a mailbox in at its provider, and sessions get fresh tokens.

Begun in one browser, a sign-in comes back there within ten minutes, and once; nothing of it is
known elsewhere. The exchange of the code for tokens is done where the browser comes back, in the
web's own process: the code works once and for minutes, so that a job which is taken up again after
a crash could only fail, and a person waits for the answer.
"""

import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from hashlib import sha256
from secrets import token_urlsafe

from app.errors import Invalid, LetterbookError, RemoteError, SignInAgain
from app.mailboxes.rules import check_right, doer
from app.model import Account, AccountId, PublicId, Viewer
from app.store import Store, accounts, audit, open_store, sign_ins, states, transaction
from app.store.secrets import seal, unseal
from app.sync.connect import Secret
from app.sync.oauth import access_token, begin, complete, doubted
from app.sync.registered import Provider, provider_for

KEPT_FOR = timedelta(minutes=10)
CALLBACK = "/email/accounts/sign-in"
"""The path that a provider sends people back to, below the public address."""

_OUT_OF_DATE = (
    "This sign-in is out of date, or was begun in another browser. Nothing was changed. Start it "
    "again from the mailbox."
)

_renewals: dict[PublicId, threading.Lock] = {}


def provider_of_account(account: Account, known: Sequence[Provider]) -> Provider:
    """Who signs this mailbox in. Raises Invalid if it has a password, or nobody is set up."""
    if account.auth_type != "oauth" or account.host is None or account.closed_at:
        raise Invalid("account", "This mailbox is not signed in to at a provider.")
    return provider_for(known, account.host)


def begin_sign_in(
    store: Store,
    viewer: Viewer,
    account_id: AccountId,
    provider: Provider,
    *,
    session: str,
    public_url: str,
    key: bytes,
    now: datetime,
) -> str:
    """The provider's page for a person to go to. `session` is the token of the browser's session.

    Raises NotFound, Forbidden, RemoteError. Effects: one transaction; an older one of this person
    and mailbox is void.
    """
    check_right(store, viewer, account_id)
    account, state = accounts.get(store, account_id), token_urlsafe(32)
    url, flow = begin(
        provider, login=account.login, redirect_uri=f"{public_url}{CALLBACK}", state=state
    )
    with transaction(store):
        sign_ins.add_flow(
            store,
            state_digest=_digest(state),
            session_digest=_digest(session),
            user_id=viewer.user_id,
            account_id=account_id,
            sealed=seal(key, account.public_id, flow),
            now=now,
            expires_at=now + KEPT_FOR,
        )
    return url


def take_sign_in(
    store: Store, viewer: Viewer, state: str, *, session: str, key: bytes, now: datetime
) -> tuple[Account, str]:
    """The mailbox of a sign-in that came back, and its flow. It cannot be taken again.

    Raises Invalid where there is none of this state, person and browser; NotFound, Forbidden if
    he may not change the mailbox any more. Effects: one transaction.
    """
    with transaction(store):
        taken = sign_ins.take_flow(store, _digest(state), _digest(session), viewer.user_id, now=now)
    if taken is None:
        raise Invalid("state", _OUT_OF_DATE)
    account_id, sealed = taken
    check_right(store, viewer, account_id)
    account = accounts.get(store, account_id)
    return account, unseal(key, account.public_id, sealed)


def finish_sign_in(
    store: Store,
    viewer: Viewer,
    account: Account,
    provider: Provider,
    flow: str,
    answer: Mapping[str, str],
    *,
    key: bytes,
    now: datetime,
) -> None:
    """Exchange what came back for tokens, and keep them; the worker looks at the mailbox at once.

    Raises AuthFailed, RemoteError, and what `keep_tokens` raises.
    """
    document = complete(provider, flow, answer, login=account.login, now=now)
    keep_tokens(store, viewer, account, document, key=key, now=now)


def keep_tokens(
    store: Store,
    viewer: Viewer | None,
    account: Account,
    document: str,
    *,
    key: bytes,
    now: datetime,
) -> None:
    """Keep the tokens of a new sign-in; viewer None: the operator.

    Raises NotFound, Forbidden, Invalid if somebody changed the login or its type in between.
    Effects: one transaction, audited.
    """
    with transaction(store):
        check_right(store, viewer, account.id)
        current = accounts.get(store, account.id)
        if _who(current) != _who(account):
            raise Invalid("state", _OUT_OF_DATE)
        sign_ins.put_tokens(store, account.id, seal(key, account.public_id, document))
        audit.note(store, "sign in", by=doer(viewer), now=now, account_id=account.id)
        states.renew(store, account.id, now=now)


def secret_of(
    store: Store,
    account: Account,
    *,
    key: bytes,
    known: Sequence[Provider],
    now: Callable[[], datetime],
) -> Secret:
    """What opens a session with the mailbox's server: its password, or its tokens' source.

    The source may be called in any thread, and when the store is closed: it opens one of its
    own, because a session that broke is opened anew in the midst of others' transactions. It
    raises SignInAgain, RemoteError; what it renews it keeps.

    Raises RemoteError where only a person can help.
    """
    if account.auth_type == "password":
        sealed = accounts.sealed_password(store, account.id)
        try:
            return unseal(key, account.public_id, sealed) if sealed else ""
        except LetterbookError as exc:
            raise RemoteError(str(exc), is_retryable=False) from exc

    def fresh_token() -> str:
        own = open_store(store.directory)
        try:
            return _fresh_token(own, account, key, known, now)
        finally:
            own.close()

    return fresh_token


def doubt_token(store: Store, account: Account, *, key: bytes) -> None:
    """Have a new token got before the next try: the server refused the present one.

    So it is after a change of password at the provider. Effects: one statement; none for a mailbox
    without tokens.
    """
    sealed = sign_ins.sealed_tokens(store, account.id)
    if sealed is None:
        return
    with suppress(LetterbookError):
        doubtful = seal(key, account.public_id, doubted(unseal(key, account.public_id, sealed)))
        sign_ins.replace_tokens(store, account.id, sealed, doubtful)


def _fresh_token(
    store: Store,
    account: Account,
    key: bytes,
    known: Sequence[Provider],
    now: Callable[[], datetime],
) -> str:
    """One thread renews, the others find what it kept. Dead tokens go, so nobody asks twice."""
    try:
        provider = provider_of_account(account, known)
    except Invalid as exc:
        raise RemoteError(exc.reason, is_retryable=False) from exc
    with _renewals.setdefault(account.public_id, threading.Lock()):
        sealed = sign_ins.sealed_tokens(store, account.id)
        if sealed is None:
            raise SignInAgain(f"Sign in at {provider.title}: nobody has, or the sign-in has ended.")
        document = _unsealed(key, account, sealed, provider)
        try:
            token, renewed = access_token(provider, document, now=now())
        except SignInAgain:
            sign_ins.replace_tokens(store, account.id, sealed, None)
            raise
        if renewed != document:
            after = seal(key, account.public_id, renewed)
            sign_ins.replace_tokens(store, account.id, sealed, after)
        return token


def _unsealed(key: bytes, account: Account, sealed: bytes, provider: Provider) -> str:
    try:
        return unseal(key, account.public_id, sealed)
    except LetterbookError as exc:
        raise SignInAgain(
            f"The sign-in of this mailbox cannot be read with the present secret key. Sign in at "
            f"{provider.title} again, or bring back the data directory's secret.key."
        ) from exc


def _who(account: Account) -> tuple[object, ...]:
    return account.auth_type, account.host, account.login, account.closed_at


def _digest(token: str) -> bytes:
    return sha256(token.encode(errors="replace")).digest()
