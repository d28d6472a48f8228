"""The part of the report that counts: the value's tests, without all the rest."""

from functools import reduce
from operator import add

from abtest.domain.experiment import Method, VariantKey
from abtest.services import comparing, looks
from abtest.services.comparing import Comparing, critical_value
from abtest.services.deciding import look_plan
from abtest.services.estimates import estimator, weighting
from abtest.services.looks import JointPath, joint_path
from abtest.services.plan_end import plan_end
from abtest.services.simulation.study import Study
from abtest.services.simulation.tally import Finding, Tally, count_findings
from abtest.stats import sequential
from abtest.stats.delayed import maturity, observed
from abtest.stats.moments import Moments
from abtest.stats.results import Interval, NotEstimable
from abtest.stats.spending import spending_bounds


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
    bound = comparing._override(c, is_weighted=True)
    plain = comparing._tests(c, values, bound=bound)
    counted = [
        observed(m, window=c.estimator.window, as_of=c.as_of)
        for m in c.estimator.moments
    ]
    tests = [
        comparing._value_test(c, i, test, counted) for i, test in enumerate(plain, 1)
    ]
    found: list[Finding | None] = []
    if study.method is Method.SEQUENTIAL:
        path = joint_path(c.estimator, c.weights.measure, c.look_plan)
        return [
            None if isinstance(test, NotEstimable) else _looked(c, path, i, test.effect)
            for i, test in enumerate(tests, 1)
        ]
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


def _looked(
    c: Comparing, path: JointPath, treatment: int, effect: float
) -> Finding | None:
    """Judge the looks as `looks.analyze_path` does, without their p-values."""
    plan = c.look_plan
    found = looks._looks(path, treatment, plan, c.weights.applied)
    if isinstance(found, NotEstimable) or found[0].control_mean <= 0:
        return None
    alpha = plan.alpha / plan.comparisons
    planned = sequential.planned_information(
        plan.effect * found[0].control_mean, alpha=alpha, power=plan.power
    )
    evaluated, times, is_final = sequential._evaluated(found, planned)
    bounds = spending_bounds(times, alpha=alpha, is_ended=is_final)
    last, half = evaluated[-1], bounds[-1] * evaluated[-1].standard_error
    return Finding(
        effect=effect,
        interval=Interval(lower=last.effect - half, upper=last.effect + half),
        is_rejected=any(
            look.z >= bound for look, bound in zip(evaluated, bounds, strict=True)
        ),
    )


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
        first_look=estimates.joint(
            weights.measure,
            day if matured.first_complete_day is None else matured.first_complete_day,
        ),
        weights=weights,
        as_of=day,
    )
    bound = critical_value(values, weights, alpha=study.alpha, is_late=False)
    return Comparing(
        experiment=experiment,
        estimator=estimates,
        weights=weights,
        weights_are_late=False,
        as_of=day,
        look_plan=look_plan(experiment, matured, end, day),
        counts=values,
        values=values,
        critical_value=bound,
        plain_critical_value=bound,
    )
