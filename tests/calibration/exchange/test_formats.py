"""What goes out comes back, and says the same of everybody, in every format."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from calibration import FORMATS, Curves, ExchangeError, ItemParameters, Scale, read_parameter_file, write_parameter_file
from calibration.exchange import (
    flexmirt_parameters,
    irtq_metadata,
    items_from_csv,
    items_from_flexmirt,
    items_from_irtq,
    items_from_mirt,
    items_from_usage,
    mirt_values,
    parameters_csv,
    parameters_document,
    parameters_from_document,
    scale_of_uri,
    scale_uri,
    usage_statistics,
)
from calibration.exchange.flexmirt import identity_basis, trend_basis
from tests.calibration.linking.items import EVERY_MODEL, with_covariance

THETA = np.linspace(-5, 5, 41)
WITHOUT = {"flexmirt": {"4PL"}, "irtq": {"4PL", "NRM"}}
SCALE = Scale("bank", D=1.7, mean=0.3, sd=1.2, anchors=("two", "gpcm"))


def items_of(kind: str) -> list[ItemParameters]:
    rng = np.random.default_rng(3)
    kept = [with_covariance(item, rng) for item in EVERY_MODEL if item.model not in WITHOUT.get(kind, ())]
    zero = ItemParameters("零", "NRM", slopes=(0.0, 0.8, 0.0), intercepts=(0.0, 0.3, -0.4))  # last slope 0
    steep = ItemParameters("id with, comma", "2PL", a=-0.7, b=(1e-3,))
    return [*kept, steep] if kind == "irtq" else [*kept, steep, zero]


@pytest.mark.parametrize("kind", FORMATS)
@pytest.mark.parametrize("D", [1.0, 1.7])
def test_probabilities_are_the_same_after_a_round_trip(kind: str, D: float, tmp_path: Path) -> None:
    items, scale = items_of(kind), replace(SCALE, D=D)
    path = tmp_path / ("x-prm.txt" if kind == "flexmirt" else "x.csv" if kind != "json" else "x.json")
    assert write_parameter_file(path, items, scale, kind) == kind
    back, on = read_parameter_file(path)  # the content tells the format
    assert [item.id for item in back] == [item.id for item in items]
    before, after = Curves.of(items, scale), Curves.of(back, on)
    np.testing.assert_allclose(after.probability(THETA), before.probability(THETA), atol=1e-12)
    if kind != "irtq":
        assert (on.mean, on.sd) == (pytest.approx(0.3), pytest.approx(1.2))
    assert (D if kind in {"json", "csv"} else 1.0) == on.D
    again = tmp_path / f"again{path.name}"
    write_parameter_file(again, back, on, kind)
    assert again.read_text(encoding="utf-8") == path.read_text(encoding="utf-8") or kind in {"flexmirt", "mirt"}


@pytest.mark.parametrize("kind", ["json", "csv"])
def test_our_own_formats_lose_nothing(kind: str, tmp_path: Path) -> None:
    items = [replace(item, version="2") for item in items_of(kind)]
    path = tmp_path / f"params.{kind}"
    write_parameter_file(path, items, SCALE)
    back, scale = read_parameter_file(path)
    assert back == tuple(items)
    assert scale == SCALE


@pytest.mark.parametrize(
    ("kind", "models"),
    [
        ("mirt", "Rasch 2PL 2PL 3PL 4PL PCM GPCM GPCM GRM NRM 2PL NRM"),
        ("flexmirt", "2PL 2PL 2PL 3PL GPCM GPCM GPCM GRM NRM 2PL NRM"),
        ("irtq", "Rasch 1PL 2PL 3PL PCM GPCM GPCM GRM 2PL"),
    ],
)
def test_models_come_back_as_far_as_the_format_tells_them(kind: str, models: str, tmp_path: Path) -> None:
    path = tmp_path / "x"
    write_parameter_file(path, items_of(kind), Scale(), kind)
    back, _ = read_parameter_file(path, kind)
    assert " ".join(item.model for item in back) == models


@pytest.mark.parametrize(
    ("write", "read"),
    [(mirt_values, items_from_mirt), (flexmirt_parameters, items_from_flexmirt), (irtq_metadata, items_from_irtq)],
)
def test_what_a_format_cannot_hold_is_refused_by_item(
    write: Callable[[Sequence[ItemParameters]], str], read: Callable[[str, str], object]
) -> None:
    four = [item for item in EVERY_MODEL if item.model == "4PL"]
    if write is mirt_values:
        read(write(four), "x")
        return
    with pytest.raises(ExchangeError, match="item four: "):
        write(four)


def test_the_values_table_of_mirt() -> None:
    text = mirt_values([EVERY_MODEL[3], EVERY_MODEL[5]], Scale(mean=0.5, sd=2.0))
    lines = text.splitlines()
    assert lines[0] == "group,item,class,name,parnum,value,lbound,ubound,est,const,nconst,prior.type,prior_1,prior_2"
    assert lines[1] == "all,three,dich,a1,1,1.1,-Inf,Inf,TRUE,none,none,none,NaN,NaN"
    assert lines[3] == "all,three,dich,g,3,0.2,0,1,TRUE,none,none,none,NaN,NaN"
    assert lines[4] == "all,three,dich,u,4,1,0,1,FALSE,none,none,none,NaN,NaN"
    assert [line.split(",")[3] for line in lines[5:12]] == ["a1", "ak0", "ak1", "ak2", "d0", "d1", "d2"]
    assert lines[5].split(",")[8] == "FALSE"  # the slope of a partial credit item is fixed
    assert lines[-2].split(",")[1:6] == ["GROUP", "GroupPars", "MEAN_1", "12", "0.5"]
    assert lines[-1].split(",")[3:6] == ["COV_11", "13", "4"]


# of R mirt 1.41: mod2values(mirt(expand.table(LSAT7), 1)), as its help page prints it
LSAT7_VALUES = (
    '"group","item","class","name","parnum","value","lbound","ubound","est","const","nconst","prior.type",'
    '"prior_1","prior_2"\n'
    """"all","Item.1","dich","a1",1,0.988,-Inf,Inf,TRUE,"none","none","none",NaN,NaN
