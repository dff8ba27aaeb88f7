"""The HTTP application: routes, access, errors and headers, composed around one open bank."""

from __future__ import annotations

import logging
import threading
from contextlib import asynccontextmanager
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

from litestar import Litestar, Request, Router, get
from litestar.datastructures import MutableScopeHeaders, State
from litestar.openapi.config import OpenAPIConfig
from litestar.openapi.spec import Components, SecurityScheme
from sqlalchemy import text

from authoring.api_schema import TextLimits
from authoring.audit.chain import link_waiting
from authoring.database import Bank, open_bank, reading
from authoring.items.routes import items_router
from authoring.pages import PAGE_POLICY, SwaggerPage
from authoring.people.access import ANY_TOKEN, OPEN, Access, needs
from authoring.problems import HANDLERS
from authoring.queries import refuse_unknown_parameters
from authoring.settings import read_settings
from authoring.standards.routes import standards_router

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from litestar.types import Message, Scope

LINK_SECONDS = 1.0  # an event waits at most this long for its place in the chain
MOST_BODY_BYTES = 4 * 1024 * 1024  # an outline of thousands of points is far below it
SCHEMA_PATH = "/schema"

_HEADERS = {
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "no-referrer",
    "cross-origin-resource-policy": "same-origin",
    "cache-control": "no-store",
    "content-security-policy": "default-src 'none'; frame-ancestors 'none'",
}

_log = logging.getLogger("authoring")


@get(
    "/health",
    operation_id="health",
    summary="Is the server well?",
    security=[{}],
    opt=needs(OPEN),
    sync_to_thread=False,
    tags=["server"],
)
def health(request: Request[Any, Any, State]) -> dict[str, str]:
    """Whether the server and its database answer. The only route that needs no token."""
    with reading(request.app.state.bank) as session:
        session.execute(text("SELECT 1"))
    return {"status": "ok"}


def create_app(bank: Bank) -> Litestar:
    """The application on an open bank. It links audit events while it runs, and leaves the bank open when it ends."""

    @asynccontextmanager
    async def sequencer(_app: Litestar) -> AsyncIterator[None]:
        stop = threading.Event()
        thread = threading.Thread(target=_link_until, args=(bank, stop), name="tiku-sequencer", daemon=True)
        thread.start()
        try:
            yield
        finally:
            stop.set()
            thread.join()

    return Litestar(
        route_handlers=[health, items_router, standards_router],
        middleware=[Access(bank)],
        before_request=refuse_unknown_parameters,
        exception_handlers=HANDLERS,
        before_send=[_add_headers],
        lifespan=[sequencer],
        openapi_config=_openapi(),
        plugins=[TextLimits()],
        request_max_body_size=MOST_BODY_BYTES,
        logging_config=None,  # litestar's would log exceptions whole, and they may quote an item
        state=State({"bank": bank}),
        debug=False,
    )


def served_app() -> Litestar:
    """The application on the bank that the settings name: what the server's worker process starts."""
    return create_app(open_bank(read_settings().database))


def _link_until(bank: Bank, stop: threading.Event) -> None:
    while not stop.wait(LINK_SECONDS):
        _link(bank)
    _link(bank)


def _link(bank: Bank) -> None:
    try:
        link_waiting(bank)
    except Exception as error:  # noqa: BLE001  # the sequencer outlives a busy or restarted database
        _log.warning("audit events wait to be linked: %s", type(error).__name__)


async def _add_headers(message: Message, scope: Scope) -> None:
    if message["type"] != "http.response.start":
        return
    headers = MutableScopeHeaders.from_message(message)
    for name, value in _HEADERS.items():
        headers.setdefault(name, value)
    if scope["path"].rstrip("/") == SCHEMA_PATH:
        headers["content-security-policy"] = PAGE_POLICY


def _openapi() -> OpenAPIConfig:
    return OpenAPIConfig(
        title="tiku 题库",
        version=version("tiku"),
        description=(
            "The bank's API. Every route but /health needs a token (`tiku user token`). Replies carry no key, "
            "rationale or processing unless the token has the right items:keys."
        ),
        security=[{"token": []}],
        components=Components(
            security_schemes={
                "token": SecurityScheme(type="http", scheme="bearer", description="Made by `tiku user token`.")
            }
        ),
        use_handler_docstrings=True,
        render_plugins=[SwaggerPage()],
        openapi_router=Router(
            SCHEMA_PATH, route_handlers=[], include_in_schema=False, opt=needs(ANY_TOKEN, browsable=True)
        ),
    )
