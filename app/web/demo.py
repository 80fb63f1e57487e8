"""The demo's way in: the people of the demo company, each with one click.

Only where `letterbook demo` serves, and only for this machine; elsewhere the address is missing.
"""

from datetime import UTC, datetime
from typing import Final

from litestar import Router, post
from litestar.params import FromPath
from litestar.plugins.htmx import HTMXRequest
from litestar.response import Redirect

from app import people
from app.errors import NotFound
from app.web.db import store_of
from app.web.session import HOME
from app.web.signin import address_of, agent_of, demo_people, welcome

PATH: Final = "/sign-in/as"


@post("/{public_id:str}", sync_to_thread=True, opt={"is_public": True})
def sign_in_as(request: HTMXRequest, public_id: FromPath[str]) -> Redirect:
    store = store_of(request)
    chosen = [user for user, _ in demo_people(request) if user.public_id == public_id]
    if not chosen:
        raise NotFound
    token = people.open_session(
        store,
        chosen[0].id,
        address=address_of(request),
        agent=agent_of(request),
        now=datetime.now(UTC),
    )
    return welcome(request.app.state.settings, token, HOME)


router = Router(PATH, route_handlers=[sign_in_as])
