"""Import a file: uploaded to disk, checked, brought in by the worker, removed."""

import base64
import gzip
import io
import random
import re
import stat
import threading
import zipfile
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from httpx import Response
from litestar.testing import TestClient

from app import jobs as worker
from app.main import create_app
from app.settings import Settings
from app.store import accounts, jobs, queue
from tests import make
from tests.make import mail
from tests.web.conftest import ORIGIN, Browser, Team

PAGE = "/email/accounts/import"
LF = mail("Beton", message_id="<1@x>").replace(b"\r\n", b"\n")
OTHER = mail("Zaprawa", message_id="<2@x>").replace(b"\r\n", b"\n")
FROM = b"From a@b Fri Mar 14 08:00:00 2025\n"
MBOX = FROM + LF + b"\n" + FROM + OTHER


def upload(
    browser: Browser,
    content: bytes,
    name: str = "mail.mbox",
    *,
    token: str | list[str] = "",
    **fields: Any,
) -> Response:
    """Send the form as a browser does: fields in order, then the file."""
    return browser._client.post(
        PAGE,
        data={"_csrf": token or browser.token(PAGE), "address": "old@firma.pl", **fields},
        files={"file": (name, content)},
        follow_redirects=False,
    )


def uploads(team: Team) -> list[Path]:
    return sorted((team.store.directory / "uploads").glob("*"))


def addresses(team: Team) -> list[str]:
    return [account.address for account in accounts.all_accounts(team.store)]


def until(claim: Callable[[], object]) -> None:
    """Wait until the claim holds; a test whose claim never does fails after half a minute."""
    pause = threading.Event()
    for _ in range(600):
        if claim():
            return
        pause.wait(0.05)
    raise AssertionError(claim)


@pytest.fixture
def working(team: Team, settings: Settings) -> Iterator[None]:
    """A worker on the team's data directory; nothing but jobs is due."""
    team.store.archive.conn.execute("update accounts set due_at = unixepoch() + 3600")
    stop = threading.Event()
    thread = threading.Thread(target=worker.run_worker, args=(settings, stop))
    thread.start()
    until(lambda: jobs.is_worker_alive(team.store, now=datetime.now(UTC)))
    yield
    stop.set()
    thread.join(timeout=30)
    assert not thread.is_alive()


def result(browser: Browser, answer: Response) -> str:
    page = answer.headers["location"]
    until(lambda: "hx-get" not in browser.fragment(page).text)
    return " ".join(browser.fragment(page).text.split())


def zipped(**files: bytes) -> bytes:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return target.getvalue()


def test_a_file_makes_an_archive_only_mailbox_and_its_mail_is_in_the_queue(
    team, alice, working
) -> None:
    answer = upload(alice, MBOX)
    text = result(alice, answer)

    assert answer.status_code == 303
    assert "2 read: 2 new, 0 known" in text
    made = accounts.by_address(team.store, "old@firma.pl")
    assert (made.host, accounts.users(team.store, made.id)) == (None, [team.alice])
    page = queue.rows(team.store, team.viewer(team.alice), show="all", now=datetime.now(UTC))
    assert {row.message.subject for row in page.rows} == {"Beton", "Zaprawa"}
    until(lambda: uploads(team) == [])


def test_importing_twice_brings_nothing_new(team, alice, working) -> None:
    result(alice, upload(alice, MBOX))

    text = result(alice, upload(alice, zipped(**{"a.eml": LF, "b.txt": b"x"}), "mail.zip"))

    assert "1 read: 0 new, 1 known" in text


def test_an_own_mailbox_may_be_the_target(team, alice, working) -> None:
    answer = upload(alice, LF, "one.EML", account=team.office.public_id)

    assert "1 read: 1 new, 0 known" in result(alice, answer)
    assert "old@firma.pl" not in addresses(team)


def test_the_upload_is_for_its_owner_only_and_named_by_us(team, alice) -> None:
    upload(alice, MBOX, "../../../etc/passwd.mbox")

    (path,) = uploads(team)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert re.fullmatch(r"[0-9a-f]{32}\.mbox", path.name)
    assert path.read_bytes() == MBOX


def test_the_progress_is_shown(team, alice) -> None:
    page = upload(alice, MBOX).headers["location"]
    jobs.beat(team.store, now=datetime.now(UTC))
    job = jobs.claim(team.store, now=datetime.now(UTC))
    assert job is not None
    jobs.record_progress(team.store, job, {"read": 1200, "bytes": 50, "total": 200})

    text = alice.get(page).text

    assert 'value="25"' in text
    assert "1,200 messages read" in text


def test_without_a_worker_it_says_so(alice) -> None:
    page = upload(alice, MBOX).headers["location"]

    assert "no worker runs" in alice.get(page).text


@pytest.mark.parametrize(
    ("content", "name", "sentence"),
    [
        (b"", "mail.mbox", "mail.mbox is empty."),
        (b"\x89PNG....", "photo.png", "photo.png is neither an mbox file"),
        (b"PK\x03\x04broken", "mail.zip", "mail.zip is a damaged zip file."),
        (zipped(**{"a.txt": b"x"}), "mail.zip", "There is no mail in mail.zip."),
        (b"\x1f\x8b\x08\x00broken", "mail.mbox.gz", "mail.mbox.gz is damaged"),
        (b"From me to you\n", "a.mbox", "There is no mail in a.mbox."),
    ],
)
def test_what_is_no_mail_is_refused_and_nothing_is_left(
    team, alice, content, name, sentence
) -> None:
    answer = upload(alice, content, name)

    assert answer.status_code == 422
    assert sentence in answer.text
    assert str(team.store.directory) not in answer.text
    assert uploads(team) == []
    assert "old@firma.pl" not in addresses(team)


