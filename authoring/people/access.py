"""Who may call which route. Every route names its right in `opt`; one that names none is closed.

Tokens come as `Authorization: Bearer`. The schema's pages (GET only) also take HTTP Basic with the token as the
password, because a browser cannot send a bearer token when it opens a page.
"""

from __future__ import annotations

import base64
import binascii
from typing import TYPE_CHECKING, Any, Final

from litestar.enums import HttpMethod, ScopeType
from litestar.middleware import ASGIMiddleware

from authoring.database import Bank, reading
from authoring.errors import BankError, ForbiddenError
from authoring.people.actors import Caller, Right
from authoring.people.rules import caller_of

if TYPE_CHECKING:
    from litestar.types import ASGIApp, Receive, Scope, Send

OPEN: Final = "open"  # answers without a token
ANY_TOKEN: Final = "any token"  # noqa: S105  # answers to whoever has a valid token
BROWSABLE: Final = "browsable"  # also takes HTTP Basic on GET


class UnauthenticatedError(BankError):
    """No valid token came with the request. `challenge` is the WWW-Authenticate header."""

    def __init__(self, message: str, challenge: str) -> None:
        super().__init__("token-needed", message)
        self.challenge = challenge


def needs(right: Right | str, *, browsable: bool = False) -> dict[str, Any]:
    """The `opt` of a route that needs this right."""
    return {"access": right, BROWSABLE: browsable}


class Access(ASGIMiddleware):
    """Finds the caller by their token and lets them through if the token carries the route's right."""

    scopes = (ScopeType.HTTP, ScopeType.WEBSOCKET)

    def __init__(self, bank: Bank) -> None:
        self.bank = bank

    async def handle(self, scope: Scope, receive: Receive, send: Send, next_app: ASGIApp) -> None:
        options = scope["route_handler"].opt
        wanted = options.get("access")
        if wanted != OPEN:
            browsable = bool(options.get(BROWSABLE)) and scope.get("method") == HttpMethod.GET
            caller = self._caller(scope, wanted, browsable=browsable)
            if wanted != ANY_TOKEN and wanted not in caller.rights:
                raise ForbiddenError(
                    "right-needed",
                    f"this needs the right {wanted}, which the token does not carry"
                    if wanted
                    else "this route is open to nobody",
                )
            scope["user"] = caller
            scope["auth"] = caller.token_id
        await next_app(scope, receive, send)

    def _caller(self, scope: Scope, wanted: str | None, *, browsable: bool) -> Caller:
        token = _token(dict(scope["headers"]).get(b"authorization", b""), browsable=browsable)
        caller = None
        if token:
            with reading(self.bank) as session:
                caller = caller_of(session, token)
        if caller is None:
            right = f" with the right {wanted}" if wanted and wanted != ANY_TOKEN else ""
            why = "the token is unknown, expired or revoked" if token else "no token was sent"
            challenge = 'Basic realm="tiku", charset="UTF-8"' if browsable else 'Bearer realm="tiku"'
            raise UnauthenticatedError(f"{why}: this needs a token{right} (make one with `tiku user token`)", challenge)
        return caller


def _token(header: bytes, *, browsable: bool) -> str:
    scheme, _, value = header.decode("latin-1").strip().partition(" ")
    value = value.strip()
    if scheme.lower() == "bearer":
        return value
    if scheme.lower() == "basic" and browsable:
        try:
            return base64.b64decode(value, validate=True).decode().partition(":")[2]
        except (binascii.Error, UnicodeDecodeError):
            return ""
    return ""
