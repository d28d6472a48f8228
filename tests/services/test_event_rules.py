"""What an event must look like, and what it is read as."""

import uuid
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from abtest.domain.events import Conversion, Cost, Exposure, Identity, Refund
from abtest.domain.experiment import Action, Experiment, Status
from abtest.errors import AbtestError, FieldError
from abtest.services.catalogue import catalogue_of
from abtest.services.definition_rules import to_experiment
from abtest.services.event_rules import EventReader, EventRequest
from tests.services.definitions import HOME, in_money

NOW = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
STARTED = NOW - timedelta(days=100)


def experiment(status: Status = Status.RUNNING, *, currency: str = "") -> Experiment:
    definition = in_money("home", currency) if currency else HOME
    made = to_experiment(definition, salt="s", now=STARTED)
    return replace(made, status=status)


def reader(
    *experiments: Experiment, trusted: bool = True, clock_error: float = 0
) -> EventReader:
    return EventReader(
        catalogue=catalogue_of(experiments or (experiment(),)),
        is_trusted=trusted,
        now=NOW,
        clock_error=timedelta(seconds=clock_error),
    )


def refused(reading: EventReader, request: EventRequest) -> FieldError:
    with pytest.raises(AbtestError) as caught:
        reading.read(request)
    (complaint,) = caught.value.errors
    return complaint


def bought(**told: object) -> EventRequest:
    request = EventRequest(type="conversion", visitor="v1", step="purchase")
    for name, value in told.items():
        setattr(request, name, value)
    return request


REFUSED = {
    "unknown type": (bought(type="purchase"), "/type", "unknown_type", "exposure"),
    "unknown step": (
        bought(step="checkout"),
        "/step",
        "unknown_step",
        '"checkout" belongs to no experiment; known are purchase, signup',
    ),
    "no step": (bought(step=None), "/step", "required", "step is missing"),
    "nobody": (bought(visitor=None), "/visitor", "required", "send one"),
    "empty visitor": (bought(visitor=""), "/visitor", "required", "random id"),
    "e-mail": (bought(visitor="a@b.de"), "/visitor", "not_a_person", "salted hash"),
    "placeholder": (bought(customer="null"), "/customer", "not_a_person", "strangers"),
    "long visitor": (bought(visitor="v" * 129), "/visitor", "too_long", "most 128"),
    "1 MB id": (bought(id="x" * 1_000_000), "/id", "too_long", "use at most 64"),
    "empty id": (bought(id=""), "/id", "required", "id is empty"),
    "long order": (bought(order="1" * 129), "/order", "too_long", "use at most 128"),
    "negative": (
        bought(value=-5.0, currency="EUR"),
        "/value",
        "negative_value",
        "value is -5; send what was paid as a positive number",
    ),
    "enormous": (bought(value=1e15), "/value", "invalid_value", "1000000000000000.0"),
    "no currency": (
        bought(value=1, currency="Euro"),
        "/currency",
        "invalid_currency",
        '"Euro" is none',
    ),
    "future": (
        bought(at=NOW + timedelta(hours=25)),
        "/at",
        "at_in_future",
        "2026-03-03T13:00:00+00:00 lies more than 24 hours ahead; check",
    ),
    "ancient": (
        bought(at=datetime(1989, 12, 31, tzinfo=UTC)),
        "/at",
        "at_too_old",
        "1989-12-31T00:00:00+00:00 lies before 1990; check",
    ),
    "no offset": (
        bought(at=datetime(2026, 3, 1)),  # noqa: DTZ001 - that is the mistake
        "/at",
        "invalid_time",
        "2026-03-01T00:00:00 has no offset",
    ),
    "refund of nothing": (
        EventRequest(type="refund", order="A-1", value=0),
        "/value",
        "invalid_value",
        "leave value out",
    ),
    "refund without order": (
        EventRequest(type="refund", value=3),
        "/order",
        "required",
        "order is missing",
    ),
    "identify nobody": (
        EventRequest(type="identify", visitor="v1"),
        "/customer",
        "required",
        "customer is missing",
    ),
    "cost of nothing": (
        EventRequest(type="cost", day="2026-03-01", amount=5, currency="EUR"),
        "/experiment",
        "required",
        "neither experiment nor source",
    ),
    "cost on no day": (
        EventRequest(
            type="cost", source="ads", day="1.3.2026", amount=5, currency="EUR"
        ),
        "/day",
        "invalid_day",
        '"1.3.2026" is none; write 2026-01-31',
    ),
    "unknown variant": (
        EventRequest(type="exposure", visitor="v", experiment="home", variant="c"),
        "/variant",
        "unknown_variant",
        '"c" is not in experiment home; use one of a, b',
    ),
    "unknown experiment": (
        EventRequest(type="exposure", visitor="v", experiment="shop", variant="a"),
        "/experiment",
        "unknown_experiment",
        '"shop" is not known; known are home',
    ),
    "many attributes": (
        EventRequest(
            type="exposure",
            visitor="v",
            experiment="home",
            variant="a",
            attributes={f"a{i}": i for i in range(31)},
        ),
        "/attributes",
        "too_many",
        "31 attributes were sent; send at most 30",
    ),
}