def test_no_file_is_said(team, alice) -> None:
    answer = alice._client.post(
        PAGE,
        data={"_csrf": alice.token(PAGE), "address": "old@firma.pl"},
        files={"file": ("", b"")},
        follow_redirects=False,
    )

    assert answer.status_code == 422
    assert "Choose a file of mail" in answer.text


def test_a_form_without_an_upload_is_refused_kindly(alice) -> None:
    assert alice.post(PAGE, seen_on=PAGE, address="old@firma.pl").status_code == 422


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"address": ""}, "no e-mail address"),
        ({"address": "old"}, "no e-mail address"),
        ({"account": "aaaaaaaaaaaaa"}, "Choose one of the mailboxes"),
    ],
)
def test_a_wrong_target_is_said_and_nothing_is_left(team, alice, fields, sentence) -> None:
    answer = upload(alice, MBOX, **fields)

    assert answer.status_code == 422
    assert sentence in answer.text
    assert uploads(team) == []


def test_anothers_mailbox_is_no_target(team, charlie) -> None:
    answer = upload(charlie, MBOX, account=team.office.public_id)

    assert answer.status_code == 422
    assert "office@firma.pl" not in answer.text
    assert uploads(team) == []


def test_others_are_refused_for_other_people(team, alice) -> None:
    """R9."""
    row = team.store.archive.conn.execute(
        "select public_id from users where id = ?", [team.charlie]
    ).fetchone()

    answer = upload(alice, MBOX, users=row[0])

    assert answer.status_code == 403
    assert uploads(team) == []
    assert "old@firma.pl" not in addresses(team)


def test_what_is_over_the_limit_is_not_kept(team, tmp_path) -> None:
    settings = Settings.from_env(
        {}, data=tmp_path / "data", public_url=ORIGIN, upload_limit=1_000_000
    )
    with TestClient(create_app(settings), base_url=ORIGIN) as client:
        client.cookies.set("letterbook", team.tokens["alice"])
        answer = upload(Browser(client), FROM + LF + b"x" * 1_100_000)

    assert answer.status_code == 413
    assert "larger than 1.0 MB" in answer.text
    assert uploads(team) == []


def test_a_large_file_passes_where_other_forms_end(team, alice) -> None:
    answer = upload(alice, FROM + LF + b"long line\n" * 300_000)

    assert answer.status_code == 303
    (path,) = uploads(team)
    assert path.stat().st_size > 3_000_000


@pytest.mark.parametrize("token", ["wrong", "0" * 64])
def test_without_the_token_nothing_is_written(team, alice, token) -> None:
    answer = upload(alice, MBOX, token=token)

    assert answer.status_code == 403
    assert uploads(team) == []


def test_a_second_token_does_not_mend_the_first(team, alice) -> None:
    """The guard reads the first; a file taken for the second would stay when it refuses."""
    answer = upload(alice, MBOX, token=["wrong", alice.token(PAGE)])

    assert answer.status_code == 403
    assert uploads(team) == []


def test_a_malformed_form_leaves_nothing(team, alice) -> None:
    boundary = "b"
    body = (
        f'--{boundary}\r\nContent-Disposition: form-data; name="_csrf"\r\n\r\n'
        f"{alice.token(PAGE)}\r\n--{boundary}\r\n"
        'Content-Disposition: form-data; name="file"; filename="a.mbox"\r\n\r\nFrom a@b '
    )

    answer = alice._client.post(
        PAGE,
        content=body,
        headers={"Content-Type": f"multipart/form-data; boundary={boundary}"},
    )

    assert answer.status_code == 400
    assert uploads(team) == []


def test_an_import_that_breaks_off_says_why_keeps_the_rest_and_removes_the_file(
    team, alice, working
) -> None:
    noise = base64.encodebytes(random.Random(1).randbytes(2_000_000))
    content = gzip.compress(MBOX + b"\n" + FROM + noise)

    answer = upload(alice, content[: len(content) // 2], "mail.mbox.gz")
    text = result(alice, answer)

    assert "mail.mbox.gz is damaged" in text
    assert str(team.store.directory) not in text
    assert len(make.message_ids(team.store)) == 2
    until(lambda: uploads(team) == [])


def test_anothers_import_is_not_there(team, alice, charlie) -> None:
    page = upload(alice, MBOX).headers["location"]

    hidden = charlie.get(page)

    assert hidden.status_code == 404
    assert hidden.text == charlie.get("/email/accounts/imports/aaaaaaaaaaaaa").text


def test_the_fragment_is_a_part_of_the_page(alice) -> None:
    page = upload(alice, MBOX).headers["location"]

    full, fragment = alice.get(page).text, alice.fragment(page).text

    assert "<!doctype" not in fragment
    assert " ".join(fragment.split()) in " ".join(full.split())


def test_administrators_import_for_others(team, admin) -> None:
    row = team.store.archive.conn.execute(
        "select public_id from users where id = ?", [team.bob]
    ).fetchone()

    answer = upload(admin, MBOX, users=row[0])

    assert answer.status_code == 303
    made = accounts.by_address(team.store, "old@firma.pl")
    assert accounts.users(team.store, made.id) == [team.bob]


def test_names_of_files_may_be_anything(team, alice) -> None:
    answer = upload(alice, MBOX, "\u202epdf.🏗️ <b>.mbox")

    assert answer.status_code == 303
    assert "<b>" not in re.sub(r"<b(ody|utton)", "", alice.get(answer.headers["location"]).text)
