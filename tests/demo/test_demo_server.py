"""The demo's IMAP server, spoken to as any client does."""

import imaplib
import re
import socket
from datetime import UTC, datetime

import pytest

from app.demo.served import ServedFolder, ServedMailbox, Stored
from app.demo.server import DemoServer
from app.mail.utf7 import decode_name, encode_name

AT = datetime(2026, 3, 5, 9, 30, tzinfo=UTC)
RAW = (
    b"From: a@x.example\r\nSubject: Beton\r\n =?utf-8?Q?=C5=82?=\r\nX-A: 1\r\n\r\n"
    b"Tre\xc5\x9b\xc4\x87\r\n"
)


@pytest.fixture
def server():
    folders = {
        "INBOX": ServedFolder(
            "INBOX", messages=[Stored(RAW, ("\\Seen",), AT), Stored(b"A: b\r\n\r\n", (), AT)]
        ),
        "Wysłane": ServedFolder("Wysłane", "\\Sent"),
        "Faktury & umowy": ServedFolder("Faktury & umowy"),
    }
    with DemoServer([ServedMailbox("biuro", 'se"cr\\et', folders)]) as running:
        yield running


@pytest.fixture
def client(server):
    opened = imaplib.IMAP4("127.0.0.1", server.port, timeout=10)
    opened.login("biuro", 'se"cr\\et')
    yield opened
    opened.logout()


@pytest.fixture
def wire(server):
    with socket.create_connection(("127.0.0.1", server.port), timeout=10) as caller:
        lines = caller.makefile("rb")
        lines.readline()

        def say(text, until):
            caller.sendall(text.replace("\n", "\r\n").encode())
            heard = b""
            while until not in heard:
                line = lines.readline()
                assert line
                heard += line
            return heard

        yield say
        lines.close()


def test_folders_are_listed_with_their_special_use_in_modified_utf_7(client):
    _, listed = client.list()

    assert listed == [
        b'(\\HasNoChildren) "/" "INBOX"',
        b'(\\HasNoChildren \\Sent) "/" "Wys&AUI-ane"',
        b'(\\HasNoChildren) "/" "Faktury &- umowy"',
    ]


def test_status_counts_messages_and_unseen(client):
    _, told = client.status("INBOX", "(MESSAGES UIDNEXT UIDVALIDITY UNSEEN)")

    assert re.fullmatch(rb'"INBOX" \(MESSAGES 2 UIDNEXT 3 UIDVALIDITY \d+ UNSEEN 1\)', told[0])


def test_a_message_is_given_byte_for_byte_whole_and_in_pieces(client):
    client.select("INBOX", readonly=True)

    _, whole = client.uid("FETCH", "1", "(UID FLAGS INTERNALDATE RFC822.SIZE BODY.PEEK[])")
    _, piece = client.uid("FETCH", "1", "(BODY.PEEK[]<5.10>)")
    _, beyond = client.uid("FETCH", "1", "(BODY.PEEK[]<5000.10>)")

    assert whole[0][1] == RAW
    assert b'FLAGS (\\Seen) INTERNALDATE "05-Mar-2026 09:30:00 +0000"' in whole[0][0]
    assert b"RFC822.SIZE %d" % len(RAW) in whole[0][0]
    assert (piece[0][1], b"BODY[]<5>" in piece[0][0]) == (RAW[5:15], True)
    assert beyond[0][1] == b""


def test_named_header_fields_are_given_with_their_folds(client):
    client.select("INBOX", readonly=True)

    _, told = client.uid("FETCH", "1", "(BODY.PEEK[HEADER.FIELDS (SUBJECT DATE)])")

    assert told[0][1] == b"Subject: Beton\r\n =?utf-8?Q?=C5=82?=\r\n\r\n"


@pytest.mark.parametrize(
    ("asked", "found"),
    [("ALL", b"1 2"), ("UID 2", b"2"), ("UID 2:*", b"2"), ("UID 9:*", b"2"), ("1,2", b"1 2")],
)
def test_search_knows_all_and_sets(client, asked, found):
    client.select("INBOX", readonly=True)

    assert client.uid("SEARCH", asked)[1] == [found]


