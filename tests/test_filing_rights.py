"""R50: who may say who else reads a message."""

from datetime import timedelta

from app.filing import file_message, may_change_access
from app.store import Store
from tests import make
from tests.make import NOW


def test_a_copy_brought_in_afterwards_gives_no_say(store: Store) -> None:
    """Who reads it through the record cannot make himself a member by importing it."""
    alice, bob = make.user(store, "Alice"), make.user(store, "Bob")
    make.deliver(store, make.account(store, alice), make.mail())
    (message,) = make.message_ids(store)
    file_message(store, make.viewer(store, alice), message, make.record(store), now=NOW)
    own = make.account(store, bob, address="bob@firma.pl", host=None)

    make.deliver(store, own, make.mail(), now=NOW + timedelta(minutes=1))

    assert not may_change_access(store, make.viewer(store, bob), message)
    assert may_change_access(store, make.viewer(store, alice), message)
