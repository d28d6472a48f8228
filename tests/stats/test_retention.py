"""Key figures of customers against tea-tasting, statsmodels and leave-one-out."""

import math
from collections import Counter, defaultdict
from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.stats import norm
from statsmodels.stats.weightstats import DescrStatsW

from abtest.stats.moments import Cell, CellKey, Moments, Pair, PairKey
from abtest.stats.results import (
    FrequentistResult,
    KeyFigure,
    NotEstimable,
    Reason,
    ValueEstimate,
)
from abtest.stats.retention import (
    CustomerFigures,
    RecurringRevenue,
    break_even_cost_per_click,
    churn_rate,
    compare_repeat_rates,
    customer_figures,
    rate,
    repeat_rate,
    retention_rate,
    revenue_churn,
)
from tests.stats.vectors import joint, limits, near, peer_vector, shared_vector

Z = float(norm.isf(0.025))
Table = NDArray[np.float64]


def test_repeat_rates_compare_as_in_tea_tasting() -> None:
    vector = shared_vector("repeat_rate_ratio_delta")
    control, treatment = (joint(vector["inputs"][arm]) for arm in ("A", "B"))
    found = compare_repeat_rates(control, treatment, alpha=0.05)
    rates = [repeat_rate(arm) for arm in (control, treatment)]
    assert isinstance(found, FrequentistResult)
    ours = [r.mean for r in rates if isinstance(r, ValueEstimate)]
    expected = vector["expected"]
    assert ours == near([expected["control"], expected["treatment"]], vector)
    assert found.effect == near(expected["diff"], vector)
    assert limits(found.confidence_interval) == near(expected["diff_ci"], vector)
    assert found.p_value == near(expected["p"], vector)


def test_nobody_converted_nobody_returned() -> None:
    nobody = joint({"n": 10, "c1": 0, "c2": 0})
    some = joint({"n": 10, "c1": 4, "c2": 1})
    assert repeat_rate(nobody) == NotEstimable(Reason.NO_CONVERSIONS)
    assert compare_repeat_rates(some, nobody, alpha=0.05) == NotEstimable(
        Reason.NO_CONVERSIONS
    )


def wilson(part: int, whole: int) -> tuple[float, float]:
    """The roots of (p - x)^2 = z^2 x (1 - x) / n."""
    p = part / whole
    roots = np.roots([1 + Z**2 / whole, -2 * p - Z**2 / whole, p**2])
    return float(roots.min()), float(roots.max())


@pytest.mark.parametrize(("part", "whole"), [(3, 17), (250, 1_000), (9, 10)])
def test_rates_have_wilsons_interval(part: int, whole: int) -> None:
    found = rate(part, whole, alpha=0.05)
    assert isinstance(found, KeyFigure)
    assert found.estimate == part / whole
    limits = (found.interval.lower, found.interval.upper)
    assert limits == pytest.approx(wilson(part, whole))


def test_retention_and_churn_are_shares_of_the_customers_at_the_start() -> None:
    kept = retention_rate(at_start=200, at_end=230, new=60, alpha=0.05)
    lost = churn_rate(at_start=200, lost=30, alpha=0.05)
    assert isinstance(kept, KeyFigure)
    assert isinstance(lost, KeyFigure)
    assert kept.estimate == pytest.approx(0.85)
    assert kept.estimate + lost.estimate == pytest.approx(1)
    assert kept.interval.lower is not None
    assert lost.interval.upper == pytest.approx(1 - kept.interval.lower)
    assert churn_rate(at_start=0, lost=0, alpha=0.05) == NotEstimable(
        Reason.NO_CONVERSIONS
    )


def test_more_cannot_be_kept_than_there_were() -> None:
    with pytest.raises(ValueError, match="part is 201"):
        retention_rate(at_start=200, at_end=201, new=0, alpha=0.05)
    with pytest.raises(ValueError, match="part is -1"):
        churn_rate(at_start=200, lost=-1, alpha=0.05)


def left_out(table: Table, figure: Callable[[Table], float]) -> float:
    """The standard error by leaving out one visitor after the other."""
    n = len(table)
    total = table.sum(axis=0)
    found = np.array([figure(total - row) for row in table])
    return math.sqrt((n - 1) / n * ((found - found.mean()) ** 2).sum())


