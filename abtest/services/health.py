"""Is the experiment healthy? The checks behind the health box."""

from collections.abc import Mapping, Sequence
from itertools import pairwise

from abtest.domain.allocation import shares
from abtest.domain.experiment import Experiment, Phase, VariantKey
from abtest.domain.visitor import local_day, to_milliseconds
from abtest.services.report import (
    Health,
    HealthCheck,
    HealthCode,
    HealthStatus,
)
from abtest.services.variant_report import VariantReport
from abtest.services.verdict import FIRST_GATE, SECOND_GATE, Evidence
from abtest.stats.delayed import Maturity
from abtest.stats.frequentist import ENOUGH_SECOND_CONVERSIONS, needs_pooled_null
from abtest.stats.moments import Moments
from abtest.stats.results import NotEstimable
from abtest.stats.srm import SampleRatio, check_phases

E_VALUE_BLOCKS = 100.0
"""E-value of the sample ratio at which a verdict is refused (at most 1 in 100)."""

CONTAMINATION_WARNS = 0.01
"""Share of visitors with several variants that is worth a warning."""

_ORDER = (HealthStatus.OK, HealthStatus.WARNING, HealthStatus.BLOCKED)


def summarize(checks: Sequence[HealthCheck]) -> Health:
    """Put checks together under the worst status among them."""
    worst = max((_ORDER.index(c.status) for c in checks), default=0)
    return Health(status=_ORDER[worst], checks=tuple(checks))


def check_sample_ratio(
    experiment: Experiment, moments: Mapping[VariantKey, Moments]
) -> HealthCheck:
    """Compare the visitors of each variant with the traffic split in force.

    Phases with another split are tested with their own shares; a day on which the
    split changed is left out, because its visitors saw both.
    """
    keys = [v.key for v in experiment.variants]
    phases = [
        (
            [
                sum(n for d, n in moments[key].cohorts.items() if lo <= d < hi)
                if key in moments
                else 0
                for key in keys
            ],
            [shares(phase.allocation).get(key, 0.0) for key in keys],
        )
        for phase, lo, hi in _phase_days(experiment)
    ]
    totals = [moments[k].visitors if k in moments else 0 for k in keys]
    everybody = sum(totals)
    observed = tuple(n / everybody for n in totals) if everybody else ()
    planned = tuple(phases[-1][1]) if phases else ()
    ratio = check_phases([_offered(c, s) for c, s in phases if sum(c)])
    if isinstance(ratio, NotEstimable):
        return HealthCheck(
            code=HealthCode.SAMPLE_RATIO,
            status=HealthStatus.OK,
            threshold=E_VALUE_BLOCKS,
            observed=observed,
            planned=planned,
        )
    return _judged(ratio, observed, planned)


def check_contamination(contaminated: int, visitors: int) -> HealthCheck:
    """Warn when visitors, or the persons behind them, saw several variants."""
    share = contaminated / visitors if visitors else 0.0
    return HealthCheck(
        code=HealthCode.MULTIPLE_EXPOSURE,
        status=_warn_if(share > CONTAMINATION_WARNS),
        value=share,
        threshold=CONTAMINATION_WARNS,
        observed=(float(contaminated),),
    )


def check_counts(evidence: Sequence[Evidence]) -> tuple[HealthCheck, ...]:
    """Warn while there are too few conversions to decide."""
    if not evidence:
        return ()
    first = min(min(e.first_counts) for e in evidence)
    seconds = [e.second_count for e in evidence if e.second_count is not None]
    enough = first >= FIRST_GATE and min(seconds, default=SECOND_GATE) >= SECOND_GATE
    return (
        HealthCheck(
            code=HealthCode.MINIMUM_COUNTS,
            status=_warn_if(not enough),
            value=float(first),
            threshold=float(FIRST_GATE),
            observed=(float(first), float(min(seconds, default=0))),
            planned=(float(FIRST_GATE), float(SECOND_GATE)),
        ),
    )


