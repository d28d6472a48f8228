"""Assigning: what is shown, what is recorded, and what must not be."""

from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from abtest.domain.access import RIGHTS, KeyKind
from abtest.domain.experiment import Action, ExperimentKey, VariantKey
from abtest.errors import AbtestError, ErrorCode
from abtest.services.access import COMMAND_LINE, Caller
from abtest.services.assigning import (
    AssignRequest,
    AssignResult,
    assign,
    is_crawler,
)
from abtest.services.catalogue import Shown
from abtest.services.event_rules import EventRequest
from abtest.services.experiments import act_on_experiment, create_experiment
from abtest.services.recording import record_events
from abtest.store.protocol import Store
from tests.services.definitions import HOME, in_money

NOW = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
BROWSER = Caller(name="pk", rights=RIGHTS[KeyKind.PUBLISHABLE])
CRAWLER = Caller(name="pk", rights=RIGHTS[KeyKind.PUBLISHABLE], is_crawler=True)
SERVER = Caller(name="sk", rights=RIGHTS[KeyKind.SERVER])
KEY = ExperimentKey("home")


@pytest.fixture(autouse=True)
def home(store: Store) -> None:
    create_experiment(store, HOME, COMMAND_LINE, NOW)
    act(store, Action.START)


def act(store: Store, action: Action, variant: str | None = None) -> None:
    act_on_experiment(store, KEY, action, COMMAND_LINE, NOW, variant=variant)


def ask(store: Store, request: AssignRequest, caller: Caller = BROWSER) -> AssignResult:
    return assign(store, request, caller, NOW, is_recorded=True)


def one(result: AssignResult) -> Shown:
    (shown,) = result.shown
    return shown


def visitors(store: Store) -> int:
    return sum(m.visitors for m in store.moments(KEY).values())


def visitor_in(store: Store, variant: str) -> str:
    """Find a visitor whom the draw gives the variant, without recording."""
    for n in range(100):
        request = AssignRequest(visitor=f"v{n}")
        result = assign(store, request, BROWSER, NOW, is_recorded=False)
        if one(result).variant.key == variant:
            return f"v{n}"
    raise AssertionError


def test_a_new_visitor_is_exposed_once(store: Store) -> None:
    first = one(ask(store, AssignRequest(visitor="v1")))
    again = one(ask(store, AssignRequest(visitor="v1")))
    assert (first.in_experiment, first.reason.value) == (True, "assigned")
    assert (first.first_exposure, again.first_exposure) == (True, False)
    assert first.variant == again.variant
    assert visitors(store) == 1


def test_the_split_is_even(store: Store) -> None:
    requests = (AssignRequest(visitor=f"v{n}") for n in range(4000))
    shown = [
        one(assign(store, r, BROWSER, NOW, is_recorded=False)).variant.key
        for r in requests
    ]
    # Binomial(4000, 1/2) leaves 2000 +- 158 once in a million times.
    assert abs(shown.count(VariantKey("a")) - 2000) < 158
    assert visitors(store) == 0


def test_asking_without_recording_gives_the_same_answer(store: Store) -> None:
    request = AssignRequest(visitor="v1")
    unrecorded = assign(store, request, BROWSER, NOW, is_recorded=False)
    assert visitors(store) == 0
    assert ask(store, request) == unrecorded


def test_a_visitor_is_made_when_there_is_none(store: Store) -> None:
    result = ask(store, AssignRequest())
    assert result.visitor_created
    assert ask(store, AssignRequest(visitor=result.visitor)).visitor_created is False
    assert visitors(store) == 1
    assert ask(store, AssignRequest()).visitor != result.visitor


@pytest.mark.parametrize("visitor", ["", "v" * 129, "me@example.com", "null", "a\nb"])
def test_unfit_visitors_are_refused(store: Store, visitor: str) -> None:
    with pytest.raises(AbtestError) as caught:
        ask(store, AssignRequest(visitor=visitor))
    assert caught.value.errors[0].pointer == "/visitor"


def test_without_consent_nothing_is_recorded(store: Store) -> None:
    visitor = visitor_in(store, "b")
    shown = one(ask(store, AssignRequest(visitor=visitor, consent=False)))
    assert (shown.variant.key, shown.in_experiment) == ("a", False)
    assert shown.reason.value == "no_consent"
    assert visitors(store) == 0


def test_a_crawler_sees_the_control_and_leaves_no_trace(store: Store) -> None:
    visitor = visitor_in(store, "b")
    shown = one(ask(store, AssignRequest(visitor=visitor), CRAWLER))
    assert (shown.variant.key, shown.reason.value) == ("a", "bot")
    assert visitors(store) == 0


