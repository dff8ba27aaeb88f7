"""A question of a Word document while it is being gathered."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from decimal import Decimal

    from item_formats.foreign.question import Kind
    from item_formats.foreign.word.rich import Rich


@dataclass(slots=True)
class Draft:
    """A question as it stands in the document; `paragraph` is where it begins."""

    paragraph: int
    number: int
    kind: Kind | None = None
    kind_known: bool = False
    marks: Decimal | None = None
    section: int = 0
    stem: list[Rich] = field(default_factory=list)
    options: list[tuple[str, list[Rich]]] = field(default_factory=list)
    fields: dict[str, list[Rich]] = field(default_factory=dict)
    places: dict[str, int] = field(default_factory=dict)  # the paragraph of each field
    last: int = 0  # the last paragraph that belongs to it

    @property
    def next_letter(self) -> str:
        return chr(ord("A") + len(self.options))

    @property
    def complete(self) -> bool:
        return bool(self.options or self.fields)
