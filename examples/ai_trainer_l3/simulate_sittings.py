"""Simulated pretest sittings of the sample bank: nobody has answered these items yet, so these responses are invented.

    python examples/ai_trainer_l3/simulate_sittings.py

writes `sittings/1.csv` … `sittings/6.csv` (the options chosen), `sittings/keys.csv` (the key each item was scored by in
these sittings) and `sittings/truth.csv` (the parameters behind them, for checks). The model, in full:

* six sittings of 105 candidates, each from one population, theta ~ N(0, 1);
* six forms of the real shape (40 true/false, 140 single choice, 10 multiple response), every item on exactly two of
  them, no two items of one assessment point on the same form;
* P(right) = logistic(a (theta - b)); b ~ N(mean of the writer's difficulty grade, 0.45²), a ~ lognormal(log 0.95,
  0.3²);
* a wrong answer draws an option by fixed weights of the item (multiple response: one or two letters off the key); 2 %
  of wrong answers are left empty;
* three faults: one item keyed wrongly in these sittings, one everybody gets right, one with negative discrimination.
"""

from __future__ import annotations

import csv
from dataclasses import dataclass
from pathlib import Path

import numpy as np

HERE = Path(__file__).parent
SEED = 20260701
SITTINGS, CANDIDATES = 6, 105
FORM = {"判断": 40, "单选": 140, "多选": 10}
B_OF_GRADE = {1: -2.2, 2: -1.5, 3: -0.9, 4: -0.2, 5: 0.5}
LETTERS = "ABCDE"
OMITTED_SHARE = 0.02


@dataclass(slots=True)
class SimulatedItem:
    id: str
    type: str
    point: str
    key: str
    key_then: str
    a: float
    b: float
    fault: str
    wrong: list[str]
    wrong_weights: list[float]


def wrong_answers(row: dict[str, str], rng: np.random.Generator) -> tuple[list[str], list[float]]:
    """The wrong response codes an item can draw, with their weights."""
    if row["题型"] == "判断":
        return ["×" if row["答案"] == "√" else "√"], [1.0]
    if row["题型"] == "单选":
        wrong = [letter for letter in LETTERS[:4] if letter != row["答案"]]
    else:
        sets = [
            "".join(letter for letter in LETTERS if (letter in row["答案"]) != (letter in off))
            for off in [*LETTERS, *(x + y for x in LETTERS for y in LETTERS if x < y)]
        ]
        wrong = [code for code in sets if len(code) >= 2]
    return wrong, list(rng.dirichlet(np.full(len(wrong), 6.0)))


def simulated_items(rng: np.random.Generator) -> list[SimulatedItem]:
    with (HERE / "items.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    items = []
    for row in rows:
        wrong, weights = wrong_answers(row, rng)
        b = B_OF_GRADE[int(row["难度"])] + 0.45 * rng.standard_normal()
        a = float(np.exp(np.log(0.95) + 0.3 * rng.standard_normal()))
        items.append(
            SimulatedItem(row["编号"], row["题型"], row["知识点"], row["答案"], row["答案"], a, b, "", wrong, weights)
        )
    plant_faults(items, rng)
    return items


def plant_faults(items: list[SimulatedItem], rng: np.random.Generator) -> None:
    single = [item for item in items if item.type == "单选"]
    miskeyed = rng.choice([i for i, item in enumerate(single) if item.a > 1.1 and -1.2 < item.b < -0.2])
    item = single[miskeyed]
    item.fault, item.key_then = "keyed wrongly in these sittings", item.wrong[int(np.argmax(item.wrong_weights))]
    known = single[rng.choice([i for i, item in enumerate(single) if item.b < -2.0 and not item.fault])]
    known.fault, known.b = "everybody gets it right", -np.inf
    backwards = single[rng.choice([i for i, item in enumerate(single) if -1.0 < item.b < 0.3 and not item.fault])]
    backwards.fault, backwards.a, backwards.b = "negative discrimination", -0.9, 0.0
    backwards.wrong_weights = [1 / 3] * 3


def deal_forms(items: list[SimulatedItem], rng: np.random.Generator) -> list[list[SimulatedItem]]:
    """Six forms, from two deals of the bank into three: no point twice on a form, sections about even."""
    forms = []
    for _ in range(2):
        for _attempt in range(200):
            deal = deal_three(items, rng)
            if deal is not None:
                forms.extend(deal)
                break
        else:
            raise SystemExit("no deal of the items into three forms found")
    return forms


def deal_three(items: list[SimulatedItem], rng: np.random.Generator) -> list[list[SimulatedItem]] | None:
    forms: list[list[SimulatedItem]] = [[], [], []]
    points: list[set[str]] = [set(), set(), set()]
    room = [dict(FORM) for _ in forms]
    order = sorted(items, key=lambda item: (item.type == "单选", item.point[:3], rng.random()))
    for item in order:
        open_forms = [f for f in range(3) if room[f][item.type] and item.point not in points[f]]
        if not open_forms:
            return None
        most = max(room[f][item.type] for f in open_forms)
        f = int(rng.choice([f for f in open_forms if room[f][item.type] == most]))
        forms[f].append(item)
        points[f].add(item.point)
        room[f][item.type] -= 1
    return forms


def answer(item: SimulatedItem, theta: np.ndarray, rng: np.random.Generator) -> list[str]:
    p = 1 / (1 + np.exp(-item.a * (theta - item.b)))
    right = rng.random(len(theta)) < p
    wrong = rng.choice(len(item.wrong), size=len(theta), p=item.wrong_weights)
    empty = rng.random(len(theta)) < OMITTED_SHARE
    return [item.key if right[i] else "" if empty[i] else item.wrong[wrong[i]] for i in range(len(theta))]


def write_csv(path: Path, rows: list[list[object]]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file, lineterminator="\n").writerows(rows)


def main(out: Path = HERE / "sittings") -> None:
    rng = np.random.default_rng(SEED)
    items = simulated_items(rng)
    forms = deal_forms(items, rng)
    out.mkdir(exist_ok=True)
    for s, form in enumerate(forms, start=1):
        form.sort(key=lambda item: (list(FORM).index(item.type), item.id))
        theta = rng.standard_normal(CANDIDATES)
        columns = [answer(item, theta, rng) for item in form]
        header = ["person", "form", *(item.id for item in form)]
        body = [[f"{s}-{i + 1:03d}", f"F{s}", *(column[i] for column in columns)] for i in range(CANDIDATES)]
        write_csv(out / f"{s}.csv", [header, *body])
    write_csv(out / "keys.csv", [["item", "key"], *([item.id, item.key_then] for item in items)])
    truth = [[item.id, f"{item.a:.6f}", f"{item.b:.6f}", item.fault] for item in items]
    write_csv(out / "truth.csv", [["item", "a", "b", "fault"], *truth])


if __name__ == "__main__":
    main()
