"""Lets the shares of an experiment follow its results, a step a day, opt-in."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from abtest.domain.allocation import shares
from abtest.domain.experiment import Experiment, ExperimentKey, Status, VariantKey
from abtest.errors import AbtestError, ErrorCode
from abtest.services.access import Caller
from abtest.services.analysis import analyze
from abtest.services.definition import definition_of
from abtest.services.experiments import update_experiment
from abtest.stats.adaptive import thompson_shares
from abtest.stats.results import NotEstimable, Reason
from abtest.store.protocol import Store

SMALLEST_MOVE = 0.01
"""Shares that move by no more than a percentage point are left as they are."""

_OPEN = (Status.RUNNING, Status.PAUSED)


@dataclass(frozen=True, slots=True, kw_only=True)
class Adaptation:
    """What the shares are and what they should be.

    Attributes:
        after: None when the present ones must stay; `reason` says why.
        is_moved: some share moves by more than a percentage point.
        is_applied: the experiment has the new shares.
    """

    experiment: ExperimentKey
    before: Mapping[VariantKey, float]
    after: Mapping[VariantKey, float] | None
    reason: Reason | None
    is_moved: bool
    is_applied: bool


def adapt(store: Store, key: ExperimentKey, *, now: datetime) -> Adaptation:
    """Say which shares the results ask for; changes nothing.

    Thompson's: a variant's share is its probability to be the best, above the minimum
    that every variant keeps.

    Raises:
        AbtestError: `not_found`; `conflict` when the experiment has not opted in or
            takes no new visitors.
    """
    experiment = store.get_experiment(key)
    minimum = _minimum_share(experiment)
    owned = shares(experiment.phases[-1].allocation)
    before = {v.key: owned.get(v.key, 0.0) for v in experiment.variants}
    report = analyze(store, key, now=now)
    wanted = thompson_shares(
        [variant.value for variant in report.variants], minimum_share=minimum
    )
    after, reason = None, None
    if isinstance(wanted, NotEstimable):
        reason = wanted.reason
    else:
        after = dict(zip(before, wanted, strict=True))
    return Adaptation(
        experiment=key,
        before=before,
        after=after,
        reason=reason,
        is_moved=after is not None
        and any(abs(after[k] - before[k]) > SMALLEST_MOVE for k in before),
        is_applied=False,
    )


def apply_adaptation(
    store: Store, adaptation: Adaptation, caller: Caller, now: datetime
) -> Adaptation:
    """Begin a phase with the new shares, if they move far enough; logged.

    From then on the estimates are made day by day.

    Raises:
        AbtestError: `conflict` when somebody changed the experiment meanwhile;
            `not_allowed`.
    """
    after = adaptation.after
    if after is None or not adaptation.is_moved:
        return adaptation
    experiment = store.get_experiment(adaptation.experiment)
    _minimum_share(experiment)
    definition = definition_of(experiment)
    variants = tuple(
        replace(variant, weight=after[VariantKey(variant.key)])
        for variant in definition.variants
    )
    wanted = replace(definition, variants=variants)
    update_experiment(store, experiment, wanted, caller, now)
    return replace(adaptation, is_applied=True)


def _minimum_share(experiment: Experiment) -> float:
    """Return what every variant keeps, if the shares may move at all."""
    if experiment.adaptive is None:
        raise AbtestError(
            ErrorCode.CONFLICT,
            f"{experiment.key} has fixed shares; declare"
            ' "adaptive": {"minimum_share": 0.1} to let them follow the results',
        )
    if experiment.status not in _OPEN:
        raise AbtestError(
            ErrorCode.CONFLICT,
            f"{experiment.key} is {experiment.status} and takes no new visitors, so"
            " shares have no use",
        )
    return experiment.adaptive.minimum_share
