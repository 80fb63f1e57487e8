import fcntl
import shutil

import pytest

from app.errors import Conflict
from app.search import indexer, search_messages
from app.search.index import count_messages
from app.search.indexer import Indexer
from app.search.schema import MESSAGES, RECORDS
from app.store import documents
from tests.search.conftest import mail


def subjects(house, text):
    page = search_messages(house.store, house.alice, text)
    return [hit.row.message.subject for hit in page.hits]


def fresh(house):
    """An indexer as after a restart."""
    return Indexer(house.store)


def drained(one):
    while one.drain():
        pass


def test_a_received_mail_is_found_after_the_queue_is_drained(house):
    house.receive(mail("Faktura"))

    house.index()

    assert subjects(house, "faktura") == ["Faktura"]
    assert documents.backlog(house.store) == 0


def test_an_empty_queue_is_nothing_to_do(house):
    house.index()

    assert house.indexer.drain() == 0


def test_indexing_a_message_again_keeps_one_document(house):
    message_id = house.receive(mail("Faktura"))
    house.index()

    house.requeue(message_id, message_id)
    house.index()

    assert count_messages(house.store.directory) == 1
    assert search_messages(house.store, house.alice, "faktura").total == 1


def test_entries_stay_queued_until_their_documents_are_durable(house, monkeypatch):
    house.receive(mail("Faktura"))
    house.index()
    house.receive(mail("Faktura druga"))
    monkeypatch.setattr(documents, "done", lambda store, queued: 1 / 0)

    with pytest.raises(ZeroDivisionError):
        house.indexer.drain()
    monkeypatch.undo()
    assert documents.backlog(house.store) > 0
    drained(fresh(house))

    assert sorted(subjects(house, "faktura")) == ["Faktura", "Faktura druga"]


def test_a_deleted_index_is_made_anew(house):
    house.receive(mail("Faktura"))
    house.index()
    shutil.rmtree(house.directory)

    drained(house.indexer)

    assert subjects(house, "faktura") == ["Faktura"]


@pytest.mark.parametrize("content", ["", "{broken", "[]", "{}"])
@pytest.mark.parametrize("name", [MESSAGES, RECORDS])
def test_a_damaged_meta_file_leads_to_a_new_index(house, name, content):
    house.receive(mail("Faktura"))
    house.index()
    (house.directory / name / "meta.json").write_text(content)

    drained(fresh(house))

    page = search_messages(house.store, house.alice, "faktura")
    assert (page.total, page.query.notes) == (1, ())


@pytest.mark.parametrize("suffix", [".term", ".idx", ".fast", ".store", ".pos", ".fieldnorm"])
@pytest.mark.parametrize("is_cut", [True, False])
def test_a_lost_or_cut_segment_file_leads_to_a_new_index(house, suffix, is_cut):
    house.receive(mail("Faktura za beton"))
    house.index()
    (victim,) = (house.directory / MESSAGES).glob(f"*{suffix}")
    victim.write_bytes(victim.read_bytes()[:8]) if is_cut else victim.unlink()

    house.receive(mail("Faktura za stal"))
    drained(fresh(house))

    assert subjects(house, '"faktura za"') == ["Faktura za stal", "Faktura za beton"]


def test_an_index_of_another_version_is_removed_and_made_anew(house):
    house.receive(mail("Faktura"))
    house.index()
    (house.directory / MESSAGES).rename(house.directory / "messages-v0")

    drained(fresh(house))

    assert subjects(house, "faktura") == ["Faktura"]
    assert not (house.directory / "messages-v0").exists()


def test_a_file_that_may_not_be_read_is_no_reason_to_make_it_anew(house, monkeypatch):
    from app.errors import LetterbookError
    from app.search import reader

    house.receive(mail("Faktura"))
    house.index()

    def denied(*arguments):
        raise ValueError("IoError { io_error: Os { code: 13, kind: PermissionDenied } }")

    monkeypatch.setattr(reader.tantivy, "Index", denied)
    with pytest.raises(LetterbookError):
        fresh(house).drain()
    monkeypatch.undo()

    assert subjects(house, "faktura") == ["Faktura"]
    assert documents.backlog(house.store) == 0


def test_a_rebuild_finds_everything_again(house):
    house.receive(mail("Faktura"))
    house.index()
    seen = []

    done = house.indexer.rebuild(lambda written, total: seen.append((written, total)))

    assert done == 1
    assert seen == [(1, 1)]
    assert subjects(house, "faktura") == ["Faktura"]
    assert {path.name for path in house.directory.iterdir() if path.is_dir()} == {MESSAGES, RECORDS}


