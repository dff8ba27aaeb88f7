"""Errors as the API tells them: problem documents (RFC 9457) that name the rule, never a traceback."""

from __future__ import annotations

import logging
import traceback
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from litestar import Request, Response
from litestar.exceptions import HTTPException

from authoring.errors import BankError, ConflictError, ForbiddenError, UnknownError
from authoring.people.access import UnauthenticatedError
from authoring.queries import parameter_fault
from item_formats import ItemError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from litestar.types import ExceptionHandlersMap

    from item_formats import Finding

PROBLEM = "application/problem+json"

_STATUS: tuple[tuple[type[BankError], HTTPStatus], ...] = (
    (UnauthenticatedError, HTTPStatus.UNAUTHORIZED),
    (ForbiddenError, HTTPStatus.FORBIDDEN),
    (UnknownError, HTTPStatus.NOT_FOUND),
    (ConflictError, HTTPStatus.CONFLICT),
)

_log = logging.getLogger("authoring")

AnyRequest = Request[Any, Any, Any]


def _problem(
    status: HTTPStatus,
    detail: str,
    *,
    rule: str,
    findings: Sequence[Finding] = (),
    headers: Mapping[str, str] | None = None,
) -> Response[dict[str, Any]]:
    content: dict[str, Any] = {
        "type": f"urn:tiku:{rule}",
        "title": status.phrase,
        "status": status,
        "rule": rule,
        "detail": detail,
    }
    if findings:
        content["findings"] = [finding.as_json() for finding in findings]
    return Response(content, status_code=status, media_type=PROBLEM, headers=headers)


def _bank_error(_request: AnyRequest, error: BankError) -> Response[dict[str, Any]]:
    status = next((status for kind, status in _STATUS if isinstance(error, kind)), HTTPStatus.BAD_REQUEST)
    if error.rule in {"database", "database-busy"}:
        _log.error("%s", error.message)  # names the database, which callers need not know
        return _problem(HTTPStatus.SERVICE_UNAVAILABLE, "the database does not answer: try again", rule=error.rule)
    headers = {"www-authenticate": error.challenge} if isinstance(error, UnauthenticatedError) else None
    return _problem(status, error.message, rule=error.rule, findings=error.findings, headers=headers)


def _item_error(_request: AnyRequest, error: ItemError) -> Response[dict[str, Any]]:
    detail = error.findings[0].message if error.findings else "this is not an item"
    return _problem(HTTPStatus.BAD_REQUEST, detail, rule="item-wrong", findings=error.findings)


def _http_error(request: AnyRequest, error: HTTPException) -> Response[dict[str, Any]]:
    status = HTTPStatus(error.status_code)
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        return _internal_error(request, error)
    detail = error.detail
    if isinstance(error.extra, list):
        places = [extra for extra in error.extra if isinstance(extra, dict)]
        detail = "; ".join(parameter_fault(request, extra) or _place(extra) for extra in places) or detail
    return _problem(status, detail, rule=status.phrase.lower().replace(" ", "-"), headers=error.headers)


def _not_text(_request: AnyRequest, _error: UnicodeDecodeError) -> Response[dict[str, Any]]:
    return _problem(HTTPStatus.BAD_REQUEST, "the body is not UTF-8 text: send JSON in UTF-8", rule="not-utf-8")


def _place(extra: Mapping[str, Any]) -> str:
    key = extra.get("key")
    return f"{key}: {extra.get('message', '')}" if key else str(extra.get("message", ""))


def _internal_error(request: AnyRequest, error: Exception) -> Response[dict[str, Any]]:
    # where it happened, never the message: an exception may quote an item or a key
    frames = "".join(traceback.format_tb(error.__traceback__))
    _log.error("%s %s: %s\n%s", request.method, request.url.path, type(error).__name__, frames)
    detail = "the server made a mistake; its log says where"
    return _problem(HTTPStatus.INTERNAL_SERVER_ERROR, detail, rule="internal-error")


HANDLERS: ExceptionHandlersMap = {
    BankError: _bank_error,
    ItemError: _item_error,
    HTTPException: _http_error,
    UnicodeDecodeError: _not_text,  # only bodies are decoded here
    Exception: _internal_error,
}
