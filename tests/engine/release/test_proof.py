"""Papers that remain are shown by assembling them: found at once, kept back first, counted by bisection, or refused."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine import Assembly, Blueprint, InfeasibleBlueprintError, InfeasibleReleaseError, Pool, assemble, choose_release
from engine.blueprints import Rule
from engine.release.proof import papers_left
from tests.engine.release.banks import after, policy
from tests.engine.samples import item, random_pool

APART = Rule("apart", "overlap", forms="parallel", share=0.0)


def blueprint(length: int, *rules: Rule) -> Blueprint:
    return Blueprint("paper", length, 10.0, "type", {"single": 1.0, "multiple": 1.0}, (*rules, APART))


def test_papers_are_assembled_of_secret_items_and_recounted() -> None:
    pool = random_pool(7, 120)
    asked = blueprint(15, Rule("multiples", "count", where={"type": "multiple"}, min=3, max=3))
    release = choose_release(pool, policy(0.2, keep={}), seed=1, blueprint=asked, papers=3, papers_limit=3)
    papers = release.papers
    assert papers is not None
    assert (papers.asked, papers.left, papers.limit, papers.kept_back) == (3, 3, 3, False)
    assert papers.rules[0] == papers.rules[1] > 3
    used = [name for form in papers.forms for name in form]
    assert len(papers.forms) == 3
    assert len(used) == len(set(used)) == 45
    assert not set(used) & set(release.items)
    kind = dict(zip(pool.ids, pool.column("type"), strict=True))
    assert all(sum(kind[name] == "multiple" for name in form) == 3 for form in papers.forms)


def test_the_largest_number_of_papers_is_found() -> None:
    """30 single items, a fifth public: 24 secret ones are four papers of five, and not five of them."""
    pool = Pool.from_rows([item(f"q{n:02}", point=None) for n in range(30)])
    release = choose_release(pool, policy(0.2), seed=1, blueprint=blueprint(5), papers=2, papers_limit=20)
    assert release.papers is not None
    assert (release.papers.left, release.papers.limit) == (4, 20)
    assert len(release.papers.forms) == 2
    with pytest.raises(InfeasibleBlueprintError):
        assemble(after(pool, release).take(~after(pool, release).where({"published": "yes"})), blueprint(5), forms=5)


@given(known=st.integers(1, 10), more=st.integers(0, 30), limit=st.integers(1, 40))
def test_bisection_finds_the_threshold(known: int, more: int, limit: int) -> None:
    asked: list[int] = []

    def make(_: Pool, papers: int) -> Assembly:
        asked.append(papers)
        if papers > known + more:
            raise InfeasibleBlueprintError("too many")
        return None  # type: ignore[return-value]

    found = papers_left(random_pool(1, 4), make, known=known, limit=limit)
    assert found == max(known, min(limit, known + more))
    assert len(asked) <= 7


def hard_to_keep() -> tuple[Pool, Blueprint]:
    """Twelve items of which four are exposed, would go first, and are what two papers cannot do without."""
    rows = [
        item(f"q{n:02}", point=None, part="core" if n < 4 else "rest", uses="9" if n < 4 else "0") for n in range(12)
    ]
    core = Rule("core", "count", where={"part": "core"}, min=2, max=2)
    return Pool.from_rows(rows), blueprint(4, core)


def test_items_that_the_papers_need_are_kept_back() -> None:
    pool, asked = hard_to_keep()
    usual = policy(1 / 3, margins=(), cells=())
    assert set(choose_release(pool, usual, seed=1).items) == {"q00", "q01", "q02", "q03"}
    release = choose_release(pool, usual, seed=1, blueprint=asked, papers=2, papers_limit=9)
    assert release.papers is not None
    assert (release.papers.kept_back, release.papers.left, len(release.papers.forms)) == (True, 2, 2)
    assert not {name for form in release.papers.forms for name in form} & set(release.items)
    assert len(release.items) == 4
    assert release.held_back["留作今后试卷 kept for future papers"] == 8


def test_papers_that_cannot_be_had_at_all_are_refused_with_the_reason() -> None:
    pool, asked = hard_to_keep()
    with pytest.raises(
        InfeasibleReleaseError, match="3 future papers cannot be assembled even if nothing is published"
    ):
        choose_release(pool, policy(1 / 3), seed=1, blueprint=asked, papers=3)


def test_papers_and_share_that_exclude_each_other_are_refused_with_the_count() -> None:
    pool, asked = hard_to_keep()
    with pytest.raises(InfeasibleReleaseError, match="means 6 public ones; 0 are public already and 4 more may be"):
        choose_release(pool, policy(1 / 2, margins=(), cells=()), seed=1, blueprint=asked, papers=2)


def test_a_given_assembly_is_asked_for_the_secret_items_alone() -> None:
    pool = random_pool(3, 60)
    public = choose_release(pool, policy(0.1, keep={}), seed=1)
    seen: list[Pool] = []

    def make(secret: Pool, papers: int) -> Assembly:
        seen.append(secret)
        return assemble(secret, blueprint(5), forms=papers, seed=1)

    release = choose_release(after(pool, public), policy(0.3, keep={}), seed=1, papers=1, make=make)
    assert len(seen[0]) == 60 - 18
    assert not set(seen[0].ids) & {*public.items, *release.items}


def test_without_a_blueprint_nothing_is_claimed() -> None:
    assert choose_release(random_pool(3, 60), policy(0.1, keep={}), seed=1).papers is None


def test_the_same_papers_come_out_again() -> None:
    pool = random_pool(7, 120)
    one, again = (
        choose_release(pool, policy(0.2, keep={}), seed=1, blueprint=blueprint(10), papers=2) for _ in range(2)
    )
    assert replace(one, papers=None) == replace(again, papers=None)
    assert one.papers is not None
    assert again.papers is not None
    assert one.papers.forms == again.papers.forms
