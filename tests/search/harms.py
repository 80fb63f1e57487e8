"""Ways in which the files of an index can be harmed, each a function of its directory."""

import json
import shutil
from dataclasses import dataclass

import pytest

from app.search.schema import MESSAGES, RECORDS

ENDINGS = ("fast", "fieldnorm", "idx", "pos", "store", "term")


@dataclass(frozen=True)
class Files:
    """An index, and the largest file of its segments with an ending."""

    path: object

    def largest(self, ending):
        return max(self.path.glob(f"*.{ending}"), key=lambda file: (file.stat().st_size, file.name))

    def meta(self, change):
        file = self.path / "meta.json"
        meta = json.loads(file.read_text())
        change(meta)
        file.write_text(json.dumps(meta))


# -- what is done to a file


def removed(file):
    file.unlink()


def emptied(file):
    file.write_bytes(b"")


def cut(file):
    file.write_bytes(file.read_bytes()[:-1])


def halved(file):
    file.write_bytes(file.read_bytes()[: file.stat().st_size // 2])


def flipped(file):
    content = bytearray(file.read_bytes())
    content[0] ^= 1
    file.write_bytes(content)


def zeroed(file):
    file.write_bytes(bytes(file.stat().st_size))


def lengthened(file):
    file.write_bytes(file.read_bytes() + b"\0")


def turned_into_a_directory(file):
    file.unlink()
    file.mkdir()


HARMS = (
    removed, emptied, cut, halved, flipped, zeroed, lengthened, turned_into_a_directory,
)  # fmt: skip


# -- what is done to the list of files


def lists_a_segment_twice(meta):
    meta["segments"].append(meta["segments"][0])


def lists_a_segment_less(meta):
    meta["segments"].pop()


def lists_nothing(meta):
    meta["segments"] = []


def counts_too_many(meta):
    meta["segments"][0]["max_doc"] += 7


def counts_too_few(meta):
    meta["segments"][0]["max_doc"] -= 1


def forgets_what_is_deleted(meta):
    for segment in meta["segments"]:
        segment["deletes"] = None


def deletes_another_number(meta):
    for segment in meta["segments"]:
        if segment["deletes"]:
            segment["deletes"]["num_deleted_docs"] += 1


def names_a_file_elsewhere(meta):
    meta["segments"][0]["segment_id"] = "../../archive"


def names_an_unknown_segment(meta):
    meta["segments"][0]["segment_id"] = "0" * 32


def is_of_an_earlier_commit(meta):
    meta["opstamp"] = 0


def has_another_schema(meta):
    meta["schema"] = meta["schema"][:-1]


def has_another_type(meta):
    meta["schema"][0]["type"] = "text"


def has_no_schema(meta):
    del meta["schema"]


def is_numbered_by_a_word(meta):
    meta["opstamp"] = "many"


LISTS = (
    lists_a_segment_twice, lists_a_segment_less, lists_nothing, counts_too_many, counts_too_few,
    forgets_what_is_deleted, deletes_another_number, names_a_file_elsewhere,
    names_an_unknown_segment, is_of_an_earlier_commit, has_another_schema, has_another_type,
    has_no_schema, is_numbered_by_a_word,
)  # fmt: skip
CONTENTS = (b"", b"{broken", b"[]", b"{}", b"null", b"\xff\xfe", b"[" * 100_000, b"\0" * 5_000)


# -- what is done to the directories


def index_is_gone(directory):
    shutil.rmtree(directory / MESSAGES)


def all_is_gone(directory):
    shutil.rmtree(directory)


def all_is_empty(directory):
    shutil.rmtree(directory)
    directory.mkdir()


def is_an_empty_directory(directory):
    index_is_gone(directory)
    (directory / MESSAGES).mkdir()


def is_a_file(directory):
    index_is_gone(directory)
    (directory / MESSAGES).write_text("no directory")


def is_a_link_to_nowhere(directory):
    index_is_gone(directory)
    (directory / MESSAGES).symlink_to(directory / "nowhere")


def is_of_an_older_version(directory):
    (directory / MESSAGES).rename(directory / "messages-v0")


def swap_stopped_in_the_middle(directory):
    (directory / MESSAGES).rename(directory / f"{MESSAGES}.old")


def new_one_is_damaged(directory):
    shutil.copytree(directory / MESSAGES, directory / f"{MESSAGES}.new")
    removed(Files(directory / f"{MESSAGES}.new").largest("term"))


def old_one_is_damaged_while_a_new_one_is_made(directory):
    (directory / MESSAGES).rename(directory / f"{MESSAGES}.new")
    (directory / MESSAGES).mkdir()


def managed_list_is_broken(directory):
    (directory / MESSAGES / ".managed.json").write_text("{broken")


DIRECTORIES = (
    index_is_gone, all_is_gone, all_is_empty, is_an_empty_directory, is_a_file,
    is_a_link_to_nowhere, is_of_an_older_version, swap_stopped_in_the_middle, new_one_is_damaged,
    managed_list_is_broken,
)  # fmt: skip

DAMAGES = [
    *(
        pytest.param(lambda d, e=e, h=h: h(Files(d / MESSAGES).largest(e)), id=f"{e} {h.__name__}")
        for e in ENDINGS
        for h in (removed, emptied, cut, flipped, zeroed)
    ),
    *(
        pytest.param(lambda d, h=h: h(Files(d / MESSAGES).largest("del")), id=f"del {h.__name__}")
        for h in HARMS
    ),
    *(
        pytest.param(lambda d, h=h: h(Files(d / RECORDS).largest("idx")), id=f"record {h.__name__}")
        for h in (removed, halved, flipped)
    ),
    *(pytest.param(lambda d, c=c: Files(d / MESSAGES).meta(c), id=c.__name__) for c in LISTS),
    *(
        pytest.param(lambda d, c=c: (d / MESSAGES / "meta.json").write_bytes(c), id=f"meta {c[:8]}")
        for c in CONTENTS
    ),
    *(
        pytest.param(lambda d, h=h: h(d / MESSAGES / "meta.json"), id=f"meta.json {h.__name__}")
        for h in (removed, turned_into_a_directory)
    ),
    *(pytest.param(harm, id=harm.__name__) for harm in DIRECTORIES),
]  # fmt: skip
