"""The headers of every answer, errors included."""

import pytest

from tests.web.conftest import Browser

PAGE_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:;"
    " connect-src 'self'; form-action 'self'; frame-src 'self'; base-uri 'none';"
    " frame-ancestors 'none'"
)


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/email/queue", 200),
        ("GET", "/nothing", 404),
        ("GET", "/email/messages/nothing", 404),
        ("DELETE", "/email/queue", 405),
        ("POST", "/email/queue/check", 403),
        ("GET", "/email/messages/x/parts/x", 404),
        ("GET", "/healthz", 200),
    ],
)
def test_every_answer_carries_them(alice: Browser, method: str, path: str, status: int) -> None:
    answer = alice.request(method, path)

    assert answer.status_code == status
    assert answer.headers["content-security-policy"] == PAGE_POLICY
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["referrer-policy"] == "no-referrer"
    assert answer.headers["x-frame-options"] == "DENY"
    assert answer.headers["cache-control"] == "private, no-store"


def test_static_files_with_their_hash_stay_in_the_cache(alice: Browser) -> None:
    with_hash = alice.get("/static/app.css?v=1")
    without = alice.get("/static/app.css")

    assert with_hash.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert without.headers["cache-control"] == "no-cache"


def test_pages_hold_no_inline_script_or_style(alice: Browser) -> None:
    for path in ("/email/queue", "/email/archives", "/search", "/records/companies", "/nothing"):
        text = alice.get(path).text
        assert "<script>" not in text
        assert "<style" not in text
        assert " style=" not in text
        assert " onclick" not in text
        assert "hx-on" not in text


def test_an_unexpected_error_tells_nothing_of_itself(
    alice: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object, **__: object) -> None:
        raise RuntimeError("secret detail")

    monkeypatch.setattr("app.store.accounts.of_viewer", broken)

    answer = alice.get("/email/accounts")

    assert answer.status_code == 500
    assert "Something went wrong" in answer.text
    assert "secret detail" not in answer.text
    assert "Traceback" not in answer.text
