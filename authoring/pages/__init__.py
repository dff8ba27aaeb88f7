"""The API's own page: Swagger UI from files of this package, so that it works offline and under a strict CSP."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from litestar import MediaType, Response, get
from litestar.openapi.plugins import OpenAPIRenderPlugin

if TYPE_CHECKING:
    from litestar import Request, Router
    from litestar.handlers import HTTPRouteHandler

SWAGGER = Path(__file__).parent / "swagger"
ASSETS = {
    "swagger-ui.css": "text/css",
    "swagger-ui-bundle.js": "text/javascript",
    "start.js": "text/javascript",
    "favicon-32x32.png": "image/png",
}

# Swagger UI draws its icons as data: images; everything else is a file of this server
PAGE_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)


class SwaggerPage(OpenAPIRenderPlugin):
    """Puts the page at the root of the schema's router and its files beside it."""

    def __init__(self) -> None:
        super().__init__(path="/", media_type=MediaType.HTML)

    def render(self, request: Request[Any, Any, Any], openapi_schema: dict[str, Any]) -> bytes:  # noqa: ARG002
        return (SWAGGER / "index.html").read_bytes()

    def receive_router(self, router: Router) -> None:
        for name, media_type in ASSETS.items():
            router.register(_asset(name, media_type))


def _asset(name: str, media_type: str) -> HTTPRouteHandler:
    @get(f"/{name}", sync_to_thread=False, operation_id=f"asset_{name}", name=f"asset_{name}")
    def asset() -> Response[bytes]:
        # the only replies a browser may keep: they are the same for everybody and say nothing of the bank
        headers = {"cache-control": "private, max-age=86400"}
        return Response((SWAGGER / name).read_bytes(), media_type=media_type, headers=headers)

    return asset
