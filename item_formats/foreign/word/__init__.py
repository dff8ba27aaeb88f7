"""Word question lists in, editable papers out."""

from item_formats.foreign.word.reading import read_word

__all__ = ["read_word"]
