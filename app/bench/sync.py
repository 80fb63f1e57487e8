"""A first sync from Dovecot beside mbsync: the same mailbox, in turn, each time into nothing."""

import shutil
import sys
import tempfile
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from statistics import median

from app import mailboxes
from app.bench import dovecot
from app.bench.child import EMAIL
from app.bench.clock import Spent, run_whole
from app.bench.corpus import Corpus
from app.bench.figures import Measured
from app.bench.peers import bare_environment
from app.errors import LetterbookError
from app.people import create_user
from app.search.index import count_messages
from app.store import open_store
from app.store.secrets import load_key
from app.store.totals import totals
from app.transfer import check_mail

Progress = Callable[[str], None]
Run = Callable[[Path, dovecot.Server], Spent]

ROUNDS = 5
ADDRESS = "sync@bench.example"
_NAMES = {"sync": "letterbook sync", "mbsync": "mbsync", "floor": "mbsync without fsync"}


def run_sync_bench(
    mboxes: Sequence[Path],
    *,
    messages: int,
    rounds: int = ROUNDS,
    with_peers: bool = True,
    progress: Progress = lambda text: None,
) -> Measured:
    """Have `letterbook sync` and mbsync read one mailbox from a Dovecot on this machine.

    The first `messages` mails of the mboxes, or of the demo company. Whole processes, in turn;
    a first turn of each warms the server up and does not count. Figures are medians of seconds.

    Raises Invalid for a file that holds no mail.
    """
    for mbox in mboxes:
        check_mail(mbox)
    server_program = dovecot.program()
    if server_program is None:
        return Measured({}, ("Dovecot is not installed: no first sync was measured.",))
    runs, notes = _runs(with_peers=with_peers)
    corpus = Corpus(tuple(mboxes), messages)
    progress("filling the mailbox")
    with dovecot.serving(server_program, corpus, messages) as server:
        seconds: dict[str, list[Spent]] = {name: [] for name in runs}
        for number in range(rounds + 1):
            for name in _in_turn(list(runs), number):
                progress(f"round {number} of {rounds}: {name}")
                spent = _into_nothing(runs[name], server)
                if number:
                    seconds[name].append(spent)
    return Measured(_figures(seconds, server), (*notes, *_each_round(seconds, server)))


def _runs(*, with_peers: bool) -> tuple[dict[str, Run], list[str]]:
    runs: dict[str, Run] = {"sync": _letterbook}
    program = shutil.which("mbsync")
    if not with_peers:
        return runs, ["No other programs were measured beside it (--no-peers)."]
    if program is None:
        return runs, ["mbsync is not installed: not measured beside it."]
    path = Path(program)
    runs["mbsync"] = lambda directory, server: _mbsync(path, directory, server, fsync=True)
    runs["floor"] = lambda directory, server: _mbsync(path, directory, server, fsync=False)
    return runs, []


def _in_turn(names: list[str], number: int) -> list[str]:
    """Another one begins each round."""
    at = number % len(names)
    return names[at:] + names[:at]


def _into_nothing(run: Run, server: dovecot.Server) -> Spent:
    directory = Path(tempfile.mkdtemp(prefix="letterbook-bench-"))
    try:
        return run(directory, server)
    finally:
        shutil.rmtree(directory)


def _letterbook(directory: Path, server: dovecot.Server) -> Spent:
    """`letterbook sync`, from its start to its end. Raises LetterbookError if mail is missing."""
    _set_up(directory, server)
    command = [sys.executable, "-m", "app.cli", "sync", "--data", str(directory)]
    spent, _ = run_whole(command)
    store = open_store(directory)
    found, indexed = totals(store), count_messages(directory)
    store.close()
    if found.queued_for_index or indexed != found.messages or not found.copies:
        raise LetterbookError(
            f"{indexed} of {found.messages} messages can be found after the sync; nothing of it"
            " counts."
        )
    return spent


def _set_up(directory: Path, server: dovecot.Server) -> None:
    store, now = open_store(directory), datetime.now(UTC)
    user = create_user(store, email=EMAIL, name="Bench", by=None, now=now)
    wanted = mailboxes.Wanted(
        address=ADDRESS,
        host=dovecot.HOST,
        login=dovecot.USER,
        port=server.port,
        security="none",
        users=(user,),
    )
    mailboxes.create(
        store,
        None,
        wanted,
        dovecot.PASSWORD,
        key=load_key(directory, ""),
        allow_clear=True,
        now=now,
    )
    store.close()


def _mbsync(program: Path, directory: Path, server: dovecot.Server, *, fsync: bool) -> Spent:
    config, mail = directory / "config", directory / "mail"
    config.write_text(
        f"FSync {'yes' if fsync else 'no'}\nSyncState *\n\n"
        f"IMAPAccount bench\nHost {dovecot.HOST}\nPort {server.port}\nUser {dovecot.USER}\n"
        f"Pass {dovecot.PASSWORD}\nSSLType None\nAuthMechs LOGIN\n\n"
        "IMAPStore far\nAccount bench\n\n"
        f"MaildirStore near\nInbox {mail}\n\n"
        "Channel bench\nFar :far:\nNear :near:\nSync Pull\nCreate Near\n"
    )
    spent, _ = run_whole(
        [program, "--config", config, "--quiet", "bench"], env=bare_environment(directory)
    )
    return spent


def _figures(spent: dict[str, list[Spent]], server: dovecot.Server) -> dict[str, float]:
    figures: dict[str, float] = {"sync_messages": server.messages}
    for name, some in spent.items():
        figures[f"{name}_seconds"] = median(one.wall_seconds for one in some)
        figures[f"{name}_cpu_seconds"] = median(one.cpu_seconds for one in some)
    if "mbsync" in spent:
        figures["sync_ratio"] = figures["sync_seconds"] / figures["mbsync_seconds"]
    return figures


def _each_round(spent: dict[str, list[Spent]], server: dovecot.Server) -> list[str]:
    """So that one sees how far the figures waver."""
    lines = [f"Dovecot {server.version}; wall seconds of each round:"]
    for name, some in spent.items():
        lines.append(f"{_NAMES[name]:<20} {' '.join(f'{one.wall_seconds:7.2f}' for one in some)}")
    return lines
