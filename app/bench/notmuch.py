"""notmuch asked in this process, through its own library: no start of a program counts."""

import ctypes
from collections.abc import Iterator
from contextlib import contextmanager
from ctypes import POINTER, byref, c_char_p, c_int, c_uint, c_void_p
from ctypes.util import find_library
from pathlib import Path

_NEWEST_FIRST = 1
_READ_ONLY = 0


class Notmuch:
    """An open database. `page` gives the ids of the newest mails, and how many there are in all."""

    def __init__(self, library: ctypes.CDLL, database: c_void_p) -> None:
        self._library = library
        self._database = database

    def page(self, query: str, limit: int = 50) -> tuple[list[bytes], int]:
        call = self._library
        asked = c_void_p(call.notmuch_query_create(self._database, query.encode()))
        messages, count = c_void_p(), c_uint()
        try:
            call.notmuch_query_set_sort(asked, _NEWEST_FIRST)
            call.notmuch_query_search_messages(asked, byref(messages))
            ids: list[bytes] = []
            while len(ids) < limit and call.notmuch_messages_valid(messages):
                message = c_void_p(call.notmuch_messages_get(messages))
                ids.append(call.notmuch_message_get_message_id(message))
                call.notmuch_messages_move_to_next(messages)
            call.notmuch_query_count_messages(asked, byref(count))
        finally:
            call.notmuch_query_destroy(asked)
        return ids, count.value


@contextmanager
def opened(maildir: Path) -> Iterator[Notmuch | None]:
    """The database that `notmuch new` made of a Maildir; None where there is no library."""
    name = find_library("notmuch")
    if name is None:
        yield None
        return
    library = ctypes.CDLL(name)
    for function in ("notmuch_query_create", "notmuch_messages_get"):
        getattr(library, function).restype = c_void_p
    library.notmuch_message_get_message_id.restype = c_char_p
    library.notmuch_messages_valid.restype = c_int
    library.notmuch_database_open.argtypes = [c_char_p, c_int, POINTER(c_void_p)]
    database = c_void_p()
    if library.notmuch_database_open(str(maildir).encode(), _READ_ONLY, byref(database)):
        yield None
        return
    try:
        yield Notmuch(library, database)
    finally:
        library.notmuch_database_destroy(database)
