"""What a skill task says, as plain values, and the words its documents use for it."""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal

TOTAL = "SCORE"


@dataclass(frozen=True, slots=True)
class Supply:
    """One line of what must be prepared: 名称, 规格, 数量, 备注."""

    name: str
    specification: str = ""
    quantity: str = ""
    note: str = ""


@dataclass(frozen=True, slots=True)
class Criterion:
    """One row of the scoring record. `code` is 细则编号 such as M1, `nominal` 规定或标称值."""

    code: str
    marks: Decimal
    description: str
    nominal: str = ""


@dataclass(frozen=True, slots=True)
class Veto:
    """否定项: when it happened, the task earns nothing."""

    code: str
    description: str


@dataclass(frozen=True, slots=True)
class SkillTask:
    """A task with everything its three documents say. Texts may have several lines; `marks` is the 配分 of the task.

    `site` 场地设备要求, `work` 工作任务, `skills` 技能要求, `quality` 质量指标: one text for each numbered point.
    """

    identifier: str
    code: str
    title: str
    minutes: int
    marks: Decimal
    work: tuple[str, ...]
    criteria: tuple[Criterion, ...]
    site: tuple[str, ...] = ()
    skills: tuple[str, ...] = ()
    quality: tuple[str, ...] = ()
    vetoes: tuple[Veto, ...] = ()
    site_supplies: tuple[Supply, ...] = ()
    candidate_supplies: tuple[Supply, ...] = ()
    preparation_notes: tuple[str, ...] = ()
    language: str = field(default="zh-CN")


SECTIONS = {"site": "场地设备要求", "work": "工作任务", "skills": "技能要求", "quality": "质量指标"}
CODE, TITLE, MINUTES = "试题代码", "试题名称", "考核时间"
CRITERION_FIELDS = ("细则编号", "配分", "评分细则描述", "规定或标称值")
VETO_FIELDS = ("编号", "否定项")
SITE, CANDIDATE_OWN, NOTES = "考场准备", "考生准备", "准备要求"
SUPPLY_FIELDS = ("名称", "规格", "数量", "备注")
