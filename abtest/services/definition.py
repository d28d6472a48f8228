"""What a person says an experiment shall be, before and after it is checked."""

import json
from dataclasses import dataclass, field

from abtest.domain.experiment import Adaptive, Experiment, Method, SequentialDesign
from abtest.domain.funnel import CountWeights, LaterStep, MoneyWeights, Repeat, StepKind
from abtest.domain.money import to_major


@dataclass(frozen=True, slots=True, kw_only=True)
class VariantDefinition:
    """A variant as told; `payload` is a JSON object for the page."""

    key: str
    name: str = ""
    weight: float = 1.0
    payload: dict[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class StepDefinition:
    """A funnel step as told."""

    key: str
    name: str = ""
    kind: str = StepKind.CUSTOM.value


@dataclass(frozen=True, slots=True, kw_only=True)
class FirstDefinition:
    """The step that is the first conversion."""

    step: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SecondDefinition:
    """The second conversion: a repeat when it has an ordinal, else a later step."""

    step: str
    ordinal: int | None = None
    min_gap_hours: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class WeightsDefinition:
    """Points (`first`, `second`) or money (`money`, margins)."""

    first: float | None = None
    second: float | None = None
    money: bool = False
    currency: str | None = None
    first_margin: float | None = None
    second_margin: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AdaptiveDefinition:
    """Shares may follow the results; every variant keeps `minimum_share`."""

    minimum_share: float


@dataclass(frozen=True, slots=True, kw_only=True)
class ExperimentDefinition:
    """A whole experiment as told; nothing in it is checked yet.

    Attributes:
        second_conversion: None means the second time at the step of the first.
        first_window_days: None means `window_days`.
        layer, targeting: not offered yet; must be None.
        covariate: name of a numeric attribute at the exposure.
        order_cap: major units.
        salt: None makes a new one.
    """

    key: str
    name: str = ""
    hypothesis: str = ""
    variants: tuple[VariantDefinition, ...]
    funnel: tuple[StepDefinition, ...]
    first_conversion: FirstDefinition
    second_conversion: SecondDefinition | None = None
    window_days: int = 60
    first_window_days: int | None = None
    weights: WeightsDefinition = WeightsDefinition()
    coverage: float = 1.0
    layer: object = None
    targeting: object = None
    alpha: float = 0.05
    power: float = 0.8
    minimum_detectable_effect: float = 0.1
    first_conversion_margin: float = 0.2
    method: str = Method.SEQUENTIAL.value
    sequential_design: str = SequentialDesign.GROUP_SEQUENTIAL.value
    covariate: str | None = None
    adaptive: AdaptiveDefinition | None = None
    order_cap: float | None = None
    time_zone: str = "UTC"
    followed_until: str | None = None
    salt: str | None = None
    hash_version: int = 1


def definition_of(experiment: Experiment) -> ExperimentDefinition:
    """Return the definition that would make this experiment."""
    cap = experiment.order_cap
    return ExperimentDefinition(
        key=experiment.key,
        name=experiment.name,
        hypothesis=experiment.hypothesis,
        variants=tuple(
            VariantDefinition(
                key=v.key,
                name=v.name,
                weight=v.weight,
                payload=json.loads(v.payload_json),
            )
            for v in experiment.variants
        ),
        funnel=tuple(
            StepDefinition(key=s.key, name=s.name, kind=s.kind.value)
            for s in experiment.funnel
        ),
        first_conversion=FirstDefinition(step=experiment.goal.first),
        second_conversion=_second(experiment.goal.second),
        window_days=experiment.window_days,
        first_window_days=experiment.first_window_days,
        weights=_weights(experiment.weights),
        coverage=experiment.coverage,
        alpha=experiment.alpha,
        power=experiment.power,
        minimum_detectable_effect=experiment.minimum_detectable_effect,
        first_conversion_margin=experiment.first_conversion_margin,
        method=experiment.method.value,
        sequential_design=experiment.sequential_design.value,
        covariate=experiment.covariate,
        adaptive=_adaptive(experiment.adaptive),
        order_cap=None if cap is None else to_major(cap, experiment.currency),
        time_zone=experiment.time_zone,
        followed_until=experiment.followed_until,
        salt=experiment.salt,
        hash_version=experiment.hash_version,
    )


def _second(second: Repeat | LaterStep) -> SecondDefinition:
    match second:
        case Repeat(step=step, ordinal=ordinal, min_gap_hours=gap):
            return SecondDefinition(step=step, ordinal=ordinal, min_gap_hours=gap)
        case LaterStep(step=step):
            return SecondDefinition(step=step)


def _adaptive(adaptive: Adaptive | None) -> AdaptiveDefinition | None:
    if adaptive is None:
        return None
    return AdaptiveDefinition(minimum_share=adaptive.minimum_share)


def _weights(weights: CountWeights | MoneyWeights) -> WeightsDefinition:
    match weights:
        case CountWeights(first=first, second=second, currency=currency):
            return WeightsDefinition(first=first, second=second, currency=currency)
        case MoneyWeights(currency=currency, first_margin=m1, second_margin=m2):
            return WeightsDefinition(
                money=True, currency=currency, first_margin=m1, second_margin=m2
            )
