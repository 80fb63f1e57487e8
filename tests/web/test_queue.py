"""The queue: its list, its tabs, its pane, the circles, and forced checks."""

import re
from datetime import UTC, datetime, timedelta

import pytest

from app import filing
from app.store import jobs
from tests.make import mail
from tests.web.conftest import Browser, Team


def test_it_lists_what_waits(team: Team, alice: Browser) -> None:
    """R38, R39."""
    team.deliver(mail("Faktura za beton"))

    text = alice.get("/email/queue").text

    assert "Faktura za beton" in text
    assert "Jan Kowal" in text
    assert "Email attached to" in text
    assert all(one in text for one in ("Check for new emails", "Archive new email", "Display"))


def test_others_see_nothing_of_it(team: Team, charlie: Browser) -> None:
    """R36."""
    team.deliver(mail("Faktura za beton"))

    text = charlie.get("/email/queue").text

    assert "Faktura" not in text
    assert "Nothing waiting." in text


def test_hostile_names_are_only_text(team: Team, alice: Browser) -> None:
    team.deliver(mail("<script>alert(1)</script>", sender='"<img src=x>" <a@b.pl>'))

    text = alice.get("/email/queue").text

    assert "<script>alert" not in text
    assert "<img" not in text
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in text


def test_archived_rows_name_their_visible_records(team: Team, alice: Browser) -> None:
    """R38, R48."""
    (one,) = team.deliver(mail("Faktura"))
    now = datetime.now(UTC)
    filing.file_message(team.store, team.viewer(team.bob), team.id_of(one), team.company, now=now)
    filing.file_message(team.store, team.viewer(team.alice), team.id_of(one), team.secret, now=now)

    text = alice.get("/email/queue").text

    assert "Spostex S.A." in text
    assert "Board" in text


def test_hidden_records_are_not_named(team: Team, sit_down) -> None:
    """A9."""
    (one,) = team.deliver(mail("Faktura"))
    viewer = team.viewer(team.alice)
    filing.file_message(team.store, viewer, team.id_of(one), team.secret, now=datetime.now(UTC))

    text = sit_down("bob").get("/email/queue").text

    assert "Board" not in text
    assert '<span class="chip neutral">Archived</span>' in text


def test_older_mail_is_one_click_away(team: Team, alice: Browser) -> None:
    """A2, R54."""
    old = datetime.now(UTC) - timedelta(days=400)
    team.store.archive.conn.execute("update accounts set created_at = unixepoch()")
    team.deliver(mail("Alte Rechnung"), received_at=old)

    waiting = alice.get("/email/queue").text
    everything = alice.get("/email/queue?show=all").text

    assert "Alte Rechnung" not in waiting
    assert "1 older - show" in " ".join(waiting.split())
    assert "Alte Rechnung" in everything


def test_it_is_paged_by_a_cursor(team: Team, alice: Browser) -> None:
    team.deliver(
        *(
            mail(f"Mail {n:03}", message_id=f"<{n}@x>", date=f"Fri, 14 Mar 2025 08:{n:02}:00 +0000")
            for n in range(55)
        )
    )

    first = alice.get("/email/queue").text
    older = re.search(r'rel="next" href="([^"]+)"', first)
    assert older
    second = alice.get(older.group(1).replace("&amp;", "&")).text

    assert "Mail 054" in first
    assert "Mail 004" not in first
    assert "Mail 004" in second
    assert 'rel="prev"' in second


@pytest.mark.parametrize("query", ["before=zz", "after=zz", "show=odd", "mailbox=zz", "job=zz"])
def test_odd_addresses_still_show_a_page(team: Team, alice: Browser, query: str) -> None:
    team.deliver(mail())

    assert alice.get(f"/email/queue?{query}").status_code == 200


@pytest.mark.parametrize("page", ["/email/queue", "/email/archives"])
def test_the_pane_is_a_part_of_the_page(team: Team, alice: Browser, page: str) -> None:
    """R68: what is opened beside the queue and the archives stands in the address."""
    (one,) = team.deliver(mail("Faktura"))
    path = f"{page}?open={one}"

    full = alice.get(path).text
    fragment = alice.fragment(path, target="pane").text

    assert "<!doctype" not in fragment
    assert " ".join(fragment.split()) in " ".join(full.split())


@pytest.mark.parametrize("page", ["/email/queue", "/email/archives"])
def test_a_hidden_message_does_not_open_in_the_pane(
    team: Team, charlie: Browser, page: str
) -> None:
    (one,) = team.deliver(mail("Faktura"))

    hidden = charlie.get(f"{page}?open={one}")
    missing = charlie.get(f"{page}?open=aaaaaaaaaaaaa")

    assert hidden.status_code == missing.status_code == 404
    assert hidden.text == missing.text


