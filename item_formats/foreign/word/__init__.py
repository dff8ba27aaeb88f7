"""Word question lists in, editable papers out."""

from item_formats.foreign.word.reading import read_word
from item_formats.foreign.word.writing import write_paper_word, write_word

__all__ = ["read_word", "write_paper_word", "write_word"]
