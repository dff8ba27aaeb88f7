"""Multistage panels as files: one HTML page, modules and routes as tables, and a JSON document."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from html import escape
from typing import Any

import numpy as np

from calibration import chart_svg, facts, new_chart, report_page, table
from engine.assembly.panels import Panel, PanelDesign
from engine.assembly.report import LINES, NO, SERIES, YES
from engine.blueprints import Blueprint
from engine.pools import Pool

ROUTES = ("panel", "taken", "from_marks", "below_marks", "module", "theta")


def module_rows(panel: Panel, pool: Pool, blueprint: Blueprint, design: PanelDesign) -> list[list[object]]:
    """A panel as the rows of its CSV file, header first: module, stage, position in it, id, marks, the item's key."""
    at = {item: j for j, item in enumerate(pool.ids)}
    marks = blueprint.item_marks(pool)
    keys = pool.coded("key").texts() if "key" in pool.attributes else None
    rows: list[list[object]] = [["module", "stage", "position", "id", "marks", *(["key"] if keys else [])]]
    for module in design.modules:
        for position, item in enumerate(panel.items[module.name], start=1):
            key = [keys[at[item]]] if keys else []
            rows.append([module.name, module.stage, position, item, float(marks[at[item]]), *key])
    return rows


def route_rows(panels: Sequence[Panel]) -> list[list[object]]:
    """The routes of all panels, header first: who has taken these modules and has so many marks goes to that module.

    `from_marks` is the least number that goes there, `below_marks` the number from which the next one follows; empty
    where there is no such end. `theta` is the ability at which the module and the one before it tell as much.
    """
    rows: list[list[object]] = [list(ROUTES)]
    for number, panel in enumerate(panels, start=1):
        for taken in dict.fromkeys(route.taken for route in panel.routes):
            routes = [route for route in panel.routes if route.taken == taken]
            rows.append([number, " → ".join(taken), "", round(routes[0].marks, 3), routes[0].lower, ""])
            for route, after in zip(routes, [*routes[1:], None], strict=True):
                below = "" if after is None else round(after.marks, 3)
                ability = round(route.theta, 3)
                rows.append([number, " → ".join(taken), round(route.marks, 3), below, route.upper, ability])
    return rows


def panels_document(panels: Sequence[Panel]) -> dict[str, Any]:
    """What `--json` prints."""
    return {
        "panels": [
            {
                "modules": {name: list(items) for name, items in panel.items.items()},
                "information": dict(panel.information),
                "routes": [asdict(route) for route in panel.routes],
                "share_of_bound": panel.share_of_bound,
                "recount": [asdict(line) for line in panel.recount],
            }
            for panel in panels
        ],
        "seed": panels[0].seed,
        "pool_digest": panels[0].pool_digest,
    }


def panels_page(
    panels: Sequence[Panel], design: PanelDesign, blueprint: Blueprint, pool: Pool, *, lead: str = ""
) -> str:
    """Modules with what they tell, routes, and the recount of every path, panel by panel."""
    lines = [line for panel in panels for line in panel.recount]
    body = facts(
        [
            ("题组套数 panels", str(len(panels))),
            ("模块 modules", str(len(design.modules))),
            ("路径 paths", str(len(design.ways))),
            ("规则复核 rules recounted", f"{sum(line.ok for line in lines)} / {len(lines)}"),
            ("种子 seed", str(panels[0].seed)),
        ]
    )
    for number, panel in enumerate(panels, start=1):
        body += f"<h2>第 {number} 套 Panel {number}</h2>" + _modules(panel, design, blueprint, pool)
        body += _figure(panel, design, pool) + "<h3>分流 Routes</h3>" + _routes(panel)
        body += "<h3>逐条复核 Recount of every path</h3>" + _recount(panel)
    note = f"题库 pool {panels[0].pool_digest[:16]}；命题蓝图 blueprint “{escape(blueprint.title)}”"
    wide = len(design.ways) > 5
    return report_page("多阶段测验报告 Multistage panels", body + f'<p class="note">{note}</p>', lead=lead, wide=wide)


def _modules(panel: Panel, design: PanelDesign, blueprint: Blueprint, pool: Pool) -> str:
    at = {item: j for j, item in enumerate(pool.ids)}
    marks = blueprint.item_marks(pool)
    rows = []
    for module in design.modules:
        members = [at[item] for item in panel.items[module.name]]
        numbers = [str(module.stage), str(len(members)), f"{marks[members].sum():g}", f"{module.theta_from_cut:+g}"]
        told = panel.information[module.name]
        rows.append([module.name, *numbers, f"{told:.2f}", f"{np.nanmean(pool.parameters.b[members]):.2f}"])
    header = ("模块 module", "阶段 stage", "题数 items", "分值 marks", "距合格线 θ from cut", "信息 information")
    return table((*header, "平均 b mean"), rows, numeric=range(1, 7), sortable=False)


def _figure(panel: Panel, design: PanelDesign, pool: Pool) -> str:
    at = {item: j for j, item in enumerate(pool.ids)}
    theta = np.linspace(-4, 4, 161)
    information = pool.information(theta)
    figure, axes = new_chart(height=3.0)
    for m, module in enumerate(design.modules):
        told = information[[at[item] for item in panel.items[module.name]]].sum(axis=0)
        axes.plot(theta, told, color=SERIES[m % 4], linestyle=LINES[module.stage % 4 - 1], label=_latin(module.name, m))
    for route in panel.routes:
        axes.axvline(route.theta, color="#6c757d", linestyle=":", linewidth=1)
    axes.set_xlabel("theta (ability); dotted lines: where routes part")
    axes.set_ylabel("information")
    axes.legend(frameon=False, fontsize=8, loc="upper left", bbox_to_anchor=(1.0, 1.0))
    caption = "各模块的信息，点线为分流处。 Information of the modules; dotted lines: where the routes part."
    return f"<figure>{chart_svg(figure, 'information of modules')}<figcaption>{caption}</figcaption></figure>"


def _latin(name: str, number: int) -> str:
    return name if name.isascii() else f"module {number + 1}"


def _routes(panel: Panel) -> str:
    rows = [list(map(str, row[1:])) for row in route_rows([panel])[1:]]
    header = ("已做 taken", "得分不低于 from marks", "得分低于 below", "下一模块 next module", "分流能力 θ")
    return table(header, rows, numeric=(1, 2, 4), sortable=False)


def _recount(panel: Panel) -> str:
    """A row for each rule and bounds, the paths side by side."""
    paths = list(dict.fromkeys(line.form for line in panel.recount))
    counted: dict[tuple[str, float | None, float | None], Mapping[str, Any]] = {}
    for line in panel.recount:
        key = (line.rule, line.min, line.max)
        counted[key] = {**counted.get(key, {}), line.form: line}
    rows, flagged = [], []
    for n, ((rule, low, high), by_path) in enumerate(counted.items()):
        broken = [path for path, line in by_path.items() if not line.ok]
        verdict = NO if broken else "–" if low is None and high is None else YES
        cells = [f"{by_path[path].value:.5g}" if path in by_path else "" for path in paths]
        rows.append([rule, *("" if one is None else f"{one:.5g}" for one in (low, high)), *cells, verdict])
        flagged += [n] if broken else []
    header = ("规则 rule", "下限 min", "上限 max", *paths, "结论 ok")
    return table(header, rows, numeric=range(1, len(paths) + 3), flagged=flagged)
