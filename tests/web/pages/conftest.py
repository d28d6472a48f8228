"""A small shop with experiments in several states, and somebody signed in."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient

from abtest.app import create_flask
from abtest.domain.access import Role
from abtest.domain.experiment import Method
from abtest.services.access import COMMAND_LINE, add_user
from abtest.store.protocol import Store
from abtest.web.context import Context
from tests.conftest import Clock
from tests.services.traffic import START, Cohort, events, running

NAME, PASSWORD = "anna", "correct horse battery"
SAME_SITE = {"Sec-Fetch-Site": "same-origin"}


@pytest.fixture(autouse=True)
def today(clock: Clock) -> None:
    clock.time = datetime(2026, 3, 20, 12, tzinfo=UTC)


@pytest.fixture
def flask_app(context: Context) -> Flask:
    return create_flask(context)


@pytest.fixture
def anna(store: Store, clock: Clock) -> None:
    add_user(
        store,
        NAME,
        password=PASSWORD,
        role=Role.ADMIN,
        caller=COMMAND_LINE,
        now=clock.time,
    )


@pytest.fixture
def visitor(flask_app: Flask) -> Iterator[FlaskClient]:
    """Somebody who is not signed in."""
    with flask_app.test_client() as client:
        client.environ_base["HTTP_ACCEPT_LANGUAGE"] = "en-GB"
        client.environ_base["HTTP_SEC_FETCH_SITE"] = "same-origin"
        yield client


@pytest.fixture
def reader(visitor: FlaskClient, anna: None) -> FlaskClient:
    """Somebody who is."""
    del anna
    answer = visitor.post("/login", data={"name": NAME, "password": PASSWORD})
    assert answer.status_code == 303
    return visitor


@pytest.fixture
def shop(store: Store) -> Store:
    """An experiment in which B loses first conversions and wins second ones."""
    experiment = running(method=Method.SEQUENTIAL, effect=0.3)
    store.add_experiment(replace(experiment, hypothesis="Honesty <b>pays</b>."))
    store.record(
        events(
            [
                Cohort(variant=key, day=day, visitors=100, first=first, second=second)
                for day in range(20)
                for key, first, second in (("a", 40, 6), ("b", 38, 14))
            ]
        ),
        received_at=START + timedelta(days=40),
    )
    return store
