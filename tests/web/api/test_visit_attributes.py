"""What an exposure keeps of the visit."""

from abtest.domain.access import KeyKind
from abtest.domain.experiment import ExperimentKey
from abtest.store.protocol import Store
from tests.services.test_visit_attributes import DESKTOP, PHONE
from tests.web.api.conftest import Asker


def test_an_exposure_keeps_both_but_neither_address_nor_browser(
    ask: Asker, running: str, store: Store
) -> None:
    url = "https://shop.example/?utm_source=ads&email=eve"
    asked = {"visitor": "v1", "experiments": [running], "url": url}
    answer = ask(
        "POST",
        "/api/v1/assign",
        asked,
        key=KeyKind.PUBLISHABLE,
        headers={"User-Agent": PHONE},
    )
    assert answer.status == 200
    asked["visitor"] = "v2"
    by_server = ask(
        "POST",
        "/api/v1/assign",
        asked,
        key=KeyKind.SERVER,
        headers={"User-Agent": DESKTOP},
    )
    assert by_server.status == 200
    key = ExperimentKey(running)
    assert store.segment_attributes(key) == ("device", "source")
    assert set(store.segment_moments(key, "device")) == {"mobile", ""}
    assert set(store.segment_moments(key, "source")) == {"ads"}
