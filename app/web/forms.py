"""What a form or an address asked. One helper for all, which never fails on odd input.

(Litestar refuses a list field of a form that has exactly one value.)
"""

from collections.abc import Sequence
from urllib.parse import urlencode

from litestar.datastructures import FormMultiDict

from app.model import RoleId
from app.web.db import AnyRequest


def asked(request: AnyRequest, name: str, *, most: int = 500) -> str:
    """The value of a query parameter, without blanks around it and cut at `most` characters."""
    values = request.query_params.getall(name, [])
    return str(values[0]).strip()[:most] if values else ""


def field(request: AnyRequest, name: str) -> str:
    """The first value of a form's field, without blanks around it; empty if it was not sent."""
    return next(iter(fields(request, name)), "").strip()


def secret(request: AnyRequest, name: str) -> str:
    """The first value of a form's field, exactly as typed."""
    return next(iter(fields(request, name)), "")


def fields(request: AnyRequest, name: str) -> list[str]:
    """All the values of a form's field, in order."""
    form: FormMultiDict | None = request.scope["state"].get("form")
    return [value for value in form.getall(name, []) if isinstance(value, str)] if form else []


def role_ids(request: AnyRequest, name: str) -> list[RoleId]:
    """The roles that a form's boxes mark; what is no number stands for a role that is not there."""
    return [
        RoleId(int(value) if value.isascii() and value.isdecimal() and len(value) < 10 else 0)
        for value in fields(request, name)
    ]


def address(path: str, **parameters: str | Sequence[str]) -> str:
    """A path with those of the parameters that are not empty."""
    query = urlencode({key: value for key, value in parameters.items() if value}, doseq=True)
    return f"{path}?{query}" if query else path
