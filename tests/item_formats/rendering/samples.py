"""The repository's own items, one for each interaction, with the files they use."""

from __future__ import annotations

from pathlib import Path

from item_formats import Item, read_item

FOLDER = Path(__file__).parents[1] / "fixtures" / "interactions"
NAMES = sorted(path.stem for path in FOLDER.glob("*.xml"))
MEDIA = {f"images/{path.name}": path.read_bytes() for path in (FOLDER / "images").iterdir()}


def sample(name: str) -> Item:
    return read_item(FOLDER / f"{name}.xml")
