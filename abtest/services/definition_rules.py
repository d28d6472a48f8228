"""What an experiment's definition must satisfy, and the experiment it makes."""

import json
from datetime import date, datetime
from zoneinfo import ZoneInfo

from abtest.domain.experiment import (
    HASH_VERSION,
    Adaptive,
    Experiment,
    ExperimentKey,
    Method,
    SequentialDesign,
    Variant,
    VariantKey,
)
from abtest.domain.funnel import (
    ConversionGoal,
    FunnelStep,
    LaterStep,
    Repeat,
    SecondConversion,
    StepKey,
    StepKind,
)
from abtest.domain.money import to_minor
from abtest.services.checks import listed, shown
from abtest.services.complaints import Complaints
from abtest.services.definition import (
    ExperimentDefinition,
    SecondDefinition,
)
from abtest.services.weight_rules import check_weights, to_weights

RESERVED_KEYS = frozenset({"new"})
"""What stands in the place of a key in addresses of the pages."""

MAX_VARIANTS = 20
MAX_STEPS = 20
MAX_WINDOW = 730
MAX_NAME = 200
MAX_HYPOTHESIS = 4000
MAX_PAYLOAD_BYTES = 8192
MAX_SALT = 64
MAX_SHARE = 100_000
MAX_GAP_HOURS = 8760
MAX_ORDINAL = 20


def to_experiment(
    definition: ExperimentDefinition, *, salt: str, now: datetime
) -> Experiment:
    """Check the definition and make a draft of it.

    Args:
        salt: used when the definition brings none.

    Raises:
        AbtestError: `invalid` with everything that is wrong.
    """
    complaints = Complaints()
    _check(complaints, definition)
    complaints.finish()
    weights = to_weights(definition.weights)
    cap = definition.order_cap
    return Experiment(
        key=ExperimentKey(definition.key),
        name=definition.name or definition.key,
        hypothesis=definition.hypothesis,
        variants=tuple(
            Variant(
                key=VariantKey(v.key),
                name=v.name or v.key,
                weight=v.weight,
                payload_json=_compact(v.payload),
            )
            for v in definition.variants
        ),
        funnel=tuple(
            FunnelStep(key=StepKey(s.key), name=s.name or s.key, kind=StepKind(s.kind))
            for s in definition.funnel
        ),
        goal=_goal(definition),
        window_days=definition.window_days,
        first_window_days=definition.first_window_days,
        weights=weights,
        coverage=definition.coverage,
        alpha=definition.alpha,
        power=definition.power,
        minimum_detectable_effect=definition.minimum_detectable_effect,
        first_conversion_margin=definition.first_conversion_margin,
        method=Method(definition.method),
        sequential_design=SequentialDesign(definition.sequential_design),
        covariate=definition.covariate,
        adaptive=(
            None
            if definition.adaptive is None
            else Adaptive(minimum_share=definition.adaptive.minimum_share)
        ),
        order_cap=None if cap is None else to_minor(cap, weights.currency),
        time_zone=definition.time_zone,
        followed_until=definition.followed_until,
        salt=definition.salt or salt,
        hash_version=definition.hash_version,
        created_at=now,
    )


def _check(c: Complaints, d: ExperimentDefinition) -> None:
    c.key("/key", d.key)
    if d.key in RESERVED_KEYS:
        detail = f"key {d.key} is an address of the pages; choose another one"
        c.add("/key", "reserved_key", detail)
    c.text("/name", d.name, longest=MAX_NAME)
    c.text("/hypothesis", d.hypothesis, longest=MAX_HYPOTHESIS)
    _check_variants(c, d)
    _check_funnel(c, d)
    _check_second(c, d)
    check_weights(c, d.weights)
    _check_numbers(c, d)
    _check_choices(c, d)
    _check_options(c, d)
    _check_unsupported(c, d)


def _check_variants(c: Complaints, d: ExperimentDefinition) -> None:
    n = len(d.variants)
    if not 2 <= n <= MAX_VARIANTS:
        c.add(
            "/variants",
            "invalid_number",
            f"{n} variants are given; compare 2 to {MAX_VARIANTS}",
        )
    c.unique("/variants", [v.key for v in d.variants])
    for index, v in enumerate(d.variants):
        c.key(f"/variants/{index}/key", v.key)
        c.text(f"/variants/{index}/name", v.name, longest=MAX_NAME)
        c.within(f"/variants/{index}/weight", v.weight, lowest=0, highest=MAX_SHARE)
        size = len(_compact(v.payload).encode())
        if size > MAX_PAYLOAD_BYTES:
            c.add(
                f"/variants/{index}/payload",
                "too_long",
                f"payload takes {size} bytes; use at most {MAX_PAYLOAD_BYTES}",
            )
    if d.variants and not any(v.weight > 0 for v in d.variants):
        c.add(
            "/variants/0/weight",
            "invalid_weight",
            "all weights are 0; give the variants a share, for example 1 each",
        )


def _check_funnel(c: Complaints, d: ExperimentDefinition) -> None:
    n = len(d.funnel)
    if not 1 <= n <= MAX_STEPS:
        c.add(
            "/funnel",
            "invalid_number",
            f"{n} steps are given; use 1 to {MAX_STEPS}",
        )
    c.unique("/funnel", [s.key for s in d.funnel])
    for index, s in enumerate(d.funnel):
        c.key(f"/funnel/{index}/key", s.key)
        c.text(f"/funnel/{index}/name", s.name, longest=MAX_NAME)
        c.one_of(f"/funnel/{index}/kind", s.kind, tuple(StepKind))
    _check_step(c, "/first_conversion/step", d.first_conversion.step, d)


