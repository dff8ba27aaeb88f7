"""What the OpenAPI document says of texts inside arrays: litestar reads msgspec's limits of fields, not of elements."""

from __future__ import annotations

from typing import TYPE_CHECKING

from litestar.openapi.spec import OpenAPIType, Schema
from litestar.plugins import OpenAPISchemaPlugin
from msgspec import Meta

if TYPE_CHECKING:
    from litestar._openapi.schema_generation import SchemaCreator
    from litestar.typing import FieldDefinition


class TextLimits(OpenAPISchemaPlugin):
    """Elements that are a text with limits of their own: ``list[Annotated[str, Meta(max_length=64)]]``."""

    @staticmethod
    def is_plugin_supported_type(value: object) -> bool:  # noqa: ARG004  # a type alone has no limits
        return False

    def is_plugin_supported_field(self, field_definition: FieldDefinition) -> bool:
        """Elements have no name; fields do, and litestar reads their limits itself."""
        return field_definition.annotation is str and not field_definition.name and bool(_limits(field_definition))

    def to_openapi_schema(self, field_definition: FieldDefinition, schema_creator: SchemaCreator) -> Schema:  # noqa: ARG002
        schema = Schema(type=OpenAPIType.STRING)
        for meta in _limits(field_definition):
            schema.min_length = meta.min_length if meta.min_length is not None else schema.min_length
            schema.max_length = meta.max_length if meta.max_length is not None else schema.max_length
            schema.pattern = meta.pattern or schema.pattern
        return schema


def _limits(field_definition: FieldDefinition) -> list[Meta]:
    return [one for one in field_definition.metadata if isinstance(one, Meta)]
