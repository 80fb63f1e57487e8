"""The command line is a contract (product.md 9): options, JSON keys, exit codes, sentences."""

import json
import shutil
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from app.cli import letterbook
from app.store import open_store
from tests import make
from tests.extract import documents

MAILDIR = Path(__file__).parents[1] / "corpus"
PASSWORD = "correct horse battery"
Run = Callable[..., Result]


def runner(directory: Path) -> Run:
    """Runs `letterbook` on a data directory."""

    def run_command(*words: object, stdin: str = "") -> Result:
        environment = {"LETTERBOOK_DATA": str(directory)}
        return CliRunner().invoke(letterbook, [str(w) for w in words], input=stdin, env=environment)

    return run_command


def read(result: Result):
    """The JSON that a command printed."""
    assert result.exit_code == 0, result.stderr
    return json.loads(result.stdout)


@pytest.fixture
def run(tmp_path: Path) -> Run:
    return runner(tmp_path / "data")


@pytest.fixture(scope="module")
def mbox(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three mails: two for Spostex, one of them with a quoted From line; one that names nobody."""
    mails = [
        make.mail("Faktura", text="Spostex S.A. przesyła fakturę za beton.", message_id="<1@s>"),
        make.mail("Betonu brak", text=">From the yard: no concrete.", message_id="<2@s>"),
        make.mail("Lunch", text="Soup today?", message_id="<3@s>", sender="Ann <ann@x.org>"),
    ]
    path = tmp_path_factory.mktemp("mail") / "old.mbox"
    path.write_bytes(
        b"".join(
            b"From a@b Fri Mar 14 08:00:00 2025\n"
            + raw.replace(b"\r\n", b"\n").replace(b"\n>From", b"\n>>From")
            + b"\n"
            for raw in mails
        )
    )
    return path


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory, mbox: Path) -> Path:
    """A team of Alice, Bob with the role foreman, one record, and the mbox in Alice's mailbox."""
    directory = tmp_path_factory.mktemp("filled") / "data"
    run = runner(directory)
    run("role", "add", "foreman")
    run("record", "add", "companies", "Spostex S.A.")
    for name, more in (("alice", ["--admin"]), ("bob", ["--role", "foreman"])):
        words = ["user", "add", f"{name}@firma.pl", "--name", name, *more, "--password-stdin"]
        assert run(*words, stdin=PASSWORD + "\n").exit_code == 0
    done = run("import", mbox, "--address", "old@firma.pl", "--user", "alice@firma.pl", "--json")
    assert read(done)["stored"] == 3
    return directory


@pytest.fixture
def archive(filled: Path, tmp_path: Path) -> Run:
    shutil.copytree(filled, tmp_path / "data")
    return runner(tmp_path / "data")


def first_hit(run: Run, query: str, who: str = "alice@firma.pl"):
    return read(run("search", query, "--as", who, "--json"))["hits"][0]


def test_search_gives_the_contracts_keys_and_finds_inflected_words(archive: Run) -> None:
    found = archive("search", "beton", "--as", "alice@firma.pl", "--json")

    document = read(found)
    assert set(document) >= {"query", "understood", "total", "total_is_exact", "took_ms", "hits"}
    assert document["total"] == 2
    assert set(document["hits"][0]) == {
        *("id", "subject", "from", "to", "sent_at", "snippet", "attached_to", "accounts"),
        "copies",
    }
    assert {hit["subject"] for hit in document["hits"]} == {"Faktura", "Betonu brak"}


def test_an_import_ends_with_its_attachments_searchable(archive: Run, tmp_path: Path) -> None:
    """R4."""
    pdf = documents.pdf("Faktura", "FV/2025/03/117")
    files = ("fv.pdf", pdf), ("locked.pdf", documents.locked_pdf())
    (tmp_path / "one.eml").write_bytes(documents.mail("Nowa", "Zobacz.", *files))

    archive("import", tmp_path / "one.eml", "--address", "old@firma.pl")

    hit = first_hit(archive, "FV/2025/03/117")
    assert hit["found_in"] == {"file": "fv.pdf", "place": "page 2", "snippet": "FV/2025/03/117"}
    said = archive("status").output
    assert "attachments: 1 read, 0 messages waiting" in said
    assert "1 not read: protected by a password" in said


def test_bob_does_not_find_what_alice_has_not_archived(archive: Run) -> None:
    found = read(archive("search", "beton", "--as", "bob@firma.pl", "--json"))

    assert (found["total"], found["hits"]) == (0, [])


def test_filing_opens_a_message_to_those_who_may_see_the_record(archive: Run) -> None:
    message = first_hit(archive, "faktura")["id"]

    filed = archive(
        "file", message, "companies", "spostex s.a.", "--as", "alice@firma.pl", "--json"
    )

    assert read(filed)["filed"]
    (record,) = first_hit(archive, "faktura", "bob@firma.pl")["attached_to"]
    assert record["name"] == "Spostex S.A."


def test_suggest_prefills_the_one_company_that_is_named(archive: Run) -> None:
    message = first_hit(archive, "faktura")["id"]

    document = read(archive("suggest", message, "--as", "alice@firma.pl", "--json"))

    (suggestion,) = document["suggestions"]
    assert document["message"] == message
    assert set(suggestion) == {"type", "record", "name", "score", "preselected", "reasons"}
    assert (suggestion["name"], suggestion["preselected"]) == ("Spostex S.A.", True)
    assert suggestion["reasons"]


def test_raw_gives_the_exact_bytes_by_id_and_by_hash(archive: Run) -> None:
    (copy,) = first_hit(archive, "yard")["copies"]

    by_id, by_hash = archive("raw", copy["id"]), archive("raw", copy["sha256"])

    assert by_id.stdout_bytes == by_hash.stdout_bytes
    assert "\n>From the yard" in by_id.stdout


def test_importing_again_brings_nothing_new(archive: Run, mbox: Path) -> None:
    again = archive("import", mbox, "--address", "old@firma.pl", "--json")

    assert {key: read(again)[key] for key in ("read", "stored", "known", "present")} == {
        "read": 3,
        "stored": 0,
        "known": 0,
        "present": 3,
    }


def test_status_and_verify_agree(archive: Run) -> None:
    status, verified = read(archive("status", "--json")), read(archive("verify", "--json"))

    assert {k: status[k] for k in ("messages", "copies", "locations", "queued_for_index")} == {
        "messages": 3,
        "copies": 3,
        "locations": 3,
        "queued_for_index": 0,
    }
    assert set(status["bytes"]) == {"raw", "stored", "database", "index"}
    (account,) = status["accounts"]
    assert set(account) == {"id", "address", "last_check", "unread", "new", "error", "folders"}
    assert account["folders"] == [
        {
            "name": "Imported",
            "seen": 3,
            "stored": 3,
            "known": 0,
            "skipped": 0,
            "failed": 0,
            "purged": 0,
        }
    ]
    assert (verified["faults"], verified["copies"]) == ([], 3)


def test_verify_gives_the_contracts_keys(archive: Run) -> None:
    verified = read(archive("verify", "--json"))

    assert set(verified) == {
        *("copies", "folders", "documents", "faults", "blobs", "blocks", "orphans", "damaged"),
    }
    assert archive("verify", "--sample", 2).stdout.startswith("2 copies, 1 folder and")


def test_verify_names_what_is_damaged_for_the_operator(archive: Run, tmp_path: Path) -> None:
    message = first_hit(archive, "soup")["id"]
    with closing(open_store(tmp_path / "data")) as store:
        make.damage(store, "kind = 0")

    done = archive("verify")

    assert done.exit_code == 1
    assert f"message {message}: copy " in done.stdout
    assert "It is in old@firma.pl (Imported)." in done.stdout
    assert "Lunch" not in done.stdout


def test_what_cannot_be_repaired_stays_listed(archive: Run, tmp_path: Path) -> None:
    with closing(open_store(tmp_path / "data")) as store:
        make.damage(store, "kind = 0")

    done = archive("verify", "--repair")

    assert done.exit_code == 1
    assert "No server has this copy." in done.stdout
    assert "No damage was repaired. 3 copies" in done.stdout
    assert archive("verify", "--repair", "--sample", 2).exit_code == 2


@pytest.mark.parametrize("at", [0, 100])
def test_a_database_that_is_none_is_one_sentence(archive: Run, tmp_path: Path, at: int) -> None:
    path = tmp_path / "data" / "mail.db"
    whole = bytearray(path.read_bytes())
    whole[at] ^= 1
    path.write_bytes(whole)

    done = archive("verify")

    assert done.exit_code == 1
    assert "Restore it from a backup." in done.stderr


def test_reindex_brings_a_lost_index_back(archive: Run, tmp_path: Path) -> None:
    for file in (tmp_path / "data" / "index").rglob("*"):
        if file.is_file():
            file.unlink()

    assert archive("reindex").exit_code == 0

    assert first_hit(archive, "soup")["subject"] == "Lunch"


def test_user_add_without_a_password_prints_a_one_time_link(run: Run) -> None:
    made = run("user", "add", "Eve@Firma.pl", "--name", "Eve", "--json")

    assert read(made)["link"].startswith("http://127.0.0.1:8000/sign-in/")
    assert run("user", "link", "eve@firma.pl").stdout.strip() != read(made)["link"]


def test_account_add_prints_its_id_and_keeps_the_password_from_view(
    archive: Run, tmp_path: Path
) -> None:
    words = ["account", "add", "a@x.pl", "--host", "127.0.0.1", "--security", "none"]
    made = archive(*words, "--user", "alice@firma.pl", "--password-stdin", stdin="canary-4711\n")

    account_id = made.stdout.strip()
    everything = b"".join(p.read_bytes() for p in (tmp_path / "data").glob("*") if p.is_file())
    ids = [account["id"] for account in read(archive("status", "--json"))["accounts"]]
    assert account_id in ids
    assert b"canary-4711" not in everything


def test_a_paused_or_closed_mailbox_is_not_synced_and_says_so(archive: Run) -> None:
    words = ["account", "add", "a@x.pl", "--host", "127.0.0.1", "--port", "1"]
    made = archive(*words, "--user", "alice@firma.pl", "--password-stdin", stdin="pw\n")
    account_id = made.stdout.strip()

    paused = archive("account", "pause", account_id)
    refused = archive("sync", "--account", account_id)
    without = archive("sync")
    resumed = archive("account", "resume", account_id)
    tried = archive("sync", "--account", account_id)
    closed = archive("account", "close", account_id)
    late = archive("account", "resume", account_id)

    assert [one.exit_code for one in (paused, resumed, closed)] == [0, 0, 0]
    assert [one.exit_code for one in (refused, without, tried, late)] == [1, 1, 1, 1]
    assert "is paused" in refused.stderr
    assert "none is there, or all are paused or closed" in without.stderr
    assert "refuses connections at port 1" in tried.stderr
    assert "is closed" in late.stderr


def test_team_set_keeps_what_is_not_named(run: Run) -> None:
    run("team", "set", "--name", "Kowalczyk Budownictwo", "--domain", "Kowalczyk.example")

    done = run("team", "set", "--language", "pl", "--timezone", "Europe/Warsaw", "--json")

    assert read(done) == {
        "names": ["Kowalczyk Budownictwo"],
        "domains": ["kowalczyk.example"],
        "language": "pl",
        "timezone": "Europe/Warsaw",
    }


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["search", "x", "--as", "nobody@firma.pl"], "There is no user nobody@firma.pl"),
        (["import", "/nowhere", "--address", "a@b.pl", "--user", "alice@firma.pl"], "no file"),
        (
            ["import", __file__, "--address", "a@b.pl", "--user", "alice@firma.pl"],
            "neither an mbox",
        ),
        (["import", __file__], "either --account ID, or --address"),
        (["import", MAILDIR, "--address", "new@b.pl"], "Say with --user"),
        (["record", "add", "ships", "Titanic"], "no record type 'ships'"),
        (["record", "add", "companies", "SPOSTEX s.a."], "already"),
        (["record", "add", "companies", " "], "Give the record a name"),
        (["record", "add", "companies", "X", "--domain", "x y"], "no domain"),
        (["record", "add", "companies", "X", "--role", "pilot"], "no role 'pilot'"),
        (["record", "import", "/nowhere.csv"], "no file /nowhere.csv"),
        (["record", "import", __file__], "first line must name the columns"),
        (["role", "add", " "], "Give the role a name"),
        (["user", "add", "alice@FIRMA.pl", "--name", "A"], "a user already"),
        (["user", "add", "alice", "--name", "A"], "no e-mail address"),
        (["file", "aaaa", "companies", "Spostex S.A.", "--as", "bob@firma.pl"], "no message"),
        (["suggest", "aaaa", "--as", "bob@firma.pl"], "no message"),
        (["raw", "aaaa"], "no copy aaaa"),
        (["sync", "--account", "aaaa"], "no mailbox aaaa"),
        (["sync"], "no mailbox to sync"),
        (["team", "set", "--timezone", "Mars/Base"], "no time zone"),
        (["bench", "--mbox", "/nowhere.mbox"], "no file or folder /nowhere.mbox"),
    ],
)
def test_bad_input_is_one_sentence_and_status_one(archive: Run, words, sentence) -> None:
    done = archive(*words)

    assert done.exit_code == 1
    assert sentence in done.stderr
    assert done.stderr.startswith("letterbook: ")
    assert done.stdout == ""


