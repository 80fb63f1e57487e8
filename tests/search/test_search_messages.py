import pytest

from app.search import search_messages
from app.store import extracts, folders
from app.store.extracts import Extract
from app.store.visibility import viewer_of
from tests.search.conftest import add_account, add_user, mail


def search(house, text, *, viewer=None, **options):
    return search_messages(house.store, viewer or house.alice, text, **options)


def subjects(page):
    return [hit.row.message.subject for hit in page.hits]


def facts(page):
    """All of a page that a viewer can see, but for the time it took."""
    return page.query, page.hits, page.total, page.total_is_exact, page.older


def test_a_hit_shows_row_subject_and_passage(house):
    house.receive(mail("Faktura za beton", "W załączeniu faktury za dostawę betonu."))
    house.index()

    page = search(house, "beton faktura")

    (hit,) = page.hits
    assert hit.row.message.subject == "Faktura za beton"
    assert [mark.text for mark in hit.subject_marks if mark.is_hit] == ["Faktura", "beton"]
    assert [mark.text for mark in hit.snippet if mark.is_hit] == ["faktury", "betonu"]
    assert (page.total, page.total_is_exact, page.older) == (1, True, "")
    assert page.query.understood == "text: beton faktura"


def test_html_entities_do_not_hide_words(house):
    message = mail("Oferta")
    message.set_content("<p>&#321;omianki &amp; fak&shy;tura</p>", subtype="html")
    house.receive(message)
    house.index()

    assert search(house, "lomianki faktura").total == 1


def test_newest_is_first_and_pages_follow(house):
    for number in range(5):
        house.receive(mail(f"Faktura {number}"))
    house.index()

    first = search(house, "faktura", limit=2)
    second = search(house, "faktura", limit=2, before=first.older)
    third = search(house, "faktura", limit=2, before=second.older)

    assert subjects(first) == ["Faktura 4", "Faktura 3"]
    assert subjects(second) == ["Faktura 2", "Faktura 1"]
    assert subjects(third) == ["Faktura 0"]
    assert [page.total for page in (first, second, third)] == [5, 5, 5]
    assert third.older == ""


def test_an_unknown_cursor_starts_again_and_says_so(house):
    house.receive(mail("Faktura"))
    house.index()

    page = search(house, "faktura", before="nosuchmessage")

    assert subjects(page) == ["Faktura"]
    assert page.query.notes


def test_nothing_typed_finds_nothing(house):
    house.receive(mail("Faktura"))
    house.index()

    assert facts(search(house, " "))[1:] == ((), 0, True, "")


def test_a_stranger_finds_nothing_of_a_mailbox(house):
    house.receive(mail("Faktura"))
    house.index()

    assert facts(search(house, "faktura", viewer=house.bob))[1:] == ((), 0, True, "")


def test_archived_mail_is_found_by_all_who_see_the_record(house):
    house.file(house.receive(mail("Faktura")), house.record("Spostex S.A."))
    house.index()

    page = search(house, "faktura", viewer=house.bob)

    assert subjects(page) == ["Faktura"]
    assert [record.name for record in page.hits[0].row.attached_to] == ["Spostex S.A."]


def test_in_archive_narrows_to_archived_mail(house):
    house.file(house.receive(mail("Faktura druga")), house.record("Spostex S.A."))
    house.receive(mail("Faktura"))
    house.index()

    assert subjects(search(house, "(faktura) in:archive")) == ["Faktura druga"]


def test_nothing_typed_leaves_the_archive_that_was_asked_for(house):
    house.receive(mail("Faktura"))
    house.index()

    page = search(house, "faktura) OR (faktura", in_archive=True)

    assert page.hits == ()


def test_mail_under_a_closed_record_is_absent_for_others(house):
    closed = house.record("Spostex S.A.", users=[house.alice.user_id])
    house.file(house.receive(mail("Faktura")), closed)
    house.index()

    assert search(house, "faktura").total == 1
    assert search(house, "faktura", viewer=house.bob).total == 0


def test_mail_that_was_just_hidden_changes_nothing(house):
    record = house.record("Spostex S.A.")
    house.file(house.receive(mail("Faktura jawna")), record)
    house.index()
    without = facts(search(house, "faktura", viewer=house.bob))
    hidden = house.receive(mail("Faktura tajna"))
    house.file(hidden, record)
    house.index()
    assert search(house, "faktura", viewer=house.bob).total == 2

    house.unfile(hidden, record)

    assert facts(search(house, "faktura", viewer=house.bob)) == without


