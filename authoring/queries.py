"""Query parameters as callers write them: which a route knows, and what a wrong one is told."""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING, Any

from litestar.params import QueryParameter

from authoring.errors import BankError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from litestar import Request
    from litestar.handlers import HTTPRouteHandler
    from litestar.typing import FieldDefinition

    AnyRequest = Request[Any, Any, Any]


async def refuse_unknown_parameters(request: AnyRequest) -> None:
    """Raise `unknown-parameter` for a query parameter that the route does not take.

    A misspelt filter would otherwise answer as if nobody had asked for it.
    """
    known = [_written_name(name, field) for name, field in _query_fields(request.route_handler).items()]
    unknown = [name for name in dict.fromkeys(request.query_params) if name not in known]
    if unknown:
        takes = f"it takes {', '.join(known)}" if known else "it takes none"
        named = ", ".join(repr(name) for name in unknown)
        raise BankError("unknown-parameter", f"{request.url.path} knows no query parameter {named}: {takes}")


def parameter_fault(request: AnyRequest, extra: Mapping[str, Any]) -> str | None:
    """What is wrong with a query parameter, in the caller's words; None if the fault is elsewhere."""
    name = extra.get("key", "")
    field = _query_fields(request.route_handler).get(name)
    if field is None:
        return None
    written = _written_name(name, field)
    permitted = [str(value) for value in _permitted(field)]
    if permitted:
        return f"{written}: {request.query_params.get(written)!r} is not one of {', '.join(permitted)}"
    return f"{written}: {extra.get('message', '')}"


def _query_fields(handler: HTTPRouteHandler) -> dict[str, FieldDefinition]:
    """Name in the function → the query parameter's definition."""
    fields = handler.parsed_fn_signature.parameters
    return {name: field for name, field in fields.items() if isinstance(field.kwarg_definition, QueryParameter)}


def _written_name(name: str, field: FieldDefinition) -> str:
    return getattr(field.kwarg_definition, "name", None) or name


def _permitted(field: FieldDefinition) -> list[Any]:
    kinds = [inner.annotation for inner in field.inner_types] or [field.annotation]
    return [member.value for kind in kinds if isinstance(kind, type) and issubclass(kind, Enum) for member in kind]
