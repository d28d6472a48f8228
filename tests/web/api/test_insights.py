"""Costs, segments, days and weeks of an experiment, and the funnel of all traffic."""

import pytest

from abtest.domain.access import KeyKind
from tests.web.api.conftest import Answer, Asker
from tests.web.api.test_customers import SHOP

BASE = "/api/v1/experiments/home"


@pytest.fixture
def shop(ask: Asker) -> Asker:
    """Of 10 visitors of each variant 4 buy for 40, and one who saw nothing for 20.

    They cost 1 euro each.
    """
    assert ask.manage("POST", "/experiments", SHOP).status == 201
    assert ask.manage("POST", "/experiments/home/start").status == 200
    at = "2026-02-20T10:00:00Z"
    money = {"value": 40, "currency": "EUR"}
    buys = {"type": "conversion", "step": "purchase", "at": at}
    people = [(variant, n, f"{variant}{n}") for variant in "ab" for n in range(10)]
    events: list[dict[str, object]] = [
        {
            "type": "exposure",
            "experiment": "home",
            "variant": variant,
            "visitor": visitor,
            "at": at,
            "attributes": {"device": "mobile" if n % 2 else "desktop"},
        }
        for variant, n, visitor in people
    ]
    events += [buys | money | {"visitor": v} for _, n, v in people if n < 4]
    events += [
        {"type": "conversion", "step": "signup", "at": at, "visitor": v}
        for _, n, v in people
        if n < 8
    ]
    events.append(buys | money | {"visitor": "stranger", "value": 20})
    events.append(
        {
            "type": "cost",
            "experiment": "home",
            "source": "ads",
            "day": "2026-02-20",
            "amount": 20,
            "currency": "EUR",
        }
    )
    answer = ask.send({"events": events}, key=KeyKind.SERVER)
    assert answer.content["rejected"] == []
    return ask


def get(ask: Asker, path: str) -> Answer:
    return ask("GET", path, key=KeyKind.READ)


def test_costs(shop: Asker) -> None:
    content = get(shop, f"{BASE}/costs").content
    assert (content["amount"], content["currency"]) == (20, "EUR")
    assert (content["visitors"], content["cost_per_visitor"]) == (20, 1)
    assert content["days"] == [{"day": "2026-02-20", "amount": 20}]
    assert content["sources"] == [{"source": "ads", "amount": 20}]
    control = content["variants"][0]
    assert (control["key"], control["amount"]) == ("a", 10)
    assert control["acquisition_cost"]["estimate"] == pytest.approx(2.5)
    assert control["return_on_ad_spend"]["estimate"] == pytest.approx(16)
    assert control["margin_per_visitor"]["estimate"] == pytest.approx(15)
    assert control["pays"] is True


def test_without_costs(ask: Asker, running: str) -> None:
    content = get(ask, f"/api/v1/experiments/{running}/costs").content
    assert (content["amount"], content["cost_per_visitor"]) == (0, None)
    missing = content["variants"][0]["acquisition_cost"]
    assert missing["not_estimable"] == "not_applicable"


def test_the_funnel_of_all_traffic(shop: Asker) -> None:
    content = get(shop, "/api/v1/funnel?from=2026-02-20&to=2026-02-20").content
    assert (content["visitors"], content["orders"], content["revenue"]) == (21, 9, 340)
    signup, purchase = content["steps"]
    assert (signup["persons"], signup["lost"]) == (16, 5)
    assert purchase["persons"] == 9
    assert purchase["rate_of_previous"]["estimate"] == pytest.approx(8 / 16)
    assert content["biggest_leak"] == "purchase"
    assert content["strongest_lever"] == "purchase"
    assert purchase["gain_if_a_tenth_better"] == pytest.approx(0.1)
    assert content["gain_of"] == "revenue"
    only = get(shop, "/api/v1/funnel?steps=purchase").content
    assert [step["step"] for step in only["steps"]] == ["purchase"]
    assert get(shop, "/api/v1/funnel?experiment=home").content["visitors"] == 21


