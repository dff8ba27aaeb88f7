"""The first section: what a reader has to know before any number."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import Any

from calibration.report.evidence import Evidence
from calibration.report.flags import TEXTS, by_code, flag_name, is_serious
from calibration.report.words import folded, note, section
from calibration.screening import Flag

MOST_OPEN = 40  # flags of one kind that stand open


def warnings_section(evidence: Evidence) -> str:
    """Flags by kind, serious ones first, each with what to do and what was seen."""
    found = by_code(evidence.flags)
    serious = "".join(_kind(evidence, code, flags) for code, flags in found.items() if is_serious(code))
    notes = "".join(_kind(evidence, code, flags) for code, flags in found.items() if not is_serious(code))
    parts = []
    if serious:
        parts.append(f'<div class="warn">{serious}</div>')
    else:
        parts.append("<p>没有需要处理的题目。 No item is flagged.</p>")
    if notes:
        parts.append(f'<div class="warn notes">{notes}</div>')
    if found:
        parts.append(
            note(
                "同类检验对全部题目控制错误发现率：作答数据的检验 1%，功能差异与漂移 5%。标记是查看的理由，不是结论。",
                "Each kind is tested for all items together at a false discovery rate of 1 % (differential functioning "
                "and drift: 5 %). A flag is a reason to look, not a verdict.",
            )
        )
    return section("warnings", "警示 Warnings", *parts)


def _kind(evidence: Evidence, code: str, flags: Sequence[Flag]) -> str:
    text = TEXTS.get(code)
    advice = f"<p>{escape(text.advice)} {escape(text.advice_en)}</p>" if text is not None else ""
    lines = "<ul>" + "".join(_line(evidence, flag) for flag in flags) + "</ul>"
    serious = is_serious(code)
    if len(flags) > MOST_OPEN or (not serious and len(flags) > 5):
        lines = folded(f"{len(flags)} 条 findings", lines)
    return f"<h3>{escape(flag_name(code))} ({len(flags)})</h3>{advice}{lines}"


def _line(evidence: Evidence, flag: Flag) -> str:
    if not flag.item:
        return f"<li>{escape(flag.message)}</li>"
    label = evidence.labels.get(flag.item, "")
    words = f" {escape(label)}" if label else ""
    return f"<li><b>{link_to(evidence, flag.item)}</b>{words}: {escape(flag.message)}</li>"


def link_to(evidence: Evidence, item: str) -> str:
    """The item's id as a link to its curves, if it has any."""
    name = escape(item)
    if any(one.id == item for one in evidence.calibration.items):
        return f'<a href="#{anchor(item)}">{name}</a>'
    return name


def anchor(item: str) -> str:
    """The id of an item's card, as an attribute."""
    return "item-" + escape("".join(c if c.isalnum() or c in "-_." else f"_{ord(c):x}_" for c in item), quote=True)


def warnings_numbers(evidence: Evidence) -> list[dict[str, Any]]:
    """One entry a flag."""
    return [
        {"item": flag.item, "code": flag.code, "serious": is_serious(flag.code), "message": flag.message}
        for flag in evidence.flags
    ]
