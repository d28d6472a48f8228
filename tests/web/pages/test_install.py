"""The installation page: snippets, keys shown once, and what the doctor finds."""

import json
import re
from html import unescape

import pytest
from flask.testing import FlaskClient

from abtest.domain.access import KeyKind, Role
from abtest.domain.quality import QualityKind, QualityMark
from abtest.services.access import COMMAND_LINE, add_user, create_key, find_key
from abtest.store.protocol import Store
from tests.conftest import Clock
from tests.services.traffic import KEY, running

PATH = "/experiments/home/install"


def code(page: str, name: str) -> str:
    found = re.search(rf'<code id="code-{name}">(.*?)</code>', page, re.DOTALL)
    assert found is not None
    return unescape(found[1])


@pytest.mark.usefixtures("shop")
def test_the_snippets_name_service_experiment_and_steps(reader: FlaskClient) -> None:
    page = reader.get(PATH).text
    assert 'data-experiments="home"' in code(page, "page")
    assert "/abtest.js" in code(page, "page")
    assert "YOUR-KEY" in code(page, "page")
    assert ".abtest-home-b" in code(page, "show")
    assert 'data-abtest-convert="purchase"' in code(page, "convert")
    assert "abtest-wait" in code(page, "flicker")
    assert code(page, "policy").startswith("script-src http")


@pytest.mark.usefixtures("shop")
def test_the_python_snippet_is_python_and_curl_sends_json(reader: FlaskClient) -> None:
    page = reader.get(PATH).text
    compile(code(page, "python"), "snippet", "exec")
    bodies = re.findall(r"-d '(.*?)'", code(page, "curl"), re.DOTALL)
    assign, events = (json.loads(body) for body in bodies)
    assert assign["experiments"] == ["home"]
    assert events["events"][0]["step"] == "purchase"


@pytest.mark.usefixtures("shop")
def test_a_key_is_made_here_and_shown_once(reader: FlaskClient, store: Store) -> None:
    made = {"do": "make", "origins": "https://www.example.com\n"}
    page = reader.post(PATH, data=made).text
    (secret,) = set(re.findall(r"abtest_pk_[\w-]{43}", page))
    key = find_key(store, secret)
    assert key is not None
    assert key.origins == ("https://www.example.com",)
    assert f'data-key="{secret}"' in code(page, "page")
    assert secret not in reader.get(PATH).text
    bad = reader.post(PATH, data={"do": "make", "origins": "example.com/path"})
    assert bad.status_code == 422
    assert "without a path" in bad.text


@pytest.mark.usefixtures("shop")
def test_a_key_that_somebody_holds_completes_the_snippets(
    reader: FlaskClient, store: Store, clock: Clock
) -> None:
    secrets = {
        kind: create_key(
            store, kind, name="k", caller=COMMAND_LINE, now=clock.time
        ).secret
        for kind in (KeyKind.PUBLISHABLE, KeyKind.SERVER)
    }
    known = secrets[KeyKind.PUBLISHABLE]
    page = reader.post(PATH, data={"do": "use", "key_text": known})
    assert f'data-key="{known}"' in code(page.text, "page")
    secret = secrets[KeyKind.SERVER]
    refused = reader.post(PATH, data={"do": "use", "key_text": secret})
    assert refused.status_code == 422
    assert "This key is secret" in refused.text
    assert secret not in refused.text
    unknown = reader.post(PATH, data={"do": "use", "key_text": "abtest_pk_x"})
    assert "not known here" in unknown.text


@pytest.mark.usefixtures("shop")
def test_a_viewer_makes_no_keys(
    reader: FlaskClient, store: Store, clock: Clock
) -> None:
    reader.post("/logout")
    password = "correct horse battery"
    add_user(
        store,
        "vera",
        password=password,
        role=Role.VIEWER,
        caller=COMMAND_LINE,
        now=clock.time,
    )
    reader.post("/login", data={"name": "vera", "password": password})
    assert 'value="make"' not in reader.get(PATH).text
    assert reader.post(PATH, data={"do": "make"}).status_code == 403
    assert store.list_keys() == ()


def test_waiting_tells_the_page_when_somebody_came(
    reader: FlaskClient, store: Store
) -> None:
    store.add_experiment(running())
    assert 'data-status="/experiments/home/install/status"' in reader.get(PATH).text
    status = reader.get(f"{PATH}/status")
    assert status.get_json() == {
        "arrived": False,
        "words": "Waiting for the first visitor …",
    }
    german = reader.get(f"{PATH}/status", headers={"Accept-Language": "de"})
    assert german.get_json()["words"] == "Warten auf den ersten Besucher …"


@pytest.mark.usefixtures("shop")
def test_it_stops_waiting_once_somebody_came(reader: FlaskClient) -> None:
    page = reader.get(PATH).text
    assert "data-status" not in page
    assert "It works: the last new visitor came on 24 Jan 2026" in page
    assert "New visitors so far: A 2,000, B 2,000." in page
    assert "Purchase: 1,560 visitors came this far." in page
    assert reader.get(f"{PATH}/status").get_json()["arrived"] is True


def test_each_cause_has_its_line(
    reader: FlaskClient, store: Store, clock: Clock
) -> None:
    store.add_experiment(running())
    assert "There is no key for browsers." in reader.get(PATH).text
    new = create_key(
        store, KeyKind.PUBLISHABLE, name="k", caller=COMMAND_LINE, now=clock.time
    )
    assert "No page has called with a key for browsers yet." in reader.get(PATH).text
    find_key(store, new.secret)
    assert "Pages call, but nobody is in this experiment." in reader.get(PATH).text
    today = (clock.time.date() - type(clock.time.date())(1970, 1, 1)).days
    for kind, code_, words in (
        (QualityKind.REJECTED, "unknown_step", "compare the spelling"),
        (QualityKind.REJECTED, "whatever", "See the answer of the call"),
        (QualityKind.NO_CONSENT, "", "3 times somebody without consent"),
        (QualityKind.CRAWLER, "", "3 times a crawler"),
        (QualityKind.UNASSIGNED, "", "3 conversions came from persons"),
    ):
        assert words not in reader.get(PATH).text
        store.tally(today, {QualityMark(kind=kind, experiment=KEY, code=code_): 3})
        assert words in reader.get(PATH).text
