"""Recording: valid events are kept, the others are named, repeats change nothing."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from abtest.domain.access import RIGHTS, KeyKind
from abtest.domain.experiment import Action, ExperimentKey
from abtest.errors import AbtestError, ErrorCode, FieldError
from abtest.services.access import COMMAND_LINE, Caller
from abtest.services.event_rules import EventRequest
from abtest.services.experiments import act_on_experiment, create_experiment
from abtest.services.recording import Rejection, record_events
from abtest.store.protocol import Store
from tests.services.definitions import HOME

NOW = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
BROWSER = Caller(name="pk", rights=RIGHTS[KeyKind.PUBLISHABLE])
SERVER = Caller(name="sk", rights=RIGHTS[KeyKind.SERVER])
READER = Caller(name="rk", rights=RIGHTS[KeyKind.READ])

BOUGHT = EventRequest(type="conversion", id="1", visitor="v1", step="purchase")


@pytest.fixture(autouse=True)
def running(store: Store) -> ExperimentKey:
    made = create_experiment(store, HOME, COMMAND_LINE, NOW)
    act_on_experiment(store, made.key, Action.START, COMMAND_LINE, NOW)
    return made.key


def test_valid_events_are_kept_though_others_are_not(store: Store) -> None:
    batch = [
        BOUGHT,
        replace(BOUGHT, id="2", step="checkout"),
        replace(BOUGHT, id="3", value=-1, currency="EUR"),
        replace(BOUGHT, id="4"),
    ]
    result = record_events(store, batch, BROWSER, NOW)
    assert (result.accepted, result.duplicates) == (2, 0)
    assert [(r.index, r.id, r.code, r.field) for r in result.rejected] == [
        (1, "2", "unknown_step", "step"),
        (2, "3", "negative_value", "value"),
    ]
    again = record_events(store, batch, BROWSER, NOW)
    assert (again.accepted, again.duplicates, len(again.rejected)) == (0, 2, 2)


def test_the_same_id_twice_in_a_batch_counts_once(store: Store) -> None:
    result = record_events(store, [BOUGHT, BOUGHT], BROWSER, NOW)
    assert (result.accepted, result.duplicates) == (1, 1)


def test_events_without_an_id_are_all_kept(store: Store) -> None:
    nameless = replace(BOUGHT, id=None)
    result = record_events(store, [nameless, nameless], BROWSER, NOW)
    assert (result.accepted, result.duplicates) == (2, 0)


def test_an_unreadable_event_keeps_its_place(store: Store) -> None:
    complaint = FieldError(pointer="/value", code="invalid_type", detail="...")
    unreadable = Rejection.of(0, "i" * 100, complaint)
    result = record_events(store, [unreadable, BOUGHT], BROWSER, NOW)
    assert result.accepted == 1
    assert [(r.index, r.id) for r in result.rejected] == [(0, "i" * 60)]


def test_a_batch_of_mistakes_stores_nothing(store: Store) -> None:
    result = record_events(store, [replace(BOUGHT, step="x")], BROWSER, NOW)
    assert (result.accepted, result.duplicates, len(result.rejected)) == (0, 0, 1)


def test_the_clock_of_the_sender_is_corrected(
    store: Store, running: ExperimentKey
) -> None:
    shown = EventRequest(
        type="exposure", experiment=running, variant="a", visitor="v9", at=NOW
    )
    sent_at = NOW + timedelta(minutes=10)  # ten minutes fast
    record_events(store, [shown], SERVER, NOW, sent_at=sent_at)
    first = store.facts(running).first_exposure
    assert first == 1_772_452_200_000  # 2026-03-02T11:50:00Z


def test_who_may_not_record(store: Store) -> None:
    with pytest.raises(AbtestError) as caught:
        record_events(store, [BOUGHT], READER, NOW)
    assert caught.value.code is ErrorCode.NOT_ALLOWED
    assert "pk or sk" in caught.value.detail
