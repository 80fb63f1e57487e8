"""Records by a few letters of their name, the most likely first: what "Select Record" offers."""

from collections.abc import Sequence

from app.errors import NotFound
from app.model import Record, RecordId, Viewer
from app.search.analysis import fold, stem, words
from app.search.names import name_of
from app.store import Store, record_words, records

MOST_OFFERED = 12
MOST_WORDS = 8
_MOST_OF_OTHER_TYPES = 5
_SHORTEST_STEM = 4


def look_up(
    store: Store,
    viewer: Viewer,
    text: str,
    *,
    record_type: str,
    first: Sequence[str] = (),
    limit: int = MOST_OFFERED,
) -> list[Record]:
    """Records that the viewer may see, each typed word the beginning of one of theirs.

    First the public ids of `first` (what is suggested), then whose name is so or begins so, then
    the others, then inflected forms; within each what the viewer used lately. Records of other
    types follow where there is room. Without text: suggested, used lately, then by name.
    """
    typed = words(text)[:MOST_WORDS]
    suggested = _by_public_ids(store, viewer, first)
    recent = record_words.used_by(store, viewer)
    if not typed:
        return _untyped(store, viewer, fold(text.strip()), record_type, suggested, recent)[:limit]
    stems = [_stem(word) for word in typed]
    known = {one.id: one for one in suggested} | records.by_ids(store, viewer, recent)
    likely = [one for one in known.values() if _is_offered(one) and _begin(stems, one)]
    found = [one for one in likely if one.type == record_type]
    found += _search(store, viewer, typed, record_type=record_type, limit=limit)
    if same := exactly(store, viewer, text, record_type=record_type):
        found.append(same)
    if len(found) < limit:
        found += [one for one in likely if one.type != record_type]
        found += _search(store, viewer, typed, record_type="", limit=_MOST_OF_OTHER_TYPES)
    places = {one.id: place for place, one in enumerate(suggested)}
    lately = {record_id: place for place, record_id in enumerate(recent)}
    asked = fold(" ".join(text.split()))

    def likelihood(one: Record) -> tuple[object, ...]:
        return (
            one.type != record_type,
            places.get(one.id, len(places)),
            _closeness(one, asked, typed),
            lately.get(one.id, len(lately)),
            fold(one.name),
        )

    return sorted({one.id: one for one in found}.values(), key=likelihood)[:limit]


def exactly(store: Store, viewer: Viewer, text: str, *, record_type: str) -> Record | None:
    """The one current record of that type whose name it is, case and diacritics ignored."""
    name = fold(" ".join(text.split()))
    found = records.by_name(store, viewer, record_type=record_type, folded_name=name)
    current = [one for one in found if _is_offered(one)]
    return current[0] if len(current) == 1 else None


def _search(
    store: Store, viewer: Viewer, typed: Sequence[str], *, record_type: str, limit: int
) -> list[Record]:
    """As typed, by the name's beginning first, and less exactly where that finds few."""
    found: dict[RecordId, None] = {}
    stems = [_stem(word) for word in typed]
    bare = _without_form(typed)
    for asked, is_start in ((typed, True), (typed, False), (stems, False), (bare, False)):
        if len(found) < limit:
            ids = record_words.begin_with(
                store, viewer, asked, record_type=record_type, is_start=is_start
            )
            found.update(dict.fromkeys(ids))
    return list(records.by_ids(store, viewer, found).values())


def _untyped(
    store: Store,
    viewer: Viewer,
    folded: str,
    record_type: str,
    suggested: Sequence[Record],
    recent: Sequence[RecordId],
) -> list[Record]:
    """Without a word to look for: signs that make none (an emoji) are looked for as they are."""
    by_name = records.list_visible(
        store, viewer, record_type=record_type, like=folded, limit=MOST_OFFERED
    )
    used = records.by_ids(store, viewer, recent)
    likely = [*suggested, *(used[one] for one in recent if one in used)]
    offered = [one for one in likely if one.type == record_type and _is_offered(one)]
    found = [one for one in offered if folded in fold(one.name)] + by_name
    return list({one.id: one for one in found}.values())


def _by_public_ids(store: Store, viewer: Viewer, ids: Sequence[str]) -> list[Record]:
    found = []
    for one in ids:
        try:
            found.append(records.get(store, viewer, one))
        except NotFound:
            continue
    return found


def _is_offered(record: Record) -> bool:
    return record.archived_at is None


def _stem(word: str) -> str:
    """The word without its ending; a short stem would begin too many words."""
    found = stem(word)
    return found if len(found) >= _SHORTEST_STEM and word.startswith(found) else word


def _without_form(typed: Sequence[str]) -> list[str]:
    """The words before the legal form: "SA" is written "S.A." too."""
    length = len(name_of(" ".join(typed)).bare)
    return list(typed[:length])


def _begin(typed: Sequence[str], record: Record) -> bool:
    """Whether each of these begins one of the record's words."""
    own = words(" ".join((record.name, record.code, *record.aliases)))
    return all(any(word.startswith(one) for word in own) for one in typed)


def _closeness(record: Record, asked: str, typed: Sequence[str]) -> int:
    """0 its name or code, 1 its name begins so, 2 its words do, 3 only their stems."""
    name = fold(record.name)
    if asked in (name, fold(record.code)):
        return 0
    if name.startswith(asked):
        return 1
    return 2 if _begin(typed, record) else 3
