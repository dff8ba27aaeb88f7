"""Standards over HTTP."""

from typing import Any

from litestar import Request, Router, get, post
from litestar.datastructures import State
from litestar.params import FromPath, JSONBody

from authoring.database import reading, writing
from authoring.people.access import needs
from authoring.people.actors import Caller, Right
from authoring.standards.outlines import check_outline
from authoring.standards.rules import list_standards, load_outline, summary_of, view_standard
from authoring.standards.schemas import LoadedStandard, OutlineDocument, StandardSummary, StandardView
from item_formats import Finding

AnyRequest = Request[Caller, Any, State]


@get(
    "/", operation_id="list_standards", summary="Every standard", opt=needs(Right.STANDARDS_READ), sync_to_thread=False
)
def list_all(request: AnyRequest) -> list[StandardSummary]:
    """Every standard, with its provenance."""
    with reading(request.app.state.bank) as session:
        return list_standards(session)


@get(
    "/{standard_id:int}",
    operation_id="read_standard",
    summary="A standard with its outline and weights",
    opt=needs(Right.STANDARDS_READ),
    sync_to_thread=False,
)
def read_one(request: AnyRequest, standard_id: FromPath[int]) -> StandardView:
    """A standard with its outline, its weight table (shares of marks), and where each of them comes from."""
    with reading(request.app.state.bank) as session:
        return view_standard(session, standard_id)


@post(
    "/", operation_id="load_outline", summary="Load an outline", opt=needs(Right.STANDARDS_WRITE), sync_to_thread=True
)
def load(request: AnyRequest, data: JSONBody[OutlineDocument]) -> LoadedStandard:
    """Load an outline document. The same document again changes nothing; other content for it is a conflict."""
    actor = request.user.actor
    with writing(request.app.state.bank, actor) as session:
        loaded = summary_of(load_outline(session, actor, data))
    findings: list[Finding] = list(check_outline(data))
    return LoadedStandard(loaded, findings)


standards_router = Router("/standards", route_handlers=[list_all, read_one, load], tags=["standards"])
