"""What cells, keys and columns mean: shifts, marks, several keys, partial credit, policies, raters, groups."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from calibration import Responses, ResponsesError, item_statistics, pool_responses, read_key, read_responses
from calibration.responses import NOT_REACHED, read_marks, right_options

SCIENCE = Path(__file__).parents[4] / "shared" / "data" / "calibration" / "science.csv"


def write(folder: Path, text: str, name: str = "x.csv") -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


# Scores start at 0


def test_scores_that_vary_start_at_0_and_the_shift_is_recorded(tmp_path: Path) -> None:
    read = read_responses(write(tmp_path, "L,D,R\n1,0,1\n4,1,1\n2,1,1\n"))
    np.testing.assert_array_equal(read.dense(), [[0, 0, 1], [3, 1, 1], [1, 1, 1]])
    assert read.shift == {"L": 1}  # everybody right on R is not everybody wrong
    assert read.category_marks("L", 4) == (1.0, 2.0, 3.0, 4.0)
    assert Responses.from_matrix(np.array([[1.0, 0], [4, 1]])).shift == {"item1": 1}


def test_an_omission_is_a_0_and_keeps_scores_where_they_are(tmp_path: Path) -> None:
    path = write(tmp_path, "form,L,Q\nA,1,1\nA,2,1\nA,,0\n")
    assert read_responses(path).shift == {}
    missing = read_responses(path, omitted="missing")
    assert missing.shift == {"L": 1}
    np.testing.assert_array_equal(missing.dense(), [[0, 1], [1, 1], [np.nan, 0]])


def test_a_given_shift_is_the_shift(tmp_path: Path) -> None:
    path = write(tmp_path, "L,M\n2,2\n3,3\n")
    read = read_responses(path, shift={"L": 1})
    assert (read.score.tolist(), read.shift) == ([1, 2, 2, 3], {"L": 1})
    with pytest.raises(ResponsesError, match=r"row 2, column L: score 2 is outside 0…249 \(the lowest of item 'L', 3,"):
        read_responses(path, shift={"L": 3})


def test_a_pool_is_shifted_as_a_whole(tmp_path: Path) -> None:
    parts = [read_responses(write(tmp_path, text)) for text in ("L\n2\n3\n", "L\n1\n3\n", "L\n3\n")]
    assert [part.shift for part in parts] == [{"L": 2}, {"L": 1}, {}]
    pooled = pool_responses(parts)
    assert (pooled.score.tolist(), pooled.shift) == ([1, 2, 0, 2, 2], {"L": 1})


@pytest.mark.skipif(not SCIENCE.exists(), reason="the shared data are not here")
def test_the_science_survey_runs_from_1_to_4() -> None:
    read = read_responses(SCIENCE)
    assert read.counts == {"answered": 392 * 4, "omitted": 0, "not_reached": 0, "not_administered": 0}
    assert read.shift == dict.fromkeys(["Comfort", "Work", "Future", "Benefit"], 1)
    assert read.category_counts()[0].tolist() == [5, 32, 266, 89]  # the table of R's ltm, Science$Comfort


# Keys


def test_several_right_keys(tmp_path: Path) -> None:
    key = read_key(write(tmp_path, "item,key\nQ1,A;C\nQ2,B\n", "key.csv"))
    assert key == {"Q1": "A;C", "Q2": "B"}
    assert right_options(key["Q1"]) == {"A", "C"}
    read = read_responses(write(tmp_path, "Q1,Q2\nA,A\nB,B\nC,B\n"), key=key)
    np.testing.assert_array_equal(read.dense(), [[1, 0], [0, 1], [1, 1]])
    assert [o.option for o in item_statistics(read)[0].options if o.is_key] == ["A", "C"]


def test_partial_credit_orders_options_by_their_marks(tmp_path: Path) -> None:
    key = read_key(write(tmp_path, "item,response,score\nQ1,A,2\nQ1,B,0.5\nQ1,C,2\nQ2,x,1\n", "key.csv"))
    assert key == {"Q1": {"A": 2.0, "B": 0.5, "C": 2.0}, "Q2": {"x": 1.0}}
    assert right_options(key["Q1"]) == {"A", "C"}
    read = read_responses(write(tmp_path, "form,Q1,Q2\nF,A,x\nF,B,y\nF,D,\nF,C,@NR\n"), key=key)
    np.testing.assert_array_equal(read.dense(), [[2, 1], [1, 0], [0, 0], [2, np.nan]])
    assert read.marks == {"Q1": (0.0, 0.5, 2.0)}
    assert read.category_marks("Q1", 3) == (0.0, 0.5, 2.0)
    assert read.shift == {}


def test_a_wrong_option_may_cost_marks_and_an_omission_costs_none(tmp_path: Path) -> None:
    read = read_responses(write(tmp_path, "form,Q\nF,A\nF,B\nF,C\nF,\nF,@NR\n"), key={"Q": {"A": 1, "B": -0.25}})
    assert read.marks == {"Q": (-0.25, 0.0, 1.0)}
    assert read.score.tolist() == [2, 0, 1, 1, 1]


def test_a_key_may_say_what_the_right_option_is_worth(tmp_path: Path) -> None:
    key = read_key(write(tmp_path, "item,key,marks\nQ1,A;B,2\nQ2,C,\n", "key.csv"))
    assert key == {"Q1": {"A": 2.0, "B": 2.0}, "Q2": "C"}
    read = read_responses(write(tmp_path, "Q1,Q2\nB,C\nC,C\n"), key=key)
    assert (read.score.tolist(), read.marks) == ([1, 1, 0, 1], {"Q1": (0.0, 2.0)})


def test_codes_that_are_numbers_meet_their_key_however_they_are_written(tmp_path: Path) -> None:
    assert read_responses(write(tmp_path, "Q1\n2.0\n2\n1\n"), key={"Q1": "2"}).score.tolist() == [1, 1, 0]
    assert read_responses({"Q1": np.array([2.0, np.nan, 1.0])}, key={"Q1": "2"}).score.tolist() == [1, 0]
    marks_in_cells = {"Q1": {"0.5": 0.5, "1": 1.0}}
    assert read_responses(write(tmp_path, "Q1\n0.50\n0\n1\n"), key=marks_in_cells).score.tolist() == [1, 0, 2]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("item,response,score\nQ1,A,1\nQ1,A,2\n", r"row 3: item 'Q1' has a second score for 'A'"),
        ("item,response,score\nQ1,A,much\n", r"row 2: score 'much'; expected a number"),
        ("item,response,score\nQ1,,1\n", r"row 2: the response is empty"),
        ("item,response,score\nQ1,A,0\n", r"no response to item 'Q1' earns marks"),
        ("item,key,marks\nQ1,A,-1\n", r"row 2: marks '-1'; expected a number above 0"),
        ("item,key\nQ1,;\n", r"row 2: the key is empty"),
    ],
)
def test_mistakes_in_keys_of_partial_credit(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(ResponsesError, match=r"key\.csv[,:].*" + message):
        read_key(write(tmp_path, text, "key.csv"))


@pytest.mark.parametrize(
    ("key", "message"),
    [
        ("", "item 'Q1': the key is empty"),
        ({}, "item 'Q1': no option of the key earns marks"),
        ({"A": float("nan")}, "item 'Q1': the key has marks that are not numbers"),
        ({str(k): k / 2 for k in range(251)}, "item 'Q1': 251 different marks; at most 250 categories"),
    ],
)
def test_mistakes_in_keys_given_in_python(key: str | dict[str, float], message: str) -> None:
    with pytest.raises(ResponsesError, match=message):
        read_responses({"Q1": np.array(["A"])}, key={"Q1": key})


# Marks


def test_marks_of_categories_are_kept_for_scoring(tmp_path: Path) -> None:
    marks = read_marks(write(tmp_path, "item,marks\nQ1,0;0.5;1;2\nQ9,0;3\n", "items.csv"))
    assert marks == {"Q1": (0.0, 0.5, 1.0, 2.0), "Q9": (0.0, 3.0)}
    path = write(tmp_path, "Q1,Q2\n0,1\n3,0\n")
    read = read_responses(path, marks=marks)
    assert read.marks == {"Q1": (0.0, 0.5, 1.0, 2.0)}
    assert read.category_marks("Q2", 2) == (0.0, 1.0)
    with pytest.raises(ResponsesError, match=r"row 3, column Q1: score 3, but marks are named for only 2 categories"):
        read_responses(path, marks={"Q1": (0, 1)})


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("item\nQ1\n", r"row 1: expected the columns item,marks"),
        ("item,marks\nQ1,0;1\nQ1,0;2\n", r"row 3: item 'Q1' stands twice"),
        ("item,marks\nQ1,0;2;1\n", r"row 2: marks '0;2;1'; expected those of every category, ascending"),
        ("item,marks\nQ1,3\n", r"row 2: marks '3'; expected those of every category"),
    ],
)
def test_mistakes_in_marks(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(ResponsesError, match=message):
        read_marks(write(tmp_path, text, "items.csv"))


# Omissions, groups, raters, places and times


def test_an_omission_may_be_ignored_and_is_still_counted(tmp_path: Path) -> None:
    path = write(tmp_path, "form,Q1,Q2\nA,1,\nA,0,1\nA,1,@NR\n")
    read = read_responses(path, omitted="missing")
    assert read.counts == {"answered": 4, "omitted": 1, "not_reached": 1, "not_administered": 0}
    assert read.status.tolist() == [0, NOT_REACHED, 0, 0, 0, NOT_REACHED]
    assert read.counts == read_responses(path).counts
    assert pool_responses([read, read_responses(write(tmp_path, "Q1\n1\n"))]).counts["omitted"] == 1
    assert "3 persons, 2 items: 4 answered, 1 omitted, 1 not reached" in str(read)


def test_long_rows_carry_group_place_time_and_rater(tmp_path: Path) -> None:
    text = (
        "person,item,rater,score,group,position,seconds\n"
        "x,E1,r2,3,g,2,40.5\nx,E1,r1,2,g,2,\nx,M1,,1,g,1,9\ny,E1,r1,0,h,,0\n"
    )
    read = read_responses(write(tmp_path, text))
    assert read.group is not None
    assert read.rater is not None
    assert read.position is not None
    assert read.seconds is not None
    assert (read.groups, read.group.tolist()) == (("g", "h"), [0, 1])
    assert read.items == ("E1", "M1")
    assert (read.raters, read.rater.tolist()) == (("r2", "r1"), [0, 1, -1, 1])
    assert read.score.tolist() == [3, 2, 1, 0]
    assert read.position.tolist() == [2, 2, 1, 0]
    np.testing.assert_array_equal(read.seconds, np.array([40.5, np.nan, 9, 0], np.float32))
    assert read.counts["not_administered"] == 1  # y on M1; two raters of x on E1 are one pair
    with pytest.raises(ResponsesError, match="several raters make no table"):
        read.dense()


def test_a_wide_file_may_have_a_row_for_each_rater(tmp_path: Path) -> None:
    read = read_responses(write(tmp_path, "person,rater,E1,E2\nx,r1,1,2\nx,r2,2,2\ny,r1,0,1\n"))
    assert read.persons == ("x", "y")
    assert read.rater is not None
    assert read.score.tolist() == [1, 2, 1, 1, 0, 0]  # E2 is 1 or 2
    assert read.rater.tolist() == [0, 1, 0, 1, 0, 0]
    with pytest.raises(ResponsesError, match=r"row 3: person 'x', rater 'r1', already stands in row 2"):
        read_responses(write(tmp_path, "person,rater,E1\nx,r1,1\nx,r1,2\n"))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("person,item,rater,score\nx,Q1,r,1\ny,Q1,r,1\nx,Q1,r,0\n", r"row 4: person 'x', item 'Q1', rater 'r' already"),
        ("person,item,score,group\nx,Q1,1,g\nx,Q2,1,h\n", r"row 3: person 'x' has another group than before"),
        ("person,group,Q1\nx,g,1\ny,,0\n", r"row 3: the group is empty; name every person's group"),
        ("person,item,score,position\nx,Q1,1,0\n", r"row 2: position '0'; expected 1, 2, …"),
        ("person,item,score,seconds\nx,Q1,1,1\nx,Q2,1,-2\n", r"row 3: seconds '-2'; expected a number from 0"),
        (",Q1\n1,1\n", r"row 1: column 1 has no name; name it or remove it"),
        ("item,score\nQ1,1\n", r"row 1: a long table without the column person; expected person,item,…"),
        ("person,item,score\n,Q1,1\n", r"row 2: the person is empty"),
        ("person,item,score\nx,,1\n", r"row 2: the item is empty"),
        ("Q1\n0\n300\n", r"row 3, column Q1: score 300 is outside 0…249"),
        ("Q1\n1e99\n", r"row 2, column Q1: '1e99' is not a score"),
    ],
)
def test_mistakes_in_what_else_is_known(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(ResponsesError, match=r"x\.csv, " + message):
        read_responses(write(tmp_path, text))


def test_only_the_items_that_were_named_are_read_and_in_their_order(tmp_path: Path) -> None:
    path = write(tmp_path, "person,item,score\nx,Q2,1\nx,Q1,0\n")
    read = read_responses(path, items=["Q1", "Q2", "Q3"])
    assert (read.items, read.item.tolist(), read.score.tolist()) == (("Q1", "Q2", "Q3"), [0, 1], [0, 1])
    with pytest.raises(ResponsesError, match="item 'Q2' is not among the 1 items that were named"):
        read_responses(path, items=["Q1"])


# Pools


def test_pools_join_groups_raters_and_what_only_some_sittings_know(tmp_path: Path) -> None:
    head = "person,item,rater,score,group"
    first = read_responses(write(tmp_path, f"{head},seconds\nx,E1,b,1,g,3\nx,E1,a,0,g,4\n"))
    second = read_responses(write(tmp_path, f"{head}\ny,E1,a,2,h\n"))
    pooled = pool_responses([first, second])
    assert pooled.group is not None
    assert pooled.rater is not None
    assert pooled.seconds is not None
    assert (pooled.groups, pooled.group.tolist()) == (("g", "h"), [0, 1])
    assert (pooled.raters, pooled.rater.tolist()) == (("b", "a"), [0, 1, 1])
    np.testing.assert_array_equal(pooled.seconds, np.array([3, 4, np.nan], np.float32))
    assert pooled.position is None
    sittings = pool_responses([first, second], sittings_are_groups=True)
    assert sittings.group is not None
    assert (sittings.groups, sittings.group.tolist()) == (("1", "2"), [0, 1])
    with pytest.raises(ResponsesError, match="sitting 2 has no column group, others have"):
        pool_responses([first, read_responses(write(tmp_path, "Q1\n1\n"))])


def test_an_item_that_is_worth_two_things_cannot_be_pooled(tmp_path: Path) -> None:
    one = read_responses(write(tmp_path, "Q1\n1\n0\n"), marks={"Q1": (0, 1)})
    other = read_responses(write(tmp_path, "Q1\n1\n1\n"), marks={"Q1": (0, 2)})
    with pytest.raises(ResponsesError, match=r"item Q1: worth \(0\.0, 1\.0\) in one sitting and \(0\.0, 2\.0\)"):
        pool_responses([one, read_responses(write(tmp_path, "Q1\n0\n")), other])
