"""Small tests and items to hold sessions with."""

from __future__ import annotations

from typing import TYPE_CHECKING

from item_formats.documents import Test, read_test
from item_formats.model import Item, read_item
from item_formats.parsing import QTI
from item_formats.sessions import BeginAttempt, EndAttempt, TestState, begin_test, step

if TYPE_CHECKING:
    from item_formats.sessions import Event

_MATCH_CORRECT = "https://purl.imsglobal.org/spec/qti/v3p0/rptemplates/match_correct.xml"


def choice(identifier: str, *, key: str = "A", body: str = "") -> Item:
    """A single choice of A, B and C; SCORE is 1 for the key."""
    options = "".join(f'<qti-simple-choice identifier="{name}">{name}</qti-simple-choice>' for name in "ABC")
    return item(
        identifier,
        f"""<qti-response-declaration identifier="RESPONSE" cardinality="single" base-type="identifier">
             <qti-correct-response><qti-value>{key}</qti-value></qti-correct-response></qti-response-declaration>
           <qti-outcome-declaration identifier="SCORE" cardinality="single" base-type="float" normal-maximum="1"/>
           <qti-item-body>{body}<qti-choice-interaction response-identifier="RESPONSE" max-choices="1">
             {options}</qti-choice-interaction></qti-item-body>
           <qti-response-processing template="{_MATCH_CORRECT}"/>""",
    )


def item(identifier: str, inside: str, *, adaptive: bool = False) -> Item:
    return read_item(
        f"""<qti-assessment-item xmlns="{QTI}" identifier="{identifier}" title="{identifier}"
              adaptive="{str(adaptive).lower()}" time-dependent="false" xml:lang="zh-CN">{inside}
            </qti-assessment-item>""".encode()
    )


def items(names: str) -> dict[str, Item]:
    """Choice items whose key is A."""
    return {name: choice(name) for name in names.split()}


def paper(parts: str, *, outcomes: str = "", rules: str = "", limits: str = "", feedback: str = "") -> Test:
    """A test of `parts`; `outcomes` names its float outcomes, `rules` are its outcome rules."""
    declared = "".join(
        f'<qti-outcome-declaration identifier="{name}" cardinality="single" base-type="{kind or "float"}"/>'
        for name, _, kind in (word.partition(":") for word in outcomes.split())
    )
    processing = f"<qti-outcome-processing>{rules}</qti-outcome-processing>" if rules else ""
    return read_test(
        f"""<qti-assessment-test xmlns="{QTI}" identifier="PAPER" title="试卷">{declared}{limits}{parts}{processing}
            {feedback}</qti-assessment-test>""".encode()
    )


def part(inside: str, *, identifier: str = "P", navigation: str = "nonlinear", submission: str = "individual") -> str:
    return f"""<qti-test-part identifier="{identifier}" navigation-mode="{navigation}"
                 submission-mode="{submission}">{inside}</qti-test-part>"""


def section(inside: str, *, identifier: str = "S", **attributes: str) -> str:
    """A section; `inside` are elements, or names of items to refer to."""
    if "<" not in inside:
        inside = "".join(map(ref, inside.split()))
    written = "".join(f' {name.replace("_", "-")}="{value}"' for name, value in attributes.items())
    visible = "" if "visible" in attributes else ' visible="true"'
    return f"""<qti-assessment-section identifier="{identifier}" title="{identifier}"{visible}{written}>{inside}
               </qti-assessment-section>"""


def ref(identifier: str, inside: str = "", **attributes: str) -> str:
    written = "".join(f' {name.replace("_", "-")}="{value}"' for name, value in attributes.items())
    return f"""<qti-assessment-item-ref identifier="{identifier}" href="{identifier}.xml"{written}>{inside}
               </qti-assessment-item-ref>"""


def linear(inside: str, **more: str) -> str:
    return part(inside, navigation="linear", **more)


def branch(target: str, condition: str) -> str:
    return f'<qti-branch-rule target="{target}">{condition}</qti-branch-rule>'


def pre(condition: str) -> str:
    return f"<qti-pre-condition>{condition}</qti-pre-condition>"


def control(**settings: str) -> str:
    return "<qti-item-session-control" + "".join(f' {k.replace("_", "-")}="{v}"' for k, v in settings.items()) + "/>"


def limit(longest: float | None = None, shortest: float | None = None, *, late: bool = False) -> str:
    written = f' max-time="{longest}"' if longest is not None else ""
    written += f' min-time="{shortest}"' if shortest is not None else ""
    return f'<qti-time-limits{written} allow-late-submission="{str(late).lower()}"/>'


def truth(value: str) -> str:
    return f'<qti-base-value base-type="boolean">{value}</qti-base-value>'


YES, NO = truth("true"), truth("false")


def right(name: str) -> str:
    """A condition: the item scored."""
    score = f'<qti-variable identifier="{name}.SCORE"/>'
    return f'<qti-gt>{score}<qti-base-value base-type="float">0</qti-base-value></qti-gt>'


def set_outcome(name: str, expression: str) -> str:
    return f'<qti-set-outcome-value identifier="{name}">{expression}</qti-set-outcome-value>'


TOTAL = set_outcome("TOTAL", '<qti-sum><qti-test-variables variable-identifier="SCORE"/></qti-sum>')


def begun(test: Test, names: str, *, seed: int = 1) -> TestState:
    return begin_test(test, items(names), seed)


def after(state: TestState, *events: Event) -> TestState:
    for event in events:
        state = step(state, event)
    return state


def answer(state: TestState, option: str | None = "A", *, seconds: float = 0.0) -> TestState:
    """One attempt at the current item."""
    return after(state, BeginAttempt(), EndAttempt({"RESPONSE": option}, seconds=seconds))


def keys(state: TestState) -> list[str]:
    return [stop.key for stop in state.route]
