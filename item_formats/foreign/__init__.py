"""Items from and for other programs: tables, Word, Moodle XML, GIFT, Aiken; formulas between LaTeX, MathML and Word."""

from item_formats.foreign.csv_files import read_items_csv, write_items_csv
from item_formats.foreign.table import ItemRow, ItemTable

__all__ = ["ItemRow", "ItemTable", "read_items_csv", "write_items_csv"]
