"""Reading responses: what each kind of cell means, and where each kind of mistake is reported."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from calibration import Responses, ResponsesError, pool_responses, read_key, read_responses
from calibration.responses import ANSWERED, NOT_REACHED, OMITTED

NAN = np.nan
KEY = {"Q1": "A", "Q2": "B", "Q3": "√"}


def write(folder: Path, text: str, name: str = "answers.csv") -> Path:
    path = folder / name
    path.write_bytes(text.encode())
    return path


def cells(responses: Responses) -> dict[tuple[str, str], tuple[int, int]]:
    """(person, item) → (score, status)."""
    rows = zip(responses.person, responses.item, responses.score, responses.status, strict=True)
    return {(responses.persons[p], responses.items[j]): (int(u), int(s)) for p, j, u, s in rows}


# Wide files


def test_a_wide_file_has_a_row_a_person_and_a_column_an_item(tmp_path: Path) -> None:
    read = read_responses(write(tmp_path, "person,Q1,Q2\n张三,1,0\n李四,0,1\n"))
    assert read.persons == ("张三", "李四")
    assert read.items == ("Q1", "Q2")
    np.testing.assert_array_equal(read.dense(), [[1, 0], [0, 1]])
    np.testing.assert_array_equal(read.weight, [1, 1])


def test_without_a_person_column_every_row_is_its_own_person(tmp_path: Path) -> None:
    read = read_responses(write(tmp_path, "Q1,Q2\n1,0\n1,0\n"))
    assert read.persons == ("1", "2")
    np.testing.assert_array_equal(read.dense(), [[1, 0], [1, 0]])


@pytest.mark.parametrize("column", ["weight", "Weight", "freq", "Freq", "FREQ"])
def test_a_weight_or_frequency_column_in_any_case_weighs_the_row(tmp_path: Path, column: str) -> None:
    read = read_responses(write(tmp_path, f"Q1,{column},Q2\n1,3,0\n0,0.5,1\n"))
    assert read.items == ("Q1", "Q2")
    np.testing.assert_array_equal(read.weight, [3, 0.5])
    np.testing.assert_array_equal(read.item_counts(), [3.5, 3.5])


@pytest.mark.parametrize("empty", ["", "NA", ".", " "])
def test_without_a_form_column_an_empty_cell_was_not_administered(tmp_path: Path, empty: str) -> None:
    read = read_responses(write(tmp_path, f"person,Q1,Q2\nx,1,{empty}\ny,0,1\n"))
    assert cells(read) == {("x", "Q1"): (1, ANSWERED), ("y", "Q1"): (0, ANSWERED), ("y", "Q2"): (1, ANSWERED)}
    assert read.counts == {"answered": 3, "omitted": 0, "not_reached": 0, "not_administered": 1}


@pytest.mark.parametrize("empty", ["", "NA", "."])
def test_with_a_form_column_an_empty_cell_of_the_form_was_omitted_and_scores_0(tmp_path: Path, empty: str) -> None:
    text = f"person,form,Q1,Q2,Q3\nx,A,1,{empty},\ny,A,0,1,\nz,B,,1,1\n"
    read = read_responses(write(tmp_path, text))
    assert cells(read)["x", "Q2"] == (0, OMITTED)
    assert read.forms == ("A", "B")
    np.testing.assert_array_equal(read.form, [0, 0, 1])
    np.testing.assert_array_equal(read.dense(), [[1, 0, NAN], [0, 1, NAN], [NAN, 1, 1]])
    assert read.counts == {"answered": 5, "omitted": 1, "not_reached": 0, "not_administered": 3}


def test_not_reached_is_neither_wrong_nor_absent(tmp_path: Path) -> None:
    read = read_responses(write(tmp_path, "person,Q1,Q2\nx,1,@NR\ny,0,1\n"))
    assert cells(read)["x", "Q2"] == (0, NOT_REACHED)
    np.testing.assert_array_equal(read.dense(), [[1, NAN], [0, 1]])
    np.testing.assert_array_equal(read.item_counts(), [2, 1])
    assert read.counts == {"answered": 3, "omitted": 0, "not_reached": 1, "not_administered": 0}


def test_an_item_that_somebody_of_the_form_did_not_reach_is_on_the_form(tmp_path: Path) -> None:
    read = read_responses(write(tmp_path, "person,form,Q1,Q2\nx,A,1,@NR\ny,A,0,\n"))
    assert cells(read)["y", "Q2"] == (0, OMITTED)


def test_columns_about_the_sitting_are_not_items(tmp_path: Path) -> None:
    read = read_responses(write(tmp_path, "person,Q1,seconds,rater,position\nx,1,30,r1,7\n"))
    assert read.items == ("Q1",)


def test_with_a_key_the_cells_are_options_and_are_scored(tmp_path: Path) -> None:
    read = read_responses(write(tmp_path, "person,form,Q1,Q2,Q3\nx,F,A,C,√\ny,F,B,B,\n"), key=KEY)
    np.testing.assert_array_equal(read.dense(), [[1, 0, 1], [0, 1, 0]])
    assert read.option is not None
    chosen = [read.options[k] if k >= 0 else None for k in read.option]
    assert chosen == ["A", "C", "√", "B", "B", None]
    assert dict(read.key) == KEY


def test_a_byte_order_mark_and_windows_line_ends_do_no_harm(tmp_path: Path) -> None:
    read = read_responses(write(tmp_path, "\ufeffperson,Q1\r\nx,1\r\n\r\n"))
    assert (read.persons, read.items) == (("x",), ("Q1",))


def test_scores_above_a_stated_maximum_are_refused(tmp_path: Path) -> None:
    path = write(tmp_path, "Q1,Q2\n0,2\n")
    assert read_responses(path, max_score=2).score.tolist() == [0, 2]
    with pytest.raises(ResponsesError, match=r"answers\.csv, row 2, column Q2: score 2 is outside 0…1"):
        read_responses(path, max_score=1)
    with pytest.raises(ResponsesError, match=r"answers\.csv, row 3, column Q2: score 250 is outside 0…249"):
        read_responses(write(tmp_path, "Q1,Q2\n0,0\n1,250\n"))


# Long files


def test_a_long_file_has_a_row_a_response(tmp_path: Path) -> None:
    text = "person,item,score,form,weight\nx,Q2,1,A,2\ny,Q1,0,B,1\nx,Q1,,A,2\ny,Q3,@NR,B,1\n"
    read = read_responses(write(tmp_path, text))
    assert cells(read) == {
        ("x", "Q1"): (0, OMITTED),
        ("x", "Q2"): (1, ANSWERED),
        ("y", "Q1"): (0, ANSWERED),
        ("y", "Q3"): (0, NOT_REACHED),
    }
    assert read.forms == ("A", "B")
    np.testing.assert_array_equal(read.weight, [2, 1])
    order = np.lexsort((read.item, read.person))
    np.testing.assert_array_equal(order, np.arange(4))


def test_a_long_file_of_responses_is_scored_by_the_key(tmp_path: Path) -> None:
    read = read_responses(write(tmp_path, "Person,Item,Response\nx,Q1,A\nx,Q2,A\n"), key=KEY)
    np.testing.assert_array_equal(read.dense(), [[1, 0]])


@given(st.lists(st.lists(st.sampled_from([0.0, 1.0, NAN]), min_size=3, max_size=3), min_size=1, max_size=6))
def test_wide_and_long_say_the_same(tmp_path_factory: pytest.TempPathFactory, rows: list[list[float]]) -> None:
    table = np.array([[1.0, 0.0, 1.0], *rows])
    names = {NAN: "", 0.0: "0", 1.0: "1"}
    wide = "person,Q1,Q2,Q3\n" + "".join(
        f"p{i}," + ",".join("" if np.isnan(u) else names[u] for u in row) + "\n" for i, row in enumerate(table)
    )
    long = "person,item,score\n" + "".join(
        f"p{i},Q{j + 1},{names[u]}\n" for i, row in enumerate(table) for j, u in enumerate(row) if not np.isnan(u)
    )
    folder = tmp_path_factory.mktemp("same")
    one = read_responses(write(folder, wide, "wide.csv"))
    other = read_responses(write(folder, long, "long.csv"))
    assert cells(one) == cells(other)
    np.testing.assert_array_equal(one.dense(), table)


# What is wrong, and where


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", r"the file is empty; expected a header row"),
        ("person,Q1\n", r"no responses; expected one row a person below the header"),
        ("person,Q1,Q1\nx,1,1\n", r"row 1: column 'Q1' stands twice"),
        ("person,Q1,Q2\nx,1,1\ny,1\n", r"row 3: 2 cells, the header has 3"),
        ("person,Q1,Q2\nx,1,1,0\n", r"row 2: 4 cells, the header has 3"),
        ("person,Q1\nx,1\n\ny,0\nx,0\n", r"row 5: person 'x' already stands in row 2"),
        ("person,Q1,Q2\nx,1,A\n", r"row 2, column Q2: 'A' is not a score; expected 0…1, or give a key"),
        ("person,Q1\nx,-1\n", r"row 2, column Q1: score -1 is outside 0…1"),
        ("person,Q1\nx,0.5\n", r"row 2, column Q1: '0.5' is not a score"),
        ("Q1,freq\n1,3\n0,-2\n", r"row 3: weight '-2'; expected a number from 0"),
        ("Q1,weight\n1,many\n", r"row 2: weight 'many'; expected a number from 0"),
        ("Q1,weight\n1,inf\n", r"row 2: weight 'inf'; expected a number from 0"),
        ("Q1,weight\n1,nan\n", r"row 2: weight 'nan'; expected a number from 0"),
        ("person,item,score\nx,Q1,1\ny,Q1,0\nx,Q1,1\n", r"row 4: person 'x', item 'Q1' already stands in row 2"),
        ("person,item,score\nx,Q1,3\n", r"row 2, column score: score 3 is outside 0…1"),
        (
            "person,item,score,form\nx,Q1,1,A\nx,Q2,1,B\n",
            r"row 3: person 'x' has another form or weight than before",
        ),
        ('person,Q1\nx,"' + "1" * 140_000, r"not CSV \(field larger than field limit.*quotation mark"),
    ],
)
def test_mistakes_are_reported_with_their_place(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(ResponsesError, match=r"answers\.csv[,:].*" + message):
        read_responses(write(tmp_path, text), max_score=1)


def test_an_item_without_a_key_is_named_in_wide_and_long_files(tmp_path: Path) -> None:
    with pytest.raises(ResponsesError, match=r"row 1, column Q9: item 'Q9' has no key; add it to the key or remove"):
        read_responses(write(tmp_path, "person,Q1,Q9\nx,A,B\n"), key=KEY)
    with pytest.raises(ResponsesError, match=r"row 3: item 'Q9' has no key"):
        read_responses(write(tmp_path, "person,item,response\nx,Q1,A\nx,Q9,B\n"), key=KEY)


def test_a_file_in_another_encoding_says_which_row(tmp_path: Path) -> None:
    path = tmp_path / "gbk.csv"
    path.write_bytes(b"person,Q1\nx,1\n" + "张三,1\n".encode("gbk"))
    with pytest.raises(ResponsesError, match=r"gbk\.csv, row 3: not UTF-8; save the file as UTF-8 CSV"):
        read_responses(path)


# Keys


def test_a_key_file_gives_the_right_option_of_every_item(tmp_path: Path) -> None:
    assert read_key(write(tmp_path, "\ufeffitem,note,key\nQ1,,A\n\nQ2,, √ \n")) == {"Q1": "A", "Q2": "√"}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("item,answer\nQ1,A\n", r"row 1: expected the columns item,key"),
        ("item,key\nQ1,A\nQ2,B\nQ1,C\n", r"row 4: item 'Q1' has a second key"),
        ("item,key\nQ1,A\nQ2,\n", r"row 3: the key is empty"),
        ("item,key\nQ1\n", r"row 2: 1 cells, the header has 2"),
        ("", r"the file is empty"),
    ],
)
def test_mistakes_in_a_key_are_reported_with_their_row(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(ResponsesError, match=r"key\.csv[,:].*" + message):
        read_key(write(tmp_path, text, "key.csv"))


def test_a_key_in_another_encoding_is_refused_with_its_row(tmp_path: Path) -> None:
    path = tmp_path / "key.csv"
    path.write_bytes("item,key\nQ1,√\n".encode("gbk"))
    with pytest.raises(ResponsesError, match="row 2: not UTF-8"):
        read_key(path)


# Matrices and several sittings


def test_a_matrix_of_scores_keeps_its_gaps() -> None:
    table = np.array([[1, NAN, 0], [NAN, 1, 1], [0, NAN, 1]])
    responses = Responses.from_matrix(table, items=["a", "b", "c"])
    np.testing.assert_array_equal(responses.dense(), table)
    assert responses.form[0] == responses.form[2] != responses.form[1]


@pytest.mark.parametrize("score", [-1.0, 0.5])
def test_a_matrix_with_a_score_that_is_not_a_whole_number_names_the_cell(score: float) -> None:
    with pytest.raises(ResponsesError, match=rf"row 2, item b: score {score:g}; scores are 0, 1, 2, …"):
        Responses.from_matrix(np.array([[1, 0], [1, score]]), items=["a", "b"])


def test_sittings_are_pooled_by_item_and_persons_stay_apart(tmp_path: Path) -> None:
    first = read_responses(write(tmp_path, "person,form,Q1,Q2\nx,A,A,\ny,A,B,B\n"), key=KEY)
    second = read_responses(write(tmp_path, "person,form,Q3,Q2\nx,A,√,C\n"), key=KEY)
    pooled = pool_responses([first, second])
    assert pooled.persons == ("1/x", "1/y", "2/x")
    assert pooled.forms == ("1/A", "2/A")
    assert pooled.items == ("Q1", "Q2", "Q3")
    np.testing.assert_array_equal(pooled.dense(), [[1, 0, NAN], [0, 1, NAN], [NAN, 0, 1]])
    assert pooled.counts == {"answered": 5, "omitted": 1, "not_reached": 0, "not_administered": 3}
    assert pooled.option is not None
    assert [pooled.options[k] if k >= 0 else None for k in pooled.option] == ["A", None, "B", "B", "C", "√"]


def test_an_item_with_two_keys_cannot_be_pooled(tmp_path: Path) -> None:
    path = write(tmp_path, "person,Q1\nx,A\n")
    with pytest.raises(ResponsesError, match="item Q1: keyed A in one sitting and B in another"):
        pool_responses([read_responses(path, key={"Q1": "A"}), read_responses(path, key={"Q1": "B"})])


def test_a_sitting_given_twice_is_not_two_sittings(tmp_path: Path) -> None:
    one = read_responses(write(tmp_path, "person,Q1,Q2\np1,1,0\np2,0,1\n"))
    copy = read_responses(write(tmp_path, "person,Q1,Q2\np1,1,0\np2,0,1\n"))
    other = read_responses(write(tmp_path, "person,Q1,Q2\np1,1,0\np2,1,1\n"))
    assert len(pool_responses([one, other]).persons) == 4
    with pytest.raises(ResponsesError, match="sittings 1 and 3 hold the same persons with the same answers"):
        pool_responses([one, other, copy])
