"""What an experiment's definition must satisfy."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from abtest.domain.funnel import CountWeights, LaterStep, MoneyWeights, Repeat
from abtest.errors import AbtestError, ErrorCode
from abtest.services.access import COMMAND_LINE
from abtest.services.definition import (
    ExperimentDefinition,
    FirstDefinition,
    SecondDefinition,
    StepDefinition,
    VariantDefinition,
    definition_of,
)
from abtest.services.definition_rules import to_experiment
from abtest.services.experiments import create_experiment
from abtest.store.protocol import Store
from tests.services.definitions import HOME, in_money, steps, variants, weights

NOW = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)


def test_defaults_are_those_of_the_contract() -> None:
    least = ExperimentDefinition(
        key="k",
        variants=(VariantDefinition(key="a"), VariantDefinition(key="b")),
        funnel=(StepDefinition(key="buy"),),
        first_conversion=FirstDefinition(step="buy"),
    )
    made = to_experiment(least, salt="s", now=NOW)
    assert made.name == "k"
    assert [(v.name, v.weight, v.payload_json) for v in made.variants] == [
        ("a", 1.0, "{}"),
        ("b", 1.0, "{}"),
    ]
    assert (made.window_days, made.coverage, made.alpha, made.power) == (
        60, 1.0, 0.05, 0.8,
    )  # fmt: skip
    assert (made.minimum_detectable_effect, made.first_conversion_margin) == (0.1, 0.2)
    assert (made.method.value, made.time_zone) == ("sequential", "UTC")
    assert isinstance(made.goal.second, Repeat)


def test_a_later_step_and_money() -> None:
    definition = replace(
        in_money("shop", "JPY"),
        first_conversion=FirstDefinition(step="signup"),
        second_conversion=SecondDefinition(step="purchase"),
        order_cap=500,
    )
    made = to_experiment(definition, salt="s", now=NOW)
    assert made.goal.second == LaterStep(step=made.funnel[1].key)
    assert made.weights == MoneyWeights(currency="JPY")
    assert made.order_cap == 500  # yen have no smaller unit
    told = definition_of(made)
    assert (told.second_conversion, told.order_cap) == (
        SecondDefinition(step="purchase"),
        500,
    )


INVALID = {
    "key": ({"key": "a b"}, "/key", '"a b" is unfit'),
    "long key": ({"key": "k" * 65}, "/key", "1 to 64"),
    "key of a page": ({"key": "new"}, "/key", "address of the pages"),
    "one variant": ({"variants": variants("a")}, "/variants", "compare 2 to 20"),
    "21 variants": (
        {"variants": variants(*map(str, range(21)))},
        "/variants",
        "21 variants",
    ),
    "twin variants": (
        {"variants": variants("a", "a")},
        "/variants/1/key",
        '"a" is used twice',
    ),
    "variant key": (
        {"variants": variants("a", "b/c")},
        "/variants/1/key",
        '"b/c" is unfit',
    ),
    "weight": (
        {"variants": variants("a", "b", weight=-1.0)},
        "/variants/1/weight",
        "is -1",
    ),
    "no weight": (
        {"variants": variants("a", "b", weight=0.0)},
        "/variants/0/weight",
        "1 each",
    ),
    "payload": (
        {"variants": variants("a", "b", payload={"x": "y" * 8192})},
        "/variants/0/payload",
        "at most 8192",
    ),
    "no step": ({"funnel": ()}, "/funnel", "1 to 20"),
    "twin steps": (
        {"funnel": steps("signup", "purchase", "signup")},
        "/funnel/2/key",
        '"signup" is used twice',
    ),
    "kind": (
        {"funnel": (StepDefinition(key="purchase", kind="sale"),)},
        "/funnel/0/kind",
        '"sale" is not known; use one of visit, lead',
    ),
    "first": (
        {"first_conversion": FirstDefinition(step="buy")},
        "/first_conversion/step",
        '"buy" is not in the funnel; use one of signup, purchase',
    ),
    "second": (
        {"second_conversion": SecondDefinition(step="buy")},
        "/second_conversion/step",
        '"buy" is not in the funnel',
    ),
    "same step": (
        {"second_conversion": SecondDefinition(step="purchase")},
        "/second_conversion/ordinal",
        'add "ordinal": 2',
    ),
    "other step": (
        {"second_conversion": SecondDefinition(step="signup", ordinal=2)},
        "/second_conversion/ordinal",
        "leave them out",
    ),
    "ordinal": (
        {"second_conversion": SecondDefinition(step="purchase", ordinal=1)},
        "/second_conversion/ordinal",
        "ordinal is 1; use 2 to 20",
    ),
    "gap": (
        {
            "second_conversion": SecondDefinition(
                step="purchase", ordinal=2, min_gap_hours=-1
            )
        },
        "/second_conversion/min_gap_hours",
        "min_gap_hours is -1",
    ),
    "window": ({"window_days": 731}, "/window_days", "731; use 0 to 730"),
    "both 0": (
        {"weights": weights(first=0, second=0)},
        "/weights/first",
        "worth something",
    ),
    "infinite": ({"weights": weights(first=float("inf"))}, "/weights/first", "finite"),
    "currency": ({"weights": weights(currency="euro")}, "/weights/currency", "capital"),
    "no currency": (
        {"weights": weights(money=True)},
        "/weights/currency",
        "money needs one",
    ),
    "points and money": (
        {"weights": weights(money=True, currency="EUR", second=3)},
        "/weights/second",
        "not both",
    ),
    "margin without money": (
        {"weights": weights(first_margin=0.5)},
        "/weights/first_margin",
        "not both",
    ),
    "alpha": ({"alpha": 0.5}, "/alpha", "alpha is 0.5; use more than 0 and less"),
    "power": ({"power": 1.0}, "/power", "power is 1"),
    "mde": ({"minimum_detectable_effect": 0}, "/minimum_detectable_effect", "is 0"),
    "margin": ({"first_conversion_margin": 1}, "/first_conversion_margin", "is 1"),
    "coverage": ({"coverage": 0}, "/coverage", "coverage is 0; use above 0, up to 1"),
    "cap": ({"order_cap": 5}, "/order_cap", "weigh by money"),
    "zone": ({"time_zone": "Berlin"}, "/time_zone", '"Berlin" is not known'),
    "day": ({"followed_until": "20260131"}, "/followed_until", "2026-01-31"),
    "method": ({"method": "guess"}, "/method", "sequential, fixed, bayesian"),
    "salt": ({"salt": ""}, "/salt", "use 1 to 64"),
    "hash": ({"hash_version": 2}, "/hash_version", "use 1"),
    "layer": ({"layer": "top"}, "/layer", "layer is not offered yet"),
    "targeting": ({"targeting": {}}, "/targeting", "targeting is not offered yet"),
}


@pytest.mark.parametrize(
    ("told", "pointer", "words"), INVALID.values(), ids=INVALID.keys()
)
def test_a_definition_is_refused_by_field_value_and_remedy(
    store: Store, told: dict[str, object], pointer: str, words: str
) -> None:
    with pytest.raises(AbtestError) as caught:
        create_experiment(store, replace(HOME, **told), COMMAND_LINE, NOW)  # type: ignore[arg-type]
    assert caught.value.code is ErrorCode.INVALID
    (complaint,) = [e for e in caught.value.errors if e.pointer == pointer]
    assert words in complaint.detail
    assert store.list_experiments() == ()


def test_all_mistakes_are_told_at_once(store: Store) -> None:
    with pytest.raises(AbtestError) as caught:
        create_experiment(
            store, replace(HOME, alpha=2, coverage=2, layer="x"), COMMAND_LINE, NOW
        )
    assert [e.pointer for e in caught.value.errors] == ["/alpha", "/coverage", "/layer"]
    assert caught.value.errors[2].code == "unsupported"
    assert "(and 2 more)" in caught.value.detail


def test_a_negative_worth_of_the_first_conversion_is_allowed(store: Store) -> None:
    made = create_experiment(
        store, replace(HOME, weights=weights(first=-1, second=3)), COMMAND_LINE, NOW
    )
    assert made.weights == CountWeights(first=-1, second=3)
