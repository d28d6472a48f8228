"""The report as files: every one opens, and holds the numbers of the report."""

import csv
import io
import json
import zipfile
from collections.abc import Iterator
from dataclasses import replace
from typing import Any
from xml.etree import ElementTree as ET

import pytest
from flask.testing import FlaskClient
from werkzeug.test import Client

from abtest.domain.access import KeyKind
from abtest.services.access import COMMAND_LINE, create_key
from abtest.store.protocol import Store
from tests.conftest import Clock
from tests.services.traffic import KEY
from tests.web.pages.reading import elements

FILES = "/experiments/home/files"
SHEET = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"


def cells_of(book: zipfile.ZipFile, number: int) -> Iterator[ET.Element]:
    # Our own workbook: nothing in it was written by strangers.
    root = ET.fromstring(book.read(f"xl/worksheets/sheet{number}.xml"))  # noqa: S314
    yield from root.iter(f"{SHEET}c")


@pytest.fixture
def evil(shop: Store) -> Store:
    """An experiment whose name a spreadsheet could take for a formula."""
    before = shop.get_experiment(KEY)
    shop.replace_experiment(replace(before, name="=1+1", version=2))
    return shop


@pytest.mark.usefixtures("shop")
def test_all_files_have_a_name_and_a_type(reader: FlaskClient) -> None:
    for end, kind in (
        ("html", "text/html"),
        ("xlsx", "application/vnd.openxmlformats"),
        ("csv", "text/csv"),
        ("de.csv", "text/csv"),
        ("json", "application/json"),
        ("ipynb", "application/x-ipynb+json"),
    ):
        answer = reader.get(f"{FILES}/report.{end}")
        assert answer.status_code == 200
        assert answer.headers["Content-Type"].startswith(kind)
        disposition = answer.headers["Content-Disposition"]
        assert disposition == f'attachment; filename="home-2026-03-19.{end}"'


@pytest.mark.usefixtures("shop")
@pytest.mark.parametrize("name", ["report.exe", "report", "other.csv", ".csv"])
def test_other_files_are_not_found(reader: FlaskClient, name: str) -> None:
    assert reader.get(f"{FILES}/{name}").status_code == 404


@pytest.mark.usefixtures("shop")
def test_csv_of_both_conventions_holds_the_same(reader: FlaskClient) -> None:
    read = {}
    for end, delimiter in (("csv", ","), ("de.csv", ";")):
        text = reader.get(f"{FILES}/report.{end}").data.decode()
        assert text.startswith("\ufeff")
        lines = io.StringIO(text.removeprefix("\ufeff"), newline="")
        read[end] = list(csv.DictReader(lines, delimiter=delimiter, strict=True))
    for one, other in zip(read["csv"], read["de.csv"], strict=True):
        assert one.keys() == other.keys()
        assert one["first.rate"] == other["first.rate"].replace(",", ".")
        assert "," in other["first.rate"]


@pytest.mark.usefixtures("evil")
def test_a_workbook_has_numbers_and_no_formulas(reader: FlaskClient) -> None:
    content = reader.get("/experiments/home/report.json").get_json()
    first = reader.get(f"{FILES}/report.xlsx").data
    assert first == reader.get(f"{FILES}/report.xlsx").data
    book = zipfile.ZipFile(io.BytesIO(first))
    assert book.testzip() is None
    numbers = set()
    for sheet in range(1, 5):
        for cell in cells_of(book, sheet):
            assert cell.find(f"{SHEET}f") is None
            if (
                cell.get("t", "n") == "n"
                and (value := cell.find(f"{SHEET}v")) is not None
            ):
                numbers.add(float(value.text or "nan"))
    assert {2000.0, 800.0, 120.0, 760.0, 280.0} <= numbers
    effect = content["comparisons"][0]["value"]["frequentist"]["effect"]
    assert any(number == pytest.approx(effect, rel=1e-12) for number in numbers)
    assert b"=1+1" in book.read("xl/sharedStrings.xml")
    names = ET.fromstring(book.read("xl/workbook.xml"))  # noqa: S314
    assert [s.get("name") for s in names.iter(f"{SHEET}sheet")] == [
        "Summary",
        "Variants",
        "Comparisons",
        "Days",
    ]


@pytest.mark.usefixtures("shop")
@pytest.mark.parametrize("language", ["en", "de"])
def test_a_page_as_a_file_needs_nothing_beside_it(
    reader: FlaskClient, language: str
) -> None:
    headers = {"Accept-Language": language}
    page = reader.get(f"{FILES}/report.html", headers=headers).text
    found = elements(page)
    assert {e.tag for e in found} & {"script", "form", "link", "img", "input"} == set()
    for element in found:
        assert element.attributes.get("href", "#").startswith("#")
    assert "url(http" not in page
    assert f'lang="{language}' in page
    (title,) = (e for e in found if e.tag == "title" and "abtest" in e.text)
    assert title.text == "Home page · abtest"


def run(notebook: dict[str, Any]) -> dict[str, Any]:
    """Do the cells one after another, as Jupyter does."""
    space: dict[str, Any] = {}
    for cell in notebook["cells"]:
        if cell["cell_type"] == "code":
            exec(cell["source"], space)  # noqa: S102 - what the notebook is for
    return space


@pytest.mark.usefixtures("shop")
def test_the_notebook_comes_to_the_same_numbers(reader: FlaskClient) -> None:
    notebook = json.loads(reader.get(f"{FILES}/report.ipynb").data)
    assert (notebook["nbformat"], notebook["nbformat_minor"]) == (4, 5)
    found = run(notebook)
    assert found["report"] == reader.get("/experiments/home/report.json").get_json()
    assert {one["measure"] for one in found["recalculated"]} == {
        "first",
        "second",
        "value",
    }
    for one in found["recalculated"]:
        for name in ("effect", "standard_error", "p_value", "confidence_interval"):
            assert one[name] == pytest.approx(one["told"][name], rel=1e-6), name
    (posterior,) = found["posteriors"]
    for name in ("probability_to_beat_control", "credible_interval"):
        assert posterior[name] == pytest.approx(posterior["told"][name], rel=1e-6)
    (check,) = found["calculator_checks"]
    assert check["p_value"] == pytest.approx(check["told"]["p_value"], rel=1e-9)
    assert check["z"] == pytest.approx(check["told"]["statistic"], rel=1e-9)
    assert found["split_p_value"] == 1


@pytest.mark.usefixtures("shop")
def test_programs_get_the_same_files(
    client: Client, reader: FlaskClient, store: Store, clock: Clock
) -> None:
    key = create_key(store, KeyKind.READ, name="", caller=COMMAND_LINE, now=clock.time)
    headers = {"Authorization": f"Bearer {key.secret}"}
    base = "/api/v1/experiments/home/files"
    answer = client.get(f"{base}/report.xlsx?lang=en", headers=headers)
    assert answer.data == reader.get(f"{FILES}/report.xlsx").data
    early = client.get(f"{base}/report.csv?as_of=2026-03-01", headers=headers)
    assert "home-2026-03-01.csv" in early.headers["Content-Disposition"]
    assert client.get(f"{base}/report.doc", headers=headers).status_code == 404
    assert client.get(f"{base}/report.csv").status_code == 401
