"""What each route of the application is asked with, for tests/test_differential.py.

Values in braces are names of tests/twin_mail.py. A new route needs a line: a page in QUERIES, what
is sent in FORMS, and for a new part of a path its values in VALUES.
"""

from typing import Any
from urllib.parse import quote_plus

MAIL = [f"v{n}" for n in range(1, 8)] + [f"h{n}" for n in range(1, 6)] + ["missing"]
VALUES = {
    "message_id": MAIL,
    "record_id": ["company", "project", "site", "secret", "plot", "missing"],
    "record_type": ["=companies", "=projects", "=nothing"],
    "account_id": ["office", "private", "board", "missing"],
    "user_id": ["user-alice", "user-gone", "missing"],
    "role_id": ["=1", "=4", "=99"],
    "key": ["=companies", "=nothing"],
    "position": ["=0", "=1", "=9"],
    "file_path": ["=app.css", "=nothing"],
    "link": ["missing"],
    "public_id": ["missing", "user-alice"],
    "job": ["missing"],
    "token_id": ["missing"],
    "part": ["=0", "=1", "=9"],
    "external_id": ["=K-1", "=nothing"],
}
"""What stands in a path: names of tests/twin_mail.py, or with = in front the text itself."""

CURSORS = [f"{way}={{{name}}}" for way in ("before", "after") for name in MAIL]
WORDS = (
    *("fence", "gatehouse", "late", "wages", "secret", "agenda", "beton", "fense", '"the fence"'),
    *(
        "fence -gatehouse",
        "fenc*",
        "from:jan",
        "from:ola",
        "to:office",
        "subject:fence",
        "in:archive",
    ),
    *("in:queue", "has:attachment", "filename:plan", "is:unread", "before:2030", "after:2020"),
    *(
        'attached:"Spostex Secret S.A."',
        "attached:spostex",
        "attached:fence",
        "mailbox:alice@firma.pl",
    ),
    *("fence or wages", "(fence", "nothing-like-it"),
)
SEARCHES = [f"q={quote_plus(word)}" for word in WORDS]
FLASHES = [
    f"done={done}&message={{{message}}}&record={{{record}}}"
    for done in ("archived", "detached", "aside")
    for message in ("v1", "h2", "missing")
    for record in ("company", "secret")
]
PLAIN = [""]