def test_a_forced_variant_never_counts(store: Store) -> None:
    visitor = visitor_in(store, "a")
    request = AssignRequest(visitor=visitor, force={"home": "b"})
    shown = one(ask(store, request))
    assert (shown.variant.key, shown.in_experiment) == ("b", False)
    assert shown.reason.value == "forced"
    assert visitors(store) == 0


def test_a_draft_can_be_looked_at_by_force(store: Store) -> None:
    create_experiment(store, in_money("shop", "EUR"), COMMAND_LINE, NOW)
    assert [s.experiment for s in ask(store, AssignRequest(visitor="v")).shown] == [
        "home"
    ]
    result = ask(store, AssignRequest(visitor="v", force={"shop": "b"}))
    forced = next(s for s in result.shown if s.experiment == "shop")
    assert (forced.variant.key, forced.reason.value) == ("b", "forced")


def test_what_cannot_be_answered_is_named(store: Store) -> None:
    request = AssignRequest(
        visitor="v1",
        experiments=("home", "nope"),
        force={"home": "z", "nix": "a"},
    )
    result = ask(store, request)
    assert one(result).reason.value == "assigned"
    assert [(e.pointer, e.code) for e in result.errors] == [
        ("/experiments/1", "unknown_experiment"),
        ("/force/home", "unknown_variant"),
        ("/force/nix", "unknown_experiment"),
    ]
    assert '"nope"' in result.errors[0].detail
    assert "home" in result.errors[0].detail


def test_the_life_of_an_experiment(store: Store) -> None:
    insider, stranger = visitor_in(store, "b"), "stranger"
    ask(store, AssignRequest(visitor=insider))

    def reasons() -> tuple[str, str]:
        a = one(ask(store, AssignRequest(visitor=insider)))
        b = one(ask(store, AssignRequest(visitor=stranger)))
        return f"{a.variant.key} {a.reason}", f"{b.variant.key} {b.reason}"

    act(store, Action.PAUSE)
    assert reasons() == ("a not_running", "a not_running")
    act(store, Action.CLOSE)
    assert reasons() == ("b assigned", "a not_running")
    act(store, Action.STOP)
    assert reasons() == ("a not_running", "a not_running")
    act(store, Action.DECIDE, "b")
    assert reasons() == ("b decided", "b decided")
    refused = ask(store, AssignRequest(visitor=insider, consent=False))
    assert one(refused).reason.value == "decided"
    act(store, Action.ARCHIVE)
    assert ask(store, AssignRequest(visitor=insider)).shown == ()
    assert visitors(store) == 1


def test_an_exposure_made_elsewhere_holds(store: Store) -> None:
    visitor = visitor_in(store, "a")
    elsewhere = EventRequest(
        type="exposure",
        experiment="home",
        variant="b",
        visitor=visitor,
        at=NOW - timedelta(hours=1),
    )
    record_events(store, [elsewhere], SERVER, NOW)
    shown = one(ask(store, AssignRequest(visitor=visitor)))
    assert (shown.variant.key, shown.first_exposure) == ("b", False)


def test_outside_coverage(store: Store) -> None:
    small = replace(HOME, key="small", coverage=0.1)
    create_experiment(store, small, COMMAND_LINE, NOW)
    act_on_experiment(store, ExperimentKey("small"), Action.START, COMMAND_LINE, NOW)
    reasons = Counter(
        one(
            assign(
                store,
                AssignRequest(visitor=f"v{n}", experiments=("small",)),
                BROWSER,
                NOW,
                is_recorded=False,
            )
        ).reason.value
        for n in range(1000)
    )
    # Binomial(1000, 0.1) leaves 100 +- 47 once in a million times.
    assert abs(reasons["assigned"] - 100) < 47
    assert reasons["outside_coverage"] == 1000 - reasons["assigned"]


def test_who_may_not_ask(store: Store) -> None:
    reader = Caller(name="rk", rights=RIGHTS[KeyKind.READ])
    with pytest.raises(AbtestError) as caught:
        ask(store, AssignRequest(visitor="v1"), reader)
    assert caught.value.code is ErrorCode.NOT_ALLOWED


@pytest.mark.parametrize(
    ("user_agent", "crawls"),
    [
        ("Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)", 1),
        ("Mozilla/5.0 (compatible; bingbot/2.0; +http://www.bing.com/bingbot.htm)", 1),
        ("facebookexternalhit/1.1", 1),
        ("Mozilla/5.0 (X11; Linux x86_64) HeadlessChrome/120.0.0.0 Safari/537.36", 0),
        ("curl/8.5.0", 0),
        ("python-requests/2.31.0", 0),
        ("Mozilla/5.0 (iPhone; CPU iPhone OS 17_0 like Mac OS X) Safari/604.1", 0),
        ("", 0),
    ],
)
def test_crawlers_by_name(user_agent: str, crawls: int) -> None:
    assert is_crawler(user_agent) is bool(crawls)
