"""Findings say where first, then what."""

from __future__ import annotations

import pickle

from item_formats import Finding, ItemError, errors_among

ERROR = Finding("error", "empty-key", "答案 is empty", file="items.csv", line=7, column="答案", item="Q6")
WARNING = Finding("warning", "no-blank", "write （ ）")


def test_a_finding_reads_as_a_compiler_line() -> None:
    assert str(ERROR) == "items.csv:7:答案 error empty-key: [Q6] 答案 is empty"
    assert str(WARNING) == "warning no-blank: write （ ）"


def test_a_finding_as_json_has_every_field() -> None:
    assert ERROR.as_json() == {
        "severity": "error",
        "code": "empty-key",
        "message": "答案 is empty",
        "file": "items.csv",
        "line": 7,
        "column": "答案",
        "item": "Q6",
    }


def test_an_item_error_tells_errors_first_and_travels_between_processes() -> None:
    error = ItemError(WARNING, ERROR)
    assert error.findings == (ERROR, WARNING)
    assert pickle.loads(pickle.dumps(error)).findings == error.findings  # noqa: S301 (our own bytes)
    assert errors_among(error.findings) == [ERROR]
