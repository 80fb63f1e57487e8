"""The web's composition root: settings in, an ASGI application out."""

from concurrent.futures import ThreadPoolExecutor
from functools import cache

from litestar import Litestar, Router, get
from litestar.concurrency import set_asyncio_executor
from litestar.datastructures import State
from litestar.di import Provide
from litestar.plugins.htmx import HTMXPlugin
from litestar.plugins.jinja import JinjaTemplateEngine
from litestar.response import Redirect
from litestar.static_files import create_static_files_router
from litestar.template import TemplateConfig

from app.people import digest_of_code
from app.settings import Settings
from app.web import (
    access,
    accounts,
    api_routes,
    archives,
    attach,
    attach_many,
    attach_records,
    audit,
    demo,
    messages,
    notices,
    problems,
    profile,
    purge,
    queue,
    record_access,
    record_ends,
    record_files,
    record_forms,
    record_import,
    record_types,
    records,
    render,
    roles,
    search,
    set_up,
    signin,
    team,
    tokens,
    toolbar,
    upkeep,
    users,
)
from app.web.api import TokenGate
from app.web.csrf import FormGuard
from app.web.db import Stores
from app.web.headers import add_headers
from app.web.session import HOME, Gate, provide_viewer

THREADS = 16
LARGEST_FORM = 1_000_000
LONGEST_HEAD = 131_072
"""Bytes of a request before its body: an address may name 500 messages, and htmx repeats it."""
_OPEN = {"is_public": True, "is_before_set_up": True}


@get("/", sync_to_thread=False)
def home() -> Redirect:
    return Redirect(HOME, status_code=303)


@get("/healthz", sync_to_thread=False, opt=_OPEN, media_type="text/plain")
def healthz() -> str:
    return "ok\n"


def create_app(settings: Settings, *, set_up_code: str = "", is_demo: bool = False) -> Litestar:
    """The pages over the data directory that the settings name.

    `set_up_code` is what the terminal shows for the first page; only its digest is kept.
    `is_demo` lets everybody in with a click, where the address is this machine's own.

    Effects: handlers run in 16 threads of their own; each opens the store when it first needs it.
    """
    set_asyncio_executor(ThreadPoolExecutor(THREADS, thread_name_prefix="web"))
    stores = Stores(settings.data)
    code = digest_of_code(set_up_code) if set_up_code else None
    return Litestar(
        route_handlers=[*_routers(), _static()],
        plugins=[HTMXPlugin()],
        middleware=[Gate(settings, stores), FormGuard(settings), TokenGate(settings, stores)],
        before_send=[add_headers],
        on_shutdown=[stores.close],
        exception_handlers={**problems.HANDLERS, records.Moved: records.to_successor},
        dependencies={"viewer": Provide(provide_viewer, sync_to_thread=False)},
        state=State(
            {
                "is_demo": is_demo and settings.is_loopback,
                "settings": settings,
                "stores": stores,
                "tally": {},
                "set_up_code": code,
            }
        ),
        template_config=TemplateConfig(engine=_template_engine()),
        request_max_body_size=LARGEST_FORM,
        openapi_config=None,
        logging_config=None,
        debug=False,
    )


def _routers() -> list[Router]:
    return [
        Router("/", route_handlers=[home, healthz]),
        set_up.router,
        signin.router,
        signin.out,
        demo.router,
        queue.router,
        notices.router,
        messages.router,
        toolbar.router,
        attach.router,
        attach_many.router,
        attach_records.router,
        access.router,
        purge.router,
        archives.router,
        search.router,
        records.router,
        record_ends.router,
        record_files.router,
        record_forms.router,
        record_types.router,
        record_import.router,
        users.router,
        roles.router,
        team.router,
        upkeep.router,
        audit.router,
        record_access.router,
        profile.router,
        tokens.own,
        tokens.of_all,
        accounts.router,
        api_routes.router,
    ]


def _static() -> Router:
    return create_static_files_router("/static", directories=[render.STATIC], opt=_OPEN)


@cache
def _template_engine() -> JinjaTemplateEngine:
    """One for all applications of the process, so that each template is compiled once."""
    engine = JinjaTemplateEngine(directory=render.TEMPLATES)
    render.prepare(engine.engine)
    return engine
