"""Items from and for other programs: tables, Word, Moodle XML, GIFT, Aiken; formulas between LaTeX, MathML and Word."""

from item_formats.foreign.aiken import read_aiken, write_aiken
from item_formats.foreign.csv_files import read_items_csv, write_items_csv
from item_formats.foreign.excel import read_excel, write_excel
from item_formats.foreign.extras import MissingExtraError
from item_formats.foreign.gift import read_gift, write_gift
from item_formats.foreign.moodle import read_moodle
from item_formats.foreign.moodle_writing import write_moodle
from item_formats.foreign.placings import Placing, read_placings
from item_formats.foreign.table import ItemRow, ItemTable
from item_formats.foreign.word import read_word, write_paper_word, write_word

__all__ = [
    "ItemRow",
    "ItemTable",
    "MissingExtraError",
    "Placing",
    "read_aiken",
    "read_excel",
    "read_gift",
    "read_items_csv",
    "read_moodle",
    "read_placings",
    "read_word",
    "write_aiken",
    "write_excel",
    "write_gift",
    "write_items_csv",
    "write_moodle",
    "write_paper_word",
    "write_word",
]
