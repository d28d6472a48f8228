"""Every field of the JSON report is described in docs/api.md."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from abtest.domain.experiment import Adaptive, Method
from abtest.services.analysis import ReportData, write_report
from abtest.services.report import Today
from abtest.services.simulation.scenarios import SCENARIOS
from abtest.services.simulation.study import Study
from abtest.store.protocol import ExperimentFacts
from abtest.web.render.result_json import Json
from abtest.web.render.serialize import report_to_json

PAGE = Path(__file__).parents[3] / "docs" / "api.md"


def fields(value: Json) -> Iterator[str]:
    match value:
        case dict():
            for name, inside in value.items():
                yield name
                yield from fields(inside)
        case list():
            for inside in value:
                yield from fields(inside)
        case _:
            pass


@pytest.mark.parametrize("name", ["null", "refunds", "small"])
@pytest.mark.parametrize("method", [Method.SEQUENTIAL, Method.FIXED])
def test_every_field_is_described(name: str, method: Method) -> None:
    _, _, told = PAGE.read_text().partition("### Every field of the report")
    described, _, _ = told.partition("\n## ")
    study = Study(
        scenario=SCENARIOS[name],
        replications=1,
        seed=1,
        days_after_window=None,
        method=method,
    )
    report = write_report(
        ReportData(
            experiment=replace(
                study.experiment(), adaptive=Adaptive(minimum_share=0.1)
            ),
            known=study.moments(next(study.draws())),
            facts=ExperimentFacts(
                contaminated=0, first_exposure=None, last_exposure=None, last_event=None
            ),
            today=Today(exposures=0, conversions=0),
            day=study.as_of,
        )
    )
    found = set(fields(report_to_json(report, "en")))
    assert "was_crossed" in found or method is Method.FIXED
    assert {name for name in found if f"`{name}`" not in described} == set()