@pytest.mark.parametrize(
    ("request_", "pointer", "code", "words"), REFUSED.values(), ids=REFUSED.keys()
)
def test_a_refusal_names_field_value_and_remedy(
    request_: EventRequest, pointer: str, code: str, words: str
) -> None:
    complaint = refused(reader(), request_)
    assert (complaint.pointer, complaint.code) == (pointer, code)
    assert words in complaint.detail


def test_a_long_value_is_shortened_in_the_complaint() -> None:
    complaint = refused(reader(), bought(id="x" * 1_000_000))
    assert len(complaint.detail) < 200
    assert "1000000 characters" in complaint.detail


@pytest.mark.parametrize("kind", ["exposure", "cost"])
def test_browsers_may_not_send_what_only_servers_know(kind: str) -> None:
    request = EventRequest(
        type=kind, visitor="v", experiment="home", variant="a", day="2026-03-01"
    )
    complaint = refused(reader(trusted=False), request)
    assert complaint.code == "not_allowed"
    assert "server key (sk)" in complaint.detail


@pytest.mark.parametrize("trusted", [True, False])
def test_thirty_days_is_as_far_as_a_browser_remembers(*, trusted: bool) -> None:
    reading = reader(trusted=trusted)
    just = bought(at=NOW - timedelta(days=30))
    older = bought(at=NOW - timedelta(days=30, seconds=1))
    assert reading.read(just).at == 1_769_860_800_000  # 2026-01-31T12:00:00Z
    if trusted:
        assert reading.read(older).at == 1_769_860_799_000
    else:
        complaint = refused(reading, older)
        assert complaint.code == "at_too_old"
        assert "send it with a server key (sk)" in complaint.detail


NOON = 1_772_452_800_000  # 2026-03-02T12:00:00Z, by date -d


@pytest.mark.parametrize(
    ("told", "understood"),
    [
        (None, NOON),
        (NOW + timedelta(hours=23), NOON),
        (NOW + timedelta(hours=24), NOON),
        (NOW - timedelta(minutes=1), NOON - 60_000),
        (datetime.fromisoformat("2026-03-02T12:30:00+01:00"), NOON - 1_800_000),
    ],
    ids=["missing", "ahead", "a day ahead", "past", "other offset"],
)
def test_times(told: datetime | None, understood: int) -> None:
    assert reader().read(bought(at=told)).at == understood


def test_the_clock_of_the_sender_is_corrected() -> None:
    # The sender is an hour fast: what it calls 12:30 was 11:30.
    fast = reader(clock_error=-3600)
    assert fast.read(bought(at=NOW + timedelta(minutes=30))).at == NOON - 1_800_000


def test_ids() -> None:
    known = uuid.UUID("0192f0c1-0000-7000-8000-000000000001")
    reading = reader()
    assert reading.read(bought(id=str(known))).id == known.bytes
    assert reading.read(bought(id=str(known).upper())).id == known.bytes
    # printf order-1 | sha256sum | cut -c1-32
    other = bytes.fromhex("0bafe22156d2698c143b86040446d366")
    assert reading.read(bought(id="order-1")).id == other
    made = uuid.UUID(bytes=bytes(reading.read(bought()).id))
    assert (made.version, made.variant) == (7, uuid.RFC_4122)
    assert int.from_bytes(made.bytes[:6], "big") == NOON