def check_maturity(matured: Maturity) -> tuple[HealthCheck, ...]:
    """Say how many of the second conversions expected from all visitors are in.

    No worry, whatever the share: the estimates allow for those still missing.
    """
    if not matured.visitors:
        return ()
    return (
        HealthCheck(
            code=HealthCode.MATURITY,
            status=HealthStatus.OK,
            value=matured.share,
            observed=(float(matured.mature_visitors), float(matured.visitors)),
        ),
    )


def check_split(
    variants: Sequence[VariantReport], *, second_weight: float
) -> tuple[HealthCheck, ...]:
    """Warn when a small arm has too few second conversions for its own variance.

    The split is more unequal than 70/30 and the smaller arm has fewer than 60: a plain
    test then calls the small arm the loser too often.
    """
    if not variants or not second_weight:
        return ()
    control, *treatments = variants
    for treated in treatments:
        smaller = min(control, treated, key=lambda v: v.visitors)
        count = smaller.second.observed
        if needs_pooled_null(control.visitors, treated.visitors, count):
            return (
                HealthCheck(
                    code=HealthCode.UNEQUAL_SPLIT,
                    status=HealthStatus.WARNING,
                    value=float(count),
                    threshold=float(ENOUGH_SECOND_CONVERSIONS),
                    observed=(float(control.visitors), float(treated.visitors)),
                ),
            )
    return ()


def check_plan(experiment: Experiment) -> tuple[HealthCheck, ...]:
    """Tell about changes after the start."""
    checks = []
    if experiment.weights_changed_at is not None:
        checks.append(
            HealthCheck(code=HealthCode.WEIGHTS_CHANGED, status=HealthStatus.WARNING)
        )
    if has_changed_allocation(experiment):
        checks.append(
            HealthCheck(
                code=HealthCode.ALLOCATION_CHANGED,
                status=HealthStatus.OK,
                value=float(len(_phase_days(experiment))),
            )
        )
    return tuple(checks)


def has_changed_allocation(experiment: Experiment) -> bool:
    """Tell whether the traffic split between variants changed while running."""
    return len(_splits(experiment.phases)) > 1


def _phase_days(experiment: Experiment) -> list[tuple[Phase, float, float]]:
    """Return each split with the first day (included) and last day (excluded) of it."""
    splits = _splits(experiment.phases)
    starts = [local_day(to_milliseconds(p.since), experiment.time_zone) for p in splits]
    days: list[tuple[Phase, float, float]] = []
    for i, phase in enumerate(splits):
        low = -float("inf") if i == 0 else starts[i] + 1
        high = float("inf") if i + 1 == len(splits) else starts[i + 1]
        days.append((phase, low, high))
    return days


def _splits(phases: Sequence[Phase]) -> list[Phase]:
    """Drop phases that changed the coverage alone."""
    return [
        *phases[:1],
        *(
            later
            for earlier, later in pairwise(phases)
            if shares(earlier.allocation) != shares(later.allocation)
        ),
    ]


def _offered(
    counts: Sequence[int], planned: Sequence[float]
) -> tuple[list[int], list[float]]:
    """Keep the variants that got traffic in this phase."""
    kept = [(n, s) for n, s in zip(counts, planned, strict=True) if s > 0]
    return [n for n, _ in kept], [s for _, s in kept]


def _judged(
    ratio: SampleRatio, observed: tuple[float, ...], planned: tuple[float, ...]
) -> HealthCheck:
    blocked = ratio.e_value >= E_VALUE_BLOCKS
    p_value = None if isinstance(ratio.p_value, NotEstimable) else ratio.p_value
    return HealthCheck(
        code=HealthCode.SAMPLE_RATIO,
        status=HealthStatus.BLOCKED if blocked else HealthStatus.OK,
        value=ratio.e_value,
        threshold=E_VALUE_BLOCKS,
        observed=observed,
        planned=planned,
        p_value=p_value,
    )


def _warn_if(condition: bool) -> HealthStatus:  # noqa: FBT001 -- reads as a sentence
    return HealthStatus.WARNING if condition else HealthStatus.OK
