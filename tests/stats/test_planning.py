"""The planner against the table of durations."""

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from abtest.stats.delayed import Window
from abtest.stats.design import DelayCurve, design_standard_error
from abtest.stats.planning import Duration, Guardrail, Scenario, plan
from abtest.stats.power import Baseline, OrderValue
from abtest.stats.results import NotEstimable, Reason


def scenario(
    *,
    per_arm: float = 1_000,
    first_rate: float = 0.05,
    repeat_rate: float = 0.25,
    window: int = 60,
    effect: float = 0.1,
) -> Scenario:
    return Scenario(
        visitors_per_day=2 * per_arm,
        baseline=Baseline(first_rate=first_rate, repeat_rate=repeat_rate),
        delay=DelayCurve.exponential(window),
        window=Window(first=window, second=window),
        first_weight=1,
        second_weight=3,
        effect=effect,
    )


def duration(asked: Scenario) -> Duration:
    found = plan(asked).value.duration
    assert isinstance(found, Duration)
    return found


SHOP = scenario()
PUBLISHED = [
    pytest.param(SHOP, 64, 52, 70, id="5 %, 25 % in 60 days, 10 %"),
    pytest.param(scenario(effect=0.15), 60, None, 60, id="5 %, 25 %, 15 %"),
    pytest.param(
        scenario(first_rate=0.03, repeat_rate=0.2, window=30, effect=0.15),
        42,
        None,
        43,
        id="3 %, 20 % in 30 days, 15 %",
    ),
    pytest.param(
        scenario(per_arm=500, first_rate=0.1, repeat_rate=0.35, window=90),
        90,
        None,
        94,
        id="10 %, 35 % in 90 days, 500 a day",
    ),
]


@pytest.mark.parametrize(("asked", "exposing_on", "exposure", "stopped"), PUBLISHED)
def test_days_are_those_of_the_published_table(
    asked: Scenario, exposing_on: int, exposure: int | None, stopped: int
) -> None:
    assert duration(replace(asked, exposure_days=300)).ready_day == exposing_on
    found = duration(asked)
    assert found.ready_day == stopped
    assert found.exposure_days + found.follow_up_days == found.total_days
    if exposure is not None:
        assert found.exposure_days == exposure
        assert found.visitors_per_variant == (52_000, 52_000)


def test_recent_visitors_save_most_of_the_waiting() -> None:
    """Mature cohorts alone: 47,126 visitors, 48 days, the last ones mature on 107."""
    assert duration(replace(SHOP, exposure_days=48)).ready_day < 107 - 20


def test_each_conversion_has_its_own_duration() -> None:
    found = plan(SHOP)
    first, value, second = found.first, found.value, found.second
    days = [
        one.duration.exposure_days
        for one in (first, value, second)
        if isinstance(one.duration, Duration)
    ]
    assert days == sorted(days)
    # A tenth more than the 29,826 and 124,012 visitors of the fixed sample sizes.
    assert (days[0], days[2]) == (33, 137)


def test_the_first_conversion_alone_waits_for_its_own_window() -> None:
    short = replace(SHOP, window=Window(first=14, second=60))
    first = plan(short).first
    assert first.curve[0][0] == 15
    assert isinstance(first.duration, Duration)
    assert first.duration.total_days < duration(short).total_days


def test_the_curve_ends_where_everybody_is_mature_and_meets_the_plan() -> None:
    found = plan(SHOP).value
    days = [day for day, _ in found.curve]
    effects = [effect for _, effect in found.curve]
    assert days == list(range(61, 52 + 61))
    assert effects == sorted(effects, reverse=True)
    reached = dict(found.curve)[duration(SHOP).total_days]
    assert reached <= SHOP.effect < dict(found.curve)[duration(SHOP).total_days - 1]