def test_revenue_churn_has_the_error_of_a_ratio() -> None:
    rng = np.random.default_rng(1)
    paid = rng.lognormal(3, 0.6, 3_000)
    lost = np.where(rng.random(3_000) < 0.1, paid * rng.choice([0.5, 1.0], 3_000), 0)
    found = revenue_churn(
        RecurringRevenue(
            customers=3_000,
            at_start=float(paid.sum()),
            at_start_squares=float(paid @ paid),
            lost=float(lost.sum()),
            lost_squares=float(lost @ lost),
            product=float(paid @ lost),
        ),
        alpha=0.05,
    )
    assert isinstance(found, KeyFigure)
    assert found.estimate == pytest.approx(lost.sum() / paid.sum())
    error = left_out(np.stack([lost, paid], axis=1), lambda s: float(s[0] / s[1]))
    assert found.interval.upper == pytest.approx(found.estimate + Z * error, rel=1e-3)
    residuals = DescrStatsW(lost - found.estimate * paid, ddof=1)
    assert found.interval.lower == pytest.approx(
        found.estimate - Z * residuals.std_mean / paid.mean(), rel=2e-3
    )


def revenue(customers: int, at_start: float) -> RecurringRevenue:
    return RecurringRevenue(
        customers=customers,
        at_start=at_start,
        at_start_squares=at_start**2,
        lost=0.0,
        lost_squares=0.0,
        product=0.0,
    )


def test_revenue_churn_needs_revenue_and_customers() -> None:
    assert revenue_churn(revenue(3, 0.0), alpha=0.05) == NotEstimable(Reason.NO_REVENUE)
    assert revenue_churn(revenue(1, 50.0), alpha=0.05) == NotEstimable(
        Reason.TOO_FEW_CONVERSIONS
    )


def test_a_click_may_cost_what_a_visitor_is_worth() -> None:
    value = ValueEstimate(visitors=500, mean=87.5, variance=16.0, is_mature=True)
    found = break_even_cost_per_click(value, alpha=0.05)
    assert found.estimate == 87.5
    assert found.interval.lower == pytest.approx(87.5 - 4 * Z)
    assert found.interval.upper == pytest.approx(87.5 + 4 * Z)


Entries = dict[tuple[int, int], tuple[int, int]]
"""(ordinal, lag) -> (count, amount) of one visitor."""


