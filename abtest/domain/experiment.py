"""An experiment: its variants, its plan, and the life it may lead."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import NewType

from abtest.domain.allocation import Allocation
from abtest.domain.funnel import (
    ConversionGoal,
    ConversionWeights,
    CountWeights,
    FunnelStep,
    MoneyWeights,
    StepKey,
)

ExperimentKey = NewType("ExperimentKey", str)
VariantKey = NewType("VariantKey", str)
VisitorId = NewType("VisitorId", str)
CustomerId = NewType("CustomerId", str)

HASH_VERSION = 1


class Status(StrEnum):
    """Where an experiment stands in its life."""

    DRAFT = "draft"
    RUNNING = "running"
    PAUSED = "paused"
    CLOSED = "closed"
    STOPPED = "stopped"
    DECIDED = "decided"
    ARCHIVED = "archived"


class Action(StrEnum):
    """What a person may do to an experiment."""

    START = "start"
    PAUSE = "pause"
    RESUME = "resume"
    CLOSE = "close"
    STOP = "stop"
    DECIDE = "decide"
    ARCHIVE = "archive"


class Method(StrEnum):
    """How a running experiment may be looked at."""

    SEQUENTIAL = "sequential"
    FIXED = "fixed"
    BAYESIAN = "bayesian"


class SequentialDesign(StrEnum):
    """How looks before the end are paid for."""

    GROUP_SEQUENTIAL = "group_sequential"
    ALWAYS_VALID = "always_valid"


@dataclass(frozen=True, slots=True, kw_only=True)
class Adaptive:
    """Shares follow the results, when they are told to (`abtest adapt`).

    Attributes:
        minimum_share: that every variant keeps, above 0.
    """

    minimum_share: float


TRANSITIONS: Mapping[Action, Mapping[Status, Status]] = {
    Action.START: {Status.DRAFT: Status.RUNNING},
    Action.PAUSE: {Status.RUNNING: Status.PAUSED},
    Action.RESUME: {Status.PAUSED: Status.RUNNING},
    Action.CLOSE: {Status.RUNNING: Status.CLOSED, Status.PAUSED: Status.CLOSED},
    Action.STOP: {
        Status.RUNNING: Status.STOPPED,
        Status.PAUSED: Status.STOPPED,
        Status.CLOSED: Status.STOPPED,
    },
    Action.DECIDE: {
        Status.RUNNING: Status.DECIDED,
        Status.PAUSED: Status.DECIDED,
        Status.CLOSED: Status.DECIDED,
        Status.STOPPED: Status.DECIDED,
    },
    Action.ARCHIVE: {
        Status.DRAFT: Status.ARCHIVED,
        Status.STOPPED: Status.ARCHIVED,
        Status.DECIDED: Status.ARCHIVED,
    },
}
"""The whole life: action -> from -> to. What is not here is refused."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Variant:
    """One of the things compared. The first of an experiment is the control."""

    key: VariantKey
    name: str
    weight: float = 1.0
    payload_json: str = "{}"

    def __post_init__(self) -> None:
        if not 0 <= self.weight < 1e9:
            raise ValueError(
                f"weight is {self.weight}; it must be 0 or more, below 1e9"
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class Phase:
    """A stretch of time with one allocation.

    Attributes:
        since: when it began (UTC).
        allocation: which buckets belong to which variant.
        coverage: share of all visitors that enter the experiment.
    """

    since: datetime
    allocation: Allocation
    coverage: float


@dataclass(frozen=True, slots=True, kw_only=True)
class LogEntry:
    """Something a person did to the experiment, for the decision log.

    Attributes:
        by: who did it, as in the audit log; empty in entries of older versions.
        report: digest of the events and version of the program of the report that
            was read, so that the verdict can be given again; empty for none.
    """

    at: datetime
    action: str
    detail: str = ""
    by: str = ""
    report: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Experiment:
    """An experiment with its whole plan and state.

    Attributes:
        window_days: how long a visitor is followed; lags 0 to `window_days` count.
        first_window_days: the first conversion's own window, at most `window_days`;
            None means the same.
        covariate: name of a numeric attribute at the exposure, known before it, that
            takes variance out of a second look at the value; None means none.
        sequential_design: how a sequential experiment pays for its looks.
        adaptive: whether shares may follow the results; None means never.
        first_conversion_margin: largest loss of first conversions, relative, that a
            winner may cost.
        order_cap: money: an order counts for at most this, in minor units.
        salt: makes this experiment's buckets independent of all others'.
        phases: allocations in force, oldest first; empty while a draft.
        weights_changed_at: when the weights were changed after the start, if ever.
        followed_until: last day (local ISO date) for which conversions are known,
            when the data were imported from an older log; None means until today.
    """

    key: ExperimentKey
    name: str
    hypothesis: str = ""
    variants: tuple[Variant, ...]
    funnel: tuple[FunnelStep, ...]
    goal: ConversionGoal
    window_days: int = 60
    first_window_days: int | None = None
    weights: ConversionWeights = CountWeights()
    coverage: float = 1.0
    layer: str | None = None
    targeting_json: str | None = None
    alpha: float = 0.05
    power: float = 0.8
    minimum_detectable_effect: float = 0.1
    first_conversion_margin: float = 0.2
    method: Method = Method.SEQUENTIAL
    sequential_design: SequentialDesign = SequentialDesign.GROUP_SEQUENTIAL
    covariate: str | None = None
    adaptive: Adaptive | None = None
    order_cap: int | None = None
    time_zone: str = "UTC"
    status: Status = Status.DRAFT
    salt: str
    hash_version: int = HASH_VERSION
    phases: tuple[Phase, ...] = ()
    weights_changed_at: datetime | None = None
    followed_until: str | None = None
    decided_variant: VariantKey | None = None
    created_at: datetime
    log: tuple[LogEntry, ...] = ()
    version: int = 1

    @property
    def control(self) -> Variant:
        """The variant all others are compared with."""
        return self.variants[0]

    @property
    def currency(self) -> str | None:
        """The currency of its revenue, or None when it has none."""
        return self.weights.currency

    @property
    def is_money(self) -> bool:
        """Whether revenue decides."""
        return isinstance(self.weights, MoneyWeights)

    @property
    def step_keys(self) -> tuple[StepKey, ...]:
        """The funnel's step keys in order."""
        return tuple(step.key for step in self.funnel)

    @property
    def started_at(self) -> datetime | None:
        """When it was started, if it was."""
        return self.phases[0].since if self.phases else None

    def allows(self, action: Action) -> bool:
        """Tell whether the action is possible in the present status."""
        return self.status in TRANSITIONS[action]

    def after(
        self,
        action: Action,
        at: datetime,
        detail: str = "",
        *,
        by: str = "",
        report: str = "",
    ) -> "Experiment":
        """Return the experiment after a permitted action, logged.

        Raises:
            KeyError: the life does not allow it (ask `allows` first).
        """
        entry = LogEntry(
            at=at, action=action.value, detail=detail, by=by, report=report
        )
        return replace(
            self,
            status=TRANSITIONS[action][self.status],
            log=(*self.log, entry),
        )
