"""Asking the worker for a test of a connection or for settings, and keeping a password meanwhile.

The password is sealed wherever it waits: with the job for as long as the test takes, and for ten
minutes under a token that the form carries, so that it survives a test and an error.
"""

from base64 import b64decode, b64encode
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from secrets import token_urlsafe
from typing import Any

from app.errors import Conflict, LetterbookError
from app.mailboxes.rules import Wanted, as_account
from app.model import Account, AccountId, PublicId, UserId, Viewer
from app.store import Store, jobs, kept, transaction
from app.store.database import new_public_id
from app.store.jobs import Job
from app.store.secrets import seal, unseal

KEPT_FOR = timedelta(minutes=10)
MOST_OPEN = 5
"""Tests and look-ups of one person that may wait or go on at once."""


@dataclass(frozen=True, slots=True)
class AskedTest:
    """What the worker shall try. `public_only`: whoever asked may reach public servers only.

    `saved_as`: the mailbox whose sign-in an oAuth login takes, None: nobody has signed in yet.
    """

    account: Account
    password: str
    public_only: bool
    saved_as: AccountId | None = None


def request_test(
    store: Store,
    viewer: Viewer,
    wanted: Wanted,
    password: str,
    *,
    key: bytes,
    is_typed: bool,
    public_only: bool,
    saved_as: AccountId | None = None,
    now: datetime,
    **form: object,
) -> PublicId:
    """Have a connection tested; gives the job, which is also the token of the kept password.

    A password that was not typed now, but saved before, is not kept: whoever has the token may
    send it to another server. `public_only`: whoever asks may reach public servers only.
    `saved_as` is the mailbox whose sign-in may be used.
    `form` is what else the page wants back from the job. Check `problems` first.

    Raises Conflict if too many wait. Effects: one transaction.
    """
    public_id = new_public_id()
    with transaction(store):
        _refuse_crowd(store, viewer, now=now)
        if is_typed:
            keep_password(store, viewer, password, key=key, now=now, token=public_id)
        jobs.add_test(
            store,
            public_id,
            by=viewer.user_id,
            now=now,
            sealed=b64encode(seal(key, public_id, password)).decode(),
            public_only=public_only,
            saved_as=saved_as,
            wanted=asdict(wanted),
            form=form,
        )
    return public_id


def request_find(
    store: Store,
    viewer: Viewer,
    address: str,
    password: str,
    *,
    key: bytes,
    now: datetime,
    **form: object,
) -> PublicId:
    """Have the settings of an address looked up; gives the job, also the token of the password.

    `form` is what else the page wants back from the job. Raises Conflict if too many wait.
    Effects: one transaction.
    """
    public_id = new_public_id()
    with transaction(store):
        _refuse_crowd(store, viewer, now=now)
        if password:
            keep_password(store, viewer, password, key=key, now=now, token=public_id)
        jobs.add_find(store, public_id, by=viewer.user_id, now=now, address=address, form=form)
    return public_id


def asked_test(job: Job, *, key: bytes) -> AskedTest:
    """What a test job asks for. Raises LetterbookError if its password is gone."""
    sealed = job.arguments.get("sealed")
    if not sealed:
        raise LetterbookError("The password of this test is gone. Start it again.")
    return AskedTest(
        as_account(wanted_of(job.arguments["wanted"]), job.public_id),
        unseal(key, job.public_id, b64decode(sealed)),
        bool(job.arguments["public_only"]),
        job.arguments.get("saved_as"),
    )


def wanted_of(document: dict[str, Any]) -> Wanted:
    """The settings as a job carries them."""
    lists = {
        "skip_folders": tuple(document["skip_folders"]),
        "users": tuple(UserId(one) for one in document["users"]),
    }
    return Wanted(**(document | lists))


def keep_password(
    store: Store, viewer: Viewer, password: str, *, key: bytes, now: datetime, token: str = ""
) -> str:
    """Keep a typed password for ten minutes; gives the token that finds it again.

    Effects: inside the caller's transaction; what is too old is wiped.
    """
    token = token or token_urlsafe(32)
    sealed = seal(key, _owner(viewer), password)
    kept.drop_old(store, now=now)
    kept.put(store, _digest(token), viewer.user_id, sealed, expires_at=now + KEPT_FOR)
    return token


def kept_password(store: Store, viewer: Viewer, token: str, *, key: bytes, now: datetime) -> str:
    """The password that the viewer left under the token; "" if it is not there any more."""
    sealed = kept.get(store, _digest(token), viewer.user_id, now=now) if token else None
    return unseal(key, _owner(viewer), sealed) if sealed else ""


def drop_password(store: Store, token: str) -> None:
    """Wipe a kept password after it was used."""
    kept.drop(store, _digest(token))


def _refuse_crowd(store: Store, viewer: Viewer, *, now: datetime) -> None:
    """Whoever has the worker ask servers does not do so in bulk, nor keep others waiting."""
    if jobs.open_probes(store, viewer.user_id, now=now) >= MOST_OPEN:
        raise Conflict(
            f"{MOST_OPEN} of your tests and look-ups are under way or waiting for the worker."
            " Nothing was started; try again when one of them has ended."
        )


def _owner(viewer: Viewer) -> PublicId:
    """What the seal is bound to: another person's row cannot be passed off as one's own."""
    return PublicId(f"kept for user {viewer.user_id}")


def _digest(token: str) -> bytes:
    return sha256(token.encode(errors="replace")).digest()
