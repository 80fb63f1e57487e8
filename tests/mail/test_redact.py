"""A20: a copy shown to others has no Bcc, whatever its header block looks like."""

import pytest

from app.mail.redact import without_bcc


@pytest.mark.parametrize(
    "raw",
    [
        b"From: a@b\nBcc: secret@x.org\nSubject: s\n\nbody\n",
        b"From: a@b\r\nBCC : secret@x.org,\r\n other@x.org\r\nSubject: s\r\n\r\nbody\r\n",
        b"From: a@b\nResent-Bcc: secret@x.org\nbcc: secret@x.org\n\nbody\n",
        b"\n\nFrom: a@b\nBcc: secret@x.org\n\nbody\n",
        b"From: a@b\rBcc: secret@x.org\r\rbody\r",
        b"From x@y Fri Mar 14 08:00:00 2025\nBcc: secret@x.org\nFrom: a@b\n\nbody\n",
        b"From: a@b\nBcc: secret@x.org",
        b"From: a@b\nno field\nNot-Known: x\nBcc: secret@x.org\nResent-Bcc: secret@y\n\nbody\n",
        b"From: a@b\n" + b"X: y\n" * 5_001 + b"Bcc: secret@x.org,\n secret@y\nX: y\n\nbody\n",
        b"From: a@b\r\nX: " + b"y" * 1_100_000 + b"\r\nZ: z\r\nBcc: secret@x\r\n\r\nbody",
    ],
    ids=lambda raw: f"{len(raw)}-bytes",
)
def test_no_bcc_is_left(raw: bytes) -> None:
    shown = without_bcc(raw)

    assert b"secret" not in shown
    assert b"From: a@b" in shown
    assert (b"body" in shown) == (b"body" in raw)


def test_a_bcc_that_is_text_stays() -> None:
    raw = b"From: a@b\n\nBcc: this is the body\n"

    assert without_bcc(raw) == raw
