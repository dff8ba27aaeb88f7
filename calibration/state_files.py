"""Where an interrupted search was, so that it can go on."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path

from calibration.calibrating import Progress
from calibration.files import write_text_whole
from calibration.result import CalibrationError


def write_state(path: Path, progress: Progress, data_digest: str) -> None:
    """Write the state of a search over the data with that digest, whole or not at all."""
    document = {"kind": "tiku calibration state", "data": data_digest} | asdict(progress)
    write_text_whole(path, json.dumps(document) + "\n")


def read_state(path: Path, data_digest: str) -> Progress:
    """The state in a file. Raises CalibrationError where it is none, or belongs to other responses."""
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
        progress = Progress(
            int(document["iteration"]),
            float(document["log_likelihood"]),
            tuple(float(value) for value in document["vector"]),
            tuple((float(at), float(density)) for at, density in document.get("shape", ())),
        )
        of = document["data"]
    except (UnicodeDecodeError, json.JSONDecodeError, KeyError, TypeError, ValueError) as error:
        raise CalibrationError(f"{path}: not the state of a calibration ({error})") from None
    if of != data_digest:
        raise CalibrationError(f"{path}: the state of a calibration of other responses; give the files it came from")
    return progress


def remove_state(path: Path, data_digest: str) -> None:
    """Remove a file that holds the state of a search over these data; any other file, or none, stays as it is."""
    try:
        read_state(path, data_digest)
    except (CalibrationError, OSError):
        return
    path.unlink()
