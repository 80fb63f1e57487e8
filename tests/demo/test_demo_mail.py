"""The generator: the same mail each time, in the shares that it promises."""

import subprocess
import sys
from collections import Counter
from datetime import UTC, datetime, timedelta
from functools import cache
from hashlib import sha256
from itertools import islice

import pytest

from app.demo.company import COMPANY
from app.demo.mail import fresh_mail, generate
from app.mail import parse, split_quoted
from app.sync.answers import RemoteFolder
from app.sync.skip import skip_entries
from tests.demo.conftest import END

DIGEST = """
from datetime import UTC, datetime
from hashlib import sha256
from app.demo.mail import generate
made = sha256()
for mail in generate(messages=150, seed=5, end=datetime(2026, 3, 20, 15, tzinfo=UTC)):
    made.update(repr(mail).encode())
print(made.hexdigest())
"""


def digest(seed, messages=150):
    made = sha256()
    for mail in generate(messages=messages, seed=seed, end=END):
        made.update(repr(mail).encode())
    return made.hexdigest()


def share(mails, claim):
    return sum(map(claim, mails)) / len(mails)


@cache
def parsed_raw(raw):
    return parse(raw)


def parsed(mail):
    return parsed_raw(mail.deliveries[0].raw)


def test_the_same_seed_size_and_end_give_the_same_bytes_in_another_process():
    other = subprocess.run(
        [sys.executable, "-c", DIGEST], capture_output=True, text=True, check=True,
        env={"PYTHONHASHSEED": "77"},
    )  # fmt: skip

    assert other.stdout.strip() == digest(5)


def test_another_seed_gives_other_mail():
    assert digest(5) != digest(6)


@pytest.mark.parametrize("messages", [0, 1, 2, 50, 777])
def test_any_size_gives_just_so_many_mails_in_the_order_of_their_dates(messages):
    mails = list(generate(messages=messages, seed=1, end=END))

    assert len({mail.internet_message_id for mail in mails}) == messages
    assert [mail.sent_at for mail in mails] == sorted(mail.sent_at for mail in mails)
    assert all(mail.sent_at < END for mail in mails)


def test_a_million_mails_begin_at_once():
    first = list(islice(generate(messages=1_000_000, seed=1, end=END), 5))

    assert len(first) == 5


def test_two_thousand_mails_span_three_years(two_thousand):
    assert END - two_thousand[0].sent_at > timedelta(days=1050)
    assert END - two_thousand[-1].sent_at < timedelta(minutes=10)


def test_two_languages_and_four_types_of_record_are_there(two_thousand):
    types = Counter(mail.record and mail.record[0] for mail in two_thousand)

    assert 0.6 < share(two_thousand, lambda mail: mail.language == "pl") < 0.9
    assert set(types) == {"companies", "projects", "warehouse", "contacts", None}
    assert min(types.values()) > 40


def test_every_truth_is_a_record_of_the_company(two_thousand):
    known = {(record.type, record.name) for record in COMPANY.records}

    assert {mail.record for mail in two_thousand} - {None} <= known


def test_about_three_hundred_are_filed_some_for_roles_only(two_thousand):
    filings = [mail.filing for mail in two_thousand if mail.filing]

    assert 240 < len(filings) < 360
    assert 10 < sum(bool(filing.roles) for filing in filings) < 80


def test_who_filed_reads_the_mailbox_and_sees_the_record(two_thousand):
    for mail in two_thousand:
        if mail.filing:
            person = COMPANY.person(mail.filing.by)
            record = COMPANY.record(*mail.record)
            boxes = [COMPANY.by_address[copy.mailbox] for copy in mail.deliveries]
            assert any(person.address in box.users for box in boxes)
            assert not record.roles or set(record.roles) & set(person.roles)


def test_twenty_five_fresh_mails_are_unread_and_unfiled(two_thousand):
    fresh = [mail for mail in two_thousand if mail.is_fresh]

    assert fresh == two_thousand[-25:]
    assert all(mail.record and not mail.filing for mail in fresh)
    assert all(not copy.flags for mail in fresh for copy in mail.deliveries)
    assert all(END - mail.sent_at < timedelta(days=3) for mail in fresh)


def test_three_fresh_mails_name_two_companies(two_thousand):
    names = [record.name for record in COMPANY.records if record.type == "companies"]
    fresh = [parsed(mail).text for mail in two_thousand if mail.is_fresh]
    named = [{name for name in names if name in text and name != "Adamski"} for text in fresh]

    assert sum(len(some) >= 2 for some in named) in (2, 3)


