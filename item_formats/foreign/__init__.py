"""Items from and for other programs: tables, Word, Moodle XML, GIFT, Aiken; formulas between LaTeX, MathML and Word."""

from item_formats.foreign.csv_files import read_items_csv, write_items_csv
from item_formats.foreign.excel import read_excel, write_excel
from item_formats.foreign.extras import MissingExtraError
from item_formats.foreign.table import ItemRow, ItemTable

__all__ = [
    "ItemRow",
    "ItemTable",
    "MissingExtraError",
    "read_excel",
    "read_items_csv",
    "write_excel",
    "write_items_csv",
]
