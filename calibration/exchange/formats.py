"""Every format of parameters under its name."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from calibration.exchange.csv_table import items_from_csv, parameters_csv
from calibration.exchange.document import parameters_document, parameters_from_document
from calibration.exchange.errors import ExchangeError
from calibration.exchange.flexmirt import flexmirt_parameters, items_from_flexmirt
from calibration.exchange.irtq import irtq_metadata, items_from_irtq
from calibration.exchange.mirt import items_from_mirt, mirt_values
from calibration.exchange.tables import read_text
from calibration.files import write_text_whole
from calibration.models import ItemParameters, Scale

Parameters = tuple[tuple[ItemParameters, ...], Scale]


@dataclass(frozen=True, slots=True)
class Format:
    """How a format is read and written, and how a file of it is told from others.

    `read(text, where, group, D)`: `group` names one of several in the file, `D` is for formats that do not say.
    `is_it(path, text)` looks at the name and the beginning of the text.
    """

    summary: str
    read: Callable[[str, str, str | None, float], Parameters]
    write: Callable[[Sequence[ItemParameters], Scale], str]
    is_it: Callable[[Path, str], bool]
    names: Callable[[Path], bool]  # whether a file to be written has a name of this format


def _read_json(text: str, where: str, group: str | None, D: float) -> Parameters:  # noqa: ARG001
    try:
        document = json.loads(text)
    except json.JSONDecodeError as error:
        raise ExchangeError(f"{where}, line {error.lineno}: not JSON ({error.msg})") from None
    except RecursionError:
        raise ExchangeError(f"{where}: not a parameter file; its JSON is nested too deeply") from None
    return parameters_from_document(document, where)


def _write_json(items: Sequence[ItemParameters], scale: Scale) -> str:
    return json.dumps(parameters_document(items, scale), ensure_ascii=False, indent=1) + "\n"


def _header(text: str) -> set[str]:
    line = text.lstrip("\ufeff").split("\n", 1)[0]
    return {cell.strip().strip('"') for cell in line.split(",")}


FORMATS: Mapping[str, Format] = {
    "json": Format(
        "our own, with scale, standard errors and covariances",
        _read_json,
        _write_json,
        lambda _, text: text.lstrip("\ufeff \t\r\n").startswith("{"),
        lambda path: path.suffix.lower() == ".json",
    ),
    "mirt": Format(
        "mod2values or coef(as.data.frame = TRUE) of R mirt, as CSV",
        lambda text, where, group, _: items_from_mirt(text, where, group=group),
        mirt_values,
        lambda _, text: {"item", "name", "value"} <= _header(text) or "par" in _header(text),
        lambda path: path.name.lower().endswith(("mirt.csv", "values.csv")),
    ),
    "irtq": Format(
        "item metadata of R irtQ, as CSV",
        lambda text, where, _, D: items_from_irtq(text, where, D=D),
        irtq_metadata,
        lambda _, text: {"id", "cats", "model", "par.1"} <= _header(text),
        lambda path: path.name.lower().endswith("irtq.csv"),
    ),
    "csv": Format(
        "our own as a table",
        lambda text, where, *_: items_from_csv(text, where),
        parameters_csv,
        lambda _, text: {"id", "model"} <= _header(text),
        lambda path: path.suffix.lower() == ".csv",
    ),
    "flexmirt": Format(
        "-prm.txt of flexMIRT",
        lambda text, where, group, _: items_from_flexmirt(text, where, group=group),
        flexmirt_parameters,
        lambda path, text: path.name.lower().endswith("-prm.txt") or "\t" in text.split("\n", 1)[0],
        lambda path: path.suffix.lower() == ".txt",
    ),
}


def read_parameter_file(
    path: Path,
    kind: str | None = None,
    *,
    group: str | None = None,
    D: float = 1.0,
    formats: Mapping[str, Format] = FORMATS,
) -> Parameters:
    """Items and scale from a file of any known format, told by its content unless `kind` names it.

    Raises ExchangeError, OSError.
    """
    text = read_text(path)
    if kind is None:
        kind = next((name for name, one in formats.items() if one.is_it(path, text)), None)
        if kind is None:
            raise ExchangeError(
                f"{path}: none of the known formats ({', '.join(formats)}); `tiku params convert` takes --from"
            )
    items, scale = formats[kind].read(text, str(path), group, D)
    if not items:
        raise ExchangeError(f"{path}: no items in it")
    return items, scale


def write_parameter_file(
    path: Path,
    items: Sequence[ItemParameters],
    scale: Scale,
    kind: str | None = None,
    *,
    formats: Mapping[str, Format] = FORMATS,
) -> str:
    """Write items in the format `kind`, or in that of the file's name, and give its name.

    Raises ExchangeError, OSError.
    """
    kind = kind or next((name for name, one in formats.items() if one.names(path)), None)
    if kind is None:
        raise ExchangeError(f"{path}: its name does not tell the format; name one of {', '.join(formats)} with --to")
    write_text_whole(path, formats[kind].write(items, scale))
    return kind
