"""JSON of experiments and keys: what callers send, and what they are sent."""

from datetime import datetime

import msgspec
from msgspec import UNSET, UnsetType

from abtest.domain.access import AuditEntry
from abtest.domain.experiment import Action, LogEntry, Status
from abtest.services.definition import (
    AdaptiveDefinition,
    FirstDefinition,
    StepDefinition,
    VariantDefinition,
)


class Strict(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """A request that must not hold anything unknown."""


class VariantBody(Strict):
    """A variant; the first of an experiment is the control."""

    key: str
    name: str | UnsetType = UNSET
    weight: float | UnsetType = UNSET
    payload: dict[str, object] | UnsetType = UNSET


class StepBody(Strict):
    """A funnel step."""

    key: str
    name: str | UnsetType = UNSET
    kind: str | UnsetType = UNSET


class FirstBody(Strict):
    """The step that is the first conversion."""

    step: str


class SecondBody(Strict):
    """The second conversion: a repeat (`ordinal`) or a later step."""

    step: str
    ordinal: int | UnsetType | None = UNSET
    min_gap_hours: float | UnsetType | None = UNSET


class WeightsBody(Strict):
    """What conversions are worth: points (`first`, `second`) or money."""

    first: float | UnsetType = UNSET
    second: float | UnsetType = UNSET
    money: bool | UnsetType = UNSET
    currency: str | UnsetType | None = UNSET
    first_margin: float | UnsetType = UNSET
    second_margin: float | UnsetType = UNSET


class AdaptiveBody(Strict):
    """Shares may follow the results; every variant keeps `minimum_share`."""

    minimum_share: float


class ExperimentBody(Strict):
    """A new experiment, or what shall change of one.

    Attributes:
        first_window_days: the first conversion's own window; null for `window_days`.
        covariate: name of a numeric attribute that exposures bring.
        sequential_design: group_sequential, or always_valid.
        status: may be sent back as it was read; the actions change it.
    """

    key: str | UnsetType = UNSET
    name: str | UnsetType = UNSET
    hypothesis: str | UnsetType = UNSET
    variants: tuple[VariantBody, ...] | UnsetType = UNSET
    funnel: tuple[StepBody, ...] | UnsetType = UNSET
    first_conversion: FirstBody | UnsetType = UNSET
    second_conversion: SecondBody | UnsetType | None = UNSET
    window_days: int | UnsetType = UNSET
    first_window_days: int | UnsetType | None = UNSET
    weights: WeightsBody | UnsetType = UNSET
    coverage: float | UnsetType = UNSET
    layer: object = UNSET
    targeting: object = UNSET
    alpha: float | UnsetType = UNSET
    power: float | UnsetType = UNSET
    minimum_detectable_effect: float | UnsetType = UNSET
    first_conversion_margin: float | UnsetType = UNSET
    method: str | UnsetType = UNSET
    sequential_design: str | UnsetType = UNSET
    covariate: str | UnsetType | None = UNSET
    adaptive: AdaptiveBody | UnsetType | None = UNSET
    order_cap: float | UnsetType | None = UNSET
    time_zone: str | UnsetType = UNSET
    followed_until: str | UnsetType | None = UNSET
    salt: str | UnsetType = UNSET
    hash_version: int | UnsetType = UNSET
    status: Status | UnsetType = UNSET


class ActionBody(Strict):
    """Why an action is taken; `variant` belongs to `decide` alone."""

    variant: str | None = None
    note: str = ""


class KeyBody(Strict):
    """A key to be made; `origins` belong to publishable keys alone."""

    kind: str
    name: str = ""
    origins: tuple[str, ...] = ()


class PhaseView(msgspec.Struct, frozen=True, kw_only=True):
    """A stretch of time with one split of the visitors."""

    since: datetime
    coverage: float
    shares: dict[str, float]


class SecondView(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The second conversion: a repeat (`ordinal`) or a later step."""

    step: str
    ordinal: int | None = None
    min_gap_hours: float | None = None


class WeightsView(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What conversions are worth: points (`first`, `second`) or money."""

    first: float | None = None
    second: float | None = None
    money: bool = False
    currency: str | None = None
    first_margin: float | None = None
    second_margin: float | None = None


class ExperimentView(msgspec.Struct, frozen=True, kw_only=True):
    """An experiment as it stands.

    Attributes:
        salt: shown to admin keys alone.
        version: for If-Match.
    """

    key: str
    name: str
    hypothesis: str
    status: Status
    variants: tuple[VariantDefinition, ...]
    funnel: tuple[StepDefinition, ...]
    first_conversion: FirstDefinition
    second_conversion: SecondView
    window_days: int
    first_window_days: int | None
    weights: WeightsView
    coverage: float
    layer: object
    targeting: object
    alpha: float
    power: float
    minimum_detectable_effect: float
    first_conversion_margin: float
    method: str
    sequential_design: str
    covariate: str | None
    adaptive: AdaptiveDefinition | None
    order_cap: float | None
    time_zone: str
    followed_until: str | None
    hash_version: int
    created_at: datetime
    started_at: datetime | None
    weights_changed_at: datetime | None
    decided_variant: str | None
    phases: tuple[PhaseView, ...]
    log: tuple[LogEntry, ...]
    actions: tuple[Action, ...]
    version: int
    salt: str | UnsetType = UNSET


class ExperimentPage(msgspec.Struct, frozen=True, kw_only=True):
    """Some experiments, oldest first, and how to ask for the next ones."""

    items: tuple[ExperimentView, ...]
    next_cursor: str | None


class KeyView(msgspec.Struct, frozen=True, kw_only=True):
    """A key without its secret."""

    id: str
    kind: str
    name: str
    hint: str
    origins: tuple[str, ...]
    created_at: datetime
    revoked_at: datetime | None


class NewKeyView(msgspec.Struct, frozen=True, kw_only=True):
    """A key just made; `key` is the secret and shown this once."""

    id: str
    kind: str
    key: str
    name: str
    origins: tuple[str, ...]


class KeyPage(msgspec.Struct, frozen=True, kw_only=True):
    """All keys, oldest first."""

    items: tuple[KeyView, ...]
    next_cursor: str | None = None


class AuditPage(msgspec.Struct, frozen=True, kw_only=True):
    """The newest entries of the audit log, newest first."""

    items: tuple[AuditEntry, ...]
    next_cursor: str | None = None
