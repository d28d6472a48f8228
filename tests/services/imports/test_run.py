"""Whole imports: batches, repetition, interruption, bad rows, and what is kept."""

from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from abtest.domain.access import RIGHTS, KeyKind
from abtest.domain.experiment import Action, ExperimentKey
from abtest.errors import AbtestError, ErrorCode
from abtest.services.access import COMMAND_LINE, Caller
from abtest.services.experiments import act_on_experiment, create_experiment
from abtest.services.imports import storing
from abtest.services.imports.run import ImportProgress, Stage, import_file
from abtest.services.imports.summary import LISTED, ImportSummary
from abtest.store.migrate import migrate
from abtest.store.protocol import Store
from abtest.store.sqlite.store import open_store
from tests.services.imports.importing import (
    DAILY,
    KEY,
    LOG,
    NOW,
    Importer,
    begin,
    request,
    shop,
)

VIEWS = [f"v{n},2026-03-0{n % 9 + 1},exposure,{'ab'[n % 2]}" for n in range(40)]
SALES = [f"v{n},2026-03-1{n % 9},conversion:lead," for n in range(0, 40, 3)]
ROWS = [*VIEWS, *SALES]
HEADER = "who,when,what,arm"
OPTIONS = f"{LOG} --map variant=arm"


OTHER = ExperimentKey("other")


def load_into_other(importer: Importer, rows: list[str], options: str) -> ImportSummary:
    begin(importer.store, replace(shop(), key=OTHER))
    path = importer.write(rows)
    return import_file(
        importer.store, OTHER, request(path, options), caller=COMMAND_LINE, now=NOW
    )


def test_second_run_changes_nothing(importer: Importer) -> None:
    first = importer.load([HEADER, *ROWS], OPTIONS)
    before = importer.store.moments(KEY)
    again = importer.load([HEADER, *ROWS], OPTIONS)
    assert (first.accepted, first.duplicates) == (len(ROWS), 0)
    assert (again.accepted, again.duplicates) == (0, len(ROWS))
    assert importer.store.moments(KEY) == before


