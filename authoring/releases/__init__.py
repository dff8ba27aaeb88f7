"""Releases: which items were published, when, why, and what that cost."""
