"""Settings by file, and the state of a search: what is read, and what is refused with the place."""

from __future__ import annotations

from pathlib import Path

import pytest

from calibration import (
    CalibrationError,
    LogNormal,
    Normal,
    Priors,
    Progress,
    Specification,
    read_specification,
    read_state,
    write_state,
)

FULL = """
family_sd = 0.2
[models]
"*" = "2PL"
"CR*" = "GPCM"
[priors."*"]
a = "lognormal(floating, 0.5)"
[priors.17a]
b = "normal(1, 2)"
[testlets]
reading = ["R1", "R2"]
[families]
17 = ["17a", "17b"]
"""


def spec(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "spec.toml"
    path.write_text(text, encoding="utf-8")
    return path


def test_a_specification_is_the_arguments_of_a_calibration(tmp_path: Path) -> None:
    found = read_specification(spec(tmp_path, FULL))
    assert found.model == {"*": "2PL", "CR*": "GPCM"}
    assert found.testlets == {"R1": "reading", "R2": "reading"}
    assert found.priors == {
        "*": Priors(a=LogNormal(None, 0.5)),
        "17a": Priors(b=Normal(1, 2)),  # what is said of an item itself goes before its family
        "17b": Priors(b=Normal(None, 0.2, "17")),
    }
    assert read_specification(spec(tmp_path, "")) == Specification()
    assert read_specification(spec(tmp_path, 'model = "GRM"')).model == "GRM"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[models", "not TOML"),
        ("[anchors]\n", "'anchors' is not known; expected model, models, priors"),
        ('model = "2PL"\n[models]\n"*" = "2PL"', r"give model or \[models\], not both"),
        ('[models]\n"*" = 2', r"\[models\]: expected lines such as"),
        ('[priors."*"]\ng = "beta(5, 17)"', r'\[priors."\*"\]: expected lines such as'),
        ('[priors."*"]\nc = "normal(0, 1)"', r'\[priors."\*"\]: prior .* of c: expected beta'),
        ("family_sd = -1", "family_sd = -1: expected a positive number"),
        ('[testlets]\nreading = "R1"', r"\[testlets\], reading: expected a list of items, such as reading"),
        ('[testlets]\nx = ["R1"]\ny = ["R1"]', r"\[testlets\]: item R1 is in x and in y"),
    ],
)
def test_what_is_wrong_in_a_specification_is_named(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(CalibrationError, match=rf"spec\.toml.*{message}"):
        read_specification(spec(tmp_path, text))


def test_a_state_reads_back_for_the_same_responses_only(tmp_path: Path) -> None:
    path, progress = tmp_path / "s.json", Progress(7, -1234.5678901234567, (0.1, -1 / 3, 2.0))
    write_state(path, progress, "digest")
    assert read_state(path, "digest") == progress
    with pytest.raises(CalibrationError, match="the state of a calibration of other responses"):
        read_state(path, "another")
    for text in ("", "[]", "{}", '{"iteration": "x", "log_likelihood": 1, "vector": [], "data": ""}'):
        path.write_text(text, encoding="utf-8")
        with pytest.raises(CalibrationError, match=r"s\.json: not the state of a calibration"):
            read_state(path, "digest")


def test_a_setting_inside_the_wrong_table_is_named(tmp_path: Path) -> None:
    path = tmp_path / "spec.toml"
    path.write_text('[families]\nclones = ["a", "b"]\nfamily_sd = 0.3\n', encoding="utf-8")
    with pytest.raises(CalibrationError, match=r"\[families\], family_sd: expected a list of items"):
        read_specification(path)
