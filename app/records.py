"""The verbs of records: create, with what else they are known by and who may see them."""

import re
from collections.abc import Sequence
from datetime import datetime

from app.errors import Invalid, NotFound
from app.model import Record, RecordId, RoleId, UserId, Viewer
from app.search.analysis import fold
from app.store import Store, audit, records, transaction

MOST_NAME_CHARACTERS = 200
DOMAIN = re.compile(r"(?=.{3,253}\Z)([\w-]{1,63}\.)+[\w-]{2,63}")


def create_record(
    store: Store,
    *,
    record_type: str,
    name: str,
    aliases: Sequence[str] = (),
    domains: Sequence[str] = (),
    addresses: Sequence[str] = (),
    roles: Sequence[RoleId] = (),
    users: Sequence[UserId] = (),
    code: str = "",
    by: UserId | None,
    now: datetime,
) -> RecordId:
    """Make a record; without roles and users everybody in the team may see it.

    Raises Invalid for an unknown type, an empty or doubled name, or a malformed domain or
    address. Effects: one transaction, audited; it is found at once.
    """
    name = _checked_name(name)
    with transaction(store):
        record_id = records.add(
            store,
            record_type=record_type,
            name=name,
            folded_name=fold(name),
            code=code.strip(),
            aliases=[_checked_name(alias) for alias in aliases],
            domains=[_checked_domain(domain) for domain in domains],
            addresses=[_checked_address(address) for address in addresses],
            roles=roles,
            users=users,
            now=now,
        )
        audit.note(store, "create record", by=by, now=now, record_id=record_id)
    return record_id


def find_record(store: Store, viewer: Viewer, *, record_type: str, name: str) -> Record:
    """The record of that type and name, case and diacritics ignored.

    Raises NotFound, with the same sentence whether it is missing or hidden.
    """
    try:
        return records.by_name(
            store, viewer, record_type=record_type, folded_name=fold(" ".join(name.split()))
        )
    except NotFound as exc:
        raise NotFound(f"There is no record {name!r} of type {record_type!r}.") from exc


def search_records(
    store: Store, viewer: Viewer, *, record_type: str, text: str = "", limit: int = 50
) -> list[Record]:
    """Records of a type whose name holds the text, case and diacritics ignored, by name."""
    return records.list_visible(
        store, viewer, record_type=record_type, like=fold(text.strip()), limit=limit
    )


def _checked_name(name: str) -> str:
    name = " ".join(name.split())
    if not name:
        raise Invalid("name", "Give the record a name.")
    if len(name) > MOST_NAME_CHARACTERS:
        raise Invalid("name", f"A name has at most {MOST_NAME_CHARACTERS} characters.")
    return name


def _checked_domain(domain: str) -> str:
    domain = domain.strip().lower().removeprefix("@")
    if not DOMAIN.fullmatch(domain):
        raise Invalid("domain", f"{domain!r} is no domain. It looks like spostex.pl.")
    return domain


def _checked_address(address: str) -> str:
    address = address.strip().lower()
    local, _, domain = address.rpartition("@")
    if not local or not DOMAIN.fullmatch(domain):
        raise Invalid("address", f"{address!r} is no e-mail address.")
    return address
