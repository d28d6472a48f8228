"""The key pages and the snippet in Debian's Firefox, over WebDriver BiDi.

Playwright drives a Firefox of its own alone, so Puppeteer does it here.
"""

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.browser.demo import PASSWORD, USER
from tests.browser.servers import BUY, PageServer, Service, page_html

HERE = Path(__file__).parent
SHOP = "firefox"
EXPERIMENT = "honest-promise"
PATHS = (
    "/",
    "/experiments/honest-promise",
    "/experiments/new",
    "/experiments/honest-promise/set-up",
    "/help",
)
WIDTHS = (360, 1280)
LIMIT = 240
"""Seconds that all of it may take on a busy machine."""

Found = Any
"""What the driver printed."""


def _program(name: str, package: str) -> str:
    path = shutil.which(name)
    assert path is not None, f"{name} is missing; on Debian: apt install {package}"
    return path


@pytest.fixture(scope="module")
def found(demo: Service, page_server: PageServer) -> Found:
    node, firefox = _program("node", "nodejs"), _program("firefox-esr", "firefox-esr")
    driver = HERE / "node_modules" / "puppeteer-core"
    assert driver.is_dir(), f"Puppeteer is missing; run: npm ci --prefix {HERE}"
    demo.start_experiment(SHOP)
    tag = f'data-experiments="{SHOP}"'
    plan = {
        "firefox": firefox,
        "address": demo.url,
        "user": USER,
        "password": PASSWORD,
        "experiment": EXPERIMENT,
        "paths": PATHS,
        "widths": WIDTHS,
        "landing": page_server.publish(
            page_html(demo.url, demo.publishable, tag=tag, body=BUY), "/firefox"
        ),
        "shop": SHOP,
    }
    done = subprocess.run(
        [node, HERE / "drive.mjs"],
        input=json.dumps(plan),
        capture_output=True,
        text=True,
        timeout=LIMIT,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_every_key_page_answers_in_the_readers_language(found: Found) -> None:
    looked_at = [(page["path"], page["width"]) for page in found["pages"]]
    assert looked_at == [(p, w) for p in ("/login", *PATHS) for w in WIDTHS]
    for page in found["pages"]:
        assert page["status"] == 200
        assert page["language"] == "de-DE"
        assert page["heading"].strip()


def test_no_page_is_wider_than_the_screen(found: Found) -> None:
    for page in found["pages"]:
        assert page["window"] == page["width"]
        assert page["needed"] <= page["width"], page


def test_the_slider_changes_the_verdict_with_the_worth(found: Found) -> None:
    slider = found["slider"]
    assert slider["before"] == "winner"
    assert slider["after"] != "winner"
    assert slider["field"] == "0"
    assert slider["address"].endswith("second_weight=0#worth")


def test_a_visitor_is_assigned_and_converts(found: Found, demo: Service) -> None:
    landing = found["landing"]
    assert landing["variant"] in {"a", "b"}
    assert f"abtest-{SHOP}-{landing['variant']}" in landing["className"]
    assert landing["status"] == 200
    demo.wait_for(SHOP, (1, 1))


def test_nothing_was_complained_about(found: Found) -> None:
    assert found["complaints"] == []
