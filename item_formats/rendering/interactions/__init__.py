"""The 22 interactions of QTI 3, on the screen and in print: importing this fills the registry of `markup`."""

from item_formats.rendering.interactions import choosing, files, graphics, matching, ordering, writing

__all__ = ["choosing", "files", "graphics", "matching", "ordering", "writing"]
