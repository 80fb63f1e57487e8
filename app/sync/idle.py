"""Listening at one folder of a mailbox: the server says when it changes (IDLE, RFC 2177)."""

import select
import socket
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

from app.model import Account
from app.sync.connect import Secret, connect

RENEW_SECONDS = 540.0
"""Well under the 29 minutes of RFC 2177: many routers forget a silent connection after ten, and a
connection that is open at our end only is noticed when DONE gets no answer."""

_QUIET_SECONDS = 0.5
"""After news, before listening again: much of it comes in showers."""


def listen(
    account: Account,
    secret: Secret,
    folder: str,
    *,
    heard: Callable[[], None],
    call_off: socket.socket,
    now: Callable[[], datetime],
    ca_file: Path | None = None,
    public_only: bool = False,
    renew_seconds: float = RENEW_SECONDS,
) -> bool:
    """Call `heard` when listening begins and whenever the folder changed since.

    Returns when `call_off` can be read: True; at once if the server has no IDLE: False. A mailbox
    is only ever read. `public_only` as for `connect`. Raises AuthFailed, RemoteError.
    """
    with connect(account, secret, now=now, ca_file=ca_file, public_only=public_only) as remote:
        if not remote.offers("IDLE"):
            return False
        remote.list_folders()  # how it spells the name
        remote.examine(folder)
        heard()
        while not _can_be_read(call_off, 0):
            if remote.idle(renew_seconds, call_off=call_off):
                heard()
                _can_be_read(call_off, _QUIET_SECONDS)
    return True


def _can_be_read(end: socket.socket, seconds: float) -> bool:
    poll = select.poll()
    poll.register(end, select.POLLIN)
    return bool(poll.poll(seconds * 1000))
