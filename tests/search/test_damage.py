"""Every way in which an index on disk can be harmed: a search answers, and the worker heals it."""

import logging
import shutil
from dataclasses import replace

import pytest

from app.errors import Conflict, LetterbookError
from app.jobs.upkeep import TASKS, carry_out
from app.search import indexer, search_messages, soundness
from app.search.index import MessageIndex
from app.search.indexer import Indexer
from app.search.reader import Damaged, doubt
from app.search.schema import MESSAGES, RECORDS
from app.settings import Settings
from app.store import documents, open_store, upkeep
from tests.search.conftest import mail
from tests.search.harms import DAMAGES, ENDINGS, Files, flipped

SUBJECTS = ["Faktura druga", "Faktura pierwsza"]


_built = {}


@pytest.fixture
def sound(house, tmp_path_factory):
    """Three mails, in three segments of which one has a deleted document, and a record."""
    if "house" not in _built:
        house.record("Spostex S.A.")
        first = house.receive(mail("Faktura pierwsza", "za beton"))
        house.receive(mail("Inna", "za stal"))
        house.index()
        house.requeue(first)
        house.index()
        house.receive(mail("Faktura druga", "za beton"))
        house.index()
        _built["house"] = house
        _built["data"] = tmp_path_factory.mktemp("built") / "data"
        house.store.close()
        shutil.copytree(house.store.directory, _built["data"])
    data = house.store.directory
    house.store.close()
    shutil.rmtree(data)
    store = open_store(shutil.copytree(_built["data"], data))
    yield replace(_built["house"], store=store, indexer=Indexer(store))
    store.close()


def answer(house):
    """As of a process that opens the index now."""
    MessageIndex.open.cache_clear()
    page = search_messages(house.store, house.alice, "faktura -inna")
    return sorted(hit.row.message.subject for hit in page.hits), page.total_is_exact


def healed(house):
    indexer = Indexer(house.store)
    while indexer.drain():
        pass
    return answer(house)


@pytest.mark.parametrize("harm", DAMAGES)
def test_damage_is_noticed_told_and_healed_and_no_search_fails(sound, harm, caplog):
    harm(sound.directory)

    assert set(answer(sound)[0]) <= set(SUBJECTS)
    with caplog.at_level(logging.WARNING):
        assert healed(sound) == (SUBJECTS, True)

    assert "A search index is made anew" in caplog.text
    told = upkeep.last(sound.store, "index")
    assert told.is_good
    assert told.summary == "The search index was made anew: 3 messages."
    assert documents.backlog(sound.store) == 0
    assert soundness.fault(sound.directory / MESSAGES) is None
    assert soundness.fault(sound.directory / RECORDS) is None


# -- what is no damage, and is not made anew


def untouched(house):
    """The index answers wholly, and nobody noted anything."""
    return healed(house) == (SUBJECTS, True) and upkeep.last(house.store, "index") is None


def test_an_index_that_may_not_be_read_now_is_kept(sound, monkeypatch):
    def denied(path):
        raise PermissionError(13, "Permission denied")

    with monkeypatch.context() as patched:
        patched.setattr(soundness.Path, "read_bytes", denied)
        assert answer(sound) == ([], False)
        with pytest.raises(LetterbookError):
            Indexer(sound.store).drain()

    assert untouched(sound)


def test_a_disk_that_does_not_answer_now_is_no_damage(sound, monkeypatch):
    def fails(content, start):
        raise OSError(5, "Input/output error")

    with monkeypatch.context() as patched:
        patched.setattr(soundness, "crc32", fails)
        assert answer(sound) == ([], False)
        with pytest.raises(LetterbookError):
            Indexer(sound.store).drain()

    assert untouched(sound)


def test_an_index_that_another_process_writes_is_no_damage(sound):
    other = Indexer(sound.store, keeps_open=True)
    other.drain()

    with pytest.raises(Conflict):
        Indexer(sound.store).drain()

    assert answer(sound) == (SUBJECTS, True)
    other.close()
    assert untouched(sound)


@pytest.mark.parametrize("name", [".tantivy-writer.lock", ".tantivy-meta.lock", ".managed.json"])
def test_a_file_that_the_engine_makes_itself_may_be_missing(sound, name):
    (sound.directory / MESSAGES / name).unlink()
    (sound.directory / "writer.lock").unlink()

    assert untouched(sound)


def test_what_a_crash_left_is_swept_and_what_others_left_is_kept(sound):
    left = [sound.directory / MESSAGES / f"{'a' * 32}.{ending}" for ending in (*ENDINGS, "7.del")]
    for file in left:
        file.write_bytes(b"half a segment")
    strange = sound.directory / MESSAGES / "notes.txt"
    strange.write_text("of the administrator")
    sound.receive(mail("Nowa"))

    assert untouched(sound)
    assert not any(file.exists() for file in left)
    assert strange.exists()


def test_a_note_of_what_was_written_that_cannot_be_read_is_done_without(sound):
    (sound.directory / MESSAGES / soundness.NOTED).write_text("{broken")

    assert untouched(sound)


def test_a_reader_that_meets_damage_has_the_worker_look_while_it_runs(sound):
    worker = Indexer(sound.store, keeps_open=True)
    worker.drain()
    flipped(Files(sound.directory / MESSAGES).largest("idx"))

    assert worker.drain() == 0
    assert answer(sound) == ([], False)
    while worker.drain():
        pass

    worker.close()
    assert answer(sound) == (SUBJECTS, True)
    assert upkeep.last(sound.store, "index").is_good


def test_a_doubt_without_reason_changes_nothing(sound):
    doubt(sound.directory, MESSAGES).touch()

    assert untouched(sound)
    assert not doubt(sound.directory, MESSAGES).exists()


def test_a_writer_that_fails_on_a_sound_index_is_tried_again(sound, monkeypatch):
    worker = Indexer(sound.store, keeps_open=True)
    sound.receive(mail("Faktura trzecia"))

    with monkeypatch.context() as patched:
        patched.setattr(indexer, "_apply", refuse)
        with pytest.raises(LetterbookError):
            worker.drain()
    worker.drain()

    worker.close()
    assert answer(sound) == ([*SUBJECTS, "Faktura trzecia"], True)
    assert upkeep.last(sound.store, "index") is None


def test_a_writer_that_goes_on_failing_has_its_index_made_anew(sound, monkeypatch):
    worker = Indexer(sound.store, keeps_open=True)
    sound.receive(mail("Faktura trzecia"))

    with monkeypatch.context() as patched:
        patched.setattr(indexer, "_apply", refuse)
        for _ in range(indexer.MOST_REFUSED):
            with pytest.raises(LetterbookError):
                worker.drain()
        worker.drain()
    while worker.drain():
        pass

    worker.close()
    assert answer(sound) == ([*SUBJECTS, "Faktura trzecia"], True)
    assert upkeep.last(sound.store, "index").is_good


def refuse(*arguments):
    raise Damaged("An index writer was killed.")


def test_what_no_search_meets_is_noticed_at_night(sound):
    sound.indexer.drain()
    flipped(Files(sound.directory / MESSAGES).largest("idx"))
    (night,) = (task for task in TASKS if task.kind == "verify")

    sound.indexer.drain()
    before = upkeep.last(sound.store, "index")
    carry_out(Settings.from_env({}, data=sound.store.directory), night, lambda: False)
    while sound.indexer.drain():
        pass

    assert before is None
    assert upkeep.last(sound.store, "index").is_good
    assert answer(sound) == (SUBJECTS, True)
