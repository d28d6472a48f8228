"""What the demo shall show, on whatever day it is made."""

from datetime import datetime

from abtest.domain.experiment import ExperimentKey, Status
from abtest.services.analysis import analyze
from abtest.services.costs import describe_costs
from abtest.services.segments import segments
from abtest.services.traffic import FunnelQuestion, describe_funnel
from abtest.store.protocol import Store

VERDICTS = {
    "honest-promise": ("closed", "winner", "honest"),
    "bold-headline": ("running", "keep_control", None),
    "price-table": ("running", "too_early", None),
    "shipping-offer": ("closed", "winner", "shipping"),
    "free-webinar": ("closed", "tradeoff", "webinar"),
    "gift-wrap": ("draft", "no_data", None),
    "quick-checkout": ("running", "unhealthy", None),
    "guarantee-badge": ("archived", "winner", "badge"),
    "film-header": ("archived", "keep_control", None),
    "bundle-price": ("archived", "winner", "bundle"),
}
"""Status, code and variant."""

_PAYS = {
    "shipping-offer": {"none": False, "shipping": True, "voucher": False},
    "bundle-price": {"single": True, "bundle": True},
}


def check_costs(store: Store, *, now: datetime) -> None:
    """One money story has variants that do not earn their clicks, another has none."""
    for key, pays in _PAYS.items():
        report = analyze(store, ExperimentKey(key), now=now)
        costs = describe_costs(store, report)
        assert {v.key: v.pays for v in costs.variants} == pays
        assert len(costs.sources) > 1


def check_groups(store: Store, *, now: datetime) -> None:
    """The honest promise wins on phones, and nothing is found on desktops."""
    found = segments(store, ExperimentKey("honest-promise"), "device", now=now)
    q_values = {s.name: s.effects[0].q_value for s in found.segments}
    assert q_values.keys() == {"mobile", "desktop"}
    phones = q_values["mobile"]
    assert phones is not None
    assert phones < 0.01


def check_traffic(store: Store, *, now: datetime) -> None:
    """All traffic leaks most between checkout and purchase."""
    funnel = describe_funnel(store, FunnelQuestion(), now=now)
    assert funnel.biggest_leak == "purchase"


def check_finished(store: Store) -> None:
    """At least two finished experiments are in points, so that they can be compared."""
    archived = [e for e in store.list_experiments() if e.status is Status.ARCHIVED]
    assert all(e.decided_variant for e in archived)
    assert sum(not e.is_money for e in archived) > 1
