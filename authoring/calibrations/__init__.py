"""Sittings and the calibrations made from them."""