def test_the_old_index_answers_while_a_new_one_is_written(house):
    house.receive(mail("Faktura"))
    house.index()
    answers = []

    house.indexer.rebuild(lambda written, total: answers.append(subjects(house, "faktura")))

    assert answers == [["Faktura"]]


def test_an_interrupted_rebuild_is_finished_by_the_next_drain(house):
    house.receive(mail("Faktura"))
    house.index()
    with pytest.raises(ZeroDivisionError):
        house.indexer.rebuild(lambda written, total: 1 / 0)
    assert subjects(house, "faktura") == ["Faktura"]

    drained(fresh(house))

    assert subjects(house, "faktura") == ["Faktura"]
    assert not list(house.directory.glob("*.new"))


def test_a_reader_follows_to_the_index_that_took_the_place(house):
    house.receive(mail("Faktura"))
    house.index()
    assert subjects(house, "faktura") == ["Faktura"]

    house.indexer.rebuild()
    house.receive(mail("Faktura druga"))
    house.index()

    assert subjects(house, "faktura") == ["Faktura druga", "Faktura"]


def test_a_search_says_when_the_index_is_still_being_filled(house):
    house.receive(mail("Faktura"))

    page = search_messages(house.store, house.alice, "faktura")

    assert page.hits == ()
    assert not page.total_is_exact
    assert "rebuilt" in page.query.notes[0]


def test_two_writers_are_a_conflict(house):
    house.index()

    with (house.directory / "writer.lock").open() as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        with pytest.raises(Conflict):
            house.indexer.drain()


def test_a_message_that_cannot_be_read_keeps_no_other_from_the_index(house, monkeypatch):
    broken = house.receive(mail("Zepsuta"))
    house.receive(mail("Faktura"))
    read = documents.message_documents

    def refuse(store, ids):
        if broken in ids:
            raise OSError("unreadable")
        return read(store, ids)

    monkeypatch.setattr(documents, "message_documents", refuse)
    house.index()

    assert subjects(house, "faktura") == ["Faktura"]
    assert documents.backlog(house.store) == 0


def test_mail_that_comes_while_all_is_indexed_anew_is_found_at_once(house):
    house.receive(mail("Faktura"))
    house.index()
    found = []

    def receive(written, total):
        if not found:
            house.receive(mail("Faktura w trakcie"))
        found.append(subjects(house, "trakcie"))

    house.indexer.rebuild(receive)

    assert found == [[], ["Faktura w trakcie"]]
    assert subjects(house, "faktura") == ["Faktura w trakcie", "Faktura"]


def test_a_rebuild_goes_on_after_a_restart_and_new_mail_is_found_before_it_ends(house, monkeypatch):
    monkeypatch.setattr(indexer, "PER_COMMIT", 2)
    for number in range(5):
        house.receive(mail(f"Faktura {number}"))
    house.index()
    house.indexer.begin_rebuild()
    house.indexer.drain()
    house.receive(mail("Nowa faktura"))

    fresh(house).drain()

    assert (house.directory / f"{MESSAGES}.new").exists()
    assert len(subjects(house, "faktura")) == 6
    drained(fresh(house))
    assert len(subjects(house, "faktura")) == 6
    assert not (house.directory / f"{MESSAGES}.new").exists()


def test_what_is_hidden_while_all_is_indexed_anew_is_found_no_more(house):
    kept = house.record("Spostex S.A.")
    message = house.receive(mail("Faktura"))
    house.file(message, kept)
    house.index()
    assert search_messages(house.store, house.bob, "faktura").total == 1

    house.indexer.begin_rebuild()
    house.unfile(message, kept)

    assert search_messages(house.store, house.bob, "faktura").total == 0
    drained(house.indexer)
    assert search_messages(house.store, house.bob, "faktura").total == 0


def test_a_writer_that_is_kept_open_leaves_no_commit_unseen(house):
    worker = Indexer(house.store, keeps_open=True)
    house.receive(mail("Faktura"))
    drained(worker)
    first = subjects(house, "faktura")
    house.receive(mail("Faktura druga"))
    drained(worker)

    assert (first, subjects(house, "druga")) == (["Faktura"], ["Faktura druga"])
    worker.close()
