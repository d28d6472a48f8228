"""Definitions of experiments, as callers tell them."""

from dataclasses import replace

from abtest.services.definition import (
    ExperimentDefinition,
    FirstDefinition,
    SecondDefinition,
    StepDefinition,
    VariantDefinition,
    WeightsDefinition,
)

HOME = ExperimentDefinition(
    key="home",
    name="Home page",
    variants=(
        VariantDefinition(key="a", name="Old"),
        VariantDefinition(key="b", name="New", payload={"headline": "Grüß Gott"}),
    ),
    funnel=(
        StepDefinition(key="signup", kind="lead"),
        StepDefinition(key="purchase", kind="main"),
    ),
    first_conversion=FirstDefinition(step="purchase"),
    second_conversion=SecondDefinition(step="purchase", ordinal=2),
    weights=WeightsDefinition(first=1, second=3),
)
"""Two variants, two steps, points."""


def in_money(key: str, currency: str) -> ExperimentDefinition:
    """Return the same with revenue deciding."""
    return replace(
        HOME, key=key, weights=WeightsDefinition(money=True, currency=currency)
    )


def variants(*keys: str, **told: object) -> tuple[VariantDefinition, ...]:
    """Return variants that differ in their key alone."""
    return tuple(VariantDefinition(key=key, **told) for key in keys)  # type: ignore[arg-type]


def steps(*keys: str) -> tuple[StepDefinition, ...]:
    """Return steps of no special kind."""
    return tuple(StepDefinition(key=key) for key in keys)


def weights(**told: object) -> WeightsDefinition:
    """Return weights as told, right or wrong."""
    return WeightsDefinition(**told)  # type: ignore[arg-type]
