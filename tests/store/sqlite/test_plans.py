"""No question that is asked while serving walks through a table that grows."""

import re
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from abtest.store.sqlite.connection import query

# Those of rebuild and verify walk through everything, and may, so do those that delete;
# the overview asks for the days of all experiments, and people for segments and costs.
WALKING = {
    "add_folded_activity",
    "came_after",
    "costs",
    "derive_exposure_span",
    "derive_exposure_span_of",
    "derive_step_reach",
    "derive_step_reach_of",
    "differences",
    "exposure_span_after",
    "foldable",
    "links",
    "next_judged",
    "next_persons",
    "outcomes_to_mend",
    "overlook_changes",
    "overlook_empty_days",
    "overlook_journeys",
    "overlook_quiet_days",
    "person_events",
    "persons_to_mend",
    "read_activities",
    "schema_of",
    "segment_attributes",
    "segment_cohorts",
    "segment_outcomes",
    "step_reach_after",
}
FOLDER = Path(query.__wrapped__.__code__.co_filename).parent / "queries"
SERVING = sorted({file.stem for file in FOLDER.glob("*.sql")} - WALKING)


def plan(path: Path, name: str) -> list[str]:
    sql = query(name)
    numbered = {int(n) for n in re.findall(r"\?(\d)", sql)}
    values = ["[1]"] * (max(numbered) if numbered else sql.count("?"))
    with closing(sqlite3.connect(path)) as connection:
        rows = connection.execute(f"EXPLAIN QUERY PLAN {sql}", values).fetchall()
    return [detail for *_, detail in rows]


@pytest.mark.parametrize("name", SERVING)
def test_every_table_is_entered_by_key(path: Path, name: str) -> None:
    scans = [s for s in plan(path, name) if s.startswith("SCAN")]
    # `wanted` counts through what is asked for, `found` through what was found.
    fine = {"SCAN wanted", "SCAN found", "SCAN CONSTANT ROW"}
    assert [s for s in scans if s not in fine and "VIRTUAL TABLE" not in s] == []


@pytest.mark.parametrize(
    "name", ["segment_attributes", "segment_cohorts", "segment_outcomes"]
)
def test_who_walks_through_visitors_finds_their_exposures(
    path: Path, name: str
) -> None:
    of_events = [s for s in plan(path, name) if re.search(r"\bevent\b", s)]
    assert of_events
    assert all("USING INDEX event_node" in s for s in of_events)
