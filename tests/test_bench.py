"""letterbook bench: its figures by name, on the demo company's mail and on an mbox."""

import json
import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner

from app.bench import (
    dovecot,
    notmuch,
    run_pages_bench,
    run_suggest_bench,
    run_sync_bench,
    searching,
)
from app.bench.clock import Aside, run_whole
from app.bench.corpus import Corpus, write_maildir
from app.bench.figures import FIGURES, PAGES, SEARCH_KINDS, Measured, table
from app.bench.peers import measure_peer
from app.cli import letterbook
from app.errors import LetterbookError
from app.mail import parse

OWN = {
    *("messages", "raw_bytes", "import_rate", "import_wall_seconds", "peak_megabytes"),
    *("stored_ratio", "payload_ratio", "index_ratio", "maildir_ratio", "zstd_ratio"),
    *("text_read_ms", "text_read_p95", "message_read_p95", "search_p50", "search_p95"),
    *("further_copy_bytes", "attach_bytes"),
}
OF_THE_COMPANY = {
    *("stored_ratio_server", "suggest_precision", "suggest_recall", "suggest_top5"),
    "suggest_p95",
}
OF_SUGGEST = {
    *("suggest_precision", "suggest_recall", "suggest_top5", "suggest_records", "suggest_p50"),
    *("held_out_precision", "held_out_recall", "held_out_top5"),
    *("suggest_p95", "suggest_some_p95"),
}
OF_SYNC = {"sync_messages", "sync_ratio", "sync_seconds", "mbsync_seconds", "floor_seconds"}
OF_GROWTH = {"import_growth", "import_growth_wall", "import_first_rate", "import_last_rate"}
OF_PEERS = {
    "notmuch": {"notmuch_rate", "notmuch_index_ratio", "import_over_notmuch"},
    "mu": {"mu_rate", "mu_index_ratio", "import_over_mu"},
    "git": {"git_ratio"},
}


@pytest.fixture
def mbox(tmp_path: Path) -> Path:
    path = tmp_path / "tiny.mbox"
    path.write_text("\n".join(map(_mail, range(30))))
    return path


def test_the_company_is_measured_with_its_suggestions() -> None:
    done = CliRunner().invoke(letterbook, ["bench", "--messages", "300", "--json", "--no-peers"])

    figures = json.loads(done.stdout)
    assert figures.keys() >= OWN | OF_THE_COMPANY
    assert not figures.keys() & set().union(*OF_PEERS.values(), OF_GROWTH)
    assert figures["notes"] == ["No other programs were measured beside it (--no-peers)."]


def test_an_mbox_is_measured_beside_the_programs_that_are_installed(mbox: Path) -> None:
    done = CliRunner().invoke(
        letterbook, ["bench", "--mbox", str(mbox), "--growth", "300", "--json"]
    )

    figures = json.loads(done.stdout)
    installed = {name for name in OF_PEERS if shutil.which(name)}
    absent = OF_PEERS.keys() - installed
    assert figures["messages"] == 30
    assert figures["growth_messages"] == 300
    assert figures.keys() >= OWN | OF_GROWTH | set().union(*(OF_PEERS[n] for n in installed))
    assert {note.partition(" ")[0] for note in figures["notes"]} == absent
    assert not figures.keys() & OF_THE_COMPANY


@pytest.mark.dovecot
def test_a_first_sync_is_measured_beside_mbsync_where_it_is_installed(mbox: Path) -> None:
    arguments = ["bench", "--sync", "1", "--mbox", str(mbox), "--messages", "300", "--json"]

    done = CliRunner().invoke(letterbook, arguments)

    figures = json.loads(done.stdout)
    peers = {"sync_ratio", "mbsync_seconds", "floor_seconds"}
    assert figures["sync_messages"] == 30
    assert figures.keys() >= {"sync_seconds", "sync_cpu_seconds"}
    assert (
        peers <= figures.keys()
        or "mbsync is not installed: not measured beside it." in (figures["notes"])
    )


def test_without_dovecot_no_sync_is_measured(mbox: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dovecot, "program", lambda: None)

    measured = run_sync_bench([mbox], messages=30)

    assert measured == Measured({}, ("Dovecot is not installed: no first sync was measured.",))


def test_suggestions_are_measured_filed_and_cold_and_among_many_records() -> None:
    measured = run_suggest_bench(tuned=[(1, 40)], held_out=[(2, 30)], number=300, timed=50)

    assert measured.figures.keys() == OF_SUGGEST
    assert measured.figures["suggest_records"] == 300
    assert "suggest, seed 1, 40 mails: filed " in measured.notes[0]
    assert ", cold " in measured.notes[0]
    assert any(note.startswith("held_out, seed 2, 30 mails") for note in measured.notes)