def test_a_wrong_option_is_a_usage_error(run: Run) -> None:
    assert run("search", "x").exit_code == 2


def test_a_file_that_is_no_mbox_leaves_no_account_behind(archive: Run) -> None:
    archive("import", __file__, "--address", "ghost@b.pl", "--user", "alice@firma.pl")

    addresses = [a["address"] for a in read(archive("status", "--json"))["accounts"]]
    assert addresses == ["old@firma.pl"]


def test_status_says_how_much_mail_is_still_to_be_read_again(tmp_path: Path) -> None:
    store = open_store(tmp_path)
    box = make.account(store)
    make.deliver(store, box, make.mail(), make.mail("B", message_id="<2@x>"))
    store.archive.conn.execute("update messages set parser_version = 1 where id = 1")
    store.close()
    run = runner(tmp_path)

    assert "re-reading: 1 of 2" in run("status").stdout
    assert read(run("status", "--json"))["to_reparse"] == 1


def test_purge_removes_a_message_by_its_id_for_an_administrator(tmp_path: Path) -> None:
    store = open_store(tmp_path)
    make.user(store, "Dora", is_admin=True)
    make.user(store, "Alice")
    make.deliver(store, make.account(store), make.mail(), make.mail("B", message_id="<2@x>"))
    public_id = make.public_id(store, make.message_ids(store)[0])
    store.close()
    run = runner(tmp_path)

    refused = run("purge", public_id, "--reason", "Court", "--as", "alice@firma.pl")
    silent = run("purge", public_id, "--reason", " ", "--as", "dora@firma.pl")
    done = read(run("purge", public_id, "--reason", "Court", "--as", "dora@firma.pl", "--json"))
    again = run("purge", public_id, "--reason", "Court", "--as", "dora@firma.pl")

    assert (refused.exit_code, silent.exit_code, again.exit_code) == (1, 1, 1)
    assert "alice@firma.pl is no administrator" in refused.stderr
    assert "Say why" in silent.stderr
    assert done == {"message": public_id, "purged": True}
    assert "1 messages" in run("status").stdout
