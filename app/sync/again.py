"""Messages that were stored once, fetched again: where the stored bytes are damaged."""

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from itertools import groupby
from pathlib import Path

from app.model import Account
from app.store.harm import Place
from app.sync.connect import Secret, connect
from app.sync.faults import Refused
from app.sync.fetching import fetched
from app.sync.remote import Remote


def fetch_again(
    account: Account,
    secret: Secret,
    places: Sequence[Place],
    *,
    now: Callable[[], datetime],
    ca_file: Path | None = None,
    public_only: bool = False,
) -> Iterator[tuple[Place, bytes]]:
    """The exact bytes at those places of the account that its server has yet; it is only read.

    Nothing under another UIDVALIDITY. Raises AuthFailed, RemoteError.
    """
    ordered = sorted(places, key=lambda place: (place.folder, place.uidvalidity))
    with connect(account, secret, now=now, ca_file=ca_file, public_only=public_only) as remote:
        names = {folder.name for folder in remote.list_folders() if folder.is_selectable}
        for (name, uidvalidity), some in groupby(
            ordered, key=lambda place: (place.folder, place.uidvalidity)
        ):
            by_uid = {place.uid: place for place in some}
            if name not in names or not _is_same(remote, name, uidvalidity):
                continue
            for batch in fetched(remote, sorted(by_uid)):
                for summary, raw in batch.messages:
                    yield by_uid[summary.uid], raw


def _is_same(remote: Remote, name: str, uidvalidity: int) -> bool:
    try:
        return remote.examine(name) == uidvalidity
    except Refused:
        return False
