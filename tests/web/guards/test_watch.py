"""The outermost layer: ids, routes, limits and names of every answer."""

import json
import logging
from dataclasses import replace
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families
from werkzeug.test import Client, TestResponse

from abtest.app import create_context, create_service
from abtest.config import Settings
from abtest.domain.access import KeyKind
from abtest.store.protocol import Store
from abtest.web.context import Context
from abtest.web.guards.logs import ACCESS
from abtest.web.guards.watch import Watch
from tests.conftest import Clock
from tests.web.api.conftest import Asker

STRANGER = {"REMOTE_ADDR": "203.0.113.5"}


def metrics(client: Client) -> dict[tuple[str, tuple[str, ...]], float]:
    """Values by name and labels, as Prometheus's own parser reads them."""
    answer = client.get("/metrics")
    assert answer.status_code == 200
    assert answer.headers["Content-Type"].startswith("text/plain; version=0.0.4")
    return {
        (sample.name, tuple(v for _, v in sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(answer.text)
        for sample in family.samples
    }


def test_every_answer_has_an_id_and_problems_repeat_it(client: Client) -> None:
    answers = [
        client.get("/healthz"),
        client.get("/nothing"),
        client.post("/api/v1/assign", data=b"{"),
        client.post("/api/v1/experiments"),
        client.get("/login", headers={"X-Request-Id": "mine"}),
    ]
    ids = [answer.headers["X-Request-Id"] for answer in answers]
    assert len(set(ids)) == len(ids)
    assert "mine" not in ids
    for answer in answers[2:4]:
        assert json.loads(answer.data)["instance"] == answer.headers["X-Request-Id"]


def test_routes_are_counted_and_timed_by_their_rule(
    ask: Asker, running: str, client: Client
) -> None:
    ask.assign({"visitor": "v1"})
    ask("GET", f"/api/v1/experiments/{running}", key=KeyKind.READ)
    for number in range(3):
        client.get(f"/made/up/{number}")
        client.open("/healthz", method=f"VERB{number}")
    found = metrics(client)
    one = "/api/v1/experiments/<key>"
    count = "abtest_http_requests_total"
    assert found[count, ("POST", "/api/v1/assign", "200")] == 1
    assert found[count, ("GET", one, "200")] == 1
    assert found[count, ("GET", "other", "404")] == 3
    assert found[count, ("other", "other", "405")] == 3
    assert found["abtest_http_request_duration_seconds_count", ("GET", one)] == 1
    assert found["abtest_assignments_total", ("assigned",)] == 1
    labels = {label for _, told in found for label in told}
    assert not {label for label in labels if running in label or "made" in label}


def test_events_by_what_became_of_them_and_the_rest(
    ask: Asker, running: str, client: Client
) -> None:
    bought = {"id": "1", "type": "conversion", "visitor": "v1", "step": "purchase"}
    ask.send({"events": [bought, bought, {**bought, "step": "x"}]})
    assert ask("GET", f"/api/v1/experiments/{running}/report", key=KeyKind.READ)
    found = metrics(client)
    results = ("accepted", "duplicate", "rejected")
    assert [found["abtest_events_total", (r,)] for r in results] == [1, 1, 1]
    assert found["abtest_db_size_bytes", ()] > 4096
    assert found["abtest_db_wal_bytes", ()] >= 0
    assert found["abtest_report_duration_seconds_count", ()] == 1
    assert [v for (n, _), v in found.items() if n == "abtest_build_info"] == [1]


def test_metrics_are_for_this_machine_or_for_who_may_read(
    client: Client, secrets: dict[KeyKind, str]
) -> None:
    def status(kind: KeyKind | None, **environ: str) -> int:
        headers = {"Authorization": f"Bearer {secrets[kind]}"} if kind else {}
        return client.get(
            "/metrics", headers=headers, environ_overrides={**STRANGER, **environ}
        ).status_code

    assert status(None) == 401
    assert status(None, REMOTE_ADDR="127.0.0.1") == 200
    # A proxy that nobody announced passes on strangers.
    forwarded = {"HTTP_X_FORWARDED_FOR": "203.0.113.5"}
    assert status(None, REMOTE_ADDR="127.0.0.1", **forwarded) == 401
    assert [status(kind) for kind in KeyKind] == [403, 403, 200, 200]


def test_too_many_calls_are_told_when_to_come_again(
    client: Client, secrets: dict[KeyKind, str]
) -> None:
    def send(**environ: str) -> TestResponse:
        return client.post(
            "/api/v1/events",
            data=b'{"events": []}',
            headers={"Authorization": f"Bearer {secrets[KeyKind.PUBLISHABLE]}"},
            environ_overrides={**STRANGER, **environ},
        )

    answers = [send() for _ in range(130)]
    assert {a.status_code for a in answers[:100]} == {200}
    limited = answers[-1]
    assert limited.status_code == 429
    assert limited.headers["Retry-After"] == "1"
    assert limited.headers["Access-Control-Allow-Origin"] == "*"
    assert limited.headers["Content-Type"] == "application/problem+json"
    assert json.loads(limited.data)["type"] == "/problems/rate_limited"
    assert send(REMOTE_ADDR="203.0.114.5").status_code == 200


@pytest.mark.parametrize(
    ("host", "path", "status"),
    [
        ("ab.example", "/login", 200),
        ("ab.example:8443", "/login", 200),
        ("AB.example", "/login", 200),
        ("localhost:8000", "/login", 200),
        ("other.example", "/login", 200),
        ("evil.example", "/login", 400),
        ("ab.example.evil.example", "/login", 400),
        ("ab.example@evil.example", "/login", 400),
        ("", "/login", 400),
        ("evil.example", "/api/v1/experiments", 400),
        ("evil.example", "/healthz", 200),
        ("evil.example", "/api/v1/assign", 401),
    ],
)
def test_pages_are_served_under_our_own_names(
    settings: Settings, clock: Clock, host: str, path: str, status: int
) -> None:
    named = replace(
        settings, base_url="https://ab.example", allowed_hosts=" other.example,"
    )
    context = create_context(named, now=clock)
    method = "POST" if path.endswith("assign") else "GET"
    answer = Client(create_service(context)).open(
        path, method=method, data=b"{}", environ_overrides={"HTTP_HOST": host}
    )
    context.close()
    assert answer.status_code == status
    assert "evil" not in answer.headers.get("Location", "")


def test_without_an_address_of_its_own_any_name_will_do(client: Client) -> None:
    told = {"HTTP_HOST": "x.example", "HTTP_X_FORWARDED_HOST": "evil.example"}
    answer = client.get("/", environ_overrides=told)
    assert answer.headers["Location"].startswith("/login")


def test_a_line_names_route_and_result_alone(
    client: Client, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, ACCESS.name)
    client.get(
        "/experiments/secret-name?visitor=v1%0d%0aINFO", headers={"User-Agent": "evil"}
    )
    (record,) = [r for r in caplog.records if r.name == ACCESS.name]
    told: Any = record
    assert (told.method, told.route, told.status) == ("GET", "/experiments/<key>", 303)
    assert told.milliseconds > 0


def test_what_falls_through_every_door_is_an_answer(
    context: Context, store: Store, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(_environ: Any, _start_response: Any) -> Any:  # noqa: ANN401
        raise RuntimeError("the secret of the house")

    del store
    answer = Client(Watch(broken, context)).get("/x")
    assert answer.status_code == 500
    problem = json.loads(answer.data)
    assert problem["instance"] == answer.headers["X-Request-Id"]
    assert "secret" not in answer.text
    assert "the secret of the house" in caplog.text
