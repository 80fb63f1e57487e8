"""A slice of the archive every night, so that all of it is proved within a month."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from app.store import Store, upkeep
from app.verify.check import examine, examine_slice, never
from app.verify.say import Verified, sentence, told

SLICE_BYTES = 2_000_000_000
NIGHTS = 30
"""The slice is the larger of the two: all of a small archive, or a thirtieth of mail.db."""

QUICK_EVERY = timedelta(days=7)
_MOST_KEPT = 100


@dataclass(frozen=True, slots=True)
class Outcome:
    """A sentence, and what the next night and the page for administrators need: `detail` is JSON.

    {"after": the last block looked at, "quick_at": when SQLite last looked through its files,
    "faults": [sentence], but for those on "damaged": [see Verified], "more": how many of these
    are left out}
    """

    summary: str
    is_good: bool
    detail: dict[str, Any]


def scrub(
    store: Store,
    *,
    now: datetime,
    stop: Callable[[], bool] = never,
    slice_bytes: int = SLICE_BYTES,
) -> Outcome:
    """Look at the next slice. If it shows damage, or something is damaged yet, look at everything.

    Stops between blocks. Effects: may be repeated.
    """
    before = upkeep.last(store, "verify")
    detail = before.detail if before else {}
    if before is not None and not before.is_good:
        return outcome(told(store, examine(store, stop=stop)), detail, now=now)
    quick_at = datetime.fromisoformat(detail.get("quick_at", "2000-01-01T00:00:00+00:00"))
    is_quick_due = now - quick_at >= QUICK_EVERY
    size_bytes = max(slice_bytes, (store.directory / "mail.db").stat().st_size // NIGHTS)
    found, after = examine_slice(
        store,
        after=int(detail.get("after", 0)),
        size_bytes=size_bytes,
        quick=is_quick_due,
        stop=stop,
    )
    if found.harm or found.complaints or found.drift or found.faults:
        return outcome(told(store, examine(store, stop=stop)), detail, now=now)
    end = "that was the rest" if after == 0 else "the next night goes on from there"
    kept = {"after": after, "quick_at": (now if is_quick_due else quick_at).isoformat()}
    return Outcome(
        f"{found.blobs:,} stored contents in {found.blocks:,} blocks are as they were stored;"
        f" {end}.",
        is_good=True,
        detail=kept,
    )


def outcome(verified: Verified, before: Mapping[str, Any], *, now: datetime) -> Outcome:
    """How a look at everything ended; `before` is the detail of the run before."""
    named = {sentence(one) for one in verified.damaged}
    detail = {
        **{key: before[key] for key in ("after", "every_seconds") if key in before},
        "quick_at": now.astimezone(UTC).isoformat(),
        "faults": [fault for fault in verified.faults if fault not in named][:_MOST_KEPT],
        "damaged": list(verified.damaged[:_MOST_KEPT]),
        "more": max(0, len(verified.damaged) - _MOST_KEPT),
    }
    return Outcome(verified.summary, not verified.faults, detail)