QUERIES: dict[str, list[str]] = {
    "/": PLAIN,
    "/healthz": PLAIN,
    "/set-up": PLAIN,
    "/sign-in": ["", "next=/email/messages/{h1}"],
    "/sign-in/{link:str}": PLAIN,
    "/static/{file_path:path}": PLAIN,
    "/email/queue": [
        "",
        *(f"show={show}" for show in ("open", "all", "all-open", "aside", "nothing")),
        *(f"open={{{name}}}" for name in MAIL),
        *CURSORS,
        *FLASHES,
        *(f"show=all&mailbox={{{box}}}" for box in ("office", "private", "board", "missing")),
        *(f"{search}&show=all" for search in SEARCHES),
        *(f"q=fence&show=all-open&before={{{name}}}" for name in MAIL),
        *("q=fence", "q=fence&mailbox={private}&show=all"),
        "refresh=60",
        "job={missing}",
    ],
    "/email/queue/rows": ["", *(f"newest={{{name}}}&show=all" for name in MAIL), "newest=none"],
    "/email/check/{job:str}": PLAIN,
    "/email/circles": ["", *(f"newest={{{name}}}" for name in MAIL), "have=0.0.00.0"],
    "/email/messages/{message_id:str}": ["", "view=text"],
    "/email/messages/{message_id:str}/body": ["", "images=1"],
    "/email/messages/{message_id:str}/source.eml": PLAIN,
    "/email/messages/{message_id:str}/parts/{position:int}": PLAIN,
    "/email/attach/records": [
        *("", "like=spos&message={h1}", "like=fence&type=projects", "like=sec", "message={v1}"),
    ],
    "/email/messages/{message_id:str}/attach": [
        "",
        *(f"type=companies&record={{{record}}}" for record in VALUES["record_id"]),
        "candidate={secret}",
        "type=projects&like=fence",
        "type=companies&like=secret",
        "type=companies&record=new",
    ],
    "/email/messages/{message_id:str}/access": PLAIN,
    "/email/messages/{message_id:str}/who": PLAIN,
    "/email/messages/{message_id:str}/purge": PLAIN,
    "/email/archives": [
        "",
        *CURSORS,
        *SEARCHES,
        "q=fence&before={h2}",
        *(f"open={{{name}}}" for name in MAIL),
        *FLASHES,
        *(f"record={{{record}}}" for record in VALUES["record_id"]),
        *("type=companies", "type=projects", "attached=none", "q=fence&type=companies"),
        *("q=fence&record={secret}", "q=fence&attached=none"),
    ],
    "/email/attach": [
        "",
        *(f"message={{{one}}}" for one in ("v1", "h1", "missing")),
        "message={v1}&message={h1}",
        "message={v1}&message={missing}",
        "message={v1}&message={v2}&record={secret}",
    ],
    "/email/attach/result": [
        "",
        "record={secret}&at=1",
        "record={company}&at=1&already={h1}&missing={missing}",
    ],
    "/search": [
        "",
        *SEARCHES,
        *(f"{search}&sort=relevance" for search in SEARCHES),
        *(f"q=fence&before={{{name}}}" for name in MAIL),
        *(f"q=fence&sort=relevance&before={{{name}}}" for name in MAIL),
        *(f"q=fence&open={{{name}}}" for name in MAIL),
    ],
    "/records/{record_type:str}": [
        "",
        "like=s",
        "like=secret",
        "like=fence",
        "show=archived",
        *(f"{way}={{{name}}}" for way in ("before", "after") for name in VALUES["record_id"]),
    ],
    "/records/{record_type:str}/export.csv": PLAIN,
    "/record-import": PLAIN,
    "/record-import/template.csv": PLAIN,
    "/records/{record_type:str}/{record_id:str}": PLAIN,
    "/records/{record_type:str}/{record_id:str}/emails": [
        *("", "before={h2}", "after={h3}", "q=fence", "q=secret&before={h2}"),
    ],
    "/records/{record_type:str}/{record_id:str}/attachments": [
        *("", "like=plan", "kind=pdf", *(f"after={{{name}}}.1" for name in MAIL)),
    ],
    "/records/{record_type:str}/{record_id:str}/merge": [
        *("", "like=secret", "type=projects&like=fence"),
        *(f"into={{{name}}}" for name in VALUES["record_id"]),
    ],
    "/records/{record_type:str}/{record_id:str}/delete": PLAIN,
    "/records/{record_type:str}/{record_id:str}/emails/pick": ["", "q=fence", "before={h2}"],
    "/records/{record_type:str}/new": ["", "name=Fence"],
    "/records/{record_type:str}/{record_id:str}/edit": PLAIN,
    "/record-types": PLAIN,
    "/record-types/new": PLAIN,
    "/record-types/{key:str}/edit": PLAIN,
    "/users": PLAIN,
    "/users/new": PLAIN,
    "/users/{user_id:str}/edit": PLAIN,
    "/roles": PLAIN,
    "/roles/new": PLAIN,
    "/roles/{role_id:str}/edit": PLAIN,
    "/team": PLAIN,
    "/upkeep": PLAIN,
    "/audit/records/{record_id:str}": PLAIN,
    "/audit": [
        *("", "kind=filing", "who=operator", "since=2026-01-01", "before=1-1", "after=1-1"),
        *(f"of={{{name}}}" for name in (*MAIL, *VALUES["record_id"])),
    ],
    "/profile": PLAIN,
    "/profile/keys": PLAIN,
    "/profile/password": PLAIN,
    "/profile/sessions": PLAIN,
    "/email/accounts": PLAIN,
    "/email/accounts/{account_id:str}": PLAIN,
    "/email/accounts/{account_id:str}/first-sync": PLAIN,
    "/email/accounts/new": PLAIN,
    "/email/accounts/{account_id:str}/edit": PLAIN,
    "/email/accounts/provider": PLAIN,
    "/email/accounts/{account_id:str}/sign-in": PLAIN,
    "/email/accounts/sign-in": PLAIN,
    "/email/accounts/tests/{job:str}": PLAIN,
    "/email/accounts/finds/{job:str}": PLAIN,
    "/email/accounts/import": PLAIN,
    "/email/accounts/imports/{job:str}": PLAIN,
    "/profile/tokens": PLAIN,
    "/users/tokens": PLAIN,
    "/api/v1/schema": PLAIN,
    "/api/v1/messages/{message_id:str}": PLAIN,
    "/api/v1/messages/{message_id:str}/parts/{part:int}": PLAIN,
    "/api/v1/messages/{message_id:str}/source": PLAIN,
    "/api/v1/search": [
        "",
        *SEARCHES,
        *(f"{search}&sort=relevance" for search in SEARCHES),
        *(f"q=fence&cursor={{{name}}}" for name in MAIL),
    ],
    "/api/v1/record-types": PLAIN,
    "/api/v1/records": [
        *("", "show=all", "type=companies", "type=projects&q=fence", "q=secret"),
        *(f"cursor={{{name}}}" for name in VALUES["record_id"]),
    ],
    "/api/v1/records/{record_id:str}": PLAIN,
    "/api/v1/records/{record_type:str}/by-external-id/{external_id:path}": PLAIN,
    "/api/v1/records/{record_id:str}/messages": ["", "cursor={h3}", "cursor={v1}"],
    "/api/v1/roles": PLAIN,
    "/api/v1/users": PLAIN,
    "/email/accounts/{account_id:str}/ledger": ["", "folder=INBOX&part=stored"],
}
"""What each page is asked with, by the path of its route."""

