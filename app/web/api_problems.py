"""What went wrong, for programs (RFC 9457). Hidden and missing are the same answer."""

import logging
import re
from http import HTTPStatus
from typing import Final

from litestar import Response
from litestar.exceptions import (
    ClientException,
    HTTPException,
    ValidationException,
)
from litestar.types import ExceptionHandlersMap
from msgspec import UNSET, Struct, UnsetType

from app.errors import Busy, Conflict, Forbidden, Invalid, NotFound, OutOfSpace
from app.web.db import AnyRequest

logger = logging.getLogger(__name__)

PREFIX: Final = "/api"
MEDIA_TYPE: Final = "application/problem+json"
RETRY_AFTER_SECONDS: Final = 5
_MISSING: Final = re.compile(r"Missing required \w+ parameter '(\w+)'")
_DETAILS: Final = {
    400: "The request cannot be read. Send JSON in UTF-8, as /api/v1/schema describes it.",
    404: "There is nothing of that name, or it is not for you.",
    405: "This address does not take that method; the header Allow names those it takes.",
    413: "The request is larger than this address takes. Send it in several smaller ones.",
    500: "Something went wrong here; nothing was lost. Tell the administrator when it was.",
    503: "Something else is being written just now. Nothing was changed: send it again.",
    507: "The disk is full. Nothing was changed. Tell the administrator.",
}


class Problem(Struct, frozen=True):
    """What went wrong and what to do. `field` names the field that is to be mended."""

    title: str
    status: int
    detail: str
    type: str = "about:blank"
    field: str | UnsetType = UNSET
    scope: str | UnsetType = UNSET


def problem(
    status: int,
    detail: str = "",
    *,
    field: str | UnsetType = UNSET,
    scope: str | UnsetType = UNSET,
    headers: dict[str, str] | None = None,
) -> Response[Problem]:
    """The answer for a status; without a detail the one that belongs to it."""
    detail = detail or _DETAILS.get(status, _DETAILS[400 if status < 500 else 500])
    document = Problem(HTTPStatus(status).phrase, status, detail, field=field, scope=scope)
    return Response(document, status_code=status, media_type=MEDIA_TYPE, headers=headers)


def problem_of(error: Invalid | Conflict) -> Problem:
    """What went wrong with one of many."""
    status, field = (422, error.field) if isinstance(error, Invalid) else (409, UNSET)
    return Problem(HTTPStatus(status).phrase, status, str(error), field=field)


def is_api(request: AnyRequest) -> bool:
    """Whether the answer is for a program."""
    return str(request.scope["path"]).startswith(PREFIX)


def http_problem(_: AnyRequest, error: HTTPException) -> Response[Problem]:
    status = error.status_code
    detail = "" if status in _DETAILS else error.detail
    if isinstance(error, ValidationException):
        return _not_valid(error)
    if isinstance(error, ClientException) and status == 400:
        detail = f"{_DETAILS[400]} ({error.detail[:200]})"
    extra = error.extra if isinstance(error.extra, dict) else {}
    headers = dict(error.headers or {})
    return problem(status, detail, scope=extra.get("scope", UNSET), headers=headers)


def _not_valid(error: ValidationException) -> Response[Problem]:
    """Names the first field or parameter that is wrong."""
    extra = error.extra if isinstance(error.extra, list) else []
    for one in extra:
        if isinstance(one, dict) and one.get("message"):
            name = str(one.get("key") or "") or UNSET
            return problem(422, f"{one['message']}.", field=name)
    if missing := _MISSING.search(error.detail):
        return problem(422, f"The parameter {missing[1]!r} is missing.", field=missing[1])
    return problem(422, "Part of the request is missing or malformed; see /api/v1/schema.")


def not_found(_: AnyRequest, __: NotFound) -> Response[Problem]:
    return problem(404)


def invalid(_: AnyRequest, error: Invalid) -> Response[Problem]:
    return problem(422, error.reason, field=error.field)


def forbidden(_: AnyRequest, error: Forbidden) -> Response[Problem]:
    return problem(403, str(error))


def conflict(_: AnyRequest, error: Conflict) -> Response[Problem]:
    return problem(409, str(error))


def busy(_: AnyRequest, __: Busy) -> Response[Problem]:
    return problem(503, headers={"Retry-After": str(RETRY_AFTER_SECONDS)})


def out_of_space(_: AnyRequest, error: OutOfSpace) -> Response[Problem]:
    logger.error("The disk is full", exc_info=error)
    return problem(507)


def too_deep(_: AnyRequest, __: RecursionError) -> Response[Problem]:
    return problem(400, "The JSON is nested too deeply.")


def unexpected(request: AnyRequest, error: Exception) -> Response[Problem]:
    logger.exception("A request failed", exc_info=error, extra={"path": request.scope["path"]})
    return problem(500)


HANDLERS: Final[ExceptionHandlersMap] = {
    NotFound: not_found,
    Forbidden: forbidden,
    Conflict: conflict,
    Invalid: invalid,
    Busy: busy,
    OutOfSpace: out_of_space,
    RecursionError: too_deep,
    HTTPException: http_problem,
    Exception: unexpected,
}
