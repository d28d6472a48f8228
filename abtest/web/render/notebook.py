"""The report as a Jupyter notebook that calculates its numbers again."""

import msgspec

from abtest.services.report import ExperimentReport
from abtest.web.render.reader import reader_of
from abtest.web.render.serialize import report_to_json
from abtest.web.render.verdict_sentence import verdict_sentence

_LOAD = """import json

import numpy as np
from scipy import stats

report = json.loads(REPORT)
variants = {variant["key"]: variant for variant in report["variants"]}
alpha = report["plan"]["alpha"]
{
    key: (v["visitors"], v["first"]["observed"], v["second"]["observed"])
    for key, v in variants.items()
}"""

_SPLIT = """seen = np.array([v["visitors"] for v in report["variants"]])
planned = np.array([v["planned_share"] for v in report["variants"]])
split_p_value = None
if seen.sum():
    split_p_value = stats.chisquare(seen, planned / planned.sum() * seen.sum()).pvalue
split_p_value"""

_TESTS = """measures = (("first", "rate"), ("second", "rate"), ("value", "per_visitor"))
recalculated = []
for comparison in report["comparisons"]:
    control, treated = variants[comparison["control"]], variants[comparison["variant"]]
    for measure, name in measures:
        told = comparison[measure]["frequentist"]
        before, after = control[measure], treated[measure]
        if "not_estimable" in told or before[name] is None or after[name] is None:
            continue
        effect = after[name] - before[name]
        error = np.hypot(before["standard_error"], after["standard_error"])
        freedom = told["degrees_of_freedom"]
        law = stats.norm if freedom is None else stats.t(freedom)
        z = effect / error
        recalculated.append({
            "variant": comparison["variant"],
            "measure": measure,
            "effect": effect,
            "standard_error": error,
            "p_value": 2 * law.sf(abs(z)),
            "confidence_interval": [
                effect + side * law.isf(alpha / 2) * error for side in (-1, 1)
            ],
            "told": told,
        })
recalculated"""

_POSTERIOR = """posteriors = []
for comparison in report["comparisons"]:
    told = comparison["value"]["bayesian"]
    before = variants[comparison["control"]]["value"]
    after = variants[comparison["variant"]]["value"]
    if "not_estimable" in told or told["prior"] != "flat":
        continue
    effect = after["per_visitor"] - before["per_visitor"]
    error = np.hypot(before["standard_error"], after["standard_error"])
    posteriors.append({
        "variant": comparison["variant"],
        "probability_to_beat_control": stats.norm.cdf(effect / error),
        "credible_interval": stats.norm.interval(1 - alpha, effect, error),
        "told": told,
    })
posteriors"""

_COUNTS = """calculator_checks = []
for comparison in report["comparisons"]:
    told = comparison["calculator_check"]
    if "not_estimable" in told:
        continue
    arms = [variants[comparison[role]] for role in ("control", "variant")]
    n = np.array([arm["visitors"] for arm in arms])
    x = np.array([arm["first"]["observed"] for arm in arms])
    pooled = x.sum() / n.sum()
    error = np.sqrt(pooled * (1 - pooled) * (1 / n).sum())
    z = (x[1] / n[1] - x[0] / n[0]) / error
    p_value = 2 * stats.norm.sf(abs(z))
    calculator_checks.append({"z": z, "p_value": p_value, "told": told})
calculator_checks"""


def report_to_notebook(report: ExperimentReport, language: str) -> bytes:
    """Return a notebook (nbformat 4.5) that needs numpy and scipy alone.

    The report stands in it as JSON; each cell ends with numbers of its own beside
    those that were told.

    Args:
        report: of the experiment.
        language: of the text between the cells.
    """
    say = reader_of(language).gettext
    told = msgspec.json.encode(report_to_json(report, language)).decode()
    cells = (
        _text(f"# {report.name}\n\n{verdict_sentence(report, language)}"),
        _text(say("The report as abtest gave it out; nothing is fetched.")),
        _code(f"REPORT = {told!r}"),
        _code(_LOAD),
        _text(say("Were the visitors split as planned?")),
        _code(_SPLIT),
        _text(
            say(
                "Effects, p-values and ranges of one look, from the estimates and"
                " their standard errors."
            )
        ),
        _code(_TESTS),
        _text(say("How likely the variant is better.")),
        _code(_POSTERIOR),
        _text(say("The counts alone, as any calculator tests them.")),
        _code(_COUNTS),
    )
    numbered = [{"id": f"cell-{n}", **cell} for n, cell in enumerate(cells, 1)]
    content = {
        "cells": numbered,
        "metadata": {"language_info": {"name": "python"}},
        "nbformat": 4,
        "nbformat_minor": 5,
    }
    return msgspec.json.format(msgspec.json.encode(content), indent=1)


def _text(words: str) -> dict[str, object]:
    return {"cell_type": "markdown", "metadata": {}, "source": words}


def _code(source: str) -> dict[str, object]:
    return {
        "cell_type": "code",
        "execution_count": None,
        "metadata": {},
        "outputs": [],
        "source": source,
    }
