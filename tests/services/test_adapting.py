"""Shares that follow the results."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from abtest.domain.allocation import shares
from abtest.domain.experiment import (
    Action,
    Adaptive,
    Experiment,
    Status,
    VariantKey,
)
from abtest.errors import AbtestError, ErrorCode
from abtest.services.access import COMMAND_LINE
from abtest.services.adapting import adapt, apply_adaptation
from abtest.services.analysis import analyze
from abtest.services.health import has_changed_allocation
from abtest.stats.results import BayesianResult, Reason
from abtest.store.protocol import Store
from tests.services.traffic import KEY, Cohort, events, running

NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)
A, B = VariantKey("a"), VariantKey("b")


def prepared(store: Store, *, better: int = 0, minimum: float | None = 0.1) -> None:
    adaptive = None if minimum is None else Adaptive(minimum_share=minimum)
    store.add_experiment(replace(running(), adaptive=adaptive))
    cohorts = [
        Cohort(variant=variant, day=d, visitors=100, first=first, second=5)
        for d in range(10)
        for variant, first in (("a", 20), ("b", 20 + better))
    ]
    store.record(events(cohorts), received_at=NOW)


def stored(store: Store) -> Experiment:
    return store.get_experiment(KEY)


def test_nothing_changes_before_it_is_applied(store: Store) -> None:
    prepared(store, better=4)
    before = stored(store)
    found = adapt(store, KEY, now=NOW)
    assert (found.is_moved, found.is_applied) == (True, False)
    assert stored(store) == before


def test_shares_are_the_probabilities_to_be_best_above_the_minimum(
    store: Store,
) -> None:
    prepared(store, better=4)
    report = analyze(store, KEY, now=NOW)
    posterior = report.comparisons[0].value.bayesian
    assert isinstance(posterior, BayesianResult)
    found = adapt(store, KEY, now=NOW)
    assert found.before == {A: 0.5, B: 0.5}
    assert found.after is not None
    expected = 0.1 + 0.8 * posterior.probability_to_be_best
    assert found.after[B] == pytest.approx(expected)
    assert sum(found.after.values()) == pytest.approx(1)


def test_a_new_phase_begins_and_days_are_compared_with_days(store: Store) -> None:
    prepared(store, better=4)
    found = adapt(store, KEY, now=NOW)
    done = apply_adaptation(store, found, COMMAND_LINE, NOW)
    assert done.is_applied
    assert done.after is not None
    after = stored(store)
    assert len(after.phases) == 2
    assert after.phases[1].since == NOW
    assert shares(after.phases[1].allocation) == pytest.approx(done.after, abs=1e-6)
    assert after.log[-1].action == "new phase"
    assert has_changed_allocation(after)
    assert analyze(store, KEY, now=NOW).plan.stratified
    assert store.list_audit(limit=1)[0].action == "experiment.update"
    # The same results ask for the same shares: nothing moves again.
    again = adapt(store, KEY, now=NOW)
    assert not again.is_moved
    assert apply_adaptation(store, again, COMMAND_LINE, NOW) == again
    assert stored(store) == after


def test_equal_results_move_nothing(store: Store) -> None:
    prepared(store)
    found = adapt(store, KEY, now=NOW)
    assert found.after == pytest.approx({A: 0.5, B: 0.5})
    assert not found.is_moved


def test_before_the_window_is_over_shares_stay(store: Store) -> None:
    prepared(store, better=4)
    early = datetime(2026, 1, 20, 12, tzinfo=UTC)
    found = adapt(store, KEY, now=early)
    assert (found.after, found.reason) == (None, Reason.NOT_MATURE)
    assert apply_adaptation(store, found, COMMAND_LINE, early) == found


def test_it_is_opt_in(store: Store) -> None:
    prepared(store, better=4, minimum=None)
    with pytest.raises(AbtestError, match='"adaptive"') as caught:
        adapt(store, KEY, now=NOW)
    assert caught.value.code is ErrorCode.CONFLICT


def test_a_closed_experiment_keeps_its_shares(store: Store) -> None:
    prepared(store, better=4)
    found = adapt(store, KEY, now=NOW)
    closed = stored(store).after(Action.CLOSE, NOW)
    store.replace_experiment(replace(closed, version=2))
    with pytest.raises(AbtestError, match="is closed") as caught:
        adapt(store, KEY, now=NOW)
    assert caught.value.code is ErrorCode.CONFLICT
    with pytest.raises(AbtestError, match="is closed"):
        apply_adaptation(store, found, COMMAND_LINE, NOW)
    assert stored(store).status is Status.CLOSED
