"""What tests arrange: a team of Alice, Bob and Charlie, mailboxes, mail, records."""

from datetime import UTC, datetime

from app.model import Account, MessageId, PublicId, RecordId, RoleId, UserId, Viewer
from app.records import create_record
from app.store import Store, accounts, folders, messages, transaction, users, visibility
from app.store.database import write
from app.store.ingest import Delivery, Ingested, ingest

NOW = datetime(2025, 3, 14, 9, tzinfo=UTC)


def mail(
    subject: str = "Beton",
    *,
    text: str = "Dzień dobry, proszę o fakturę.",
    sender: str = "Jan Kowal <jan@spostex.pl>",
    to: str = "office@firma.pl",
    message_id: str = "<1@spostex.pl>",
    date: str = "Fri, 14 Mar 2025 08:00:00 +0000",
    headers: str = "",
) -> bytes:
    """A plain mail in UTF-8, with CRLF line ends as IMAP gives them."""
    head = (
        f"{headers}From: {sender}\nTo: {to}\nSubject: {subject}\nDate: {date}\n"
        f"Message-ID: {message_id}\nMIME-Version: 1.0\n"
        "Content-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: 8bit\n\n"
    )
    return (head + text + "\n").replace("\n", "\r\n").encode()


def user(
    store: Store, name: str, *, roles: tuple[RoleId, ...] = (), is_admin: bool = False
) -> UserId:
    """A person called `name` at name@firma.pl, without a password."""
    with transaction(store):
        return users.add(
            store,
            email=f"{name.lower()}@firma.pl",
            name=name,
            is_admin=is_admin,
            roles=roles,
            password_hash=None,
            now=NOW,
        )


def role(store: Store, name: str) -> RoleId:
    """The role of that name, made where it is missing."""
    known = {found.name: found.id for found in users.roles(store)}
    if name in known:
        return known[name]
    with transaction(store):
        return users.add_role(store, name)


def viewer(store: Store, user_id: UserId) -> Viewer:
    return visibility.viewer_of(store, user_id)


def account(
    store: Store,
    *members: UserId,
    address: str = "office@firma.pl",
    is_strict: bool = False,
    host: str | None = "imap.firma.pl",
) -> Account:
    return accounts.add(
        store,
        address=address,
        host=host,
        port=993,
        security="tls",
        login=address,
        sealed_password=None,
        verify_certificate=True,
        skip_folders=[],
        users=members,
        is_strict=is_strict,
        now=NOW,
    )


def deliver(
    store: Store,
    mailbox: Account,
    *raws: bytes,
    folder: str = "INBOX",
    first_uid: int = 1,
    received_at: datetime = NOW,
    flags: tuple[str, ...] = (),
    now: datetime = NOW,
) -> Ingested:
    """Put mail into a folder of the mailbox, UIDs counted up from `first_uid`."""
    place = folders.ensure(store, mailbox.id, folder)
    deliveries = [
        Delivery(place.id, 1, first_uid + number, raw, received_at, flags)
        for number, raw in enumerate(raws)
    ]
    return ingest(store, deliveries, now=now)


def record(
    store: Store,
    name: str = "Spostex S.A.",
    *,
    record_type: str = "companies",
    roles: tuple[RoleId, ...] = (),
    only_for: tuple[UserId, ...] = (),
    domains: tuple[str, ...] = (),
    addresses: tuple[str, ...] = (),
) -> RecordId:
    return create_record(
        store,
        record_type=record_type,
        name=name,
        roles=roles,
        users=only_for,
        domains=domains,
        addresses=addresses,
        by=None,
        now=NOW,
    )


def message_ids(store: Store) -> list[MessageId]:
    """All messages, in the order they came."""
    return [
        MessageId(row[0])
        for row in store.archive.conn.execute("select id from messages order by id")
    ]


def public_id(store: Store, message_id: MessageId) -> PublicId:
    row = store.archive.conn.execute(
        "select public_id from messages where id = ?", [message_id]
    ).fetchone()
    return PublicId(row[0])


def copy_digests(store: Store) -> list[bytes]:
    return [copy.digest for copy in messages.copies_after(store, 0, limit=1_000)]


def damage(store: Store, where: str) -> None:
    """Flip a bit in the stored bytes of some blocks of mail.db, as a disk may."""
    with write(store.mail):
        for block_id, payload in store.mail.conn.execute(
            f"select id, payload from blocks where {where}"
        ).fetchall():
            values = [payload[:-6] + bytes([payload[-6] ^ 4]) + payload[-5:], block_id]
            store.mail.conn.execute("update blocks set payload = ? where id = ?", values)