def test_segments_are_explorations(shop: Asker) -> None:
    names = get(shop, f"{BASE}/segments").content
    assert names["attributes"] == ["device"]
    assert (names["attribute"], names["segments"]) == (None, [])
    content = get(shop, f"{BASE}/segments?attribute=device").content
    assert content["exploratory"] is True
    found = {s["value"]: s for s in content["segments"]}
    assert found.keys() == {"mobile", "desktop"}
    mobile = found["mobile"]
    assert (mobile["visitors"], mobile["first"]) == ([5, 5], [2, 2])
    (comparison,) = mobile["comparisons"]
    assert (comparison["variant"], comparison["control"]) == ("b", "a")
    assert comparison["value"] == {"not_estimable": "too_few_conversions"}
    assert content["tests"] == 0


def test_a_report_of_a_segment_says_that_it_explores(shop: Asker) -> None:
    whole = get(shop, f"{BASE}/report").content
    part = get(shop, f"{BASE}/report?segment=device:mobile&lang=en").content
    assert whole["segment"] is None
    assert part["segment"] == {"attribute": "device", "value": "mobile"}
    assert [v["visitors"] for v in whole["variants"]] == [10, 10]
    assert [v["visitors"] for v in part["variants"]] == [5, 5]
    assert [v["first"]["observed"] for v in part["variants"]] == [2, 2]
    assert part["today"] == whole["today"]
    assert "exploratory_segment" in part["verdict"]["reasons"]
    assert "exploration" in part["verdict"]["sentence"]
    codes = {check["code"] for check in part["health"]["checks"]}
    assert "multiple_exposure" not in codes


def test_day_by_day(shop: Asker) -> None:
    content = get(shop, f"{BASE}/timeseries").content
    assert content["exposures"] == [{"day": "2026-02-20", "visitors": [10, 10]}]
    control = content["variants"][0]
    assert control["points"][0]["day"] == "2026-02-20"
    assert control["points"][-1]["visitors"] == 10
    assert control["points"][-1]["first"]["rate"] == pytest.approx(0.4)
    (line,) = content["comparisons"]
    assert len(line["points"]) == len(control["points"])
    assert line["points"][-1]["value"]["effect"] == pytest.approx(0, abs=1e-9)


def test_week_by_week(shop: Asker) -> None:
    content = get(shop, f"{BASE}/cohorts").content
    (week,) = content["variants"][0]["weeks"]
    assert (week["monday"], week["visitors"], week["first"]) == ("2026-02-16", 10, 4)
    assert week["lags"][0]["maturity"] == "complete"


@pytest.mark.parametrize(
    ("path", "pointer"),
    [
        ("/api/v1/funnel?steps=nothing", "?steps"),
        ("/api/v1/funnel?from=soon", "?from"),
        ("/api/v1/funnel?to=2026-03-02", "?to"),
        ("/api/v1/funnel?day=1", "?day"),
        (f"{BASE}/costs?as_of=2030-01-01", "/as_of"),
        (f"{BASE}/segments?segment=x", "?segment"),
        (f"{BASE}/timeseries?from=x", "?from"),
        (f"{BASE}/cohorts?as_of=x", "?as_of"),
        (f"{BASE}/report?segment=device", "?segment"),
        (f"{BASE}/report?segment=device:fridge", "?segment"),
    ],
)
def test_a_wrong_address_is_named(shop: Asker, path: str, pointer: str) -> None:
    answer = get(shop, path)
    assert (answer.status, answer.codes[0][0]) == (400, pointer)


@pytest.mark.parametrize(
    "path",
    ["costs", "segments", "segments?attribute=x", "timeseries", "cohorts"],
)
def test_an_unknown_experiment(ask: Asker, path: str) -> None:
    assert get(ask, f"{BASE}/{path}").status == 404


def test_no_funnel_yet(ask: Asker) -> None:
    assert get(ask, "/api/v1/funnel").status == 404
