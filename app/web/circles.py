"""The two circles of whoever is signed in, counted anew only when his mail changed."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from app.model import AccountId, UserId, Viewer
from app.store import Store, circles, queue
from app.store.circles import Circles, Counted, Pulse
from app.store.queue import Show
from app.web.db import AnyRequest

MOST_NEW_ROWS = 50
_MOST_TABS = 50
_COUNT_ANEW = timedelta(minutes=1)
"""What is no mail of his can change what he may see, too."""


@dataclass(frozen=True, slots=True)
class _Known:
    """What was counted for one person; `above`: the new rows, by the first row a tab shows;
    `older`: what the queue's default view leaves out, by mailbox, None for all together.
    """

    version: str
    counted_at: datetime
    counted: Counted
    above: dict[tuple[str, Show], int] = field(default_factory=dict)
    older: dict[AccountId | None, int] = field(default_factory=dict)


Tally = dict[UserId, _Known]
"""In `app.state.tally`: what was counted last for each person."""


def circles_of(
    request: AnyRequest, store: Store, viewer: Viewer, *, now: datetime
) -> tuple[Circles, dict[tuple[str, Show], int]]:
    """The circles, and the counts of new rows that hold as long as they do."""
    pulse, known = _counted(request, store, viewer, now=now)
    return circles.at(pulse, known.counted, now=now), known.above


def older_count(
    request: AnyRequest,
    store: Store,
    viewer: Viewer,
    account: AccountId | None = None,
    *,
    now: datetime,
) -> int:
    """As `queue.older_count`, counted anew when mail of his changed, and every minute."""
    _, known = _counted(request, store, viewer, now=now)
    if account not in known.older:
        known.older[account] = queue.older_count(store, viewer, account=account, now=now)
    return known.older[account]


def _counted(
    request: AnyRequest, store: Store, viewer: Viewer, *, now: datetime
) -> tuple[Pulse, _Known]:
    tally: Tally = request.app.state.tally
    pulse = circles.pulse(store, viewer)
    known = tally.get(viewer.user_id)
    if known is None or known.version != pulse.version or now - known.counted_at > _COUNT_ANEW:
        known = _Known(pulse.version, now, circles.count(store, viewer, but=pulse.syncing, now=now))
        tally[viewer.user_id] = known
    return pulse, known


def new_rows_above(
    above: dict[tuple[str, Show], int],
    store: Store,
    viewer: Viewer,
    newest: str,
    shown: Show,
    *,
    now: datetime,
) -> int:
    """How many rows came above the first one that a tab shows."""
    key = newest, shown
    if key not in above:
        if len(above) >= _MOST_TABS:  # the keys come from outside
            above.clear()
        above[key] = queue.count_above(
            store, viewer, newest, show=shown, limit=MOST_NEW_ROWS, now=now
        )
    return above[key]


def state_of(found: Circles, new_rows: int = 0) -> str:
    """What the browser says it has, so that an unchanged answer can be empty."""
    return f"{found.unread}.{found.new}.{found.is_stale:d}{found.is_rough:d}.{new_rows}"
