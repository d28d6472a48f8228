"""The spool gives what it was given, a person's events together when there are many."""

from collections import Counter
from contextlib import closing
from dataclasses import asdict
from itertools import groupby

import pytest

from abtest.domain.events import (
    Conversion,
    Event,
    EventId,
    Exposure,
    Identity,
    Milliseconds,
    Refund,
)
from abtest.domain.experiment import CustomerId, ExperimentKey, VariantKey, VisitorId
from abtest.domain.funnel import StepKey
from abtest.errors import AbtestError, ErrorCode
from abtest.services.imports import spool as spools
from abtest.services.imports.identity import EventNames
from abtest.services.imports.spool import Spool

NAMES = EventNames()
PEOPLE = [f"v{number}" for number in range(40)]


def events() -> list[Event]:
    """Return events of forty people, each of whom bought the same three times."""
    found: list[Event] = []
    for day in range(5):
        at = Milliseconds(1_770_000_000_000 + day * 86_400_000)
        for number, name in enumerate(PEOPLE):
            found += _of(at, VisitorId(name), day=day, number=number)
    return found


def _of(at: Milliseconds, who: VisitorId, *, day: int, number: int) -> list[Event]:
    step = StepKey("buy")
    if day == 0:
        return [
            Exposure(
                id=NAMES.single(at, "exposure", who),
                at=at,
                visitor=who,
                experiment=ExperimentKey("shop"),
                variant=VariantKey("a"),
                attributes_json='{"age": 3}',
                trusted=True,
            )
        ]
    if day == 1:
        conversion = Conversion(
            id=NAMES.single(at, "conversion", who, "", step, "500"),
            at=at,
            visitor=who,
            step=step,
            value=500,
            currency="EUR",
            trusted=True,
        )
        return [conversion] * 3
    if day == 2:
        customer = CustomerId(f"c{number}")
        return [Identity(id=EventId(bytes(16)), at=at, visitor=who, customer=customer)]
    if day == 3:
        id_ = NAMES.single(at, "conversion", who, "", step, "None", "A-1")
        order = f"A-{number}"
        return [Conversion(id=id_, at=at, visitor=who, step=step, order=order)] * 2
    return [Refund(id=EventId(b"%16d" % number), at=at, order=f"A-{number}")]


def whose(event: Event) -> str:
    if isinstance(event, Exposure | Identity):
        return event.visitor
    if isinstance(event, Conversion):
        return event.visitor or event.customer or ""
    assert isinstance(event, Refund)
    return event.order


def spooled(given: list[Event]) -> list[Event]:
    with closing(Spool()) as spool:
        for event in given:
            spool.add((type(event), whose(event), asdict(event)))
        assert spool.count == len(given)
        assert list(spool) == list(spool)
        return list(spool)


def test_few_events_keep_their_order() -> None:
    given = events()
    found = spooled(given)
    assert [(e.at, type(e)) for e in found] == [(e.at, type(e)) for e in given]


@pytest.mark.parametrize("in_memory", [1, 7, 100, 399, 400])
def test_many_events_are_the_same_events_from_disk(
    monkeypatch: pytest.MonkeyPatch, in_memory: int
) -> None:
    kept = spooled(events())
    monkeypatch.setattr(spools, "IN_MEMORY", in_memory)
    assert Counter(spooled(events())) == Counter(kept)


def test_events_of_a_person_come_together(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(spools, "IN_MEMORY", 50)
    people = [whose(e) for e in spooled(events()) if not isinstance(e, Refund)]
    assert sorted(who for who, _ in groupby(people)) == sorted(PEOPLE)


def test_only_equal_purchases_without_a_number_are_told_apart() -> None:
    found = Counter(e.id for e in spooled(events()) if isinstance(e, Conversion))
    assert Counter(found.values()) == {1: 3 * len(PEOPLE), 2: len(PEOPLE)}


def test_full_temporary_folder_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(**_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(spools, "IN_MEMORY", 50)
    monkeypatch.setattr(spools, "TemporaryFile", refuse)
    with pytest.raises(AbtestError) as caught:
        spooled(events())
    assert caught.value.code is ErrorCode.UNAVAILABLE
    assert "No space left on device" in caught.value.detail
    assert "TMPDIR" in caught.value.detail