def test_the_table_shows_goal_and_peer_beside_the_value() -> None:
    measured = Measured({"import_over_mu": 2.5, "index_ratio": 0.257, "mu_index_ratio": 1.7}, ())

    assert table(measured).splitlines()[1:] == [
        "import_over_mu              2.500        2",
        "index_ratio                 0.257     0.35  mu 1.700",
    ]


def test_every_figure_has_a_line_or_stands_beside_one() -> None:
    shown = {figure.name for figure in FIGURES} | {
        name for figure in FIGURES for _, name in figure.beside
    }

    assert (
        OWN | OF_THE_COMPANY | OF_SUGGEST | OF_GROWTH | OF_SYNC | set().union(*OF_PEERS.values())
        <= shown
    )


def test_a_growing_mbox_brings_other_mail_in_the_same_conversations(mbox: Path) -> None:
    mails = [parse(copy.raw) for copy in Corpus((mbox,)).grown(60, slice_size=30)]

    assert len({mail.internet_message_id for mail in mails}) == 60
    assert len({mail.content_digest for mail in mails}) == 60
    assert mails[31].references == (mails[30].internet_message_id,)
    assert mails[31].subject == mails[1].subject
    assert mails[31].text != mails[1].text


def test_the_company_is_the_same_at_each_run() -> None:
    assert list(Corpus(messages=20).copies()) == list(Corpus(messages=20).copies())


def test_what_is_set_aside_is_counted_once() -> None:
    aside = Aside()

    numbers = list(aside.each(sum(range(n)) for n in (10, 200_000)))

    assert numbers == [45, 19_999_900_000]
    assert aside.spent.cpu_seconds > 0


def test_a_program_that_fails_is_named_with_its_last_words(tmp_path: Path) -> None:
    program = tmp_path / "broken"
    program.write_text("#!/bin/sh\necho no such option\nexit 3\n")
    program.chmod(0o755)

    with pytest.raises(LetterbookError, match=r"broken failed \(3\).*no such option"):
        run_whole([program])


def _mail(number: int) -> str:
    head = f"In-Reply-To: <{number - 1}@list.example>\n" if number % 2 else ""
    return (
        f"From list Mon Jun  1 10:00:{number:02} 2026\n"
        f"From: Anna <anna@list.example>\nTo: list@list.example\n"
        f"Subject: [PATCH {number}] Mend the valve\n"
        f"Date: Mon, 01 Jun 2026 10:00:{number:02} +0000\n"
        f"Message-ID: <{number}@list.example>\n{head}\n"
        f"Please find the drawings number {number} below, they concern valves.\n"
    )


def test_pages_are_measured_over_http_beside_those_of_a_smaller_archive() -> None:
    measured = run_pages_bench(messages=300, records=100, asked=3, followed=2)

    beside = {f"{name}_p95{ending}" for name in PAGES for ending in ("", "_small")}
    assert beside <= measured.figures.keys()
    assert measured.figures["narrowed_still_seen"] == 0
    assert measured.figures["filed_found_seconds"] > 0


def test_searches_are_measured_by_kind_and_while_all_is_indexed_anew(
    mbox: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(searching, "DELIVERED", 1)
    arguments = ["bench", "--search", "--mbox", str(mbox), "--times", "4", "--json", "--no-peers"]

    done = CliRunner().invoke(letterbook, arguments)

    figures = json.loads(done.stdout)
    kinds = {f"search_{kind}_{p}" for kind in SEARCH_KINDS for p in ("p50", "p95")}
    others = {"search_growth", "search_few_p95", "search_page_p95", "rebuild_rate", "index_ratio"}
    assert figures.keys() >= kinds | others | {"searchable_seconds", "web_anon_megabytes"}
    assert figures["messages"] == 120
    assert figures["rebuild_answers_changed"] == 0
    assert "notmuch" in figures["notes"][0]


@pytest.mark.skipif(not shutil.which("notmuch"), reason="notmuch is not installed")
def test_notmuch_is_asked_for_the_same_mail(mbox: Path, tmp_path: Path) -> None:
    maildir = write_maildir(Corpus((mbox,)), tmp_path / "maildir")
    measure_peer("notmuch", maildir, tmp_path / "notmuch")

    with notmuch.opened(maildir) as peer:
        ids, count = peer.page("valve", limit=5)

    assert (len(ids), count) == (5, 30)
    assert ids[0] == b"29@list.example"
