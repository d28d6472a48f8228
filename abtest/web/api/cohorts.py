"""GET /api/v1/experiments/{key}/cohorts: visitors by the week of their exposure."""

from datetime import date, datetime
from typing import TYPE_CHECKING

from abtest.domain.experiment import ExperimentKey
from abtest.store.protocol import Store
from abtest.web.api.by_day import reply_for_day
from abtest.web.api.report import AS_OF
from abtest.web.api.serving import Asked
from abtest.web.exchange import Reply
from abtest.web.render.result_json import Json, estimate_to_json

if TYPE_CHECKING:
    from abtest.services.cohorts import CohortReport, CohortWeek

PARAMETERS = (AS_OF,)


def get_cohorts(asked: Asked) -> Reply:
    """Answer with the cohorts of one experiment."""
    return reply_for_day(asked, _describe)


def _describe(
    store: Store, key: ExperimentKey, *, now: datetime, as_of: date | None
) -> dict[str, Json]:
    # scipy takes seconds to load and 100 MB: only who calculates loads it.
    from abtest.services.cohorts import cohorts  # noqa: PLC0415

    return _report(cohorts(store, key, now=now, as_of=as_of))


def _report(report: "CohortReport") -> dict[str, Json]:
    return {
        "experiment": report.experiment,
        "as_of": report.as_of.isoformat(),
        "window_days": report.window_days,
        "variants": [
            {
                "key": variant.variant,
                "name": variant.name,
                "second_by_kaplan_meier": estimate_to_json(
                    "rate", variant.second_opinion
                ),
                "weeks": [_week(week) for week in variant.weeks],
            }
            for variant in report.variants
        ],
    }


def _week(week: "CohortWeek") -> dict[str, Json]:
    return {
        "monday": week.monday.isoformat(),
        "visitors": week.visitors,
        "first": week.first,
        "first_maturity": week.first_maturity.value,
        "lags": [
            {
                "through_lag": lag.through_lag,
                "second": lag.second,
                "share": lag.share,
                "maturity": lag.maturity.value,
            }
            for lag in week.lags
        ],
    }
