"""How sure it is: the posterior of the difference as a picture, and in sentences."""

from dataclasses import dataclass
from statistics import NormalDist

from markupsafe import Markup

from abtest.services.report import ExperimentReport
from abtest.stats.results import BayesianResult, NotEstimable
from abtest.web.pages.views.likely import likely_sentences
from abtest.web.render.charts.axis import Tick
from abtest.web.render.charts.density import Bell, bell_axis, draw_bell
from abtest.web.render.charts.svg import SERIES, cut
from abtest.web.render.quantities import chance, value_of
from abtest.web.render.reader import Reader
from abtest.web.render.words import control_name, plain_name, variant_name

_LONGEST = 16
"""Letters of a name beside the bell."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SureView:
    """One comparison; no chart where there is no posterior."""

    title: str
    unit: str
    chart: Markup | None
    sentences: tuple[Markup, ...]


def sure_view(reader: Reader, report: ExperimentReport, index: int) -> SureView:
    """Describe the posterior of comparison number `index`."""
    comparison = report.comparisons[index]
    quantity = value_of(reader, report)
    return SureView(
        title=reader.gettext(
            "{variant} against {control}",
            variant=variant_name(reader, report, comparison.variant),
            control=control_name(reader, report),
        ),
        unit=" ".join(word for word in (quantity.unit, quantity.per) if word),
        chart=_chart(reader, report, index),
        sentences=likely_sentences(reader, report, index),
    )


def _chart(reader: Reader, report: ExperimentReport, index: int) -> Markup | None:
    comparison = report.comparisons[index]
    result = comparison.value.bayesian
    if isinstance(result, NotEstimable):
        return None
    mean, deviation = _normal(result, report.plan.alpha)
    if deviation <= 0:
        return None
    quantity = value_of(reader, report)
    ticks = bell_axis(mean, deviation).ticks()
    digits = max(0, quantity.digits(*ticks) - 1)
    control = cut(plain_name(report, comparison.control), _LONGEST)
    variant = cut(plain_name(report, comparison.variant), _LONGEST)
    probability = chance(reader, result.probability_to_beat_control)
    return draw_bell(
        f"sure-{index}",
        Bell(
            mean=mean,
            deviation=deviation,
            ticks=tuple(
                Tick(value=v, words=quantity.text(v, digits=digits, signed=True))
                for v in ticks
            ),
            below_words=f"← {control}",
            above_words=f"{variant} →",
            series=(index + 1) % SERIES,
        ),
        title=reader.gettext("How probable which difference in value is"),
        description=f"{variant}: {probability}; "
        f"{quantity.span(result.credible_interval)}",
    )


def _normal(result: BayesianResult, alpha: float) -> tuple[float, float]:
    """Return mean and standard deviation of the posterior, which is normal."""
    lower, upper = result.credible_interval.lower, result.credible_interval.upper
    if lower is None or upper is None:
        return 0.0, 0.0
    quantile = NormalDist().inv_cdf(1 - alpha / 2)
    return (lower + upper) / 2, (upper - lower) / (2 * quantile)