@pytest.mark.parametrize(
    ("sent", "leads_to"),
    [
        ({"do": "archive"}, "/email/messages/{id}/attach"),
        ({"do": "display"}, "/email/messages/{id}"),
        ({"do": "archive", "message": ""}, "/email/queue?done=choose"),
        ({"do": "display", "message": "../../x"}, "/email/queue?done=choose"),
    ],
)
def test_the_toolbar_works_on_the_selection(
    team: Team, alice: Browser, sent: dict[str, str], leads_to: str
) -> None:
    (one,) = team.deliver(mail())

    answer = alice.post("/email/act", **({"message": one} | sent))

    assert answer.status_code == 303
    assert answer.headers["location"] == leads_to.format(id=one)


def test_nothing_selected_is_explained(alice: Browser) -> None:
    assert "Select a message first" in alice.get("/email/queue?done=choose").text


def test_the_circles_are_named(team: Team, alice: Browser) -> None:
    """R32, R33, R34."""
    team.deliver(mail())

    text = alice.get("/email/accounts").text

    assert "Queue, 1 unread on server, 1 new in the last 5 minutes" in " ".join(text.split())


def test_circles_are_hidden_at_nothing(charlie: Browser) -> None:
    """R35."""
    assert "badge" not in charlie.get("/email/accounts").text


def test_unchanged_circles_are_an_empty_answer(team: Team, alice: Browser) -> None:
    """R31."""
    team.deliver(mail())
    fragment = alice.fragment("/email/circles").text
    have = re.search(r'name="have" value="([^"]+)"', fragment)
    assert have

    answer = alice.fragment(f"/email/circles?have={have.group(1)}")

    assert answer.status_code == 204
    assert answer.text == ""


def test_new_rows_are_announced_and_do_not_move_the_list(team: Team, alice: Browser) -> None:
    """R31."""
    (first,) = team.deliver(mail("Erste", message_id="<1@x>"))
    team.deliver(mail("Zweite", message_id="<2@x>", date="Sat, 15 Mar 2025 08:00:00 +0000"), uid=2)

    text = alice.fragment(f"/email/circles?newest={first}").text

    assert 'id="news" aria-live="polite" hx-swap-oob="true"' in text
    assert "1 new message" in text
    assert "Zweite" not in text


def test_a_forced_check_is_a_job_of_ones_own(team: Team, alice: Browser, charlie: Browser) -> None:
    """R30."""
    jobs.beat(team.store, now=datetime.now(UTC))
    first = alice.post("/email/queue/check")
    second = alice.post("/email/queue/check")
    job = first.headers["location"].rpartition("=")[2]

    assert first.status_code == 303
    assert second.headers["location"] == first.headers["location"]
    assert "Checking..." in alice.get(first.headers["location"]).text
    assert "Checking..." in alice.fragment(f"/email/check/{job}").text
    assert alice.fragment(f"/email/check/{job}?waits=1").status_code == 204
    assert charlie.fragment(f"/email/check/{job}").status_code == 404


def test_a_check_without_a_worker_says_so(alice: Browser) -> None:
    answer = alice.post("/email/queue/check")

    assert "no worker runs" in alice.get(answer.headers["location"]).text


@pytest.mark.parametrize(
    ("refresh", "seconds"), [("60", "60"), ("1", "30"), ("x", ""), ("-5", ""), ("99999", "")]
)
def test_a_page_without_scripts_can_ask_for_itself(
    alice: Browser, refresh: str, seconds: str
) -> None:
    """R31."""
    text = alice.get(f"/email/queue?refresh={refresh}").text

    assert ('http-equiv="refresh" content="' in text) is bool(seconds)
    assert f'http-equiv="refresh" content="{seconds}' in text or not seconds


def test_the_result_of_a_check_is_told(team: Team, alice: Browser) -> None:
    job = alice.post("/email/queue/check").headers["location"].rpartition("=")[2]
    claimed = jobs.claim(team.store, now=datetime.now(UTC))
    assert claimed
    jobs.finish(team.store, claimed, result="3 new", error=None, now=datetime.now(UTC))

    answer = alice.fragment(f"/email/check/{job}?waits=1")

    assert "3 new" in answer.text
    assert "hx-trigger" not in answer.text
    assert answer.headers["hx-trigger"] == "checked"


def test_with_scripts_a_check_is_a_line_in_the_page(team: Team, alice: Browser) -> None:
    """R30: without a reload; a second press joins the first."""
    jobs.beat(team.store, now=datetime.now(UTC))
    fields = {"_csrf": alice.token("/email/queue")}
    address = "/email/queue/check"

    first, second = (alice.send(address, fields, **{"HX-Request": "true"}) for _ in range(2))

    assert first.status_code == 200
    assert "<!doctype" not in first.text
    assert "Checking..." in first.text
    assert second.text == first.text


def test_a_check_needs_the_token(alice: Browser) -> None:
    assert alice.send("/email/queue/check", {}).status_code == 403


def test_a_get_does_not_check(alice: Browser) -> None:
    assert alice.get("/email/queue/check").status_code == 405