def test_search_by_words_is_refused(client):
    client.select("INBOX", readonly=True)

    with pytest.raises(imaplib.IMAP4.error, match="BAD"):
        client.uid("SEARCH", "SUBJECT", "Beton")


@pytest.mark.parametrize(
    "command",
    [
        "SELECT INBOX", "APPEND INBOX {3}", "CREATE x", "DELETE INBOX", "RENAME INBOX x",
        "SUBSCRIBE INBOX", "STORE 1 +FLAGS (\\Seen)", "UID STORE 1 +FLAGS (\\Seen)", "EXPUNGE",
        "UID EXPUNGE 1", "COPY 1 INBOX", "UID COPY 1 INBOX", "UID MOVE 1 INBOX",
    ],
)  # fmt: skip
def test_every_verb_that_writes_is_refused(wire, command):
    wire('a LOGIN biuro "se\\"cr\\\\et"\nb EXAMINE INBOX\n', b"b OK")

    answer = wire(f"c {command}\n" + "abc\n" * ("{3}" in command), b"c ")

    assert b"c NO" in answer
    assert b"UNSEEN 1)" in wire("d STATUS INBOX (UNSEEN)\n", b"d OK")


@pytest.mark.parametrize(
    "command", ["XYZZY", "UID FETCH 1 BODY[]", "STARTTLS", "UID FETCH x FLAGS"]
)
def test_what_is_not_offered_is_bad(wire, command):
    wire('a LOGIN biuro "se\\"cr\\\\et"\nb EXAMINE INBOX\n', b"b OK")

    assert b"c BAD" in wire(f"c {command}\n", b"c ")


def test_a_wrong_password_lets_nobody_in(wire):
    assert b"a NO [AUTHENTICATIONFAILED]" in wire("a LOGIN biuro wrong\n", b"a ")
    assert b"b NO" in wire('b LIST "" *\n', b"b ")
    assert b"c NO" in wire('c LOGIN nobody ""\n', b"c ")


def test_authenticate_plain_takes_the_password(server):
    client = imaplib.IMAP4("127.0.0.1", server.port, timeout=10)

    answer, _ = client.authenticate("PLAIN", lambda _: b'\0biuro\0se"cr\\et')

    assert answer == "OK"
    client.logout()


def test_a_literal_carries_a_password(wire):
    assert b"+ go on" in wire("a LOGIN biuro {8}\n", b"+")
    assert b"a OK" in wire('se"cr\\et\n', b"a ")


def test_a_delivered_mail_is_told_to_who_waits(server, wire):
    wire('a LOGIN biuro "se\\"cr\\\\et"\nb EXAMINE INBOX\n', b"b OK")
    wire("c IDLE\n", b"+ idling")

    uid = server.deliver("biuro", "INBOX", b"A: new\r\n\r\n", (), AT)
    told = wire("", b"EXISTS")

    assert (uid, told) == (3, b"* 3 EXISTS\r\n")
    assert b"c OK" in wire("DONE\n", b"c ")
    assert b"{10}\r\nA: new\r\n\r\n" in wire("d UID FETCH 3 (BODY.PEEK[])\n", b"d OK")


def test_it_stops_while_somebody_waits(server, wire):
    wire('a LOGIN biuro "se\\"cr\\\\et"\nb EXAMINE INBOX\nc IDLE\n', b"+ idling")

    server.stop()

    with pytest.raises(AssertionError):  # the line is cut
        wire("", b"never")


def test_it_listens_on_this_machine_only(server):
    assert server._listener.getsockname()[0] == "127.0.0.1"


@pytest.mark.parametrize(
    ("name", "wire_name"),
    [("INBOX", "INBOX"), ("Wysłane", "Wys&AUI-ane"), ("A&B", "A&-B"), ("台北", "&U,BTFw-")],
)
def test_names_are_written_as_rfc_3501_says(name, wire_name):
    assert encode_name(name) == wire_name
    assert decode_name(wire_name) == name
