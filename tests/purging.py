"""A mail that is to be removed for good, beside one that stays."""

from app.jobs import upkeep as tasks
from app.model import MessageId, Viewer
from app.purge import purge_message
from app.search.indexer import Indexer
from app.settings import Settings
from app.store import Store
from tests import make

WORD = "xylofonista"
TEXT = f"Tajemnica {WORD} i nic innego. " * 20
SECRET = make.mail(f"Sprawa {WORD}", text=TEXT, message_id="<secret@a>")
OTHER = make.mail("Beton", text="Faktura za beton. " * 20, message_id="<other@a>")


def fill(store: Store) -> Store:
    """Alice's mailbox with the secret mail and another one, both indexed."""
    box = make.account(store, make.user(store, "Alice"), host=None)
    make.deliver(store, box, SECRET, OTHER)
    Indexer(store).drain()
    return store


def remove(store: Store, admin: Viewer, message_id: int = 1) -> str:
    public_id = make.public_id(store, MessageId(message_id))
    purge_message(store, admin, public_id, reason="Court order 7", now=make.NOW)
    return public_id


def sweep_now(store: Store) -> None:
    task = next(one for one in tasks.TASKS if one.kind == "sweep")
    tasks.carry_out(Settings.from_env({}, data=store.directory), task, lambda: False)
