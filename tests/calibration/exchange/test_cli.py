"""`tiku params convert` as a person or a program meets it."""

from __future__ import annotations

import json
from pathlib import Path

from click.testing import CliRunner

from authoring.calibrations.cli import params as params_with_qti
from calibration import ItemParameters, Scale, read_parameter_file, write_parameter_file
from calibration.exchange.cli import params
from tests.calibration.linking.items import EVERY_MODEL


def run(*arguments: object, command: object = params) -> tuple[int, str, str]:
    result = CliRunner().invoke(command, [str(argument) for argument in arguments])  # type: ignore[arg-type]
    return result.exit_code, result.stdout, result.stderr


def test_formats_are_told_by_content_and_name(tmp_path: Path) -> None:
    source = tmp_path / "params.json"
    write_parameter_file(source, EVERY_MODEL, Scale(D=1.7))
    values = tmp_path / "values.csv"
    code, out, _ = run("convert", source, values)
    assert code == 0
    assert out.startswith(f"wrote {values} (mirt): 10 items (1 Rasch, 1 1PL, 1 2PL")
    assert out.endswith("; D of params.json is 1.7\nnot in this format: marks of categories\n")
    code, out, _ = run("convert", values, tmp_path / "back.json", "--json")
    assert code == 0
    assert json.loads(out)["models"] == {"2PL": 3, "3PL": 1, "4PL": 1, "GPCM": 3, "GRM": 1, "NRM": 1}
    code, out, _ = run("convert", tmp_path / "back.json", tmp_path / "anything", "--to", "csv")
    assert (tmp_path / "anything").read_text(encoding="utf-8").startswith("id,model,a,b,c,d,b1,")


def test_what_is_wrong_is_one_line_and_writes_nothing(tmp_path: Path) -> None:
    source = tmp_path / "params.json"
    write_parameter_file(source, EVERY_MODEL, Scale())
    code, out, err = run("convert", source, tmp_path / "x-prm.txt")
    assert (code, out) == (1, "")
    assert err == "Error: item four: 4PL has an upper asymptote, which flexMIRT's file cannot hold\n"
    assert not (tmp_path / "x-prm.txt").exists()
    source.write_text('{"items": [{"id": "q", "model": "2PL", "a": 1, "bb": 0}]}', encoding="utf-8")
    assert "item q, field bb: not a field of an item" in run("convert", source, tmp_path / "y.csv")[2]
    assert run("convert", source, tmp_path / "y.csv", "--from", "word")[0] == 2


def test_qti_usage_data_both_ways(tmp_path: Path) -> None:
    source, xml, back = tmp_path / "params.json", tmp_path / "usage.xml", tmp_path / "back.json"
    items = [ItemParameters("Q1", "3PL", a=1.2, b=(0.5,), c=0.2, se={"a": 0.1, "b": 0.05}, n=812.0), *EVERY_MODEL]
    scale = Scale("bank", D=1.7, mean=0.2, sd=1.1)
    write_parameter_file(source, items, scale)
    code, out, _ = run("convert", source, xml, "--json", command=params_with_qti)
    assert (code, json.loads(out)["lost"]) == (0, [])
    text = xml.read_text(encoding="utf-8")
    assert "imsqti_usagedata_v3p0" in text
    assert 'name="irtA"' in text
    assert 'stdError="0.1"' in text
    assert 'caseCount="812"' in text
    assert run("convert", xml, back, command=params_with_qti)[0] == 0
    assert read_parameter_file(back) == (tuple(items), scale)
    xml.write_text("<usageData", encoding="utf-8")
    code, _, err = run("convert", xml, back, "--from", "qti", command=params_with_qti)
    assert code == 1
    assert "usage.xml" in err
