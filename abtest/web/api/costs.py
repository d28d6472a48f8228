"""GET /api/v1/experiments/{key}/costs: what the traffic cost, and what it may cost."""

from abtest.domain.experiment import ExperimentKey
from abtest.services.costs import CostReport, VariantCosts, describe_costs
from abtest.services.reporting import Question
from abtest.stats.results import NotEstimable
from abtest.web.api.report import AS_OF, read_day
from abtest.web.api.serving import Asked
from abtest.web.exchange import Reply, json_reply
from abtest.web.render.result_json import Json
from abtest.web.render.serialize import figure_to_json

PARAMETERS = (AS_OF,)


def get_costs(asked: Asked) -> Reply:
    """Answer with the costs of one experiment."""
    key = ExperimentKey(asked.call.args["key"])
    question = Question(experiment=key, as_of=read_day(asked))
    report = asked.desk.report(question, now=asked.now)
    return json_reply(_report(describe_costs(asked.store, report)))


def _report(report: CostReport) -> dict[str, Json]:
    per_visitor = report.cost_per_visitor
    return {
        "experiment": report.experiment,
        "as_of": report.as_of.isoformat(),
        "currency": report.currency,
        "alpha": report.alpha,
        "amount": report.amount,
        "visitors": report.visitors,
        "cost_per_visitor": (
            None if isinstance(per_visitor, NotEstimable) else per_visitor
        ),
        "days": [{"day": d.day.isoformat(), "amount": d.amount} for d in report.days],
        "sources": [{"source": s.source, "amount": s.amount} for s in report.sources],
        "other_currencies": [
            {"currency": currency, "amount": amount}
            for currency, amount in report.other_currencies
        ],
        "variants": [_variant(v) for v in report.variants],
    }


def _variant(variant: VariantCosts) -> dict[str, Json]:
    return {
        "key": variant.key,
        "name": variant.name,
        "control": variant.is_control,
        "visitors": variant.visitors,
        "amount": variant.amount,
        "break_even_cost_per_click": figure_to_json(variant.break_even_cost_per_click),
        "margin_per_visitor": figure_to_json(variant.margin_per_visitor),
        "pays": variant.pays,
        "acquisition_cost": figure_to_json(variant.acquisition_cost),
        "highest_acquisition_cost": figure_to_json(variant.highest_acquisition_cost),
        "return_on_ad_spend": figure_to_json(variant.return_on_ad_spend),
    }
