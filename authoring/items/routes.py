"""Items over HTTP. Replies show keys only to tokens with items:keys."""

from typing import Annotated, Any

from litestar import Request, Response, Router, get, post
from litestar.datastructures import State
from litestar.params import FromPath, FromQuery, JSONBody, QueryParameter

from authoring.database import reading, writing
from authoring.items.rules import add_version, create_item
from authoring.items.schemas import ItemPage, ItemView, NewItem, NewVersion, WrittenItem
from authoring.items.tables import ItemState
from authoring.items.views import item_document, list_items, view_item
from authoring.people.access import needs
from authoring.people.actors import Caller, Right
from item_formats import ItemKind

AnyRequest = Request[Caller, Any, State]

LONGEST_PAGE = 200


@get("/", operation_id="list_items", summary="A page of items", opt=needs(Right.ITEMS_READ), sync_to_thread=False)
def list_page(
    request: AnyRequest,
    standard: FromQuery[int | None] = None,
    item_type: Annotated[ItemKind | None, QueryParameter(name="type")] = None,
    item_state: Annotated[ItemState | None, QueryParameter(name="state")] = None,
    point: FromQuery[str | None] = None,
    after: Annotated[str | None, QueryParameter(description="`next` of the page before")] = None,
    limit: Annotated[int, QueryParameter(ge=1, le=LONGEST_PAGE)] = 50,
) -> ItemPage:
    """A page of items by code: where they stand, nothing of what they say."""
    with reading(request.app.state.bank) as session:
        return list_items(
            session, standard=standard, item_type=item_type, state=item_state, point=point, after=after, limit=limit
        )


@get("/{code:str}", operation_id="read_item", summary="An item", opt=needs(Right.ITEMS_READ), sync_to_thread=False)
def read_one(request: AnyRequest, code: FromPath[str]) -> ItemView:
    """An item's newest version; key and rationale only with items:keys."""
    with reading(request.app.state.bank) as session:
        return view_item(session, code, keys=_keys(request))


@get(
    "/{code:str}/qti",
    operation_id="read_item_qti",
    summary="An item as QTI 3",
    opt=needs(Right.ITEMS_READ),
    sync_to_thread=False,
)
def read_qti(request: AnyRequest, code: FromPath[str]) -> Response[bytes]:
    """An item's newest version as QTI 3; correct response, processing and rationale only with items:keys."""
    with reading(request.app.state.bank) as session:
        document = item_document(session, code, keys=_keys(request))
    return Response(document.xml, media_type="application/xml; charset=utf-8")


@post("/", operation_id="create_item", summary="Write an item", opt=needs(Right.ITEMS_WRITE), sync_to_thread=True)
def create(request: AnyRequest, data: JSONBody[NewItem]) -> WrittenItem:
    """Write an item: a draft of the caller, its first version and the audit event in one transaction."""
    actor = request.user.actor
    with writing(request.app.state.bank, actor) as session:
        findings = create_item(session, actor, data)
        return WrittenItem(view_item(session, data.code, keys=_keys(request)), list(findings))


@post(
    "/{code:str}/versions",
    operation_id="add_item_version",
    summary="Give an item new content",
    opt=needs(Right.ITEMS_WRITE),
    sync_to_thread=True,
)
def revise(request: AnyRequest, code: FromPath[str], data: JSONBody[NewVersion]) -> WrittenItem:
    """Give an item new content. The version that pools use stays until the new one is accepted."""
    actor = request.user.actor
    with writing(request.app.state.bank, actor) as session:
        add_version(session, actor, code, data)
        session.flush()
        return WrittenItem(view_item(session, code, keys=_keys(request)), [])


def _keys(request: AnyRequest) -> bool:
    return Right.ITEMS_KEYS in request.user.rights


items_router = Router("/items", route_handlers=[list_page, read_one, read_qti, create, revise], tags=["items"])
