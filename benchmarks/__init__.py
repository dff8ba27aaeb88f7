"""Timings, printed beside peers measured in the same run. Never part of the tests."""
