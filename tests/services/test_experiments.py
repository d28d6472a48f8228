"""The life of experiments: what may be made, changed and done when."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from abtest.domain.access import RIGHTS, KeyKind
from abtest.domain.allocation import moved_share, shares
from abtest.domain.experiment import Action, Experiment, ExperimentKey, Status
from abtest.domain.funnel import CountWeights, Repeat
from abtest.errors import AbtestError, ErrorCode
from abtest.services.access import COMMAND_LINE, Caller
from abtest.services.definition import (
    ExperimentDefinition,
    FirstDefinition,
    SecondDefinition,
    VariantDefinition,
    definition_of,
)
from abtest.services.definition_rules import to_experiment
from abtest.services.experiments import (
    act_on_experiment,
    create_experiment,
    possible_actions,
    update_experiment,
)
from abtest.store.protocol import Store
from tests.services.definitions import HOME, in_money, steps, variants, weights

NOW = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
LATER = NOW + timedelta(days=1)
KEY = ExperimentKey("home")


def create(store: Store, definition: ExperimentDefinition = HOME) -> Experiment:
    return create_experiment(store, definition, COMMAND_LINE, NOW)


def start(store: Store, definition: ExperimentDefinition = HOME) -> Experiment:
    made = create(store, definition)
    return act_on_experiment(store, made.key, Action.START, COMMAND_LINE, NOW)


def update(
    store: Store, before: Experiment, definition: ExperimentDefinition
) -> Experiment:
    return update_experiment(store, before, definition, COMMAND_LINE, LATER)


def test_what_is_made_can_be_read_back(store: Store) -> None:
    made = create(store)
    assert store.get_experiment(KEY) == made
    assert made.status is Status.DRAFT
    assert made.weights == CountWeights(first=1, second=3)
    assert made.goal.second == Repeat(step=made.goal.first, ordinal=2)
    assert len(made.salt) == 16
    assert to_experiment(definition_of(made), salt="", now=NOW) == made


def test_a_key_is_taken_once(store: Store) -> None:
    create(store)
    with pytest.raises(AbtestError) as caught:
        create(store)
    assert caught.value.code is ErrorCode.CONFLICT


def test_only_managers_manage(store: Store) -> None:
    caller = Caller(name="sk", rights=RIGHTS[KeyKind.SERVER])
    with pytest.raises(AbtestError) as caught:
        create_experiment(store, HOME, caller, NOW)
    assert caught.value.code is ErrorCode.NOT_ALLOWED
    assert store.list_experiments() == ()


def test_the_start_makes_the_first_phase(store: Store) -> None:
    started = start(store, replace(HOME, coverage=0.5))
    (phase,) = started.phases
    assert (phase.since, phase.coverage) == (NOW, 0.5)
    assert shares(phase.allocation) == {"a": 0.5, "b": 0.5}
    assert started.started_at == NOW
    assert [entry.action for entry in started.log] == ["start"]


def test_what_is_not_possible_says_what_is(store: Store) -> None:
    create(store)
    with pytest.raises(AbtestError) as caught:
        act_on_experiment(store, KEY, Action.PAUSE, COMMAND_LINE, NOW)
    assert caught.value.code is ErrorCode.CONFLICT
    assert caught.value.detail == (
        "home is draft; pause needs it to be running. Possible now: start, archive"
    )


def test_a_decision_needs_a_variant_that_exists(store: Store) -> None:
    start(store)
    for variant, words in ((None, "a, b"), ("c", '"c" is not in home')):
        with pytest.raises(AbtestError) as caught:
            act_on_experiment(
                store, KEY, Action.DECIDE, COMMAND_LINE, NOW, variant=variant
            )
        assert caught.value.errors[0].pointer == "/variant"
        assert words in caught.value.detail
    with pytest.raises(AbtestError):
        act_on_experiment(store, KEY, Action.STOP, COMMAND_LINE, NOW, variant="a")
    decided = act_on_experiment(
        store, KEY, Action.DECIDE, COMMAND_LINE, LATER, variant="b", note="Wir wechseln"
    )
    assert decided.decided_variant == "b"
    assert decided.log[-1].detail == "b; Wir wechseln"
    assert possible_actions(decided) == (Action.ARCHIVE,)


def test_everything_is_in_the_audit_log(store: Store) -> None:
    started = start(store)
    update(store, started, replace(definition_of(started), name="New name"))
    log = [(e.action, e.subject, e.detail) for e in store.list_audit(limit=10)]
    assert log == [
        ("experiment.update", "home", "name"),
        ("experiment.start", "home", ""),
        ("experiment.create", "home", ""),
    ]


def test_a_draft_may_change_in_everything_but_its_key(store: Store) -> None:
    draft = create(store)
    changed = update(store, draft, replace(in_money("home", "EUR"), window_days=30))
    assert (changed.window_days, changed.version) == (30, 2)
    assert changed.salt == draft.salt
    with pytest.raises(AbtestError) as caught:
        update(store, changed, replace(definition_of(changed), key="other"))
    assert caught.value.code is ErrorCode.CONFLICT


FROZEN = {
    "variants": {"variants": variants("a", "c")},
    "funnel": {"funnel": steps("purchase", "signup")},
    "first_conversion": {
        "first_conversion": FirstDefinition(step="signup"),
        "second_conversion": SecondDefinition(step="purchase"),
    },
    "second_conversion": {
        "second_conversion": SecondDefinition(step="purchase", ordinal=3)
    },
    "window_days": {"window_days": 30},
    "alpha": {"alpha": 0.1},
    "power": {"power": 0.9},
    "minimum_detectable_effect": {"minimum_detectable_effect": 0.05},
    "first_conversion_margin": {"first_conversion_margin": 0.1},
    "method": {"method": "fixed"},
    "first_window_days": {"first_window_days": 7},
    "sequential_design": {"sequential_design": "always_valid"},
    "covariate": {"covariate": "orders"},
    "time_zone": {"time_zone": "Europe/Berlin"},
    "salt": {"salt": "other"},
}


@pytest.mark.parametrize(("name", "told"), FROZEN.items(), ids=FROZEN.keys())
def test_the_plan_is_frozen_at_the_start(
    store: Store, name: str, told: dict[str, object]
) -> None:
    started = start(store)
    with pytest.raises(AbtestError) as caught:
        update(store, started, replace(definition_of(started), **told))  # type: ignore[arg-type]
    assert caught.value.code is ErrorCode.CONFLICT
    assert name in [e.pointer[1:] for e in caught.value.errors]
    assert "create a new experiment" in caught.value.detail
    assert store.get_experiment(KEY) == started


def test_the_cap_is_frozen_too(store: Store) -> None:
    started = start(store, replace(in_money("home", "EUR"), order_cap=500))
    with pytest.raises(AbtestError) as caught:
        update(store, started, replace(definition_of(started), order_cap=100))
    assert caught.value.errors[0].pointer == "/order_cap"


def test_names_and_payloads_may_change_at_any_time(store: Store) -> None:
    started = start(store)
    definition = replace(
        definition_of(started),
        hypothesis="because",
        followed_until="2026-02-01",
        variants=(
            VariantDefinition(key="a", name="Alt"),
            VariantDefinition(key="b", name="Neu", payload={"x": 1}),
        ),
    )
    changed = update(store, started, definition)
    assert [v.name for v in changed.variants] == ["Alt", "Neu"]
    assert changed.phases == started.phases
    assert changed.weights_changed_at is None
    assert update(store, changed, definition) == changed


def test_new_shares_begin_a_new_phase_and_move_as_few_as_possible(
    store: Store,
) -> None:
    started = start(store)
    ramped = replace(
        definition_of(started),
        coverage=0.5,
        variants=(
            VariantDefinition(key="a", weight=3),
            VariantDefinition(key="b", weight=1),
        ),
    )
    changed = update(store, started, ramped)
    first, second = changed.phases
    assert second.since == LATER
    assert second.coverage == 0.5
    assert shares(second.allocation) == {"a": 0.75, "b": 0.25}
    assert moved_share(first.allocation, second.allocation) == 0.25
    assert changed.log[-1].action == "new phase"
    assert "moved 25.00%" in changed.log[-1].detail


def test_shares_of_a_closed_experiment_have_no_use(store: Store) -> None:
    start(store)
    closed = act_on_experiment(store, KEY, Action.CLOSE, COMMAND_LINE, NOW)
    with pytest.raises(AbtestError) as caught:
        update(store, closed, replace(definition_of(closed), coverage=0.5))
    assert caught.value.code is ErrorCode.CONFLICT
    assert "takes no new visitors" in caught.value.detail


def test_a_worth_changed_after_the_start_is_noted(store: Store) -> None:
    started = start(store)
    changed = update(
        store,
        started,
        replace(definition_of(started), weights=weights(first=1, second=5)),
    )
    assert changed.weights == CountWeights(first=1, second=5)
    assert changed.weights_changed_at == LATER
    assert changed.log[-1].action == "weights changed"


def test_two_people_cannot_overwrite_each_other(store: Store) -> None:
    draft = create(store)
    update(store, draft, replace(definition_of(draft), name="one"))
    with pytest.raises(AbtestError) as caught:
        update(store, draft, replace(definition_of(draft), name="two"))
    assert caught.value.code is ErrorCode.CONFLICT
    assert store.get_experiment(KEY).name == "one"
