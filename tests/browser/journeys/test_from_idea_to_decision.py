"""One experiment from the first sign-in to the decision and its hand-over."""

import csv
import io
import json
import re
import zipfile
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Download, Page, expect

from tests.browser.journeys.conftest import Installation
from tests.browser.journeys.hands import Hands, Keyboard, Mouse
from tests.browser.journeys.journey import SOON, Journey
from tests.browser.journeys.stories import RETURN, TRADEOFF, WINDOW, WINNER, Story
from tests.browser.servers import Json, PageServer

BUYERS, LOOKERS = 2, 3


@pytest.fixture
def journey(
    request: pytest.FixtureRequest,
    browser: Browser,
    installation: Installation,
    page_server: PageServer,
) -> Iterator[Journey]:
    story: Story
    hands: Callable[[Page], Hands]
    story, hands = request.param
    with browser.new_context(locale=story.locale) as context:
        page = context.new_page()
        complaints: list[str] = []
        page.on("pageerror", lambda error: complaints.append(str(error)))
        yield Journey(
            browser=browser,
            installation=installation,
            site=page_server,
            story=story,
            page=page,
            hands=hands(page),
        )
        assert complaints == []


@pytest.mark.parametrize(
    "journey",
    [
        pytest.param((WINNER, Keyboard), id="winner, English, keyboard"),
        pytest.param((TRADEOFF, Mouse), id="tradeoff, German, mouse"),
    ],
    indirect=True,
)
def test_a_whole_experiment(journey: Journey) -> None:
    journey.make_the_first_user()
    journey.plan()
    journey.install()
    journey.start()
    _first_visitors_arrive(journey)
    _looked_at_too_early(journey)
    _customers_come_back(journey)
    _another_worth_is_an_exploration(journey)
    _decided_with_a_note(journey)
    _files_say_the_same(journey)
    _a_link_for_people_without_a_login(journey)


def _first_visitors_arrive(journey: Journey) -> None:
    journey.go_to("install")
    live = journey.page.locator("#live")
    expect(live).to_contain_text(journey.story.words.waiting)
    landing = journey.publish(BUYERS)
    for order in range(BUYERS):
        journey.visit(landing, order=order)
    expect(live).to_contain_text(journey.story.words.works, timeout=SOON)
    for _ in range(LOOKERS):
        journey.visit(landing)
    assert journey.story.words.today in journey.results("no_data")
    today = journey.page.locator('[data-path="today.exposures"]')
    expect(today).to_have_text(str(BUYERS + LOOKERS))
    bought = journey.page.locator('[data-path="today.conversions"]')
    expect(bought).to_have_text(str(BUYERS))


def _looked_at_too_early(journey: Journey) -> None:
    installation, story = journey.installation, journey.story
    installation.clock.wait(days=10)
    installation.report_events([*story.enter(journey.key, journey.started_at)])
    journey.sign_in_again()
    said = journey.results("too_early")
    assert not re.search(story.words.winners, said)
    bands = journey.page.locator(".bands").all_inner_texts()
    assert not any(re.search(story.words.winners, band) for band in bands)
    journey.close()


def _customers_come_back(journey: Journey) -> None:
    """The later purchases of the landing page's buyers are told by customer."""
    installation, story = journey.installation, journey.story
    installation.clock.wait(days=WINDOW + 2)
    later = journey.started_at + timedelta(days=RETURN)
    installation.report_events([*story.come_back(journey.started_at)])
    installation.report_events(
        [
            {
                "id": f"again-c-{n}",
                "type": "conversion",
                "step": "purchase",
                "customer": f"c-{n}",
                "order": f"B-{n}",
                "value": 30,
                "currency": story.currency,
                "at": later.isoformat(),
            }
            for n in range(BUYERS)
        ]
    )
    journey.sign_in_again()
    said = journey.results(story.verdict)
    assert story.headline in said
    assert re.search(story.words.winners, said)
    report = _report(journey)
    seconds = [_at(report, "variants", i, "second", "observed") for i in (0, 1)]
    expected = 8 * sum(story.regulars) + BUYERS
    assert sum(n for n in seconds if isinstance(n, int)) == expected


