"""Experiments survive the way into the database and back."""

import json
from collections.abc import Callable
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from abtest.domain.allocation import allocate
from abtest.domain.experiment import (
    Adaptive,
    Experiment,
    ExperimentKey,
    LogEntry,
    Method,
    Phase,
    SequentialDesign,
    Status,
    Variant,
    VariantKey,
)
from abtest.domain.funnel import (
    ConversionGoal,
    CountWeights,
    FunnelStep,
    LaterStep,
    MoneyWeights,
    Repeat,
    StepKey,
    StepKind,
)
from abtest.errors import AbtestError, ErrorCode
from abtest.store.sqlite.codec import decode_experiment, encode_experiment
from tests.store.builders import home

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
SHARE = st.floats(0, 1)
NUMBER = st.floats(allow_nan=False, allow_infinity=False)
MOMENT = st.datetimes(timezones=st.just(UTC))


def optional(strategy: st.SearchStrategy[str]) -> st.SearchStrategy[str | None]:
    return st.none() | strategy


VARIANT = st.builds(
    Variant,
    key=TEXT.map(VariantKey),
    name=TEXT,
    weight=st.floats(0, 1e6),
    payload_json=TEXT,
)
STEP = st.builds(
    FunnelStep, key=TEXT.map(StepKey), name=TEXT, kind=st.sampled_from(StepKind)
)
GOAL = st.one_of(
    st.builds(
        lambda step, ordinal, gap: ConversionGoal(
            first=step, second=Repeat(step=step, ordinal=ordinal, min_gap_hours=gap)
        ),
        TEXT.map(StepKey),
        st.integers(2, 9),
        st.floats(0, 8760),
    ),
    st.builds(
        lambda step: ConversionGoal(
            first=StepKey(f"{step}1"), second=LaterStep(step=StepKey(f"{step}2"))
        ),
        TEXT,
    ),
)
WEIGHTS = st.one_of(
    st.builds(CountWeights, first=NUMBER, second=NUMBER, currency=optional(TEXT)),
    st.builds(MoneyWeights, currency=TEXT, first_margin=NUMBER, second_margin=NUMBER),
)
PHASE = st.builds(
    lambda since, coverage, weights: Phase(
        since=since, coverage=coverage, allocation=allocate(weights)
    ),
    MOMENT,
    SHARE,
    st.lists(st.tuples(TEXT, st.floats(1, 9)), min_size=1, max_size=3),
)
EXPERIMENT = st.builds(
    Experiment,
    key=TEXT.map(ExperimentKey),
    name=TEXT,
    hypothesis=TEXT,
    variants=st.lists(VARIANT, min_size=1, max_size=3).map(tuple),
    funnel=st.lists(STEP, max_size=3).map(tuple),
    goal=GOAL,
    window_days=st.integers(1, 400),
    first_window_days=st.none() | st.integers(0, 400),
    weights=WEIGHTS,
    coverage=SHARE,
    layer=optional(TEXT),
    targeting_json=optional(TEXT),
    alpha=SHARE,
    power=SHARE,
    minimum_detectable_effect=SHARE,
    first_conversion_margin=SHARE,
    method=st.sampled_from(Method),
    sequential_design=st.sampled_from(SequentialDesign),
    covariate=optional(TEXT),
    adaptive=st.none() | st.builds(Adaptive, minimum_share=SHARE),
    order_cap=st.none() | st.integers(0, 10**11),
    time_zone=TEXT,
    status=st.sampled_from(Status),
    salt=TEXT,
    hash_version=st.integers(1, 3),
    phases=st.lists(PHASE, max_size=2).map(tuple),
    weights_changed_at=st.none() | MOMENT,
    followed_until=optional(TEXT),
    decided_variant=optional(TEXT).map(lambda t: t and VariantKey(t)),
    created_at=MOMENT,
    log=st.lists(
        st.builds(LogEntry, at=MOMENT, action=TEXT, detail=TEXT), max_size=2
    ).map(tuple),
    version=st.integers(1, 99),
)


@settings(max_examples=200, deadline=None)
@given(experiment=EXPERIMENT)
def test_an_experiment_comes_back_as_it_was(experiment: Experiment) -> None:
    assert decode_experiment(encode_experiment(experiment)) == experiment


def test_a_field_that_was_not_there_yet_has_its_default() -> None:
    document = json.loads(encode_experiment(home()))
    del document["hypothesis"], document["order_cap"], document["funnel"][0]["kind"]
    assert decode_experiment(json.dumps(document)) == home()


@pytest.mark.parametrize(
    "spoil",
    [
        lambda d: d.update(colour="red"),
        lambda d: d.pop("salt"),
        lambda d: d.update(window_days="60"),
        lambda d: d.update(status="resting"),
        lambda d: d.update(goal={"first": "purchase"}),
        lambda d: d.update(goal=7),
        lambda d: d["goal"]["second"].update(step="other"),
        lambda d: d["goal"]["second"].update(ordinal=1),
        lambda d: d["goal"].update(third="x"),
        lambda d: d["weights"].pop("currency"),
        lambda d: d["variants"][0].update(colour="red"),
        lambda d: d["variants"][0].update(weight=-1),
        lambda d: d.update(created_at="yesterday"),
    ],
)
def test_an_unknown_shape_is_refused(
    spoil: Callable[[dict[str, object]], None],
) -> None:
    document = json.loads(encode_experiment(home()))
    spoil(document)
    with pytest.raises(AbtestError) as error:
        decode_experiment(json.dumps(document))
    assert error.value.code is ErrorCode.UNAVAILABLE


@pytest.mark.parametrize("document", ["", "{", "[]", "null", "7"])
def test_what_is_no_document_is_refused(document: str) -> None:
    with pytest.raises(AbtestError):
        decode_experiment(document)


def test_times_keep_their_microseconds() -> None:
    moment = datetime(2026, 3, 4, 5, 6, 7, 890123, tzinfo=UTC)
    kept = decode_experiment(encode_experiment(home(created_at=moment)))
    assert kept.created_at == moment