def _check_second(c: Complaints, d: ExperimentDefinition) -> None:
    second = d.second_conversion
    if second is None:
        return
    _check_step(c, "/second_conversion/step", second.step, d)
    same = second.step == d.first_conversion.step
    if same and second.ordinal is None:
        c.add(
            "/second_conversion/ordinal",
            "required",
            f"step {shown(second.step)} is that of the first conversion;"
            ' add "ordinal": 2 for the second time, or name a later step',
        )
    if not same and (second.ordinal, second.min_gap_hours) != (None, None):
        c.add(
            "/second_conversion/ordinal",
            "contradiction",
            "ordinal and min_gap_hours belong to a repeat of the first"
            f" conversion's step {shown(d.first_conversion.step)}; leave them out",
        )
    if second.ordinal is not None:
        c.within(
            "/second_conversion/ordinal",
            second.ordinal,
            lowest=2,
            highest=MAX_ORDINAL,
        )
    if second.min_gap_hours is not None:
        c.within(
            "/second_conversion/min_gap_hours",
            second.min_gap_hours,
            lowest=0,
            highest=MAX_GAP_HOURS,
        )


def _check_numbers(c: Complaints, d: ExperimentDefinition) -> None:
    c.within("/window_days", d.window_days, lowest=0, highest=MAX_WINDOW)
    c.between("/alpha", d.alpha, above=0, below=0.5)
    c.between("/power", d.power, above=0, below=1)
    c.between(
        "/minimum_detectable_effect",
        d.minimum_detectable_effect,
        above=0,
        below=100,
    )
    if not 0 <= d.first_conversion_margin < 1:
        c.out("/first_conversion_margin", d.first_conversion_margin, "0 to 1")
    if not 0 < d.coverage <= 1:
        c.out("/coverage", d.coverage, "above 0, up to 1")
    if d.order_cap is None:
        return
    if not d.weights.money:
        c.add(
            "/order_cap",
            "contradiction",
            "order_cap limits money; leave it out, or weigh by money",
        )
    try:
        positive = to_minor(d.order_cap, d.weights.currency) > 0
    except ValueError:
        positive = False
    if not positive:
        c.out("/order_cap", d.order_cap, "an amount above 0")


def _check_choices(c: Complaints, d: ExperimentDefinition) -> None:
    c.one_of("/method", d.method, tuple(Method))
    if not _is_time_zone(d.time_zone):
        c.add(
            "/time_zone",
            "invalid_time_zone",
            f"time_zone {shown(d.time_zone)} is not known;"
            ' use a name like "Europe/Berlin"',
        )
    if d.followed_until is not None and not is_day(d.followed_until):
        c.add(
            "/followed_until",
            "invalid_day",
            f"followed_until {shown(d.followed_until)} is no day;"
            " write it as 2026-01-31",
        )
    if d.salt is not None and not 1 <= len(d.salt) <= MAX_SALT:
        c.add(
            "/salt",
            "too_long" if d.salt else "required",
            f"salt has {len(d.salt)} characters; use 1 to {MAX_SALT}",
        )
    if d.hash_version != HASH_VERSION:
        c.add(
            "/hash_version",
            "unsupported",
            f"hash_version {d.hash_version} is not known; use {HASH_VERSION}",
        )


def _check_options(c: Complaints, d: ExperimentDefinition) -> None:
    first = d.first_window_days
    if first is not None and not 0 <= first <= d.window_days:
        c.out(
            "/first_window_days", first, f"0 to {d.window_days}, the days of the second"
        )
    c.one_of("/sequential_design", d.sequential_design, tuple(SequentialDesign))
    if d.covariate is not None and not 1 <= len(d.covariate) <= MAX_NAME:
        c.add(
            "/covariate",
            "too_long" if d.covariate else "required",
            f"covariate has {len(d.covariate)} characters; name an attribute of the"
            f" exposure with 1 to {MAX_NAME}, or send null",
        )
    most = 1 / max(len(d.variants), 1)
    if d.adaptive is not None and not 0 < d.adaptive.minimum_share <= most:
        c.out(
            "/adaptive/minimum_share",
            d.adaptive.minimum_share,
            f"more than 0 and at most {most:g}, an equal share of"
            f" {len(d.variants)} variants",
        )


def _check_unsupported(c: Complaints, d: ExperimentDefinition) -> None:
    for name, value in (("layer", d.layer), ("targeting", d.targeting)):
        if value is not None:
            c.add(
                f"/{name}",
                "unsupported",
                f"{name} is not offered yet; leave it out or send null",
            )


def _check_step(
    c: Complaints, pointer: str, step: str, d: ExperimentDefinition
) -> None:
    known = [s.key for s in d.funnel]
    if step not in known:
        c.add(
            pointer,
            "unknown_step",
            f"step {shown(step)} is not in the funnel; use one of {listed(known)}",
        )


def _goal(definition: ExperimentDefinition) -> ConversionGoal:
    first = StepKey(definition.first_conversion.step)
    return ConversionGoal(first=first, second=_second(first, definition))


def _second(first: StepKey, definition: ExperimentDefinition) -> SecondConversion:
    told = definition.second_conversion or SecondDefinition(step=first, ordinal=2)
    if told.step != first:
        return LaterStep(step=StepKey(told.step))
    return Repeat(
        step=first, ordinal=told.ordinal or 2, min_gap_hours=told.min_gap_hours or 0.0
    )


def _compact(payload: dict[str, object]) -> str:
    return json.dumps(payload, ensure_ascii=False, separators=(",", ":"))


def _is_time_zone(name: str) -> bool:
    try:
        ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        return False
    return True


def is_day(text: str) -> bool:
    """Tell whether the text is a day, written as 2026-01-31."""
    try:
        return date.fromisoformat(text).isoformat() == text
    except ValueError:
        return False
