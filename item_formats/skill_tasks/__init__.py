"""Skill tasks (操作技能考核) as QTI 3: task sheet, preparation notice and marking criteria in one document.

The item body is the task sheet (试题单), a `proctor` rubric block the preparation notice (准备通知单), and every row of
the scoring record (评分记录表) a `scorer` rubric block with an outcome that a person scores. A veto (否定项) is an
outcome that is true or false; the response processing adds the marks, and makes the total 0 when a veto is true.
"""

from item_formats.skill_tasks.faults import skill_task_findings, task_findings
from item_formats.skill_tasks.marking import mark_skill_task
from item_formats.skill_tasks.reading import is_skill_task, read_skill_task
from item_formats.skill_tasks.task import Criterion, SkillTask, Supply, Veto
from item_formats.skill_tasks.writing import skill_task

__all__ = [
    "Criterion",
    "SkillTask",
    "Supply",
    "Veto",
    "is_skill_task",
    "mark_skill_task",
    "read_skill_task",
    "skill_task",
    "skill_task_findings",
    "task_findings",
]
