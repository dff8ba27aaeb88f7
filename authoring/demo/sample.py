"""Where the sample bank's files are: in a wheel inside the package, in a checkout beside it."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path

from authoring.errors import UnknownError

NAME = "ai_trainer_l3"
SITTINGS = range(1, 7)
POPULATION = (
    "simulated: 105 candidates a sitting, theta ~ N(0, 1), two-parameter logistic model, "
    "seed 20260701 (examples/ai_trainer_l3/simulate_sittings.py)"
)


def sample_folder() -> Path:
    """The folder with outline.json, items.csv, sittings/ and the rest of the sample bank."""
    package = Path(str(files("authoring")))
    for folder in (package / "examples" / NAME, package.parent / "examples" / NAME):
        if (folder / "items.csv").is_file():
            return folder
    raise UnknownError("no-sample", f"the sample bank is missing: expected {package / 'examples' / NAME}")
