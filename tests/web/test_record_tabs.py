"""A record's tabs: its mail by month, a search within it, and every attachment once."""

import re
from base64 import b64encode
from datetime import UTC, datetime

import pytest

from app import filing, jobs
from app.settings import Settings
from app.store import archives
from app.store.archives import Filter
from tests import make
from tests.make import mail
from tests.web.conftest import Browser, Team


def with_file(
    name: str, content: bytes, *, key: str, date: str = "", subject: str = "Faktura"
) -> bytes:
    """A mail with an attachment of these bytes, a thousand times."""
    date = date or "Fri, 14 Mar 2025 08:00:00 +0000"
    content *= 1000  # what is smaller is kept inside its mail
    return (
        f"From: Jan <jan@spostex.pl>\r\nTo: office@firma.pl\r\nSubject: {subject}\r\n"
        f"Date: {date}\r\nMessage-ID: <{key}@x>\r\nMIME-Version: 1.0\r\n"
        "Content-Type: multipart/mixed; boundary=B\r\n"
        "\r\n--B\r\nContent-Type: text/plain\r\n\r\nW zalaczeniu.\r\n--B\r\n"
        "Content-Type: application/octet-stream\r\nContent-Transfer-Encoding: base64\r\n"
        f'Content-Disposition: attachment; filename="{name}"\r\n\r\n{b64encode(content).decode()}'
        "\r\n--B--\r\n"
    ).encode()


def file_all(team: Team, record: int, *raws: bytes, roles: tuple[int, ...] = ()) -> list[str]:
    """Deliver the mails and put them under a record; their public ids."""
    known = len(make.message_ids(team.store))
    ids = team.deliver(*raws, uid=known + 1)
    for one in ids:
        filing.file_message(
            team.store,
            team.viewer(team.alice),
            team.id_of(one),
            record,
            roles=roles,
            now=datetime.now(UTC),
        )
    return ids


@pytest.fixture
def base(team: Team) -> str:
    return f"/records/companies/{team.record(team.company)}"


def test_the_tabs_are_links_of_their_own(alice: Browser, base: str) -> None:
    """R60."""
    for tab in ("", "/emails", "/attachments"):
        assert f'href="{base}{tab}" aria-current="page"' in alice.get(base + tab).text


def test_mail_stands_by_month_and_only_what_is_attached(
    team: Team, alice: Browser, base: str
) -> None:
    """R60, R66: a mail of the record's own domain is not there unless somebody put it there."""
    file_all(
        team,
        team.company,
        mail("Luty", message_id="<1@x>", date="Mon, 03 Feb 2025 08:00:00 +0000"),
        mail("Marzec", message_id="<2@x>"),
        mail("Marzec bis", message_id="<3@x>", date="Sat, 15 Mar 2025 08:00:00 +0000"),
    )
    team.deliver(mail("Nie tu", message_id="<4@x>"), uid=9)

    text = alice.get(f"{base}/emails").text

    months = re.findall(r'scope="rowgroup">([^<]+)<', text)
    assert months == ["March 2025", "February 2025"]
    order = [text.index(f"<bdi>{name}</bdi>") for name in ("Marzec bis", "Marzec", "Luty")]
    assert order == sorted(order)
    assert "Nie tu" not in text


def test_pages_of_the_tab_lead_on_and_back(team: Team) -> None:
    file_all(team, team.company, *(mail(str(n), message_id=f"<{n}@x>") for n in range(5)))
    viewer, under = team.viewer(team.alice), Filter(record=team.company)

    first = archives.rows(team.store, viewer, only=under, limit=2)
    second = archives.rows(team.store, viewer, only=under, before=first.older, limit=2)
    third = archives.rows(team.store, viewer, only=under, before=second.older, limit=2)
    back = archives.rows(team.store, viewer, only=under, after=third.newer, limit=2)

    subjects = [[row.message.subject for row in page.rows] for page in (first, second, third, back)]
    assert subjects == [["4", "3"], ["2", "1"], ["0"], ["2", "1"]]
    assert (first.newer, third.older) == ("", "")


def test_the_order_follows_when_a_message_s_date_is_read_anew(team: Team) -> None:
    file_all(team, team.company, mail("A", message_id="<1@x>"), mail("B", message_id="<2@x>"))

    team.store.archive.conn.execute("update messages set sort_at = 1 where subject = 'B'")

    only = Filter(record=team.company)
    page = archives.rows(team.store, team.viewer(team.alice), only=only)
    assert [row.message.subject for row in page.rows] == ["A", "B"]


