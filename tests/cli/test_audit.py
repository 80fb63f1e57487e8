"""Every command that changes something leaves a line of the operator's in the audit (R69)."""

from pathlib import Path

from app.cli import letterbook
from app.store import audit, open_store
from tests.cli.test_commands import PASSWORD, read, runner
from tests.make import mail

WITHOUT = {
    "run": "serves",
    "web": "serves",
    "worker": "serves",
    "demo": "is a data directory to play",
    "search": "reads",
    "suggest": "reads",
    "raw": "reads",
    "status": "reads",
    "bench": "reads",
    "sync": "reads the servers, as the worker does",
    "reindex": "derives the index anew",
    "account sign-in": "asks a provider; what it brings is audited, as on the page",
}


def steps(directory: Path) -> list[tuple[str, list[object], str]]:
    """The commands, what follows them, and the verb of their line, each after what it needs."""
    mailbox, message = "{account}", "{message}"
    dora = "dora@firma.pl"
    return [
        ("role add", ["auditor"], "create role"),
        ("user add", [dora, "--name", "Dora", "--admin", "--password-stdin"], "create user"),
        ("user add", ["ewa@firma.pl", "--name", "Ewa"], "create link"),
        ("user link", ["ewa@firma.pl"], "create link"),
        ("user deactivate", ["ewa@firma.pl"], "deactivate user"),
        ("record add", ["companies", "Spostex S.A."], "create record"),
        ("record import", [directory / "records.csv"], "import records"),
        ("team set", ["--name", "Firma"], "set team"),
        (
            "account add",
            ["box@firma.pl", "--host", "imap.firma.pl", "--password-stdin", "--user", dora],
            "create account",
        ),
        ("account pause", [mailbox], "pause account"),
        ("account resume", [mailbox], "resume account"),
        ("account close", [mailbox], "close account"),
        ("import", [directory / "one.eml", "--account", mailbox], "import"),
        ("file", [message, "companies", "Spostex S.A.", "--as", dora], "archive"),
        ("export", ["--query", "", "--as", dora, "--format", "mbox", directory / "m"], "export"),
        ("export", ["--all", "--format", "mbox", directory / "all"], "export all"),
        ("backup", [directory / "backup"], "backup"),
        ("verify", [], "verify"),
        ("verify", ["--repair"], "repair"),
        ("purge", [message, "--as", dora, "--reason", "asked for"], "purge"),
        ("restore", [directory / "backup", "--data", directory / "restored"], "restore"),
    ]


def test_every_command_is_in_one_of_the_lists(tmp_path: Path) -> None:
    told = {command for command, _, _ in steps(tmp_path)}

    assert told | WITHOUT.keys() == set(commands(letterbook))


def test_every_writing_command_leaves_a_line(tmp_path: Path) -> None:
    """R69: what was done, and that it was the operator, or the person he named."""
    directory, run = tmp_path / "data", runner(tmp_path / "data")
    (tmp_path / "one.eml").write_bytes(mail())
    (tmp_path / "records.csv").write_text("type,name\ncompanies,Betonex\n")
    ids = {"account": "", "message": ""}
    before: set[tuple[int, str]] = set()

    for command, more, verb in steps(tmp_path):
        words = [str(word).format_map(ids) for word in more]
        done = run(*command.split(), *words, stdin=PASSWORD + "\n")
        assert done.exit_code == 0, (command, done.output)
        lines = told(tmp_path / "restored" if command == "restore" else directory)
        new = {(line.id, line.verb) for line in lines} - before
        assert verb in {name for _, name in new}, command
        before |= new
        assert {line.address for line in lines} == {""}
        ids["account"] = ids["account"] or done.stdout.strip() * (command == "account add")
        if command == "import":
            hits = read(run("search", "beton", "--as", "dora@firma.pl", "--json"))["hits"]
            ids["message"] = hits[0]["id"]


def commands(group: object, path: str = "") -> list[str]:
    inner = getattr(group, "commands", None)
    if inner is None:
        return [path.strip()]
    return [name for key, one in inner.items() for name in commands(one, f"{path} {key}")]


def told(directory: Path) -> list[audit.Line]:
    store = open_store(directory)
    lines = [line for some in audit.every(store, audit.Wanted(), per_read=1000) for line in some]
    store.close()
    return lines
