"""All the resources of the API under one address, and what describes them to programs."""

from collections.abc import Iterator, Sequence
from functools import cache
from importlib.metadata import version
from typing import Any, Final

from litestar import Litestar, Response, Router, get
from litestar.di import Provide
from litestar.handlers import HTTPRouteHandler
from litestar.openapi import OpenAPIConfig
from litestar.openapi.plugins import JsonRenderPlugin
from litestar.openapi.spec import Components, SecurityScheme
from litestar.plugins.htmx import HTMXPlugin
from litestar.routes import HTTPRoute
from msgspec import Struct
from msgspec.json import schema_components

from app.web import api_messages, api_people, api_problems, api_records
from app.web.api import NEEDS, provide_caller
from app.web.api_bodies import BODY

API: Final = "/api/v1"
_PROBLEM: Final = {"$ref": "#/components/schemas/Problem"}
LARGEST_BODY: Final = 1_000_000
_ERRORS: Final = {
    400: "It cannot be read: no JSON, or nested too deeply.",
    401: "No token, or one that is wrong, has expired or was revoked.",
    403: "The token has not the scope that is needed, or its person not the right.",
    404: "It is not there, or not for the token's person: the two are one answer.",
    409: "Somebody else was first.",
    412: "It is not as If-Match says.",
    413: "The request is too large.",
    415: "The request is not JSON.",
    422: "A field or parameter is missing, unknown or malformed; `field` names it.",
    429: "Too many wrong tokens came from this address; Retry-After says how long to wait.",
    503: "Something else is being written. Nothing was changed; send it again.",
}
_OF_CHANGES: Final = (409, 412, 413, 415)
_DESCRIPTION: Final = (
    "Another system uses Letterbook as one of its people: with a token that he makes on his"
    " profile, sent in the header `Authorization: Bearer`. It sees what he may see. Lists go on"
    " with `cursor`, which is the `next` of the page before. Errors are problem documents"
    " (RFC 9457). See docs/api.md."
)


@get(
    "/schema",
    sync_to_thread=True,
    opt={"is_public": True},
    include_in_schema=False,
    media_type="application/vnd.oai.openapi+json",
)
def schema() -> Response[dict[str, Any]]:
    """This description; it tells nothing of the archive, so it needs no token."""
    return Response(document(), media_type="application/json")


@cache
def document() -> dict[str, Any]:
    """The description of the API as OpenAPI 3.1, from the types of its handlers."""
    config = OpenAPIConfig(
        title="Letterbook",
        version=version("letterbook"),
        description=_DESCRIPTION,
        components=Components(
            security_schemes={
                "token": SecurityScheme(
                    type="http",
                    scheme="bearer",
                    description="A token from Profile, API tokens: `lbk_...`.",
                )
            },
        ),
        operation_id_creator=_operation_id,
        render_plugins=[JsonRenderPlugin()],
    )
    app = Litestar([router], openapi_config=config, plugins=[HTMXPlugin()], logging_config=None)
    found = app.openapi_schema.to_schema()
    schemas = found["components"]["schemas"]
    schemas |= _schemas_of(api_problems.Problem)
    found["components"]["responses"] = {
        str(status): {
            "description": text,
            "content": {api_problems.MEDIA_TYPE: {"schema": _PROBLEM}},
        }
        for status, text in _ERRORS.items()
    }
    for operation, handler in _operations(app, found["paths"]):
        bodies = handler.opt.get(BODY, ())
        schemas |= _schemas_of(*bodies)
        _complete(operation, handler, bodies)
    return found


def _operations(
    app: Litestar, paths: dict[str, Any]
) -> Iterator[tuple[dict[str, Any], HTTPRouteHandler]]:
    """The description of each handler, beside it."""
    for route in app.routes:
        for handler in route.route_handlers if isinstance(route, HTTPRoute) else ():
            for method in handler.http_methods:
                operation = paths.get(route.path_format, {}).get(method.lower())
                if operation:
                    yield operation, handler


def _schemas_of(*structs: type[Struct]) -> dict[str, Any]:
    _, schemas = schema_components(structs, ref_template="#/components/schemas/{name}")
    return schemas


def _complete(
    operation: dict[str, Any], handler: HTTPRouteHandler, bodies: Sequence[type[Struct]]
) -> None:
    """Adds what is the same everywhere: which scopes open it, and what may go wrong."""
    operation["security"] = [{"token": [scope]} for scope in handler.opt[NEEDS]]
    only_reads = "GET" in handler.http_methods
    operation["responses"] |= {
        str(status): {"$ref": f"#/components/responses/{status}"}
        for status in _ERRORS
        if not (only_reads and status in _OF_CHANGES)
    }
    if bodies:
        schema = {"$ref": f"#/components/schemas/{bodies[0].__name__}"}
        operation["requestBody"]["content"]["application/json"]["schema"] = schema


def _operation_id(handler: HTTPRouteHandler, _: object, __: object) -> str:
    return str(handler.handler_name).rpartition(".")[2]


router = Router(
    API,
    route_handlers=[schema, api_messages.router, api_records.router, api_people.router],
    dependencies={"viewer": Provide(provide_caller, sync_to_thread=False)},
    exception_handlers=api_problems.HANDLERS,
    request_max_body_size=LARGEST_BODY,
    opt={"is_api": True},
)