def test_what_the_types_are_read_as() -> None:
    reading = reader()
    conversion = reading.read(bought(value=49.9, currency="EUR", order="A-1"))
    assert isinstance(conversion, Conversion)
    assert (conversion.value, conversion.currency, conversion.order) == (
        4990, "EUR", "A-1",
    )  # fmt: skip
    assert conversion.trusted
    exposure = reading.read(
        EventRequest(
            type="exposure",
            visitor="v1",
            experiment="home",
            variant="b",
            attributes={"z": 1, "a": "ä"},
        )
    )
    assert isinstance(exposure, Exposure)
    assert exposure.attributes_json == '{"a": "ä", "z": 1}'
    whole = reading.read(EventRequest(type="refund", order="A-1"))
    assert isinstance(whole, Refund)
    assert whole.value is None
    joined = reading.read(EventRequest(type="identify", visitor="v", customer="c"))
    assert isinstance(joined, Identity)
    cost = reading.read(
        EventRequest(
            type="cost",
            experiment="home",
            day="2026-03-01",
            amount=12.5,
            currency="EUR",
        )
    )
    assert isinstance(cost, Cost)
    assert (cost.amount, cost.day, cost.currency) == (1250, "2026-03-01", "EUR")


def test_a_browser_is_not_trusted() -> None:
    conversion = reader(trusted=False).read(bought())
    assert isinstance(conversion, Conversion)
    assert not conversion.trusted


# --- currencies ---------------------------------------------------------------------


def priced(*experiments: Experiment, currency: str | None) -> object:
    read = reader(*experiments).read(bought(value=1.5, currency=currency))
    assert isinstance(read, Conversion)
    return read.value, read.currency


def renamed(made: Experiment, key: str) -> Experiment:
    return replace(made, key=type(made.key)(key))


def test_a_value_takes_the_currency_that_all_experiments_share() -> None:
    assert priced(experiment(currency="EUR"), currency=None) == (150, "EUR")
    assert priced(experiment(currency="JPY"), currency=None) == (2, "JPY")
    assert priced(experiment(), currency=None) == (150, None)


def test_a_currency_is_wrong_when_no_experiment_can_count_it() -> None:
    eur, chf = experiment(currency="EUR"), renamed(experiment(currency="CHF"), "shop")
    assert priced(eur, chf, currency="CHF") == (150, "CHF")
    complaint = refused(reader(eur, chf), bought(value=1, currency="USD"))
    assert (complaint.pointer, complaint.code) == ("/currency", "wrong_currency")
    assert "USD" in complaint.detail
    assert "CHF, EUR" in complaint.detail
    # One that names no currency takes all; an archived one has no say.
    assert priced(eur, renamed(experiment(), "shop"), currency="USD") == (150, "USD")
    archived = experiment(Status.ARCHIVED, currency="EUR")
    assert priced(archived, currency="USD") == (150, "USD")


def test_a_value_among_several_currencies_must_say_its_own() -> None:
    eur, chf = experiment(currency="EUR"), renamed(experiment(currency="CHF"), "shop")
    complaint = refused(reader(eur, chf), bought(value=1))
    assert (complaint.pointer, complaint.code) == ("/currency", "required")


# --- experiments that run, or do not ------------------------------------------------

SHOWN = EventRequest(type="exposure", visitor="v1", experiment="home", variant="a")


@pytest.mark.parametrize("status", [Status.RUNNING, Status.PAUSED, Status.CLOSED])
def test_exposures_are_taken_while_it_lives(status: Status) -> None:
    assert isinstance(reader(experiment(status)).read(SHOWN), Exposure)


@pytest.mark.parametrize(
    ("status", "remedy"),
    [(Status.DRAFT, "start it first"), (Status.ARCHIVED, "nothing is added")],
)
def test_exposures_are_refused_before_and_after(status: Status, remedy: str) -> None:
    complaint = refused(reader(experiment(status)), SHOWN)
    assert (complaint.pointer, complaint.code) == ("/experiment", "not_running")
    assert "home" in complaint.detail
    assert remedy in complaint.detail


@pytest.mark.parametrize("last", [Action.STOP, Action.DECIDE])
def test_late_exposures_from_before_the_end_are_taken(last: Action) -> None:
    ended = NOW - timedelta(days=2)
    over = experiment().after(Action.STOP, ended)
    if last is Action.DECIDE:
        over = over.after(Action.DECIDE, NOW - timedelta(days=1))
    reading = reader(over)
    before = replace(SHOWN, at=ended - timedelta(seconds=1))
    assert isinstance(reading.read(before), Exposure)
    complaint = refused(reading, replace(SHOWN, at=ended))
    assert complaint.code == "not_running"
    assert "ended at 2026-02-28T12:00:00Z" in complaint.detail
