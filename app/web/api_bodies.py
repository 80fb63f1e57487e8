"""Records as the API takes and gives them: roles by name, people by e-mail address."""

from datetime import datetime
from typing import Annotated, Any, Final, TypeVar

from msgspec import Meta, Struct, ValidationError, convert

from app.errors import Invalid
from app.model import Record, RoleId, UserId, one_line
from app.records import Pushed
from app.store import Store, users

BODY: Final = "body"
"""Of a handler's `opt`: the struct that describes its body, then those that it names."""

MOST_AT_ONCE: Final = 1_000
_MOST_NAMED: Final = 20

T = TypeVar("T", bound=Struct)
Key = TypeVar("Key", RoleId, UserId)
Text = Annotated[str, Meta(max_length=20_000)]
Texts = Annotated[list[Text], Meta(max_length=1_000)]


class RecordBody(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A record as another system knows it. What is left out, or null, stays as it is.

    Without roles and users everybody in the team may see it.
    """

    name: Annotated[Text, Meta(examples=["Spostex S.A."])]
    code: Annotated[Text, Meta(examples=["K-0042"])] | None = None
    notes: Text | None = None
    aliases: Annotated[Texts, Meta(description="Other names.", examples=[["Spostex"]])] | None = (
        None
    )
    addresses: Annotated[Texts, Meta(examples=[["jan@spostex.pl"]])] | None = None
    domains: Annotated[Texts, Meta(examples=[["spostex.pl"]])] | None = None
    roles: Annotated[Texts, Meta(description="Names of roles that may see it.")] | None = None
    users: Annotated[Texts, Meta(description="Addresses of people who may see it.")] | None = None


class RecordItem(RecordBody, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A record among many: with its type and what the other system calls it."""

    type: Annotated[Text, Meta(examples=["companies"])]
    external_id: Annotated[Text, Meta(examples=["K/42"])]


class BulkBody(Struct, frozen=True, forbid_unknown_fields=True):
    """Up to 1,000 records."""

    records: Annotated[
        list[Any],
        Meta(
            min_length=1,
            max_length=MOST_AT_ONCE,
            extra_json_schema={"items": {"$ref": "#/components/schemas/RecordItem"}},
        ),
    ]


class RecordAnswer(Struct, frozen=True):
    """A record. `page` is its page in Letterbook; `external_id` is "" where it has none."""

    id: str
    type: str
    external_id: str
    name: str
    code: str
    notes: str
    aliases: list[str]
    addresses: list[str]
    domains: list[str]
    roles: list[str]
    users: list[str]
    archived_at: datetime | None
    page: str


class Names:
    """The team's roles by name and people by address, read once for a request."""

    def __init__(self, store: Store) -> None:
        self._roles = {role.id: role.name for role in users.roles(store)}
        self._people = {user.id: user.email for user in users.every(store)}
        self._role_ids = {name.casefold(): key for key, name in self._roles.items()}
        self._user_ids = {email: key for key, email in self._people.items()}

    def record(self, record: Record) -> RecordAnswer:
        return RecordAnswer(
            id=record.public_id,
            type=record.type,
            external_id=record.external_id,
            name=record.name,
            code=record.code,
            notes=record.notes,
            aliases=list(record.aliases),
            addresses=list(record.addresses),
            domains=list(record.domains),
            roles=[self._roles[role] for role in record.roles],
            users=[self._people[user] for user in record.users],
            archived_at=record.archived_at,
            page=f"/records/{record.type}/{record.public_id}",
        )

    def pushed(self, body: RecordBody, external_id: str) -> Pushed:
        """Raises Invalid for a role or a person that is not there."""
        return Pushed(
            name=body.name,
            external_id=external_id,
            code=body.code,
            notes=body.notes,
            aliases=_some(body.aliases),
            addresses=_some(body.addresses),
            domains=_some(body.domains),
            roles=None if body.roles is None else self.role_ids(body.roles),
            users=None if body.users is None else _known("users", body.users, self._user_ids),
        )

    def role_ids(self, names: list[str]) -> tuple[RoleId, ...]:
        """Raises Invalid for one that is not there."""
        return _known("roles", names, self._role_ids)


def read(kind: type[T], sent: object) -> T:
    """What was sent, as that struct. Raises Invalid, which names every unknown field."""
    names = list(sent) if isinstance(sent, dict) else []
    unknown = [name for name in names if name not in kind.__struct_fields__]
    if unknown:
        named = ", ".join(repr(one_line(str(one))[:100]) for one in unknown[:_MOST_NAMED])
        known = ", ".join(kind.__struct_fields__)
        raise Invalid(one_line(str(unknown[0]))[:100], f"Unknown: {named}. There are: {known}.")
    try:
        return convert(sent, kind)
    except ValidationError as exc:
        reason, _, place = str(exc).partition(" - at `$")
        raise Invalid(place.strip(".`") or "body", f"{reason}.") from exc


def _some(sent: list[str] | None) -> tuple[str, ...] | None:
    return None if sent is None else tuple(sent)


def _known(field: str, names: list[str], ids: dict[str, Key]) -> tuple[Key, ...]:
    for name in names:
        if name.strip().casefold() not in ids:
            raise Invalid(field, f"There is no {one_line(name)[:100]!r} among the {field}.")
    return tuple(ids[name.strip().casefold()] for name in names)
