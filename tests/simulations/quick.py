"""The part of the report that counts: the value's tests, without all the rest."""

from abtest.domain.experiment import Method, VariantKey
from abtest.services.looks import JointPath, joint_path, planned_looks
from abtest.services.measuring import Comparing, value_tests
from abtest.services.preparing import prepare
from abtest.services.simulation.study import Study
from abtest.services.simulation.tally import Finding, Tally, count_findings
from abtest.stats.moments import Moments
from abtest.stats.results import NotEstimable
from abtest.stats.sequential import bounded_looks


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
    c = prepare(study.experiment(), known, day=study.as_of).comparing
    tests = value_tests(c)
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


def read_daily(study: Study, *, first: int = 0) -> Tally:
    """Count alarms that anybody sees who reads a plan for one look every day.

    `rejected` counts the decisions as the report holds them; `plain_rejected` what
    would be said if the test of each day after the plan's end decided anew.
    """
    total = Tally()
    first_day = study.as_of - study.day + study.scenario.window_days
    for drawn in study.draws(first=first):
        known = study.moments(drawn)
        held, anew, last = [], [], None
        for day in range(first_day, study.as_of + 1):
            prepared = prepare(study.experiment(), known, day=day)
            end = prepared.end.day
            if end is None:
                continue
            held.append(_rejects(prepared.comparing.on(end), study.alpha))
            anew.append(_rejects(prepared.comparing, study.alpha))
            last = end
        total += Tally(
            replications=1,
            estimated=1,
            rejected=any(held),
            plain_rejected=any(anew),
            better=int(last is not None and last < study.as_of),
        )
    return total


def _rejects(c: Comparing, alpha: float) -> bool:
    """Tell whether the value's test rejects "no difference"."""
    (test,) = value_tests(c)
    return not isinstance(test, NotEstimable) and test.p_value < alpha


def _looked(
    c: Comparing, path: JointPath, treatment: int, effect: float
) -> Finding | None:
    """Judge the looks as the report does, without their p-values."""
    found = planned_looks(
        path, treatment=treatment, weights=c.weights, plan=c.look_plan
    )
    if isinstance(found, NotEstimable):
        return None
    looks = bounded_looks(
        found.looks, planned_information=found.planned, alpha=found.alpha
    )
    return Finding(
        effect=effect,
        interval=looks[-1].interval,
        is_rejected=any(one.look.z >= one.bound for one in looks),
    )