@settings(
    max_examples=15,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(
    order=st.permutations(ROWS), cut=st.integers(0, len(ROWS)), size=st.integers(1, 9)
)
def test_order_split_overlap_and_batches_do_not_matter(
    tmp_path_factory: pytest.TempPathFactory, order: list[str], cut: int, size: int
) -> None:
    """Two overlapping parts in any order give what the whole file gives."""
    found = []
    for parts in ([ROWS], [order[:cut], order[max(0, cut - 5) :]]):
        folder = tmp_path_factory.mktemp("order")
        migrate(folder / "test.db")
        store = open_store(folder / "test.db", durability="normal")
        begin(store)
        for part in parts:
            importer = Importer(store, folder)
            importer.load([HEADER, *part], f"{OPTIONS} --batch-size {size}")
        found.append(store.moments(KEY))
        store.close()
    assert found[0] == found[1]


class TestBadRows:
    ROWS = (HEADER, *VIEWS[:12], "v99,never,exposure,a", *VIEWS[12:20])

    def test_stop_before_anything_is_stored(self, importer: Importer) -> None:
        error = importer.refusal(self.ROWS, f"{OPTIONS} --batch-size 5")
        assert error.code is ErrorCode.INVALID
        assert "rows.csv, line 14, when: 'never' is no time" in error.detail
        assert "nothing of the file is stored" in error.detail
        assert "--on-error skip" in error.detail
        (complaint,) = error.errors
        assert complaint.pointer == "/lines/14/when"
        assert complaint.code == "invalid_time"
        assert importer.store.moments(KEY) == {}

    def test_skip_stores_the_others_and_lists_it(self, importer: Importer) -> None:
        summary = importer.load(self.ROWS, f"{OPTIONS} --on-error skip")
        (bad,) = summary.bad_rows
        assert str(bad).startswith("line 14, when: 'never' is no time")
        assert (summary.rows, summary.accepted, summary.bad) == (21, 20, 1)

    def test_corrected_file_is_completed(self, importer: Importer) -> None:
        importer.refusal(self.ROWS, f"{OPTIONS} --batch-size 5")
        good = [row.replace("never", "2026-03-01") for row in self.ROWS]
        summary = importer.load(good, OPTIONS)
        assert (summary.accepted, summary.duplicates) == (21, 0)

    def test_rows_that_fail_alike_are_named_once(self, importer: Importer) -> None:
        rows = [HEADER, *(f"v{n},2026-03-01,seen,a" for n in range(500))]
        error = importer.refusal([*rows, "v1,2026-03-01,exposure,c"], OPTIONS)
        assert [e.pointer for e in error.errors] == ["/lines/2/what"]
        assert "(501 bad rows); nothing of the file is stored" in error.detail

    def test_list_ends_and_the_count_goes_on(self, importer: Importer) -> None:
        rows = [HEADER, *(f"v{n},never,exposure,a" for n in range(LISTED + 50))]
        summary = importer.load(rows, f"{OPTIONS} --on-error skip")
        assert (summary.bad, len(summary.bad_rows)) == (LISTED + 50, LISTED)

    def test_row_that_cannot_be_parsed_is_bad(self, importer: Importer) -> None:
        summary = importer.load([HEADER, "v1,2026"], f"{OPTIONS} --on-error skip")
        assert str(summary.bad_rows[0]) == "line 2: has 2 cells, the header has 4"


def test_rehearsal_stores_nothing(importer: Importer) -> None:
    options = f"{OPTIONS} --dry-run --followed-until 2026-04-01"
    summary = importer.load([HEADER, *ROWS], options)
    assert (summary.events, summary.accepted, summary.duplicates) == (len(ROWS), 0, 0)
    assert importer.store.moments(KEY) == {}
    assert importer.store.get_experiment(KEY).followed_until is None
    assert all(
        e.action != "experiment.import" for e in importer.store.list_audit(limit=9)
    )


def test_rehearsal_finds_bad_rows(importer: Importer) -> None:
    error = importer.refusal([HEADER, "v1,never,exposure,a"], f"{OPTIONS} --dry-run")
    assert "line 2, when" in error.detail


def test_last_followed_day_is_kept(importer: Importer) -> None:
    summary = importer.load([HEADER, *ROWS], f"{OPTIONS} --followed-until 2026-04-01")
    assert summary.followed_until == "2026-04-01"
    importer.load([HEADER, *ROWS], OPTIONS)
    importer.load([HEADER, *ROWS], f"{OPTIONS} --followed-until 2026-04-01")
    experiment = importer.store.get_experiment(KEY)
    assert experiment.followed_until == date(2026, 4, 1).isoformat()
    assert experiment.version == 3  # created, started, followed


def test_import_stands_in_the_audit_log(importer: Importer) -> None:
    importer.load([HEADER, *ROWS], OPTIONS)
    newest = importer.store.list_audit(limit=1)[0]
    assert (newest.action, newest.subject) == ("experiment.import", KEY)
    assert newest.detail == f"rows.csv: {len(ROWS)} events, 0 known before, 0 bad rows"


def test_same_purchases_for_two_experiments_are_the_same_purchases(
    store: Store, tmp_path: Path
) -> None:
    """A log loaded twice must not make every customer a returning one."""
    importer = Importer(store, tmp_path)
    begin(store)
    importer.load([HEADER, *ROWS], OPTIONS)
    again = load_into_other(importer, [HEADER, *ROWS], OPTIONS)
    assert again.accepted == len(VIEWS)
    assert again.duplicates == len(SALES)
    assert store.moments(KEY) == store.moments(OTHER)


def test_days_of_two_experiments_are_different_visitors(
    store: Store, tmp_path: Path
) -> None:
    importer = Importer(store, tmp_path)
    begin(store)
    rows = ["day,seen,leads,buyers", "2026-03-01,4,2,1"]
    importer.load(rows, DAILY)
    again = load_into_other(importer, rows, DAILY)
    assert (again.accepted, again.duplicates) == (7, 0)


class TestWhoAndWhen:
    def test_draft_must_be_started(self, store: Store, tmp_path: Path) -> None:
        create_experiment(store, shop(), COMMAND_LINE, NOW)
        error = Importer(store, tmp_path).refusal([HEADER, *ROWS], OPTIONS)
        assert error.code is ErrorCode.CONFLICT
        assert "abtest experiment start shop" in error.detail

    def test_archive_takes_nothing(self, importer: Importer) -> None:
        for action in (Action.STOP, Action.ARCHIVE):
            act_on_experiment(importer.store, KEY, action, COMMAND_LINE, NOW)
        error = importer.refusal([HEADER, *ROWS], OPTIONS)
        assert error.code is ErrorCode.CONFLICT
        assert "is archived" in error.detail

    def test_stopped_experiment_takes_what_was_before(self, importer: Importer) -> None:
        end = datetime(2026, 3, 5, tzinfo=UTC)
        act_on_experiment(importer.store, KEY, Action.STOP, COMMAND_LINE, end)
        rows = [HEADER, "v1,2026-03-04,exposure,a", "v2,2026-03-05,exposure,a"]
        summary = importer.load(rows, f"{OPTIONS} --on-error skip")
        assert summary.accepted == 1
        assert summary.bad_rows[0].code == "not_running"

    def test_unknown_experiment(self, store: Store, tmp_path: Path) -> None:
        error = Importer(store, tmp_path).refusal([HEADER, *ROWS], OPTIONS)
        assert error.code is ErrorCode.NOT_FOUND

    def test_only_those_may_who_may_tell_exposures(self, importer: Importer) -> None:
        page = Caller(name="key 1", rights=RIGHTS[KeyKind.PUBLISHABLE])
        path = importer.write([HEADER, *ROWS])
        with pytest.raises(AbtestError) as caught:
            import_file(
                importer.store, KEY, request(path, OPTIONS), caller=page, now=NOW
            )
        assert caught.value.code is ErrorCode.NOT_ALLOWED

    def test_unknown_time_zone(self, importer: Importer) -> None:
        error = importer.refusal([HEADER, *ROWS], f"{OPTIONS} --time-zone Mars/Base")
        assert "Europe/Berlin" in error.detail


def test_times_without_an_offset_lie_in_the_experiments_zone(
    store: Store, tmp_path: Path
) -> None:
    begin(store, shop(zone="America/New_York"))
    importer = Importer(store, tmp_path)
    rows = [HEADER, "v1,2026-03-01T23:30:00,exposure,a"]
    (here,) = importer.events(rows, OPTIONS)
    (there,) = importer.events(rows, f"{OPTIONS} --time-zone Europe/Berlin")
    assert here.at - there.at == 6 * 3_600_000


def test_progress_is_told_of_both_stages(importer: Importer) -> None:
    told: list[ImportProgress] = []
    path = importer.write([HEADER, *ROWS])
    import_file(
        importer.store,
        KEY,
        request(path, f"{OPTIONS} --batch-size 10"),
        caller=COMMAND_LINE,
        now=NOW,
        on_progress=told.append,
    )
    begun, read, *stored = told
    assert (begun.stage, begun.done, begun.count) == (Stage.READING, 0, 0)
    size = path.stat().st_size
    assert (read.stage, read.done, read.total, read.count) == (
        *(Stage.READING, size, size),
        len(ROWS),
    )
    assert {progress.stage for progress in stored} == {Stage.STORING}
    assert [p.done for p in stored] == [*range(0, len(ROWS), 10), len(ROWS)]
    assert {p.total for p in stored} == {len(ROWS)}


@pytest.mark.parametrize(("is_served", "batches"), [(False, 3), (True, 8)])
def test_service_gets_its_turn_more_often(
    importer: Importer,
    monkeypatch: pytest.MonkeyPatch,
    *,
    is_served: bool,
    batches: int,
) -> None:
    monkeypatch.setattr(storing, "BATCH", 20)
    monkeypatch.setattr(storing, "BATCH_BESIDE_SERVICE", 7)
    path = importer.write([HEADER, *ROWS])
    stored: list[ImportProgress] = []
    import_file(
        importer.store,
        KEY,
        replace(request(path, OPTIONS), batch_size=None),
        caller=COMMAND_LINE,
        now=NOW,
        on_progress=stored.append,
        is_served=lambda: is_served,
    )
    assert len([p for p in stored if p.stage is Stage.STORING and p.done]) == batches