def test_a_long_queue_does_not_let_hidden_mail_be_counted(house, monkeypatch):
    """What was hidden lies behind more changes than are looked at, and behind the first page."""
    monkeypatch.setattr("app.search.MOST_PENDING", 3)
    record = house.record("Spostex S.A.")
    hidden = [house.receive(mail(f"Faktura tajna {number}")) for number in range(8)]
    shown = [house.receive(mail(f"Faktura jawna {number}")) for number in range(3)]
    for message_id in (*hidden, *shown):
        house.file(message_id, record)
    house.index()

    for message_id in hidden:
        house.unfile(message_id, record)
    page = search(house, "faktura", viewer=house.bob, limit=2)
    probe = search(house, "tajna", viewer=house.bob, limit=1)

    assert subjects(page) == ["Faktura jawna 2", "Faktura jawna 1"]
    assert (page.total, page.total_is_exact) == (3, False)
    assert (probe.hits, probe.total, probe.total_is_exact) == ((), 0, False)


def test_the_second_check_holds_even_when_nothing_is_queued(house):
    record = house.record("Spostex S.A.")
    shown = [house.receive(mail(f"Faktura {number}")) for number in range(4)]
    for message_id in shown:
        house.file(message_id, record)
    house.index()
    house.unfile(shown[3], record)
    house.store.archive.conn.execute("delete from index_queue")

    page = search(house, "faktura", viewer=house.bob, limit=2)

    assert subjects(page) == ["Faktura 2", "Faktura 1"]
    assert page.total == 3
    assert page.older


def test_a_member_of_a_strict_mailbox_loses_what_was_archived_away(house):
    carol = add_user(house.store, "carol@team.example")
    strict = add_account(house.store, "hr@team.example", [house.bob.user_id, carol], is_strict=True)
    folder = folders.ensure(house.store, strict.id, "INBOX")
    message_id = house.receive(mail("Umowa"), folder=folder)
    house.index()
    viewer = viewer_of(house.store, carol)
    assert search(house, "umowa", viewer=viewer).total == 1

    house.file(message_id, house.record("Kadry", users=[house.alice.user_id]))

    assert search(house, "umowa", viewer=viewer).total == 0
    house.index()
    assert search(house, "umowa", viewer=viewer).total == 0
    assert search(house, "umowa").total == 1


def test_a_deleted_index_gives_an_empty_page_with_a_note(house):
    house.receive(mail("Faktura"))

    page = search(house, "faktura")

    assert (page.hits, page.total) == ((), 0)
    assert "rebuilt" in page.query.notes[0]


def test_text_of_an_attachment_is_found(house):
    message_id = house.receive(mail("Offer", "See there.", attachment="offer.pdf"))
    (one,) = extracts.attachments(house.store, [message_id])
    extracts.put(house.store, {one.source: Extract("read", "\fpage 1\nDeskowania ZAM/2025/211")})
    house.index()

    def found(text):
        return [hit.row.message.id for hit in search_messages(house.store, house.alice, text).hits]

    assert found("deskowanie") == found('"ZAM/2025/211"') == found("attachment:211") == [message_id]
    assert found("attachment:there") == found("attachment:offer") == found("page") == []
    assert search_messages(house.store, house.bob, "deskowanie").hits == ()


@pytest.mark.parametrize(
    ("text", "typed"),
    [
        ("Faktura FV/2025/03/117", ["FV/2025/03/117", "FV2025/03/117", "fv-2025-03-117"]),
        ("Faktura FV/2025/03/117", ["FV202503117", "2025/03", "FV/2025", "fv 2025 03 117"]),
        ("Odbiór [PRJ-42]", ["PRJ-42", "PRJ 42", "prj/42"]),
        ("Tel. +48 22 555 01 10", ["225550110", "22-555-01-10", "+48225550110", "22 555 01 10"]),
        ("Tel. 225550110", ["22-555-01-10", "225550110"]),
        ("PL61 1090 1014 0000 0712 1981 2874", ["PL61109010140000071219812874", "1014 0000"]),
        ("Pisz na jan.nowak@spostex.pl", ["jan.nowak@spostex.pl", "spostex.pl", "spostex"]),
    ],
)
def test_numbers_and_addresses_are_found_whole_and_in_parts(house, text, typed):
    house.receive(mail("Oferta", f"{text}, jak zawsze."))
    house.receive(mail("Inna", "FV/2024/11/3, PRJ-43, tel. +48 22 555 01 11, ola@huta.example"))
    house.index()

    for one in typed:
        page = search(house, one)
        assert subjects(page) == ["Oferta"], one
        assert any(mark.is_hit for mark in page.hits[0].snippet), one


@pytest.mark.parametrize(
    ("text", "typed"),
    [
        ("225550110", "22 555 01 10"),
        ("PL61109010140000071219812874", "PL61 1090 1014 0000 0712 1981 2874"),
    ],
)
def test_a_number_typed_with_blanks_finds_one_without(house, text, typed):
    house.receive(mail("Oferta", text))
    house.receive(mail("Inna", "PL61 1090, 22 555"))
    house.index()

    assert subjects(search(house, typed)) == ["Oferta"]


def test_a_number_typed_otherwise_is_marked_whole(house):
    house.receive(mail("Faktura FV/2025/03/117", "x"))
    house.index()

    (hit,) = search(house, "FV202503117").hits

    assert [mark.text for mark in hit.subject_marks if mark.is_hit] == ["FV/2025/03/117"]