def test_a_third_or_so_carries_attachments_of_five_kinds(two_thousand):
    leaves = [[leaf for leaf in parsed(m).leaves if leaf.is_attachment] for m in two_thousand]
    kinds = Counter(leaf.filename.rpartition(".")[2] for some in leaves for leaf in some)

    assert 0.2 < sum(map(bool, leaves)) / len(leaves) < 0.6
    assert set(kinds) == {"pdf", "docx", "xlsx", "png", "jpg"}


def test_the_same_file_is_in_several_mails(two_thousand):
    prices = [
        leaf.filename
        for mail in two_thousand
        for leaf in parsed(mail).leaves
        if leaf.filename.startswith("Cennik")
    ]

    assert max(Counter(prices).values()) > 2


def test_skipped_folders_hold_mail_of_no_concern(two_thousand):
    skipped = [mail for mail in two_thousand if mail.is_skipped]

    assert 40 < len(skipped) < 140
    assert all(mail.record is None and mail.filing is None for mail in skipped)


def test_is_skipped_is_what_our_own_rule_says(two_thousand):
    uses = {(b.address, f.name): f.special_use for b in COMPANY.mailboxes for f in b.folders}
    for mail in two_thousand:
        for copy in mail.deliveries:
            listed = RemoteFolder(copy.folder, uses[copy.mailbox, copy.folder], True, "/")
            (entry,) = skip_entries([listed], ("Trash", "Junk", "Spam", "Deleted", "Drafts"))
            assert (entry is not None) == mail.is_skipped


def test_copies_in_several_mailboxes_differ_in_their_traces_only(two_thousand):
    several = [m for m in two_thousand if len({c.mailbox for c in m.deliveries}) > 1]
    raws = [[copy.raw for copy in mail.deliveries] for mail in several]
    digests = [{parsed_raw(raw).content_digest for raw in some} for some in raws]

    assert len(several) > 500
    assert all(len(some) == 1 for some in digests)
    assert all(len({copy.raw for copy in mail.deliveries}) > 1 for mail in several)


def test_a_parser_finds_the_intended_defects_and_no_other(two_thousand):
    for mail in two_thousand:
        for copy in mail.deliveries:
            found = parsed_raw(copy.raw)
            assert found.defects == mail.defects
            assert found.internet_message_id == mail.internet_message_id
    assert any(mail.defects for mail in two_thousand)


def test_no_fact_is_left_open_and_no_letter_is_lost(two_thousand):
    for mail in two_thousand:
        found = parsed(mail)
        assert not set("{}|\ufffd") & set(found.subject + found.text)


def test_charsets_and_encodings_are_many(two_thousand):
    raws = [mail.deliveries[0].raw.lower() for mail in two_thousand]

    for charset in (b"utf-8", b"iso-8859-2", b"windows-1250", b"us-ascii"):
        assert sum(b"charset=" + charset in raw for raw in raws) > 20
    for encoding in (b"8bit", b"quoted-printable", b"base64"):
        assert sum(b"content-transfer-encoding: " + encoding in raw for raw in raws) > 100
    for kind in (b"alternative", b"related", b"mixed"):
        assert sum(b"multipart/" + kind in raw for raw in raws) > 50


def test_answers_quote_and_name_what_they_answer(two_thousand):
    by_id = {mail.internet_message_id for mail in two_thousand}
    answers = [found for found in map(parsed, two_thousand) if found.references]

    assert 0.25 < len(answers) / len(two_thousand) < 0.7
    assert all(set(found.references) <= by_id for found in answers)
    assert sum(bool(split_quoted(found.text)[1]) for found in answers) > len(answers) * 0.85


def test_new_texts_hardly_repeat(two_thousand):
    texts = Counter(split_quoted(parsed(mail).text)[0] for mail in two_thousand)

    assert len(texts) > 1_800


def test_live_mails_go_on_for_ever_and_differ():
    now = datetime(2026, 3, 20, 15, tzinfo=UTC)
    mails = [fresh_mail(1, number, now) for number in range(60)]

    assert len({mail.internet_message_id for mail in mails}) == 60
    assert mails == [fresh_mail(1, number, now) for number in range(60)]
    assert all(parsed(mail).defects == () and mail.deliveries for mail in mails)