def test_the_smallest_of_several_treatments_decides() -> None:
    """The error of the difference, put together from the two arms' own errors."""
    asked = replace(SHOP, visitors_per_day=4_000, shares=(2, 1.5, 0.5))
    found = duration(asked)
    assert found.visitors_per_variant == tuple(
        found.exposure_days * n for n in (2_000, 1_500, 500)
    )
    errors = []
    for visitors in (2_000, 500):
        error = design_standard_error(
            [visitors] * found.exposure_days,
            asked.baseline,
            asked.delay,
            window=asked.window,
            as_of=found.ready_day,
            first_weight=1,
            second_weight=3,
        )
        assert isinstance(error, float)
        errors.append(error)
    # z for 5 % / 2 treatments and for 80 %, from a table of the normal distribution.
    seen = (2.2414 + 0.8416) * (errors[0] ** 2 + errors[1] ** 2) ** 0.5
    curve = dict(plan(asked).value.curve)
    assert curve[found.total_days] == pytest.approx(
        seen / asked.baseline.mean(1, 3), rel=1e-4
    )


def test_heavy_orders_need_more_visitors_than_equal_ones() -> None:
    def paid(sd: float) -> Scenario:
        order = OrderValue(mean=5_000, sd=sd)
        return replace(
            SHOP,
            baseline=replace(SHOP.baseline, first_order=order, second_order=order),
            second_weight=1,
        )

    equal, heavy = duration(paid(0)), duration(paid(8_000))
    assert heavy.exposure_days > equal.exposure_days
    counted = duration(replace(SHOP, second_weight=1))
    assert equal == counted


def test_guardrail_warns_when_the_margin_cannot_be_kept() -> None:
    wide = plan(SHOP).guardrail
    assert isinstance(wide, Guardrail)
    assert wide.is_resolvable
    assert wide.smallest_margin == pytest.approx(2 * wide.standard_error)
    # By then all first conversions of the 52,000 visitors an arm are in.
    mature = (2 * 0.95 / 0.05 / 52_000) ** 0.5
    assert wide.standard_error == pytest.approx(mature)
    lossy = plan(
        replace(SHOP, first_conversion_margin=0.1, expected_first_loss=0.08)
    ).guardrail
    assert isinstance(lossy, Guardrail)
    assert not lossy.is_resolvable


def test_guardrail_counts_conversions_even_where_money_decides() -> None:
    order = OrderValue(mean=5_000, sd=8_000)
    baseline = replace(SHOP.baseline, first_order=order, second_order=order)
    money = plan(replace(SHOP, baseline=baseline, exposure_days=200)).guardrail
    count = plan(replace(SHOP, exposure_days=200)).guardrail
    assert isinstance(money, Guardrail)
    assert isinstance(count, Guardrail)
    assert money.standard_error < count.standard_error  # it runs longer


def test_a_page_with_few_visitors_is_told_what_it_could_see() -> None:
    small = plan(scenario(per_arm=20, first_rate=0.03, repeat_rate=0.2, window=30))
    assert small.value.duration == NotEstimable(Reason.TOO_FEW_VISITORS)
    assert small.guardrail == NotEstimable(Reason.TOO_FEW_VISITORS)
    assert len(small.value.curve) == 730
    assert small.value.curve[-1][1] > 0.1


def test_a_fixed_exposure_may_be_too_short() -> None:
    found = plan(replace(SHOP, exposure_days=40)).value
    assert found.duration == NotEstimable(Reason.TOO_FEW_VISITORS)
    assert found.curve[-1][0] == 100


def test_a_value_that_is_not_positive_cannot_be_planned() -> None:
    found = plan(replace(SHOP, first_weight=-1, second_weight=0))
    assert found.value.duration == NotEstimable(Reason.NOT_POSITIVE)
    assert found.value.curve == ()
    assert isinstance(found.first.duration, Duration)


@settings(max_examples=20, deadline=None)
@given(scale=st.floats(1.1, 10))
def test_more_visitors_never_take_longer(scale: float) -> None:
    more = replace(SHOP, visitors_per_day=SHOP.visitors_per_day * scale)
    assert duration(more).total_days <= duration(SHOP).total_days


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"visitors_per_day": 0.0}, "visitors_per_day is"),
        ({"effect": 0.0}, "must be positive"),
        ({"shares": (1.0,)}, "shares are"),
        ({"shares": (1.0, 0.0)}, "shares are"),
        ({"exposure_days": 0}, "exposure_days is"),
        ({"exposure_days": 731}, "exposure_days is"),
    ],
    ids=str,
)
def test_impossible_scenarios_are_refused(
    change: dict[str, float], message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        replace(SHOP, **change)  # type: ignore[arg-type] # wrong on purpose
