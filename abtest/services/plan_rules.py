"""What a planner is asked, and what the question must satisfy."""

from collections.abc import Mapping
from dataclasses import dataclass

from abtest.domain.experiment import Method
from abtest.services.checks import shown
from abtest.services.complaints import Complaints
from abtest.services.definition import WeightsDefinition
from abtest.services.definition_rules import MAX_VARIANTS, MAX_WINDOW, is_day
from abtest.services.weight_rules import check_weights

MIN_VISITORS, MAX_VISITORS = 0.01, 1e9
MIN_RATE = 1e-6
MIN_EFFECT, MAX_EFFECT = 1e-4, 100
MIN_ALPHA = 1e-6
MIN_SHARE = 1e-3
MAX_TRAFFIC_DAYS = 730
MIN_ORDER_VALUE, MAX_ORDER_VALUE = 1e-4, 1e9


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderValueQuestion:
    """What an order brings, major units; `sd` is the standard deviation of orders."""

    mean: float
    sd: float


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanQuestion:
    """What a planner is asked; nothing in it is checked yet.

    Attributes:
        visitors_per_day: of all variants together.
        first_rate: share of visitors who convert within the window, 0 to 1.
        repeat_rate: share of those who convert a second time within the window.
        history: key of an experiment whose rates, order values and delays are taken
            instead; its window and weights are the defaults then.
        window_days: 60 days when nothing says otherwise.
        first_window_days: the first conversion's own window; the same when not given.
        order_value: of a first order; for money alone.
        second_order_value: that of a first order when not given.
        variants: how many, with equal shares; 2 when not given.
        shares: of each variant instead, the control first; any positive scale.
        expected_first_loss: loss of first conversions that is expected, relative.
        traffic_days: how long visitors are sent, if that is fixed.
        start: first day, ISO; today when not given.
    """

    visitors_per_day: float
    first_rate: float | None = None
    repeat_rate: float | None = None
    history: str | None = None
    window_days: int | None = None
    first_window_days: int | None = None
    weights: WeightsDefinition | None = None
    order_value: OrderValueQuestion | None = None
    second_order_value: OrderValueQuestion | None = None
    minimum_detectable_effect: float = 0.1
    alpha: float = 0.05
    power: float = 0.8
    variants: int | None = None
    shares: tuple[float, ...] | None = None
    first_conversion_margin: float = 0.2
    expected_first_loss: float = 0.0
    traffic_days: int | None = None
    start: str | None = None
    method: str = Method.SEQUENTIAL.value


def check_question(q: PlanQuestion) -> None:
    """Check everything that can be checked without the history.

    Raises:
        AbtestError: `invalid` with everything that is wrong.
    """
    c = Complaints()
    c.within(
        "/visitors_per_day",
        q.visitors_per_day,
        lowest=MIN_VISITORS,
        highest=MAX_VISITORS,
    )
    _check_rates(c, q)
    _check_days(c, q)
    if q.weights is not None:
        check_weights(c, q.weights)
    _check_orders(c, q)
    _check_shares(c, q)
    c.within(
        "/minimum_detectable_effect",
        q.minimum_detectable_effect,
        lowest=MIN_EFFECT,
        highest=MAX_EFFECT,
    )
    if not MIN_ALPHA <= q.alpha < 0.5:
        c.out("/alpha", q.alpha, f"{MIN_ALPHA:g} to below 0.5")
    c.between("/power", q.power, above=q.alpha, below=1)
    for name, share in (
        ("first_conversion_margin", q.first_conversion_margin),
        ("expected_first_loss", q.expected_first_loss),
    ):
        if not 0 <= share < 1:
            c.out(f"/{name}", share, "0 to below 1, for example 0.2 for 20 %")
    c.one_of("/method", q.method, tuple(Method))
    c.finish()


def _check_rates(c: Complaints, q: PlanQuestion) -> None:
    rates = {"first_rate": q.first_rate, "repeat_rate": q.repeat_rate}
    if q.history is not None:
        told: Mapping[str, object] = {
            **rates,
            "order_value": q.order_value,
            "second_order_value": q.second_order_value,
        }
        for name in (name for name, value in told.items() if value is not None):
            c.add(
                f"/{name}",
                "contradiction",
                f"{name} is taken from the history {shown(q.history)};"
                " leave one of them out",
            )
        return
    for name in (name for name, value in rates.items() if value is None):
        c.add(
            f"/{name}",
            "required",
            f"{name} is missing; give it as a share between 0 and 1, or name an"
            " experiment in history",
        )
    if q.first_rate is not None:
        c.between("/first_rate", q.first_rate, above=MIN_RATE, below=1)
    if q.repeat_rate:
        c.within("/repeat_rate", q.repeat_rate, lowest=MIN_RATE, highest=1)


def _check_days(c: Complaints, q: PlanQuestion) -> None:
    for name, days, lowest, highest in (
        ("window_days", q.window_days, 0, MAX_WINDOW),
        ("first_window_days", q.first_window_days, 0, MAX_WINDOW),
        ("traffic_days", q.traffic_days, 1, MAX_TRAFFIC_DAYS),
    ):
        if days is not None:
            c.within(f"/{name}", days, lowest=lowest, highest=highest)
    if q.start is not None and not is_day(q.start):
        c.add(
            "/start",
            "invalid_day",
            f"start {shown(q.start)} is no day; write it as 2026-01-31",
        )


def _check_orders(c: Complaints, q: PlanQuestion) -> None:
    in_money = q.weights is not None and q.weights.money
    if in_money and q.history is None and q.order_value is None:
        c.add(
            "/order_value",
            "required",
            "order_value is missing; money needs mean and standard deviation of an"
            ' order, for example {"mean": 50, "sd": 40}',
        )
    for name, order in (
        ("order_value", q.order_value),
        ("second_order_value", q.second_order_value),
    ):
        if order is None or q.history is not None:
            continue
        if not in_money:
            c.add(
                f"/{name}",
                "contradiction",
                f'{name} belongs to money; leave it out, or weigh by {{"money": true}}',
            )
        c.within(
            f"/{name}/mean",
            order.mean,
            lowest=MIN_ORDER_VALUE,
            highest=MAX_ORDER_VALUE,
        )
        c.within(f"/{name}/sd", order.sd, lowest=0, highest=MAX_ORDER_VALUE)


def _check_shares(c: Complaints, q: PlanQuestion) -> None:
    if q.variants is not None:
        c.within("/variants", q.variants, lowest=2, highest=MAX_VARIANTS)
    if q.shares is None:
        return
    n = len(q.shares)
    if not 2 <= n <= MAX_VARIANTS:
        c.add(
            "/shares",
            "invalid_number",
            f"{n} shares are given; give one for each of 2 to {MAX_VARIANTS} variants",
        )
    if q.variants not in {None, n}:
        c.add(
            "/variants",
            "contradiction",
            f"variants is {q.variants} and {n} shares are given; leave variants out",
        )
    for index, share in enumerate(q.shares):
        if not MIN_SHARE * sum(q.shares) <= share < MAX_VISITORS:
            c.add(
                f"/shares/{index}",
                "invalid_share",
                f"share is {share:g}; give every variant a thousandth or more",
            )