def crowd(rng: np.random.Generator, n: int) -> list[tuple[int, Entries]]:
    """Visitors of 20 days, some of whom buy, buy again, and give something back."""
    visitors: list[tuple[int, Entries]] = []
    for day in rng.integers(0, 20, n).tolist():
        entries: Entries = {}
        lag = 0
        for ordinal, chance in ((1, 0.4), (2, 0.5)):
            if rng.random() > chance:
                break
            lag += int(rng.integers(0, 6))
            amount = int(rng.integers(1_000, 9_000))
            entries[ordinal, lag] = (1, amount)
            if rng.random() < 0.2:
                back = lag + int(rng.integers(1, 9))
                entries[ordinal, back] = (0, -amount // 2)
        visitors.append((day, entries))
    return visitors


def moments_of(visitors: list[tuple[int, Entries]]) -> Moments:
    cells: dict[CellKey, list[int]] = defaultdict(lambda: [0, 0, 0])
    pairs: dict[PairKey, list[int]] = defaultdict(lambda: [0, 0, 0, 0])
    for day, entries in visitors:
        rows = sorted(entries.items())
        for place, ((ordinal, lag), (count, amount)) in enumerate(rows):
            cell = cells[CellKey(day, lag, ordinal)]
            for i, add in enumerate((count, amount, amount**2)):
                cell[i] += add
            for (other, later), (times, worth) in rows[place + 1 :]:
                pair = pairs[PairKey(day, ordinal, lag, other, later)]
                for i, add in enumerate(
                    (count * times, amount * worth, count * worth, amount * times)
                ):
                    pair[i] += add
    return Moments(
        cohorts=Counter(day for day, _ in visitors),
        cells={k: Cell(*c) for k, c in cells.items()},
        pairs={k: Pair(*p) for k, p in pairs.items()},
    )


def mature_table(
    visitors: list[tuple[int, Entries]], window_days: int, as_of: int
) -> Table:
    """First and second conversion and what each brought, one row a mature visitor."""
    rows = []
    for day, entries in visitors:
        if day + window_days <= as_of:
            row = [0, 0, 0, 0]
            for (ordinal, lag), (count, amount) in entries.items():
                if lag <= window_days:
                    row[ordinal - 1] += count
                    row[ordinal + 1] += amount
            rows.append(row)
    return np.array(rows, dtype=np.float64)


FIGURES: dict[str, Callable[[Table], float]] = {
    "average_order_value": lambda s: float((s[2] + s[3]) / (s[0] + s[1])),
    "value_per_customer": lambda s: float((s[2] + s[3]) / s[0]),
    "lifetime_value": lambda s: float(
        (s[2] + s[3]) / (s[0] + s[1]) * s[1] / s[0] - 700
    ),
}


@pytest.mark.parametrize("as_of", [16, 60])
@pytest.mark.parametrize("name", FIGURES)
def test_sums_give_the_figures_of_the_visitors(name: str, as_of: int) -> None:
    visitors = crowd(np.random.default_rng(2), 3_000)
    table = mature_table(visitors, 10, as_of)
    found = customer_figures(
        moments_of(visitors), window_days=10, as_of=as_of, alpha=0.05,
        acquisition_cost=700,
    )  # fmt: skip
    assert isinstance(found, CustomerFigures)
    assert (found.customers, found.orders) == (
        table[:, 0].sum(),
        table[:, :2].sum(),
    )
    assert found.repeat_customer_rate == rate(
        int(table[:, 1].sum()), found.customers, alpha=0.05
    )
    figure = getattr(found, name)
    assert isinstance(figure, KeyFigure)
    assert figure.estimate == pytest.approx(FIGURES[name](table.sum(axis=0)))
    lower, upper = limits(figure.interval)
    assert (upper + lower) / 2 == pytest.approx(figure.estimate)
    error = left_out(table, FIGURES[name])
    assert (upper - lower) / 2 / Z == pytest.approx(error, rel=5e-3)


@pytest.mark.parametrize("name", ["average_order_value", "value_per_customer"])
def test_ratios_of_revenue_have_the_error_of_tea_tasting(name: str) -> None:
    vector = peer_vector("tea_tasting_customers.json", name)
    estimates, variance = [], 0.0
    for arm in (vector["inputs"]["A"], vector["inputs"]["B"]):
        both = Pair(arm["c2"], arm["s12"], arm["s2"], arm["c2s1"])
        found = customer_figures(
            Moments(
                cohorts={0: arm["n"]},
                cells={
                    CellKey(0, 0, 1): Cell(arm["c1"], arm["s1"], arm["q1"]),
                    CellKey(0, 0, 2): Cell(arm["c2"], arm["s2"], arm["q2"]),
                },
                pairs={PairKey(0, 1, 0, 2, 0): both},
            ),
            window_days=0,
            as_of=0,
            alpha=0.05,
        )
        assert isinstance(found, CustomerFigures)
        figure = getattr(found, name)
        estimates.append(figure.estimate)
        variance += ((figure.interval.upper - figure.estimate) / Z) ** 2
    expected = vector["expected"]
    assert estimates == near([expected["control"], expected["treatment"]], vector)
    lower, upper = expected["diff_ci"]
    assert 2 * Z * math.sqrt(variance) == pytest.approx(upper - lower)


def test_figures_wait_for_mature_customers_and_revenue() -> None:
    def figures(moments: Moments, as_of: int = 20) -> CustomerFigures | NotEstimable:
        return customer_figures(moments, window_days=10, as_of=as_of, alpha=0.05)

    visits = Moments(cohorts={0: 10, 5: 20})
    assert figures(visits, 9) == NotEstimable(Reason.NOT_MATURE)
    assert figures(visits) == NotEstimable(Reason.NO_CONVERSIONS)
    unpaid = Moments(cohorts={0: 10}, cells={CellKey(0, 0, 1): Cell(3, 0, 0)})
    found = figures(unpaid)
    assert isinstance(found, CustomerFigures)
    assert found.repeat_customer_rate == rate(0, 3, alpha=0.05)
    assert found.average_order_value == NotEstimable(Reason.NO_REVENUE)
    alone = Moments(cohorts={0: 1}, cells={CellKey(0, 0, 1): Cell(1, 50, 2_500)})
    found = figures(alone)
    assert isinstance(found, CustomerFigures)
    assert found.value_per_customer == NotEstimable(Reason.TOO_FEW_VISITORS)