def _another_worth_is_an_exploration(journey: Journey) -> None:
    page, words = journey.page, journey.story.words
    journey.hands.write(journey.field("second-weight"), "0")
    expect(page.get_by_text(words.trying)).to_be_visible()
    declared = journey.story.second_points.replace(",", ".")
    journey.hands.press(page.get_by_role("link", name=words.declared))
    expect(journey.field("second-weight")).to_have_value(declared)
    expect(page.get_by_text(words.trying)).to_be_hidden()


def _decided_with_a_note(journey: Journey) -> None:
    journey.go_to("set-up")
    journey.hands.press(journey.button(journey.story.words.decide))
    expect(journey.page).to_have_url(re.compile("/decide$"))
    assert journey.page.locator("input[type=radio]:checked").count() == 0
    journey.hands.tick(journey.page.locator('input[name=variant][value="b"]'))
    journey.hands.write(journey.field("note"), journey.story.note)
    journey.hands.tick(journey.field("seen"))
    journey.hands.press(journey.page.locator("form.decide button"))
    expect(journey.page.get_by_text(journey.story.words.decided)).to_be_visible()
    assert journey.visit(f"{journey.site.url}/") == "b"
    journey.results(journey.story.verdict)
    expect(journey.page.locator("#log")).to_contain_text(journey.story.note)


def _files_say_the_same(journey: Journey) -> None:
    report, story = _report(journey), journey.story
    code = _at(report, "verdict", "code")
    sentence = str(_at(report, "verdict", "sentence"))
    assert code == story.verdict
    files = {}
    for link in journey.page.locator(".files a[download]").all():
        with journey.page.expect_download() as started:
            journey.hands.press(link)
        files[_ending(started.value)] = Path(started.value.path()).read_bytes()
    assert set(files) == {"html", "xlsx", "de.csv", "csv", "ipynb"}
    for end, delimiter in (("csv", ","), ("de.csv", ";")):
        text = files[end].decode("utf-8-sig")
        rows = list(csv.DictReader(io.StringIO(text), delimiter=delimiter))
        assert [row["key"] for row in rows] == ["a", "b"]
        assert {row["verdict.code"] for row in rows} == {code}
        visitors = [int(row["visitors"]) for row in rows]
        assert visitors == [_at(report, "variants", i, "visitors") for i in (0, 1)]
    with zipfile.ZipFile(io.BytesIO(files["xlsx"])) as book:
        words = b"".join(book.read(name) for name in book.namelist()).decode()
    assert sentence.partition(". ")[0] in words
    assert sentence.partition(". ")[0] in files["html"].decode()
    assert "src=" not in files["html"].decode()
    assert json.loads(files["ipynb"])["nbformat"] == 4


def _a_link_for_people_without_a_login(journey: Journey) -> None:
    page, story = journey.page, journey.story
    shown = page.locator("#verdict").inner_text()
    journey.hands.press(journey.button(story.words.make_link))
    link = page.locator(".new-link input").input_value()
    assert link.startswith(f"{journey.installation.address}/share/")
    with journey.anonymous() as stranger:
        reading = stranger.new_page()
        reading.goto(link)
        assert reading.locator("#verdict").inner_text() == shown
        assert story.note not in reading.locator("body").inner_text()
        assert reading.locator("form[action^='/experiments']").count() == 0
        journey.hands.press(journey.button(story.words.end_link))
        expect(page).to_have_url(re.compile("#exports$"))
        answer = reading.goto(link)
        assert answer is not None
        assert answer.status == 404


def _ending(download: Download) -> str:
    """Return the part of a file's name that says what it is."""
    return download.suggested_filename.partition(".")[2]


def _report(journey: Journey) -> Json:
    """Return the report as the page's own browser gets it, in its language."""
    address = f"/experiments/{journey.key}/report.json"
    report: Json = journey.page.evaluate(
        "address => fetch(address).then(answer => answer.json())", address
    )
    return report


def _at(report: Json, *path: str | int) -> Json:
    """Return what stands at a place of the report."""
    for name in path:
        match report, name:
            case dict(), str():
                report = report[name]
            case list(), int():
                report = report[name]
            case found:
                raise AssertionError(found)
    return report
