"""The value test with the part that a declared covariate explains taken out."""

from abtest.domain.experiment import Experiment
from abtest.services.estimates import Estimator, Weighting
from abtest.stats.cuped import adjust
from abtest.stats.results import FrequentistResult, NotEstimable, Reason


def variance_reduced(
    experiment: Experiment,
    estimator: Estimator,
    weights: Weighting,
    *,
    treatment: int,
    as_of: int,
) -> FrequentistResult | NotEstimable:
    """Compare one treatment with the control beside the plain test.

    With several treatments alpha is divided by their number (Bonferroni).

    Returns:
        NO_COVARIATE when none was declared; NOT_APPLICABLE when the traffic split
        changed, because the adjustment knows nothing of days.
    """
    if experiment.covariate is None:
        return NotEstimable(Reason.NO_COVARIATE)
    if estimator.is_stratified:
        return NotEstimable(Reason.NOT_APPLICABLE)
    return adjust(
        estimator.moments[0],
        estimator.moments[treatment],
        window=estimator.window,
        as_of=as_of,
        measure=weights.measure,
        first_weight=weights.first * weights.unit,
        second_weight=weights.second * weights.unit,
        alpha=experiment.alpha / (len(experiment.variants) - 1),
    )
