"""GET /api/v1/experiments/{key}/customers, and what the report says of money."""

import pytest

from abtest.domain.access import KeyKind
from tests.web.api.conftest import HOME, Answer, Asker

SHOP = {**HOME, "window_days": 2, "weights": {"money": True, "currency": "EUR"}}


@pytest.fixture
def shop(ask: Asker) -> Asker:
    """Of four visitors of each variant two buy for 40, one of them again for 20."""
    assert ask.manage("POST", "/experiments", SHOP).status == 201
    assert ask.manage("POST", "/experiments/home/start").status == 200
    shown = [
        {
            "id": f"x{variant}{n}",
            "type": "exposure",
            "experiment": "home",
            "variant": variant,
            "visitor": f"{variant}{n}",
            "at": "2026-02-20T10:00:00Z",
        }
        for variant in ("a", "b")
        for n in range(4)
    ]
    bought = [
        {
            "id": f"c{variant}{n}{value}",
            "type": "conversion",
            "step": "purchase",
            "visitor": f"{variant}{n}",
            "at": f"2026-02-{day}T12:00:00Z",
            "value": value,
            "currency": "EUR",
        }
        for variant in ("a", "b")
        for n, day, value in ((0, 20, 40), (1, 21, 40), (0, 22, 20))
    ]
    answer = ask.send({"events": [*shown, *bought]}, key=KeyKind.SERVER)
    assert answer.content["accepted"] == 14
    return ask


def customers(ask: Asker, query: str = "") -> Answer:
    path = f"/api/v1/experiments/home/customers{query}"
    return ask("GET", path, key=KeyKind.READ)


def test_the_figures_by_hand(shop: Asker) -> None:
    content = customers(shop, "?acquisition_cost=5").content
    assert (content["diagnostic"], content["currency"]) == (True, "EUR")
    control, treated = content["variants"]
    assert (control["key"], control["control"], treated["control"]) == (
        "a",
        True,
        False,
    )
    assert (control["customers"], control["orders"]) == (2, 3)
    assert control["repeat_customer_rate"]["estimate"] == 0.5
    assert control["average_order_value"]["estimate"] == pytest.approx(100 / 3)
    assert control["value_per_customer"]["estimate"] == pytest.approx(50)
    life = control["lifetime_value"]
    assert life["estimate"] == pytest.approx(100 / 3 * 0.5 - 5)
    lower, upper = life["confidence_interval"]
    assert lower < life["estimate"] < upper


def test_what_cannot_be_said_yet(shop: Asker) -> None:
    (control, _) = customers(shop, "?as_of=2026-02-21").content["variants"]
    assert control == {
        "key": "a",
        "name": "Old",
        "control": True,
        "not_estimable": "not_mature",
        "loyalty": {"not_estimable": "not_mature"},
    }


def test_who_came_back_by_hand(shop: Asker) -> None:
    """Days from 20 to 21 February, then from 22 to 23: one of two came back."""
    query = "?period_days=2&loyal_purchases=2&as_of=2026-02-23"
    content = customers(shop, query).content
    assert content["earlier_period"] == ["2026-02-20", "2026-02-21"]
    assert content["later_period"] == ["2026-02-22", "2026-02-23"]
    assert (content["period_days"], content["loyal_purchases"]) == (2, 2)
    loyalty = content["variants"][0]["loyalty"]
    assert {name: n for name, n in loyalty.items() if isinstance(n, int)} == {
        "customers": 2,
        "loyal_customers": 1,
        "customers_at_start": 2,
        "customers_at_end": 1,
        "new_customers": 0,
    }
    estimates = {
        name: figure["estimate"]
        for name, figure in loyalty.items()
        if isinstance(figure, dict)
    }
    assert estimates == {
        "loyal_rate": 0.5,
        "retention_rate": 0.5,
        "churn_rate": 0.5,
        "revenue_churn": 0.75,
    }


@pytest.mark.parametrize(
    ("query", "pointer"),
    [
        ("acquisition_cost=much", "?acquisition_cost"),
        ("acquisition_cost=-1", "?acquisition_cost"),
        ("as_of=soon", "?as_of"),
        ("cost=1", "?cost"),
        ("period_days=1.5", "?period_days"),
        ("period_days=0", "?period_days"),
        ("loyal_purchases=0", "?loyal_purchases"),
    ],
)
def test_a_wrong_address_is_named(shop: Asker, query: str, pointer: str) -> None:
    answer = customers(shop, f"?{query}")
    assert (answer.status, answer.codes[0][0]) == (400, pointer)


def test_an_unknown_experiment(ask: Asker) -> None:
    assert customers(ask).status == 404


def test_the_report_says_what_a_click_and_a_customer_may_cost(shop: Asker) -> None:
    path = "/api/v1/experiments/home/report"
    content = shop("GET", path, key=KeyKind.READ).content
    control = content["variants"][0]
    assert control["break_even_cost_per_click"]["estimate"] == pytest.approx(25)
    assert control["highest_acquisition_cost"]["estimate"] == pytest.approx(50)
    assert content["comparisons"][0]["variance_reduced"] == {
        "not_estimable": "no_covariate"
    }
    plan = content["plan"]
    assert (plan["sequential_design"], plan["covariate"], plan["adaptive"]) == (
        "group_sequential", None, None,
    )  # fmt: skip
    assert (content["window_days"], content["first_window_days"]) == (2, 2)
