"""A folder compared with its server in full: what the passes over it could have overlooked."""

from app.model import FolderId
from app.store import Store, folders, locations, passes, tombstones
from app.store.passes import Comparison
from app.sync.folder import Visit, note_presence, store_missing
from app.sync.given_again import set_apart_given_again
from app.sync.remote import Remote


def compare_folder(remote: Remote, store: Store, folder_id: FolderId, visit: Visit) -> None:
    """Look at every message's UID, size, date and flags, after a good pass; mend, and note it.

    A folder that changes meanwhile is compared after its next pass. Raises Refused,
    ConnectionLost, Stopped. Effects: a row with what was found; may be repeated.
    """
    folder = folders.get(store, folder_id)
    uidvalidity = remote.examine(folder.name)
    on_server = remote.uids()
    known = locations.known_uids(store, folder.id, uidvalidity)
    live = locations.flags_by_uid(store, folder.id, uidvalidity)
    told = remote.flags_of(sorted(live.keys() & on_server)) if live else {}
    status = remote.status(folder.name)
    now = (status.uidvalidity, status.uidnext, status.messages, status.unseen)
    then = (folder.uidvalidity, folder.uidnext, folder.server_messages, folder.server_unseen)
    if now != then or len(on_server) < status.messages:  # some servers list more than they count
        return
    again = set_apart_given_again(
        remote, store, folder, uidvalidity, known & on_server, now=visit.now, stop=visit.stop
    )
    known -= again
    live = {uid: flags for uid, flags in live.items() if uid not in again}
    others = tombstones.uids(store, folder.id, uidvalidity)
    others |= locations.failed_uids(store, folder.id, uidvalidity).keys()
    changed = {uid: flags for uid, flags in told.items() if uid in live and live[uid] != flags}
    found = Comparison(
        visit.now(),
        messages=len(on_server),
        missed=len(on_server - others - live.keys()),
        vanished=len(live.keys() - on_server),
        changed=len(changed),
    )
    if on_server - known - tombstones.uids(store, folder.id, uidvalidity):
        store_missing(remote, store, folder, uidvalidity, on_server, visit, is_full=False)
    if not found.is_clean:
        note_presence(store, folder, uidvalidity, on_server, live, now=visit.now())
        locations.set_flags(store, folder.id, uidvalidity, changed)
        folders.note_pass(store, folder.id, error=None, now=visit.now())
    passes.note_comparison(store, folder.id, found)