"all","Item.1","dich","d",2,1.856,-Inf,Inf,TRUE,"none","none","none",NaN,NaN
"all","Item.1","dich","g",3,0,0,1,FALSE,"none","none","none",NaN,NaN
"all","Item.1","dich","u",4,1,0,1,FALSE,"none","none","none",NaN,NaN
"all","Item.2","dich","a1",5,1.081,-Inf,Inf,TRUE,"none","none","none",NaN,NaN
"all","Item.2","dich","d",6,0.808,-Inf,Inf,TRUE,"none","none","none",NaN,NaN
"all","Item.2","dich","g",7,0,0,1,FALSE,"none","none","none",NaN,NaN
"all","Item.2","dich","u",8,1,0,1,FALSE,"none","none","none",NaN,NaN
"all","GROUP","GroupPars","MEAN_1",9,0,-Inf,Inf,FALSE,"none","none","none",NaN,NaN
"all","GROUP","GroupPars","COV_11",10,1,0,Inf,FALSE,"none","none","none",NaN,NaN
"""
)


def test_a_values_table_of_r() -> None:
    items, scale = items_from_mirt(LSAT7_VALUES, "values.csv")
    assert [(item.id, item.model, item.a) for item in items] == [("Item.1", "2PL", 0.988), ("Item.2", "2PL", 1.081)]
    assert items[0].b[0] == pytest.approx(-1.856 / 0.988)
    assert scale == Scale()
    one_slope = LSAT7_VALUES.replace("1.081", "0.988").replace(',TRUE,"none"', ',TRUE,"1"')
    assert [item.model for item in items_from_mirt(one_slope, "x")[0]] == ["1PL", "1PL"]


def test_coefficients_of_mirt_with_intervals_and_with_standard_errors() -> None:
    intervals = (
        '"","par","CI_2.5","CI_97.5"\n"Item.2.a1",1.0808847,0.7500334,1.4117360\n'
        '"Item.2.d",0.8079786,0.6291264,0.9868309\n"Item.2.g",0,NA,NA\n"Item.2.u",1,NA,NA\n'
        '"GroupPars.MEAN_1",0,NA,NA\n"GroupPars.COV_11",1,NA,NA\n'
    )
    (item,), _ = items_from_mirt(intervals, "coef.csv")
    assert (item.id, item.model, item.a) == ("Item.2", "2PL", 1.0808847)
    assert item.b[0] == pytest.approx(-0.8079786 / 1.0808847)
    traditional = '"","par","SE"\n"x.a",1.2,0.1\n"x.b",-0.5,0.2\n"x.g",0.1,0.05\n"x.u",1,NA\n'
    (item,), _ = items_from_mirt(traditional, "coef.csv")
    assert (item.model, item.a, item.b, item.c) == ("3PL", 1.2, (-0.5,), 0.1)
    assert item.se == {"a": 0.1, "b": 0.2, "c": 0.05}
    graded = '"","par"\n"Comfort.a1",1.0406\n"Comfort.d1",4.8627\n"Comfort.d2",2.6392\n"Comfort.d3",-1.4655\n'
    (item,), _ = items_from_mirt(graded, "coef.csv")
    assert (item.model, item.categories) == ("GRM", 4)
    assert item.b[0] == pytest.approx(-4.8627 / 1.0406)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("item,name,value\nx,a1,one\n", "row 2, field value: expected a number, got 'one'"),
        ("item,name,value\nx,a1,1\nx,a1,2\n", "row 3, item x: a1 stands twice"),
        ("item,name,value\nx,a1,1\nx,a2,2\nx,d,0\n", "item x: a2 belongs to a model of several dimensions"),
        ("item,name,value\nx,a1,1\nx,d,0\nx,q,1\n", "item x: q is not known beside a1, d, g, u"),
        ("item,name,value\nx,a1,1\nx,ak0,0\nx,ak1,1\nx,d0,0\nx,d1,1\nx,d2,1\n", "item x: ak2 is missing"),
        ("item,name,value\nx,b,1\n", "item x: parameters b; known are dich"),
        ("item,name,value\nx,a1,0\nx,d,1\n", "item x: its slope a1 is 0"),
        ("item,name,value\nx,a1\n", "row 2: 2 cells, the header has 3"),
        ("group,item,name,value\nA,x,a1,1\nA,x,d,1\nB,x,a1,1\nB,x,d,1\n", "holds the groups A, B"),
        ("item,name,value\nx,a1,1\nx,d,1\nGROUP,COV_22,1\n", "COV_22 belongs to a model of several dimensions"),
        ('"","par"\n"x.a",1\n"x.b1",0\n"x.b2",1\n', "graded and partial credit items look alike"),
    ],
)
def test_faults_in_mirt_tables_are_said_with_their_place(text: str, message: str) -> None:
    with pytest.raises(ExchangeError, match=message.replace("(", r"\(")):
        items_from_mirt(text, "t.csv")


def test_one_of_several_groups() -> None:
    text = "group,item,name,value\nA,x,a1,1.5\nA,x,d,1\nB,x,a1,2\nB,x,d,1\nB,GROUP,MEAN_1,0.7\nB,GROUP,COV_11,4\n"
    (item,), scale = items_from_mirt(text, "t.csv", group="B")
    assert (item.a, scale.mean, scale.sd) == (2.0, 0.7, 2.0)
    with pytest.raises(ExchangeError, match="no group 'C'; it holds A, B"):
        items_from_mirt(text, "t.csv", group="C")


def test_a_file_of_flexmirt() -> None:
    # rows as flexMIRT writes them: 3PL, graded with four categories, two-category graded, the population
    text = (
        "1\tv1\t1\t1\t1\t2\t-1.386294\t0.5\t1.25\n"
        "1\tv2\t1\t1\t2\t4\t2.0\t0.5\t-1.5\t1.6\n"
        "1\tv3\t1\t1\t2\t2\t-0.4\t0.8\n"
        "1\tv4\t1\t1\t3\t3\t0\t1\t0\t0.9\t0\t0.3\t0.5\n"
        "0\tGroup1\t1\t1\t0\t0.25\t1.44\n"
    )
    items, scale = items_from_flexmirt(text, "x-prm.txt")
    assert [item.model for item in items] == ["3PL", "GRM", "2PL", "GPCM"]
    assert items[0].c == pytest.approx(0.2, abs=1e-6)
    assert items[0].b == pytest.approx((-0.4,))
    assert items[1].b == pytest.approx((-1.25, -0.3125, 0.9375))
    assert items[2].b == pytest.approx((0.5,))
    # intercepts T gamma with T = [[1, sin(pi/2)], [2, 0]]: 0.8 and 0.6
    assert items[3].b == pytest.approx((-0.8 / 0.9, 0.2 / 0.9))
    assert (scale.mean, scale.sd) == (0.25, pytest.approx(1.2))


def test_the_bases_of_nominal_items() -> None:
    np.testing.assert_allclose(
        trend_basis(4), [[0, 0, 0], [1, 3**0.5 / 2, 3**0.5 / 2], [2, 3**0.5 / 2, -(3**0.5) / 2], [3, 0, 0]], atol=1e-15
    )
    np.testing.assert_array_equal(identity_basis(4, slopes=True), [[0, 0, 0], [0, 1, 0], [0, 0, 1], [3, 0, 0]])
    np.testing.assert_array_equal(identity_basis(3, slopes=False), [[0, 0], [1, 0], [0, 1]])
    own = "1\tn\t1\t1\t3\t3\t2\t0\t0\t1\t0\t2\t1\t1\t0.5\t0.7\t1\t0.2\t0.4\n0\tg\t1\t1\t0\t0\t1\n"
    (item,), _ = items_from_flexmirt(own, "x")  # slopes 0.7 · (1, 2 + 0.5), intercepts 0.2 and 0.4
    assert item.model == "NRM"
    assert item.slopes == pytest.approx((0, 0.7, 0.7 * 2.5))
    assert item.intercepts == pytest.approx((0, 0.2, 0.4))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("hello\n", "not a flexMIRT parameter file"),
        ("1\tv\t1\t2\t2\t2\t0\t1\t1\n", "row 1, v: 2 factors"),
        ("1\tv\t1\t1\t2\t3\t0\t1\n", "item v: the row ends before a"),
        ("1\tv\t1\t1\t2\t2\t0\t1\t9\n", "item v: 1 more cells than its type has"),
        ("1\tv\t1\t1\t7\t2\t0\t1\n", "item v: type 7 is not known"),
        ("1\tv\t1\t1\t2\t2\tx\t1\n", "item v, field c1: expected a number, got 'x'"),
        ("1\tv\t1\t1\t2\t2\t0\t1\n1\tv\t2\t1\t2\t2\t0\t1\n", "holds the groups 1, 2"),
        ("1\tv\t1\t1\t2\t2\t0\t1\n0\tG\t1\t1\t0\t0\t-1\n", "variance must be above 0"),
    ],
)
def test_faults_in_flexmirt_files_are_said_with_their_place(text: str, message: str) -> None:
    with pytest.raises(ExchangeError, match=message):
        items_from_flexmirt(text, "x-prm.txt")


def test_metadata_of_irtq() -> None:
    text = (
        "id,cats,model,par.1,par.2,par.3,par.4\nV1,2,3PLM,0.76,1.46,0.26,NA\nV2,4,GRM,1.14,-0.37,0.21,0.85\n"
        "V3,3,GPCM,0.9,0.1,-0.2,NA\nV4,2,DRM,1.1,0.3,NA,NA\n"
    )
    items, scale = items_from_irtq(text, "x.csv", D=1.7)
    assert [(item.model, item.a) for item in items] == [("3PL", 0.76), ("GRM", 1.14), ("GPCM", 0.9), ("2PL", 1.1)]
    assert items[1].b == (-0.37, 0.21, 0.85)
    assert scale.D == 1.7
    for bad, message in (
        ("id,cats,model,par.1\nV1,3,GRM,1\n", "V1: 1 parameters for 3 categories"),
        ("id,cats,model,par.1,par.2\nV1,2,5PLM,1,0\n", "field model: '5PLM'"),
        ("id,cats,model,par.1,par.2,par.3\nV1,2,2PLM,1,0,0.2\n", "2PLM has no lower asymptote"),
        ("id,cats,model\nV1,2,2PLM\n", "no column par.1"),
    ):
        with pytest.raises(ExchangeError, match=message):
            items_from_irtq(bad, "x.csv")


def test_a_document_is_read_strictly() -> None:
    document = parameters_document([EVERY_MODEL[2], EVERY_MODEL[8]], SCALE)
    assert document["items"][0]["b"] == -1.1
    assert document["items"][1]["b"] == [-1.2, 0.0, 0.9]
    assert parameters_from_document(document, "x") == ((EVERY_MODEL[2], EVERY_MODEL[8]), SCALE)
    extra = document | {"n_persons": 3, "items": [row | {"flags": ["x"]} for row in document["items"]]}
    assert len(parameters_from_document(extra, "x")[0]) == 2

    listed = {"items": [{"id": "q", "model": "Rasch", "b": [0.5]}]}
    assert parameters_from_document(listed, "x")[0][0].b == (0.5,)

    def changed(**fields: object) -> dict[str, object]:
        base = {"id": "q", "model": "2PL", "a": 1.0, "b": 0.0}
        return {"items": [{name: value for name, value in (base | fields).items() if value is not ...}]}

    for bad, message in (
        ([], 'expected an object with "items"'),
        (changed(aa=1.0), "p.json, item q, field aa: not a field"),
        (changed(a=...), "item q, field a: missing"),
        (changed(b=...), "item q, field b: missing"),
        (changed(a="1"), "item q, field a: expected a number, got '1'"),
        (changed(a=True), "item q, field a: expected a number"),
        (changed(a=float("nan")), "item q, field a: expected a number"),
        (changed(b=[0.0, 1.0]), "field b: expected one number for 2PL"),
        (changed(model="GRM"), "field b: expected the list of thresholds for GRM"),
        (changed(model="GRM", b=[1.0, 0.0]), "item q: the thresholds of GRM must increase"),
        (changed(model="5PL"), "item q: model '5PL' is not known"),
        (changed(model=...), "item q, field model"),
        (changed(model="Rasch", a=2.0), "field a: Rasch fixes a = 1, got 2; name the model 1PL"),
        (changed(c=0.2), "field c: 2PL has none"),
        (changed(d=0.9), "field d: 2PL has none"),
        (changed(id=""), "item 1, field id"),
        (changed(se={"c": 0.1}), "field se.c: 2PL has the parameters a, b"),
        (changed(se={"a": -0.1}), "field se.a: must not be negative"),
        (changed(covariance=[[1.0]]), "field covariance: expected 2 × 2"),
        (changed(covariance=[[1.0, 0.5], [0.2, 1.0]]), "field covariance: not a covariance matrix"),
        (changed(n=-1), "field n: must not be negative"),
        (changed(marks=[1.0]), "item q: 1 marks for 2 categories"),
        (changed(scores=[1, 1]), "item q: scores must increase from 0 or more, got 1, 1"),
        (changed(scores=[0.5, 1]), "field scores: expected whole numbers, got 0.5"),
        (changed(scores=[1]), "item q: 1 scores for 2 categories"),
        (changed(version=3), "field version: expected a text"),
        (changed() | {"scale": {"D": 0}}, "scale, field D: must be above 0"),
        (changed() | {"scale": {"sigma": 1}}, "scale, field sigma: known are"),
        ({"items": [*changed()["items"], *changed()["items"]]}, "item q: stands twice"),
        ({"items": ["q"]}, "item 1: expected an object"),
        (changed(model="RSM", b=[0.0, 1.0], location=0.5, steps=[-0.5, 0.6]), "field b: not location"),
    ):
        with pytest.raises(ExchangeError, match=message.replace("(", r"\(")):
            parameters_from_document(bad, "p.json")


def test_faults_in_our_csv_are_said_with_their_place() -> None:
    for text, message in (
        ("id,model,a,b\nq,2PL,1,x\n", "row 2, item q, field b: expected a number"),
        ("id,model,a,b\nq,2PL,,0\n", "item q, field a: missing"),
        ("id,model,a,b1,b3\nq,GRM,1,0,1\n", "row 2, item q, field b2: missing"),
        ("id,model,a,b,q\nq,2PL,1,0,7\n", "field q: not a column of parameters"),
        ("id,model,a,b,D\nq,2PL,1,0,1\nr,2PL,1,0,1.7\n", "row 3: on another scale"),
        ("id,model,a,b,covariance\nq,2PL,1,0,1;2\n", "2 numbers are not a lower triangle"),
        ("id,a,b\n", "no column model"),
        ("", "the file is empty"),
    ):
        with pytest.raises(ExchangeError, match=message):
            items_from_csv(text, "p.csv")
    (item,), scale = items_from_csv("id,model,a,b1\nq,2pl,1.5,0.25\n", "p.csv")
    assert (item.model, item.a, item.b, scale) == ("2PL", 1.5, (0.25,), Scale())
    assert parameters_csv([item]).splitlines()[0] == "id,model,a,b,c,d,n,scale,D,mean,sd"


def test_usage_statistics_both_ways() -> None:
    items = [replace(item, covariance=()) for item in items_of("json")]
    scale = replace(SCALE, anchors=())
    rows = usage_statistics(items, scale)
    assert items_from_usage(rows, "usage") == (tuple(items), scale)
    by_name = {row.name: row for row in rows if row.item == "three"}
    assert set(by_name) == {"irtModel", "n", "irtA", "irtB", "irtC", "irtD"}
    assert (by_name["irtC"].value, by_name["irtC"].n) == (0.2, 500.0)
    assert by_name["irtC"].standard_error == items[3].se["c"]
    assert scale_of_uri(scale_uri(scale)) == scale
    assert scale_of_uri("https://example.org/2024") == Scale("https://example.org/2024")


def test_usage_statistics_of_others() -> None:
    rows = usage_statistics([ItemParameters("x", "3PL", a=1.2, b=(0.5,), c=0.2)])
    bare = [row for row in rows if row.name not in {"irtModel", "irtD"}]
    (item,), _ = items_from_usage([*bare, replace(bare[0], name="pValue", value=0.7)], "u")
    assert item == ItemParameters("x", "3PL", a=1.2, b=(0.5,), c=0.2)
    with pytest.raises(ExchangeError, match="say which to read"):
        items_from_usage([*bare, replace(bare[0], context="other")], "u")
    with pytest.raises(ExchangeError, match="item x: statistic irtZ is not a parameter"):
        items_from_usage([*rows, replace(rows[0], name="irtZ", value=1.0)], "u")
    with pytest.raises(ExchangeError, match="no item parameters"):
        items_from_usage([], "u")


def test_files_that_are_none_of_ours(tmp_path: Path) -> None:
    path = tmp_path / "x.csv"
    for text, message in (
        ("a,b\n1,2\n", "none of the known formats"),
        ("{", "not JSON"),
        ('{"items": []}', "no items"),
    ):
        path.write_text(text, encoding="utf-8")
        with pytest.raises(ExchangeError, match=message):
            read_parameter_file(path)
    path.write_bytes(b"id,model\nq,\xff\n")
    with pytest.raises(ExchangeError, match="line 2: not UTF-8"):
        read_parameter_file(path)
    with pytest.raises(ExchangeError, match="does not tell the format"):
        write_parameter_file(tmp_path / "x.dat", EVERY_MODEL, Scale())
