"""Bringing a restored archive.db in line with the mail.db beside it."""

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from app.model import AccountId, MessageId, PublicId
from app.store import purges
from app.store.database import Store, to_seconds, transaction
from app.store.ingest import refresh_holdings

NOT_IN_BACKUP = "It was removed from the archive after the backup's snapshot was taken."


@dataclass(frozen=True, slots=True)
class Sealed:
    """A mailbox whose password, or tokens, are in the archive, sealed."""

    public_id: PublicId
    address: str
    secret: bytes


def sealed_secrets(store: Store) -> list[Sealed]:
    """The mailboxes that are read with a password or tokens, by address."""
    rows = store.archive.conn.execute(
        "select public_id, address, coalesce(sealed_password, sealed_tokens) as secret"
        " from accounts where secret is not null and closed_at is null order by address"
    )
    return [Sealed(PublicId(row[0]), row[1], row[2]) for row in rows]


def end_sessions(store: Store) -> None:
    """Let nobody in who was signed in, or had a link, when the snapshot was taken."""
    with transaction(store):
        for table in ("sessions", "sign_in_links", "kept_passwords", "sign_in_flows", "api_tokens"):
            store.archive.conn.execute(f"delete from {table}")


def take_removals(store: Store, newer: Path) -> list[PublicId]:
    """Remove what a newer archive.db says was removed for good, so that it does not come back.

    Gives the messages that were here. Effects: one transaction; may be repeated.
    """
    conn = store.archive.conn
    conn.execute("attach ? as newer", [str(newer)])
    try:
        if not conn.execute("select 1 from newer.sqlite_master where name = 'purges'").fetchone():
            return []
        with transaction(store):
            # Who removed it may have come after the snapshot.
            conn.execute(
                "insert into purges (id, public_id, purged_at, purged_by, reason)"
                " select n.id, n.public_id, n.purged_at, coalesce("
                "   (select id from users where id = n.purged_by),"
                "   (select min(id) from users where is_admin = 1), (select min(id) from users)),"
                " n.reason from newer.purges n where n.id not in (select id from main.purges)"
            )
            conn.execute(
                "insert into tombstones (mark, purge_id) select mark, purge_id"
                " from newer.tombstones where true on conflict do nothing"
            )
            return purges.remove_again(store)
    finally:
        conn.execute("detach newer")


def forget_missing(store: Store, *, now: datetime) -> list[PublicId]:
    """Take out what names bytes that mail.db has not: gives the messages that are gone.

    Where the server still shows one of them, it counts as failed. Effects: one transaction.
    """
    conn = store.archive.conn
    conn.execute("attach ? as mail", [str(store.directory / "mail.db")])
    try:
        with transaction(store):
            conn.execute(
                "create temp table lost as select c.id, c.message_id from main.copies c"
                " where c.id not in (select id from mail.blobs)"
            )
            # A snippet's text or a part's bytes: both can be read from a copy again.
            missing = "not in (select id from mail.blobs)"
            conn.execute(
                "update messages set text_blob = null, parser_version = 0"
                f" where text_blob is not null and text_blob {missing}"
            )
            conn.execute(
                f"update parts set blob_id = null where blob_id is not null and blob_id {missing}"
            )
            _forget_copies(store, now=now)
            gone = _forget_messages(store)
            conn.execute("drop table lost")
    finally:
        conn.execute("detach mail")
    return gone


def _forget_copies(store: Store, *, now: datetime) -> None:
    conn = store.archive.conn
    conn.execute(
        "insert into failures (folder_id, uidvalidity, uid, reason, tries, tried_at)"
        " select folder_id, uidvalidity, uid, ?, 1, ? from locations"
        " where copy_id in (select id from lost) and gone_since is null on conflict do nothing",
        [NOT_IN_BACKUP, to_seconds(now)],
    )
    for table, column in (("locations", "copy_id"), ("object_ids", "copy_id"), ("copies", "id")):
        conn.execute(f"delete from {table} where {column} in (select id from lost)")


def _forget_messages(store: Store) -> list[PublicId]:
    """Take out the messages that lost their last copy; derive anew what the others' places say."""
    conn = store.archive.conn
    gone = (
        "select id from messages where id in (select message_id from lost)"
        " and id not in (select message_id from copies)"
    )
    public_ids = [
        PublicId(row[0])
        for row in conn.execute(
            f"select public_id from messages where id in ({gone}) order by id"
        ).fetchall()
    ]
    for table in ("audit", "former_messages"):
        conn.execute(f"update {table} set message_id = null where message_id in ({gone})")
    conn.execute(
        "insert into former_messages (id, public_id)"
        f" select id, public_id from messages where id in ({gone})"
    )
    for table in ("filings", "message_roles", "parts"):
        conn.execute(f"delete from {table} where message_id in ({gone})")
    conn.execute("delete from holdings where message_id in (select message_id from lost)")
    conn.execute(f"delete from messages where id in ({gone})")
    touched = [
        MessageId(row[0])
        for row in conn.execute(
            "select distinct message_id from lost where message_id in (select id from messages)"
        ).fetchall()
    ]
    for (account_id,) in conn.execute("select id from accounts").fetchall():
        refresh_holdings(store, AccountId(account_id), touched)
    return public_ids
