"""What items look like from outside: bodies that come in, views that go out. Never a table."""

from datetime import datetime
from decimal import Decimal
from typing import Annotated

from msgspec import UNSET, Meta, Struct, UnsetType

from item_formats import Finding, ItemType

Code = Annotated[str, Meta(min_length=1, max_length=64)]
Grade = Annotated[int, Meta(ge=1, le=5)]
ItemText = Annotated[str, Meta(min_length=1, max_length=20_000)]
MOST_MARKS = 100  # a paper has 100 marks

OptionText = Annotated[str, Meta(min_length=1, max_length=2_000)]
Key = Annotated[str, Meta(min_length=1, max_length=32)]


class ItemContent(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What an item says. `key` is as people write it: B, ABD, √ or ×; a true/false item has no options."""

    type: ItemType
    stem: ItemText
    key: Key
    options: Annotated[list[OptionText], Meta(max_length=26)] = []
    rationale: ItemText | None = None


class NewItem(ItemContent, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An item that is to be written into the bank, as a draft of the caller."""

    code: Code
    standard: int
    point: Annotated[str, Meta(min_length=1, max_length=32)]
    grade: Grade
    marks: Decimal | None = None
    congruence: Grade | None = None
    source: Annotated[str, Meta(max_length=2_000)] = ""
    enemies: Annotated[list[Code], Meta(max_length=100)] = []

    def __post_init__(self) -> None:
        # msgspec bounds no decimals
        if self.marks is not None and (not 0 < self.marks <= MOST_MARKS or self.marks != round(self.marks, 2)):
            raise ValueError(f"marks: expected above 0, at most {MOST_MARKS}, in steps of 0.01")


class NewVersion(ItemContent, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """New content for an item. `based_on` is the version the author read: an older one is refused."""

    based_on: Annotated[int, Meta(ge=1)]


class ItemSummary(Struct, frozen=True, kw_only=True):
    """An item in a list: nothing of what it says."""

    code: str
    standard: int
    version: int
    type: str
    state: str
    point: str
    grade: int
    marks: float | None


class ItemPage(Struct, frozen=True):
    """Items by code; `next` is what to give as `after` for the following page, null at the end."""

    items: list[ItemSummary]
    next: str | None


class OptionView(Struct, frozen=True):
    """An option as a candidate sees it."""

    identifier: str
    text: str


class ItemView(ItemSummary, frozen=True, kw_only=True):
    """An item's newest version. `key`, `rationale` and `digest` only for tokens with items:keys."""

    section: str
    function: str
    importance: str | None
    created_at: datetime
    language: str
    stem: str
    options: list[OptionView]
    key: str | UnsetType = UNSET
    rationale: str | UnsetType | None = UNSET
    digest: str | UnsetType = UNSET


class WrittenItem(Struct, frozen=True):
    """The answer to a new item or version: the item, and what is worth a look."""

    item: ItemView
    findings: list[Finding]
