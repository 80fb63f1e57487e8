"""The demo company, backed up and restored: the same mail, people, filings and search results."""

import zstandard

from app.demo.company import COMPANY
from app.people import viewer_for
from app.search import search_messages
from app.search.indexer import Indexer
from app.store import accounts, open_store
from app.store.secrets import load_key, unseal
from app.verify import verify
from tests.backups import back, bring_back

VOLATILE = {"index_queue", "jobs", "worker", "sessions", "sign_in_links", "kept_passwords"}
QUERIES = ["beton", "concrete", "faktur*", "from:anna", "has:attachment", "offer OR oferta"]


def tables(db) -> dict:
    return {
        table: db.execute(f"select * from {table}").fetchall()
        for table in db.table_names()
        if table not in VOLATILE | {"sqlite_sequence"}
    }


def found(store) -> list:
    return [
        [
            (hit.row.message.public_id, hit.row.message.subject, hit.row.attached_to)
            for hit in search_messages(store, viewer_for(store, person.address), query).hits
        ]
        for person in COMPANY.people[:3]
        for query in QUERIES
    ]


def test_a_restored_archive_is_the_same_archive(synced, tmp_path):
    back(synced.store, tmp_path / "backup")

    came = bring_back(tmp_path / "backup", tmp_path / "new")

    new = open_store(tmp_path / "new")
    while Indexer(new).drain():
        pass
    assert tables(new.archive) == tables(synced.store.archive)
    assert tables(new.mail) == tables(synced.store.mail)
    assert verify(new).faults == ()
    assert found(new) == found(synced.store)
    assert any(found(new))
    assert came.without_password == tuple(sorted(box.address for box in COMPANY.mailboxes))
    new.close()


def test_neither_passwords_nor_the_key_are_in_a_backup_without_it(synced, tmp_path):
    """A canary: each is looked for in every file, packed and unpacked."""
    key = load_key(synced.store.directory)
    secrets = [(synced.store.directory / "secret.key").read_bytes(), key]
    for account in accounts.all_accounts(synced.store):
        sealed = accounts.sealed_password(synced.store, account.id)
        secrets.append(unseal(key, account.public_id, sealed).encode())

    back(synced.store, tmp_path / "backup")

    contents = [path.read_bytes() for path in (tmp_path / "backup").rglob("*") if path.is_file()]
    contents += [
        zstandard.ZstdDecompressor().decompressobj().decompress(path.read_bytes())
        for path in (tmp_path / "backup" / "archive").iterdir()
    ]
    assert len(secrets) == 7
    assert [s for s in secrets if any(s in content for content in contents)] == []


def test_with_the_key_no_password_must_be_typed(synced, tmp_path):
    back(synced.store, tmp_path / "backup", with_key=True)

    came = bring_back(tmp_path / "backup", tmp_path / "new")

    new = open_store(tmp_path / "new")
    account = accounts.all_accounts(new)[0]
    sealed = accounts.sealed_password(new, account.id)
    assert came.without_password == ()
    assert unseal(load_key(tmp_path / "new"), account.public_id, sealed)
    new.close()
