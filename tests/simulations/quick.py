"""The part of the report that counts: the value's tests, without all the rest."""

from functools import reduce
from operator import add

from abtest.domain.experiment import Method, VariantKey
from abtest.services import comparing
from abtest.services.comparing import Comparing, critical_value
from abtest.services.deciding import look_plan
from abtest.services.estimates import estimator, weighting
from abtest.services.plan_end import plan_end
from abtest.services.simulation.study import Study
from abtest.services.simulation.tally import Finding, Tally, count_findings
from abtest.stats.delayed import maturity, observed
from abtest.stats.moments import Moments
from abtest.stats.results import NotEstimable


def run(study: Study, *, first: int = 0) -> Tally:
    """Count the findings of all replications from `first` on."""
    total = Tally()
    for drawn in study.draws(first=first):
        total += count_findings(
            judge(study, study.moments(drawn)),
            drawn,
            study.scenario,
            alpha=study.alpha,
            day=study.day,
        )
    return total


def judge(study: Study, known: dict[VariantKey, Moments]) -> list[Finding | None]:
    """Say of every treatment what the report would say of its value."""
    c = _comparing(study, known)
    values = [c.weights.applied(joint) for joint in c.values]
    plain = comparing._tests(c, values)
    counted = [
        observed(m, window=c.estimator.window, as_of=c.as_of)
        for m in c.estimator.moments
    ]
    tests = [
        comparing._value_test(c, i, test, counted) for i, test in enumerate(plain, 1)
    ]
    found: list[Finding | None] = []
    if study.method is Method.SEQUENTIAL:
        for test, pair in zip(tests, comparing._sequential(c), strict=True):
            looks = pair.value
            if isinstance(test, NotEstimable) or isinstance(looks, NotEstimable):
                found.append(None)
                continue
            found.append(
                Finding(
                    effect=test.effect,
                    interval=looks.confidence_interval,
                    is_rejected=looks.was_crossed,
                )
            )
        return found
    for test in tests:
        if isinstance(test, NotEstimable):
            found.append(None)
            continue
        adjusted = test.adjusted_p_value
        p_value = test.p_value if adjusted is None else adjusted
        found.append(
            Finding(
                effect=test.effect,
                interval=test.confidence_interval,
                is_rejected=p_value < study.alpha,
            )
        )
    return found


def _comparing(study: Study, known: dict[VariantKey, Moments]) -> Comparing:
    """Prepare the comparison as the report does."""
    experiment, day = study.experiment(), study.as_of
    moments = {key: m.until(day) for key, m in known.items()}
    estimates = estimator(experiment, moments)
    weights = weighting(experiment, None, None)
    values = estimates.joint(weights.measure, day)
    everybody = reduce(add, estimates.moments, Moments())
    matured = maturity(everybody, window=estimates.window, as_of=day)
    end = plan_end(
        experiment,
        matured=matured,
        newest_cohort=max(d for m in known.values() for d in m.cohorts),
        values=values,
        weights=weights,
        as_of=day,
    )
    return Comparing(
        experiment=experiment,
        estimator=estimates,
        weights=weights,
        weights_are_late=False,
        as_of=day,
        look_plan=look_plan(experiment, matured, end, day),
        counts=values,
        values=values,
        critical_value=critical_value(
            values, weights, alpha=study.alpha, is_late=False
        ),
    )
