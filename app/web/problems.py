"""The pages for what went wrong. Hidden and missing are the same page, byte for byte."""

import logging
from dataclasses import dataclass
from typing import Final

from litestar import Response
from litestar.exceptions import HTTPException
from litestar.response import Template
from litestar.types import ExceptionHandlersMap

from app.errors import Busy, Conflict, Forbidden, Invalid, NotFound, OutOfSpace
from app.web import api_problems, render
from app.web.db import AnyRequest

logger = logging.getLogger(__name__)

_TITLES: Final = {
    400: "This address is not complete",
    401: "Sign in first",
    403: "Not allowed",
    404: "Not found",
    405: "Not possible here",
    409: "Somebody was first",
    413: "Too large",
    422: "Not saved",
    500: "Something went wrong",
    503: "Busy just now",
    507: "The disk is full",
}
_TEXTS: Final = {
    400: "Part of the address is missing or malformed. Go back and try the link again.",
    401: "Your session has ended. Sign in and try again.",
    404: "There is nothing at this address, or it is not for you. Search, or go to the queue.",
    405: "This address cannot be used in that way. Go back and use the button on the page.",
    413: "What was sent is larger than Letterbook takes.",
    500: "Nothing was lost. Try again; if it happens again, tell the administrator when it did.",
    503: "Something else is being written just now. Nothing was changed: do the same again.",
    507: "Nothing was changed, and all that was stored before stays. Tell the administrator.",
}
RETRY_AFTER_SECONDS: Final = 5


@dataclass(frozen=True, slots=True)
class ProblemPage:
    """A status, what it means, and what to do next."""

    status: int
    title: str
    text: str


def not_found(request: AnyRequest, _: NotFound) -> Template:
    return _page(request, 404)


def forbidden(request: AnyRequest, error: Forbidden) -> Template:
    return _page(request, 403, str(error))


def conflict(request: AnyRequest, error: Conflict) -> Template:
    return _page(request, 409, str(error))


def invalid(request: AnyRequest, error: Invalid) -> Template:
    return _page(request, 422, error.reason)


def busy(request: AnyRequest, _: Busy) -> Template:
    answer = _page(request, 503)
    answer.headers["retry-after"] = str(RETRY_AFTER_SECONDS)
    return answer


def out_of_space(request: AnyRequest, error: OutOfSpace) -> Template:
    logger.error("The disk is full", exc_info=error)
    return _page(request, 507)


def http_problem(
    request: AnyRequest, error: HTTPException
) -> Template | Response[api_problems.Problem]:
    """Also for what is asked of the API where it has nothing."""
    if api_problems.is_api(request):
        return api_problems.http_problem(request, error)
    status = error.status_code
    text = error.detail if status == 403 else ""
    answer = _page(request, status, text)
    answer.headers.update(error.headers or {})
    return answer


def unexpected(request: AnyRequest, error: Exception) -> Template:
    logger.exception("A request failed", exc_info=error, extra={"path": request.scope["path"]})
    return _page(request, 500)


def _page(request: AnyRequest, status: int, text: str = "") -> Template:
    title = _TITLES.get(status, _TITLES[400 if status < 500 else 500])
    context = ProblemPage(status, title, text or _TEXTS.get(status, _TEXTS[400]))
    return render.bare_page(request, "problems/show.html", context=context, status=status)


HANDLERS: Final[ExceptionHandlersMap] = {
    NotFound: not_found,
    Forbidden: forbidden,
    Conflict: conflict,
    Invalid: invalid,
    Busy: busy,
    OutOfSpace: out_of_space,
    HTTPException: http_problem,
    500: unexpected,
    Exception: unexpected,
}
