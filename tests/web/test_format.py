"""How dates and devices are written."""

from datetime import UTC, datetime, timedelta, timezone

import pytest

from app.web.format import clock, device, viewer_zone, when


@pytest.mark.parametrize(
    ("agent", "words"),
    [
        (
            "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0",
            "Firefox on Linux",
        ),
        ("Mozilla/5.0 (Windows NT 10.0) Chrome/140 Safari/537.36 Edg/140", "Edge on Windows"),
        ("Mozilla/5.0 (Macintosh; Intel Mac OS X) Version/19 Safari/605", "Safari on macOS"),
        ("Mozilla/5.0 (Linux; Android 16) Chrome/140 Mobile Safari/537", "Chrome on Android"),
        ("Mozilla/5.0 (iPhone; CPU iPhone OS 19 like Mac OS X) Safari/604", "Safari on iPhone"),
        ("curl/8.5", "curl/8.5"),
        ("x" * 300, "x" * 40),
        ("", "-"),
    ],
)
def test_a_device_is_two_words(agent: str, words: str) -> None:
    assert device(agent) == words


def test_dates_are_written_in_the_zone_of_who_looks() -> None:
    moment = datetime(2024, 12, 31, 23, 30, tzinfo=UTC)
    before = viewer_zone.set(timezone(timedelta(hours=2)))

    text, time = when(moment, is_long=True), clock(moment)
    viewer_zone.reset(before)

    assert "Wed 1 January 2025, 01:30" in text
    assert 'datetime="2024-12-31T23:30:00+00:00"' in text
    assert time == "01:30"
