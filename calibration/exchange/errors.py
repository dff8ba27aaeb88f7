"""What can be wrong with a file of parameters."""

from __future__ import annotations


class ExchangeError(ValueError):
    """Parameters that cannot be read or written; the message names file, row, item and field."""
