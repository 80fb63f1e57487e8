"""The readable text of a message, whatever its charset and transfer encoding were."""

import pytest

from app.store import Store, queue, snippets
from tests import make

TEXT = "Dziękuję, proszę o fakturę. Marta Zając, Łomianki"


def encoded(charset: str, transfer_encoding: str, body: bytes) -> bytes:
    head = (
        "From: a@b.pl\nSubject: x\nMessage-ID: <1@b.pl>\n"
        f"Content-Type: text/plain; charset={charset}\n"
        f"Content-Transfer-Encoding: {transfer_encoding}\n\n"
    )
    return head.encode() + body


def quoted(charset: str) -> bytes:
    return "".join(f"={byte:02X}" for byte in TEXT.encode(charset)).encode() + b"\n"


@pytest.mark.parametrize(
    "raw",
    [
        encoded("iso-8859-2", "quoted-printable", quoted("iso-8859-2")),
        encoded("windows-1250", "quoted-printable", quoted("windows-1250")),
        encoded("utf-8", "quoted-printable", quoted("utf-8")),
        encoded("iso-8859-2", "8bit", (TEXT + "\n").encode("iso-8859-2") * 4),
    ],
)
def test_the_text_is_read_as_it_was_written(store: Store, raw: bytes) -> None:
    make.deliver(store, make.account(store), raw)
    (message,) = make.message_ids(store)

    assert TEXT in snippets.texts(store, [message])[message]


def test_a_damaged_text_leaves_the_lists_readable(store: Store) -> None:
    alice = make.user(store, "Alice")
    box = make.account(store, alice)
    make.deliver(store, box, make.mail("One", text=f"{TEXT} " * 10))
    make.deliver(store, box, make.mail("Two", text="Beton. " * 40, message_id="<2@x>"), first_uid=2)
    make.damage(store, "kind = 1 and id = (select min(id) from blocks where kind = 1)")
    store.recent.clear()

    page = queue.rows(store, make.viewer(store, alice), now=make.NOW)

    assert [row.message.subject for row in page.rows] == ["Two", "One"]
    assert [row.message.preview[:5] for row in page.rows] == ["Beton", ""]
