"""The judge of what IMAP servers hear: a test run ends badly after anything but reading."""

import pytest

from tests.heard import is_reading


@pytest.mark.parametrize(
    "command",
    [
        "A1 UID FETCH 1,2 (BODY.PEEK[])",
        "A1 UID FETCH 1 (BODY.PEEK[]<0.1048576>)",
        "A1 UID FETCH 1 (BODY.PEEK[HEADER.FIELDS (MESSAGE-ID SUBJECT)])",
        "A1 UID FETCH 1:5 (FLAGS) (CHANGEDSINCE 7)",
        "A1 UID FETCH 1 (RFC822.SIZE INTERNALDATE FLAGS X-GM-MSGID)",
        "A1 UID SEARCH ALL",
        'A1 EXAMINE "INBOX"',
        "A1 logout",
    ],
)
def test_reading_is_allowed(command: str) -> None:
    assert is_reading(command)


@pytest.mark.parametrize(
    "command",
    [
        "A1 UID FETCH 1 (BODY[])",
        "A1 UID FETCH 1 BODY[TEXT]",
        "A1 UID FETCH 1 (RFC822)",
        "A1 UID FETCH 1 (RFC822.TEXT)",
        "A1 UID FETCH 1 (FLAGS BODY[]<0.10>)",
        "A1 FETCH 1 (FLAGS)",
        'A1 SELECT "INBOX"',
        "A1 UID STORE 1 +FLAGS (\\Seen)",
        "A1 UID EXPUNGE 1",
        "A1 APPEND INBOX {3}",
        "A1 CLOSE",
    ],
)
def test_all_else_ends_the_run_badly(command: str) -> None:
    assert not is_reading(command)
