"""Content packages in and out, results of candidates, and what is known about items from their use."""

from item_formats.packages.writing import write_package

__all__ = ["write_package"]
