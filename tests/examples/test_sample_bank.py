"""The sample bank is what users see first: its file keeps the rules of item writing."""

from __future__ import annotations

import csv
import importlib.util
import json
import re
import sys
from collections import Counter
from itertools import combinations
from pathlib import Path

import pytest

from authoring.demo.sample import sample_folder
from item_formats import read_items_csv

SAMPLE = sample_folder()
TYPES = {"单选": 420, "判断": 120, "多选": 30}


def rows() -> list[dict[str, str]]:
    with (SAMPLE / "items.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


ROWS = rows()
SINGLE = [row for row in ROWS if row["题型"] == "单选"]
MULTIPLE = [row for row in ROWS if row["题型"] == "多选"]
OUTLINE = json.loads((SAMPLE / "outline.json").read_text(encoding="utf-8"))
SECTIONS = [section for area in OUTLINE["areas"] for section in area["sections"]]


def options(row: dict[str, str]) -> list[str]:
    return [row[f"选项{letter}"] for letter in "ABCDE" if row[f"选项{letter}"]]


def test_570_items_of_three_types() -> None:
    assert Counter(row["题型"] for row in ROWS) == TYPES
    assert len({row["编号"] for row in ROWS}) == 570


def test_every_row_is_read_without_a_finding() -> None:
    table = read_items_csv(SAMPLE / "items.csv")
    assert table.findings == ()
    assert len(table.rows) == 570


def test_each_of_the_300_points_has_one_or_two_items_in_proportion_to_its_section() -> None:
    points = {point["code"]: section["code"] for section in SECTIONS for point in section["points"]}
    per_point = Counter(row["知识点"] for row in ROWS)
    assert len(points) == 300
    assert set(per_point) == set(points)
    assert set(per_point.values()) == {1, 2}
    per_section = Counter(points[row["知识点"]] for row in ROWS)
    for section in SECTIONS:
        assert abs(per_section[section["code"]] - 570 * len(section["points"]) / 300) < 1


def test_weights_are_shares_of_points() -> None:
    assert sum(section["weight"] for section in SECTIONS) == pytest.approx(100)
    for section in SECTIONS:
        assert section["weight"] == pytest.approx(len(section["points"]) / 3, abs=0.005)


def test_importance_follows_the_rule_of_the_outline_and_is_marked_as_a_sample() -> None:
    shares = Counter(point["importance"] for section in SECTIONS for point in section["points"])
    assert shares["X"] >= 240
    assert shares["Y"] <= 45
    assert shares["Z"] <= 15
    assert OUTLINE["importance_provenance"].startswith("sample")


def test_each_key_letter_takes_20_to_30_per_cent() -> None:
    letters = Counter(row["答案"] for row in SINGLE)
    assert set(letters) == set("ABCD")
    assert all(0.20 <= count / len(SINGLE) <= 0.30 for count in letters.values())


def test_40_to_60_per_cent_of_the_statements_are_true() -> None:
    answers = Counter(row["答案"] for row in ROWS if row["题型"] == "判断")
    assert set(answers) == {"√", "×"}
    assert 0.40 <= answers["√"] / 120 <= 0.60


def test_multiple_response_has_two_to_four_keys_and_uses_all_counts() -> None:
    counts = Counter(len(row["答案"]) for row in MULTIPLE)
    assert set(counts) == {2, 3, 4}
    assert all(len(options(row)) == 5 for row in MULTIPLE)


def test_the_longest_option_is_no_clue_to_the_key() -> None:
    """At most 35 % even when a key that only shares the greatest length is counted."""
    longest = sum(len(row[f"选项{row['答案']}"]) == max(map(len, options(row))) for row in SINGLE)
    assert longest / len(SINGLE) <= 0.35


@pytest.mark.parametrize("phrase", ["以上", "都对", "都不对", "全部正确", "均正确", "皆是", "均不"])
def test_no_all_or_none_of_the_above(phrase: str) -> None:
    assert [row["编号"] for row in ROWS if any(option.startswith(phrase) for option in options(row))] == []


def bigrams(text: str) -> set[str]:
    letters = re.sub(r"[\W_]", "", text)
    return {letters[n : n + 2] for n in range(len(letters) - 1)}


@pytest.mark.parametrize("with_options", [False, True])
def test_no_two_items_are_near_duplicates(with_options: bool) -> None:
    texts = [(row["编号"], bigrams(row["题干"] + "".join(options(row)) * with_options)) for row in ROWS]
    alike = [(x, y) for (x, one), (y, other) in combinations(texts, 2) if len(one & other) >= 0.6 * len(one | other)]
    assert alike == []


def test_every_item_explains_its_key_and_names_its_source() -> None:
    assert [row["编号"] for row in ROWS if not row["解析"].strip() or not row["出处"].strip()] == []
    assert {row["难度"] for row in ROWS} == set("12345")


def test_enemies_are_other_items_of_the_bank() -> None:
    point = {row["编号"]: row["知识点"] for row in ROWS}
    pairs = [(row["编号"], enemy) for row in ROWS for enemy in row["互斥"].split(";") if enemy]
    assert pairs
    assert all(enemy in point and enemy != item for item, enemy in pairs)


def test_the_second_reader_answered_every_item_and_agrees() -> None:
    """All 570 were answered blind; docs/sample-bank.md tells what the reading changed."""
    with (SAMPLE / "second_reading.csv").open(encoding="utf-8", newline="") as file:
        answers = {row["item"]: row["answer"] for row in csv.DictReader(file)}
    assert answers == {row["编号"]: row["答案"] for row in ROWS}


def test_the_sittings_are_what_the_script_makes(tmp_path: Path) -> None:
    script = SAMPLE / "simulate_sittings.py"
    if not script.is_file():
        pytest.skip("the simulation script is not part of an installed wheel")
    spec = importlib.util.spec_from_file_location("simulate_sittings", script)
    assert spec is not None
    assert spec.loader is not None
    simulation = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = simulation  # dataclasses look their module up
    spec.loader.exec_module(simulation)
    simulation.main(tmp_path)
    for made in sorted(tmp_path.iterdir()):
        assert made.read_bytes() == (SAMPLE / "sittings" / made.name).read_bytes(), made.name
    assert len(list(tmp_path.iterdir())) == 8


def test_every_item_is_on_exactly_two_forms_of_the_real_shape() -> None:
    types = {row["编号"]: row["题型"] for row in ROWS}
    points = {row["编号"]: row["知识点"] for row in ROWS}
    seen: Counter[str] = Counter()
    for number in range(1, 7):
        with (SAMPLE / "sittings" / f"{number}.csv").open(encoding="utf-8", newline="") as file:
            lines = list(csv.reader(file))
        items = lines[0][2:]
        assert len(lines) == 1 + 105
        assert Counter(types[item] for item in items) == {"判断": 40, "单选": 140, "多选": 10}
        assert len({points[item] for item in items}) == 190
        seen.update(items)
    assert set(seen.values()) == {2}
    assert len(seen) == 570
