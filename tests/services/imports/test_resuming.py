"""An import that broke off goes on where it was, and never counts anything twice."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime

import pytest

from abtest.domain.events import Event
from abtest.errors import AbtestError, ErrorCode
from abtest.services.imports import spool as spools
from abtest.store.protocol import Bookmark, Difference, RecordOutcome
from tests.services.imports.importing import KEY, LOG, Importer

HEADER = "who,when,what,arm"
VIEWS = [f"v{n},2026-03-0{n % 9 + 1},exposure,{'ab'[n % 2]}" for n in range(40)]
SALES = [f"v{n},2026-03-1{n % 9},conversion:lead," for n in range(0, 40, 3)]
ROWS = [HEADER, *VIEWS, *SALES, *SALES[:4]]
COUNT = len(ROWS) - 1
OPTIONS = f"{LOG} --map variant=arm --batch-size 10"
PLACE = "import:shop:rows.csv"


@contextmanager
def counted(importer: Importer, *, until: int = 99) -> Iterator[list[int]]:
    """Count what is given to the store; at some batch the disk is full."""
    given: list[int] = []
    load = importer.store.load

    def spy(
        batch: Sequence[Event], *, received_at: datetime, bookmark: Bookmark
    ) -> RecordOutcome:
        if len(given) == until:
            raise AbtestError(ErrorCode.UNAVAILABLE, "the disk is full")
        given.append(len(batch))
        return load(batch, received_at=received_at, bookmark=bookmark)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(importer.store, "load", spy)
        yield given


def break_off(importer: Importer, rows: Sequence[str] = ROWS) -> None:
    """Store two batches of ten."""
    with (
        counted(importer, until=2) as given,
        pytest.raises(AbtestError, match="the disk is full"),
    ):
        importer.load(rows, OPTIONS)
    assert sum(given) == 20
    assert importer.store.get_setting(PLACE) is not None


@pytest.mark.parametrize("in_memory", [15, 1000], ids=["from disk", "from memory"])
def test_what_is_stored_does_not_go_through_the_store_again(
    importer: Importer, monkeypatch: pytest.MonkeyPatch, in_memory: int
) -> None:
    monkeypatch.setattr(spools, "IN_MEMORY", in_memory)
    break_off(importer)
    with counted(importer) as given:
        summary = importer.load(ROWS, OPTIONS.replace("10", "8"))
    assert sum(given) == COUNT - 20
    assert (summary.resumed_at, summary.duplicates) == (20, 20)
    assert summary.accepted == COUNT - 20
    assert importer.store.get_setting(PLACE) is None
    assert not [d for d in importer.store.verify() if isinstance(d, Difference)]


def test_finished_import_is_read_as_a_whole(importer: Importer) -> None:
    importer.load(ROWS, OPTIONS)
    again = importer.load(ROWS, OPTIONS)
    assert (again.resumed_at, again.accepted, again.duplicates) == (0, 0, COUNT)


def test_other_file_of_the_same_name_is_read_as_a_whole(importer: Importer) -> None:
    break_off(importer)
    changed = [row.replace("v3,", "w3,") for row in ROWS]
    summary = importer.load(changed, OPTIONS)
    assert summary.resumed_at == 0
    assert summary.duplicates == 19
    assert summary.accepted == COUNT - 19
    assert importer.store.get_setting(PLACE) is None


def test_shorter_file_is_read_as_a_whole(importer: Importer) -> None:
    break_off(importer)
    summary = importer.load(ROWS[:11], OPTIONS)
    assert (summary.resumed_at, summary.duplicates, summary.accepted) == (0, 10, 0)
    assert importer.store.get_setting(PLACE) is None


def test_file_without_events_forgets_it_too(importer: Importer) -> None:
    break_off(importer)
    assert importer.load([HEADER], OPTIONS).events == 0
    assert importer.store.get_setting(PLACE) is None


def test_file_that_grew_goes_on(importer: Importer) -> None:
    break_off(importer)
    longer = [*ROWS, "v99,2026-03-04,exposure,a"]
    summary = importer.load(longer, OPTIONS)
    assert (summary.resumed_at, summary.accepted) == (20, COUNT - 19)


def test_rehearsal_keeps_where_it_was(importer: Importer) -> None:
    break_off(importer)
    importer.load(ROWS, f"{OPTIONS} --dry-run")
    assert importer.load(ROWS, OPTIONS).resumed_at == 20


def test_other_imports_have_places_of_their_own(importer: Importer) -> None:
    break_off(importer)
    other = importer.load([HEADER, *VIEWS], OPTIONS, name="other.csv")
    assert (other.resumed_at, other.duplicates) == (0, 20)
    assert importer.load(ROWS, OPTIONS).resumed_at == 20
    visitors = sum(m.visitors for m in importer.store.moments(KEY).values())
    assert visitors == len(VIEWS)