EMPTY: list[dict[str, Any]] = [{}]
RECORDS = VALUES["record_id"]

FORMS: dict[str, list[dict[str, Any]]] = {
    "/email/messages/{message_id:str}/attach": [
        {},
        *({"type": "companies", "record": f"{{{one}}}"} for one in RECORDS),
        {"type": "companies", "record": "new", "name": "Spostex Secret S.A."},
        {"type": "projects", "record": "{project}", "roles": "4"},
    ],
    "/email/messages/{message_id:str}/detach": [
        *({"record": f"{{{one}}}", "back": "/email/archives"} for one in RECORDS)
    ],
    "/email/messages/{message_id:str}/access": [{}, {"roles": "1", "version": "x"}],
    "/email/messages/{message_id:str}/aside": EMPTY,
    "/email/messages/{message_id:str}/take-back": EMPTY,
    "/email/messages/{message_id:str}/purge": [{"reason": "a wish", "word": "no"}],
    "/email/act": [
        {"message": f"{{{one}}}", "do": verb}
        for one in ("v1", "h1", "h4", "missing")
        for verb in ("aside", "back", "display", "edit", "archive")
    ],
    "/email/attach": [
        {"message": f"{{{one}}}", "record": f"{{{record}}}"}
        for one in ("v1", "h1", "missing")
        for record in ("secret", "company", "missing")
    ],
    "/email/attach/undo": [
        {"at": "1"},
        *({"at": "1", "record": f"{{{record}}}"} for record in ("secret", "company", "missing")),
    ],
    "/email/queue/steps": EMPTY,
    "/email/queue/check": EMPTY,
    "/records/{record_type:str}/new": [
        {},
        {"name": "Spostex Secret S.A.", "access": "all"},
        {"name": "Fence", "access": "all"},
    ],
    "/records/{record_type:str}/{record_id:str}/edit": [{"name": "Fence", "access": "all"}],
    "/records/{record_type:str}/{record_id:str}/archive": EMPTY,
    "/records/{record_type:str}/{record_id:str}/restore": EMPTY,
    "/records/{record_type:str}/{record_id:str}/merge": [
        {"into": f"{{{one}}}", "version": "x"} for one in RECORDS
    ],
    "/records/{record_type:str}/{record_id:str}/delete": [{"version": "x"}],
    "/set-up": EMPTY,
    "/sign-in": [{"email": "alice@firma.pl", "password": "wrong"}],
    "/sign-in/{link:str}": EMPTY,
    "/sign-out": EMPTY,
    "/sign-in/as/{public_id:str}": EMPTY,
    "/record-types": [{"singular": "", "plural": ""}],
    "/record-types/{key:str}/edit": EMPTY,
    "/record-types/{key:str}/archive": EMPTY,
    "/record-types/{key:str}/restore": EMPTY,
    "/record-import": EMPTY,
    "/record-import/confirm": EMPTY,
    "/users": EMPTY,
    "/users/{user_id:str}/edit": EMPTY,
    "/users/{user_id:str}/link": EMPTY,
    "/users/{user_id:str}/deactivate": EMPTY,
    "/users/{user_id:str}/reactivate": EMPTY,
    "/roles": EMPTY,
    "/roles/{role_id:str}/edit": EMPTY,
    "/roles/{role_id:str}/remove": EMPTY,
    "/team": EMPTY,
    "/upkeep/verify": EMPTY,
    "/audit/records/{record_id:str}": EMPTY,
    "/audit/export": [{"format": "csv"}, {"format": "jsonl", "of": "{h1}"}],
    "/email/notices": [{"until": "1"}],
    "/profile": EMPTY,
    "/profile/password": EMPTY,
    "/profile/sessions/end": EMPTY,
    "/profile/sessions/end-others": EMPTY,
    "/email/accounts/{account_id:str}/check": EMPTY,
    "/email/accounts/{account_id:str}/pause": EMPTY,
    "/email/accounts/{account_id:str}/resume": EMPTY,
    "/email/accounts/{account_id:str}/close": EMPTY,
    "/email/accounts/new": EMPTY,
    "/email/accounts/{account_id:str}/edit": EMPTY,
    "/email/accounts/{account_id:str}/sign-in": EMPTY,
    "/email/accounts/new/test": EMPTY,
    "/email/accounts/{account_id:str}/test": EMPTY,
    "/email/accounts/new/find": EMPTY,
    "/email/accounts/{account_id:str}/find": EMPTY,
    "/email/accounts/import": EMPTY,
    "/profile/tokens": EMPTY,
    "/profile/tokens/{token_id:str}/revoke": EMPTY,
    "/users/tokens/{token_id:str}/revoke": EMPTY,
    "/api/v1/messages/{message_id:str}/filings": [
        *({"record": f"{{{one}}}"} for one in RECORDS),
        {"record": "{project}", "roles": ["board"]},
    ],
    "DELETE /api/v1/messages/{message_id:str}/filings/{record_id:str}": EMPTY,
    "/api/v1/records/bulk": [
        {"records": [{"type": "companies", "external_id": "K-2", "name": "Spostex Secret S.A."}]}
    ],
    "PUT /api/v1/records/{record_type:str}/by-external-id/{external_id:path}": [
        {"name": "Spostex Secret S.A."},
        {"name": "Fence"},
    ],
    "/api/v1/records/{record_id:str}/archive": EMPTY,
    "/api/v1/records/{record_id:str}/restore": EMPTY,
    "/api/v1/records/{record_id:str}/merge": [
        {},
        *({"into": f"{{{one}}}"} for one in ("secret", "plot", "missing")),
    ],
}
"""What is sent to each route that changes something; another method than POST stands before it."""

RANDOM = {"/sign-in", "/sign-in/{link:str}", "/set-up", "/users/{user_id:str}/link"}
"""Before a session a form carries a token of chance, and a sign-in link is one."""
