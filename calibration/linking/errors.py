"""What can be wrong with a link or an equating."""

from __future__ import annotations


class LinkError(ValueError):
    """Scales that cannot be linked, or forms that cannot be equated; the message says why and what to do."""
