"""What the hot calls must know of all experiments, worked out once per change."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from operator import is_

from abtest.domain.assignment import AssignmentReason
from abtest.domain.experiment import (
    Experiment,
    ExperimentKey,
    Status,
    Variant,
    VariantKey,
)

_HIDDEN = frozenset({Status.DRAFT, Status.ARCHIVED})


@dataclass(frozen=True, slots=True, kw_only=True)
class Currencies:
    """Which currencies a value may have.

    Attributes:
        declared: those that experiments name, sorted.
        is_open: some experiment names none, so that every currency is welcome.
    """

    declared: tuple[str, ...] = ()
    is_open: bool = True

    @property
    def sole(self) -> str | None:
        """The one declared currency, if there is exactly one."""
        return self.declared[0] if len(self.declared) == 1 else None


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Shown:
    """What one experiment shows a visitor.

    The same few are shown to all visitors: made once, and each equal to itself alone,
    so that finding what was made of them costs nothing.
    """

    experiment: ExperimentKey
    variant: Variant
    in_experiment: bool
    reason: AssignmentReason
    first_exposure: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Catalogue:
    """All experiments, looked up by what callers send.

    Attributes:
        by_key: every experiment.
        visible: those a visitor is asked into when no key is given: all but drafts
            and archived ones.
        steps: every declared step, with the currencies of the experiments that have
            it and are not archived.
        askers: the experiments that declare a step, drafts and archived ones too.
        currencies: those of all experiments that are not archived.
        shown: what was shown to somebody, by experiment, variant, reason and whether
            it was the first exposure.
    """

    by_key: Mapping[str, Experiment]
    visible: tuple[Experiment, ...]
    steps: Mapping[str, Currencies]
    askers: Mapping[str, tuple[ExperimentKey, ...]]
    currencies: Currencies
    shown: dict[tuple[ExperimentKey, VariantKey, AssignmentReason, bool], Shown] = (
        field(default_factory=dict)
    )


def catalogue_of(experiments: tuple[Experiment, ...]) -> Catalogue:
    """Return the catalogue; the same experiments give the same one at no cost."""
    # A store hands out the same objects until an experiment changes. One slot, read
    # and replaced as a whole, is safe among threads.
    known, catalogue = _latest[0]
    if known is experiments:
        return catalogue
    if len(known) != len(experiments) or not all(map(is_, known, experiments)):
        catalogue = _catalogue(experiments)
    _latest[0] = (experiments, catalogue)
    return catalogue


def _catalogue(experiments: tuple[Experiment, ...]) -> Catalogue:
    declared = {step for e in experiments for step in e.step_keys}
    current = [e for e in experiments if e.status is not Status.ARCHIVED]
    return Catalogue(
        by_key={e.key: e for e in experiments},
        visible=tuple(e for e in experiments if e.status not in _HIDDEN),
        steps={
            step: _currencies([e for e in current if step in e.step_keys])
            for step in sorted(declared)
        },
        askers={
            step: tuple(e.key for e in experiments if step in e.step_keys)
            for step in declared
        },
        currencies=_currencies(current),
    )


def _currencies(experiments: list[Experiment]) -> Currencies:
    named = {e.currency for e in experiments}
    return Currencies(
        declared=tuple(sorted(c for c in named if c is not None)),
        is_open=None in named or not named,
    )


_latest: list[tuple[tuple[Experiment, ...], Catalogue]] = [((), _catalogue(()))]
