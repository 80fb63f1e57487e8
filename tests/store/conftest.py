"""A parser of the next version, and two mails that it may take for one."""

from collections.abc import Callable

import pytest

from app.jobs import upkeep as tasks
from app.mail import PARSER_VERSION, parse
from app.model import MessageId
from app.store import (
    Store,
    documents,
    reading,
    reparse,
    unite,
)
from tests import make
from tests.store.newer import Change


@pytest.fixture
def newer(monkeypatch: pytest.MonkeyPatch) -> Callable[[Change], None]:
    """Have a next version of the parser, which reads all mail with a change."""

    def use(change: Change) -> None:
        for module in (reading, documents):
            monkeypatch.setattr(module, "parse", lambda raw: change(parse(raw)))
        for module in (reading, reparse, unite, tasks):
            monkeypatch.setattr(module, "PARSER_VERSION", PARSER_VERSION + 1)

    return use


@pytest.fixture
def two(store: Store) -> tuple[MessageId, MessageId]:
    """Alice's mail and Bob's, which differ for the older parser; Charlie reads neither."""
    alice, bob = make.user(store, "Alice"), make.user(store, "Bob")
    make.user(store, "Charlie")
    ours = make.account(store, alice)
    make.deliver(store, ours, make.mail(message_id="<1@a>"))
    theirs = make.account(store, bob, address="bob@firma.pl")
    make.deliver(store, theirs, make.mail(message_id="<2@a>"))
    first, second = make.message_ids(store)
    return first, second