def test_what_one_may_not_read_is_on_no_tab(
    team: Team, alice: Browser, charlie: Browser, base: str
) -> None:
    """R46."""
    file_all(team, team.company, with_file("open.pdf", b"1", key="1", subject="Otwarty"))
    file_all(
        team,
        team.company,
        with_file("closed.pdf", b"2", key="2", subject="Zamkniety"),
        with_file("copy.pdf", b"1", key="3", subject="Kopia"),
        roles=(team.foreman,),
    )

    emails, files = charlie.get(f"{base}/emails").text, charlie.get(f"{base}/attachments").text

    assert "Otwarty" in emails
    assert "Zamkniety" not in emails + files
    assert "open.pdf" in files
    assert "copy.pdf" not in files
    assert "and 1 more" not in files
    assert "and 1 more" in alice.get(f"{base}/attachments").text
    secret = f"/records/projects/{team.record(team.secret)}/attachments"
    assert (alice.get(secret).status_code, charlie.get(secret).status_code) == (200, 404)


def test_each_file_stands_once_with_its_newest_mail(team: Team, alice: Browser, base: str) -> None:
    first, last = file_all(
        team,
        team.company,
        with_file("plan.dwg", b"same", key="1", date="Mon, 03 Feb 2025 08:00:00 +0000"),
        with_file("plan.dwg", b"same", key="2", subject="Nowszy"),
    )

    text = alice.get(f"{base}/attachments").text

    assert text.count("plan.dwg</bdi>") == 1
    assert f'href="/email/messages/{last}/parts/1"' in text
    assert first not in text
    assert "1 file" in text
    assert "and 1 more" in text


def test_files_are_filtered_by_name_and_type(team: Team, alice: Browser, base: str) -> None:
    file_all(
        team,
        team.company,
        with_file("Zamowienie.PDF", b"1", key="1"),
        with_file("zdjecie.jpg", b"2", key="2"),
        with_file("bez", b"3", key="3"),
    )

    def shown(query: str) -> list[str]:
        return re.findall(r"/parts/1\"><bdi>([^<]+)<", alice.get(f"{base}/attachments{query}").text)

    assert shown("?like=ZAMÓW") == ["Zamowienie.PDF"]
    assert shown("?kind=image") == ["zdjecie.jpg"]
    assert shown("?kind=other&like=bez") == ["bez"]
    assert shown("?kind=pdf&like=bez") == []
    assert len(shown("?kind=nonsense&after=nothing")) == 3


def test_files_come_in_pages(team: Team, alice: Browser, base: str) -> None:
    file_all(
        team, team.company, *(with_file(f"f{n}.pdf", b"%d" % n, key=str(n)) for n in range(51))
    )
    first = alice.get(f"{base}/attachments").text

    (older,) = re.findall(r'rel="next" href="([^"]+)"', first)
    second = alice.get(older.replace("&amp;", "&")).text

    assert (first.count("/parts/1"), second.count("/parts/1")) == (50, 1)
    assert "f0.pdf" in second
    assert 'rel="next"' not in second


def test_a_search_within_the_record_finds_only_there(
    team: Team, alice: Browser, settings: Settings, base: str
) -> None:
    file_all(team, team.company, mail("Faktura tutaj", message_id="<1@x>"))
    file_all(team, team.project, mail("Faktura gdzie indziej", message_id="<2@x>"))
    jobs.drain_index(settings)

    found = alice.get(f"{base}/emails?q=faktura")
    nothing = alice.get(f"{base}/emails?q=zaprawa")

    assert "tutaj" in found.text
    assert "indziej" not in found.text
    assert 'name="q" value="faktura"' in found.text
    assert "Nothing found under this record." in nothing.text


def test_a_record_put_away_keeps_its_mail_and_is_offered_no_more(
    team: Team, alice: Browser, settings: Settings, base: str
) -> None:
    file_all(team, team.company, mail("Faktura", message_id="<1@x>"))
    jobs.drain_index(settings)
    offered = "/email/attach/records?type=companies&like=spos"
    before = alice.fragment(offered).text

    alice.post(f"{base}/archive", seen_on=base)

    assert "Faktura" in alice.get(f"{base}/emails").text
    assert "Faktura" in alice.get("/search?q=faktura").text
    assert ">put away</span>" in alice.get(base).text
    assert ("Spostex" in before, "Spostex" in alice.fragment(offered).text) == (True, False)
    assert "Spostex" not in alice.get("/records/companies").text
    assert "Spostex" in alice.get("/records/companies?show=archived").text


@pytest.mark.parametrize("tab", ["/emails", "/attachments"])
def test_who_is_not_signed_in_and_bad_ids(
    team: Team, alice: Browser, stranger: Browser, base: str, tab: str
) -> None:
    wrong = f"/records/projects/{team.record(team.company)}{tab}"

    assert stranger.get(base + tab).headers["location"].startswith("/sign-in")
    assert alice.get(f"/records/companies/nothing{tab}").status_code == 404
    assert alice.get(wrong).status_code == 404
    assert alice.request("POST", base + tab).status_code in (403, 405)
