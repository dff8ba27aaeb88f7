"""Who answered what, and how the calibration went."""

from __future__ import annotations

from collections import Counter
from html import escape
from typing import Any

import numpy as np

from calibration.pages import facts, table
from calibration.report.evidence import Evidence
from calibration.report.words import fixed, folded, left_out, note, section

FORMS_OPEN = 12
MODEL_FORMULAS = {
    "logistic": ("Rasch 1PL 2PL 3PL 4PL", "P = c + (d − c) / (1 + exp(−D·a·(θ − b)))"),
    "graded": ("GRM", "P(X ≥ k) = 1 / (1 + exp(−D·a·(θ − b_k)))"),
    "divide": ("PCM RSM GPCM", "P(X = k) ∝ exp Σ_{h ≤ k} D·a·(θ − b_h)"),
    "nominal": ("NRM", "P(X = k) ∝ exp(D·slope_k·θ + intercept_k)"),
}


def data_section(evidence: Evidence) -> str:
    """Counts of persons, items and kinds of silence; groups and forms."""
    calibration, responses = evidence.calibration, evidence.responses
    pairs = [
        ("考生 persons", f"{calibration.n_persons}"),
        ("题目 items", f"{len(calibration.items)} + {len(calibration.excluded)}"),
    ]
    if responses is not None:
        counts = responses.counts
        pairs += [
            ("作答 answered", f"{counts['answered']}"),
            ("漏答 omitted", f"{counts['omitted']}"),
            ("未及 not reached", f"{counts['not_reached']}"),
            ("未施测 not administered", f"{counts['not_administered']}"),
        ]
        if len(responses.groups) > 1:
            pairs.append(("组 groups", f"{len(responses.groups)}"))
        if len(responses.forms) > 1:
            pairs.append(("卷 forms", f"{len(responses.forms)}"))
        if len(responses.raters) > 1:
            pairs.append(("评分员 raters", f"{len(responses.raters)}"))
    about = []
    if calibration.data_note:
        about.append(f"<p>{escape(calibration.data_note)}</p>")
    if calibration.excluded:
        about.append(note("题目数后的加数为未进入标定的题目。", "The number after + counts items left out."))
    if responses is None:
        about.append(
            note(
                "作答数据未随标定保存：下列各节只依据参数。",
                "The calibration has no responses with it: what follows rests on parameters alone.",
            )
        )
    return section("data", "数据 Data", facts(pairs), *about, _forms(evidence), left_out(evidence.left_out, "data"))


def _forms(evidence: Evidence) -> str:
    rows = form_rows(evidence)
    if len(rows) < 2:
        return ""
    header = ("卷 form", "考生 persons", "题目 items", "漏答 omitted %", "平均得分率 mean % of marks")
    cells = [
        (
            str(row["form"]),
            f"{row['persons']:.0f}",
            str(row["items"]),
            fixed(row["omitted_percent"], 1),
            fixed(row["mean_percent"], 1),
        )
        for row in rows
    ]
    shown = table(header, cells, numeric=range(1, 5), row_names=True, caption="forms")
    return f"<h3>卷 Forms</h3>{shown}" if len(rows) <= FORMS_OPEN else folded(f"{len(rows)} 卷 forms", shown)


def form_rows(evidence: Evidence) -> list[dict[str, Any]]:
    """Persons, items, omissions and mean percentage of each form."""
    responses = evidence.responses
    if responses is None:
        return []
    F, J = len(responses.forms), len(responses.items)
    form = responses.form[responses.person].astype(np.int64)
    weight = responses.weight[responses.person]
    top = np.ones(J)
    np.maximum.at(top, responses.item, responses.score)
    seen = np.bincount(np.unique(form * J + responses.item) // J, minlength=F)
    total = np.bincount(form, weight, F)
    used = responses.used
    omitted = np.bincount(form, weight * (responses.status == 1), F)
    marks = np.bincount(form[used], (weight * responses.score)[used], F)
    most = np.bincount(form[used], (weight * top[responses.item])[used], F)
    persons = np.bincount(responses.form, responses.weight, F)
    with np.errstate(divide="ignore", invalid="ignore"):
        return [
            {
                "form": name or "1",
                "persons": float(persons[f]),
                "items": int(seen[f]),
                "omitted_percent": float(100 * omitted[f] / total[f]),
                "mean_percent": float(100 * marks[f] / most[f]),
            }
            for f, name in enumerate(responses.forms)
        ]


def data_numbers(evidence: Evidence) -> dict[str, Any]:
    """Counts, as JSON data."""
    calibration, responses = evidence.calibration, evidence.responses
    numbers: dict[str, Any] = {
        "persons": calibration.n_persons,
        "items": len(calibration.items),
        "excluded": dict(calibration.excluded),
        "note": calibration.data_note,
        "digest": calibration.data_digest,
    }
    if responses is not None:
        numbers |= responses.counts
        numbers |= {"groups": list(responses.groups), "forms": form_rows(evidence), "raters": list(responses.raters)}
    return numbers


def estimation_section(evidence: Evidence) -> str:
    """Model, convergence and priors, in sentences."""
    calibration = evidence.calibration
    state = "converged" if calibration.converged else "NOT CONVERGED: do not use these numbers"
    parameters = calibration.free_parameters
    pairs = [
        ("模型 model", _models(evidence)),
        ("参数 parameters", f"{parameters}"),
        ("对数似然 log-likelihood", f"{calibration.log_likelihood:.2f}"),
        ("AIC", fixed(-2 * calibration.log_likelihood + 2 * parameters, 1)),
        ("BIC", fixed(-2 * calibration.log_likelihood + parameters * np.log(max(calibration.n_persons, 1)), 1)),
    ]
    if evidence.cut is not None:
        pairs.append(("合格线能力 θ at the cut", f"{evidence.cut:.3f}"))
    models = {item.model for item in calibration.items}
    formulas = [formula for names, formula in MODEL_FORMULAS.values() if models & set(names.split())]
    scale = calibration.scale
    error = calibration.integration_error
    means = "Parameters are posterior means. " if calibration.estimate == "mean" else ""
    said = (
        f"{state} after {calibration.iterations} iterations, largest gradient {calibration.max_gradient:.1e}"
        f"{f', integration error {error:.1e}' if np.isfinite(error) else ''}, {calibration.nodes} quadrature nodes, "
        f"{calibration.seconds:.2f} s. Priors: {calibration.priors}. {means}Standard errors: {calibration.se_kind}. "
        f"{'; '.join(formulas)}; D = {scale.D:g}, θ ~ N({scale.mean:.3g}, {scale.sd:.3g}²)."
    )
    prefix = "已收敛。" if calibration.converged else "未收敛，参数不可使用。"
    return section("estimation", "模型与估计 Model and estimation", facts(pairs), note(prefix, said))


def _models(evidence: Evidence) -> str:
    counts = Counter(item.model for item in evidence.calibration.items)
    if len(counts) == 1:
        return evidence.calibration.model
    return ", ".join(f"{model} × {n}" for model, n in counts.items())


def estimation_numbers(evidence: Evidence) -> dict[str, Any]:
    """What the calibration says of itself, without its items."""
    document = evidence.calibration.document()
    kept = ("excluded", "items", "groups", "raters", "testlets", "regression", "warnings", "data_note", "data_digest")
    return {name: value for name, value in document.items() if name not in kept} | {
        "cut": evidence.cut,
        "free_parameters": evidence.calibration.free_parameters,
    }
