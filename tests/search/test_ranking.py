"""Sort by relevance: fixed points, then the newest; never a trace of mail one may not see."""

import pytest

from app import search as search_module
from app.search.index import MessageIndex
from app.search.query import parse
from app.search.schema import sort_key
from app.store import folders
from app.store.visibility import scopes_of_viewer, viewer_of
from tests.search.conftest import add_account, mail
from tests.search.test_search_messages import facts, search, subjects

QUOTED = "Dzięki.\n\nOn Monday Jan wrote:\n> {}\n"


def ranked(house, text, **options):
    return search(house, text, sort="relevance", **options)


@pytest.mark.parametrize(
    ("text", "better", "worse"),
    [
        ("beton", mail("Beton"), mail("Oferta", "Beton od jutra.")),
        ("betonu", mail("a", "Dostawa betonu."), mail("b", "Beton od jutra.")),
        ("faktura", mail("Faktury"), mail("b", "Jest faktura.")),
        ("beton", mail("a", "Betonem zajmę się jutro."), mail("b", QUOTED.format("beton"))),
        ("zając", mail("a", "Pan Zając dzwonił."), mail("b", "Jutro.\n\nPozdrawiam\nJan Zając")),
        ("zając", mail("a", "Pan Zając dzwonił."), mail("b", "Jutro.\n\n-- \nJan Zając")),
        ("beton", mail("a", "", attachment="beton.pdf"), mail("b", QUOTED.format("beton"))),
        ("FV20250311", mail("FV/2025/03/11"), mail("b", "Do FV-2025-03-11.")),
        ("spostex", mail("a", sender="Jan <jan@spostex.pl>"), mail("b", "Spostex dzwonił.")),
        ("cennik", mail("a", "x", attachment="cennik.pdf"), mail("b", "Nowy cennik.")),
        ("stary beton", mail("a", "Jest stary beton."), mail("b", "Beton bywa stary.")),
        ("umowa beton", mail("a", "Umowa o beton."), mail("b", f"Umowa {'i ' * 40} beton.")),
        ("zorza OR radom", mail("a", "Zorza, Radom."), mail("b", "Radom jest daleko.")),
        ("subject:umowa", mail("Umowa"), mail("Umowy")),
        ('"nowa umowa"', mail("Nowa umowa"), mail("b", "To nowa umowa.")),
        ("fakt*", mail("Faktura"), mail("b", "Fakt jest taki.")),
    ],
)
def test_an_older_message_that_answers_better_is_first(house, text, better, worse):
    best, other = house.receive(better), house.receive(worse)
    house.index()

    found = [hit.row.message.id for hit in ranked(house, text).hits]

    assert found == [best, other]


def test_of_equal_ones_the_newest_is_first(house):
    for number in range(3):
        house.receive(mail(f"Faktura {number}"))
    house.index()

    assert subjects(ranked(house, "faktura")) == ["Faktura 2", "Faktura 1", "Faktura 0"]


def test_pages_by_relevance_follow_and_go_back(house):
    for number in range(3):
        house.receive(mail(f"Faktura {number}"))
        house.receive(mail(f"Oferta {number}", "Jest też faktura."))
    house.index()

    first = ranked(house, "faktura", limit=2)
    second = ranked(house, "faktura", limit=2, before=first.older)
    third = ranked(house, "faktura", limit=2, before=second.older)
    back = ranked(house, "faktura", limit=2, after=second.newer)

    assert [subjects(page) for page in (first, second, third)] == [
        ["Faktura 2", "Faktura 1"],
        ["Faktura 0", "Oferta 2"],
        ["Oferta 1", "Oferta 0"],
    ]
    assert facts(back) == facts(first)
    assert (first.newer, third.older, third.total, third.total_is_exact) == ("", "", 6, True)


def test_a_cursor_that_matches_no_more_starts_at_the_top_and_says_so(house):
    house.receive(mail("Faktura"))
    other = house.receive(mail("Oferta"))
    house.index()
    cursor = search(house, "oferta").hits[0].row.message

    page = ranked(house, "faktura", before=cursor.public_id)

    assert cursor.id == other
    assert (subjects(page), page.query.notes) == (["Faktura"], (search_module.MOVED,))


def test_of_very_many_the_best_are_sorted_and_a_note_says_so(house, monkeypatch):
    monkeypatch.setattr(search_module, "MOST_RANKED", 3)
    for number in range(6):
        house.receive(mail(f"Faktura {number}"))
    house.index()

    first = ranked(house, "faktura", limit=1)
    last = ranked(house, "faktura", limit=5)

    assert (first.total, first.query.notes) == (6, ())
    assert last.query.notes == (search_module.BEST,)
    assert (subjects(last)[0], last.older) == ("Faktura 5", "")


def test_a_longer_order_begins_with_the_shorter_one_also_among_ties(house):
    """The engine leaves ties in the order of its files, which other mail changes."""
    for number in range(6):
        house.receive(mail(f"Faktura {number}"))
        house.receive(mail("Oferta", "Jest faktura."))
        house.index()
    index = MessageIndex.open(house.directory)
    ast, scopes = parse("faktura").ast, scopes_of_viewer(house.alice)

    whole = index.rank(ast, scopes, limit=100)
    orders = [index.rank(ast, scopes, limit=limit) for limit in range(1, 12)]

    assert len(whole.ids) == 12
    assert all(order.ids == whole.ids[: len(order.ids)] != () for order in orders)


def test_hidden_mail_does_not_move_the_order(house):
    """R46: not its words, nor where its documents lie among the others."""
    for number in range(4):
        house.receive(mail(f"Faktura {number}", "beton " * number))
        house.receive(mail("Oferta", f"faktury za beton, {number}"))
    house.index()
    before = [facts(ranked(house, text, limit=3)) for text in ("faktura", "faktura beton")]

    account = add_account(house.store, "hidden@team.example", [house.bob.user_id])
    hidden = folders.ensure(house.store, account.id, "INBOX")
    for number in range(20):
        house.receive(mail(f"Faktura za beton {number}", "beton faktura"), folder=hidden)
        house.index()
    after = [facts(ranked(house, text, limit=3)) for text in ("faktura", "faktura beton")]

    bob = viewer_of(house.store, house.bob.user_id)
    assert ranked(house, "faktura", viewer=bob).total == 20
    assert after == before


@pytest.mark.parametrize("queue", ["select 1", "delete from index_queue"])
def test_what_the_store_no_longer_shows_leaves_no_gap_in_the_order(house, queue):
    record = house.record("Spostex")
    ids = [house.receive(mail(f"Faktura {number}")) for number in range(4)]
    for one in ids:
        house.file(one, record)
    house.index()
    assert subjects(ranked(house, "faktura", viewer=house.bob, limit=2)) == [
        "Faktura 3",
        "Faktura 2",
    ]

    house.unfile(ids[2], record)
    house.store.archive.conn.execute(queue)
    page = ranked(house, "faktura", viewer=house.bob, limit=2)

    assert subjects(page) == ["Faktura 3", "Faktura 1"]
    assert page.total == 3


def test_a_message_of_any_age_has_a_place_in_the_order(house):
    for year in (1901, 1970, 1999, 2047, 2200):
        message = mail(f"Faktura {year}", Date=f"Fri, 1 Mar {year} 10:00:00 +0000")
        house.receive(message)
    house.index()

    page = ranked(house, "faktura")

    keys = [sort_key(hit.row.message.sort_at, hit.row.message.id) for hit in page.hits]
    assert keys == sorted(keys, reverse=True)
    assert page.total == 5
