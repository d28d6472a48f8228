"""Fills an empty database with the demo: experiments, traffic, a user and keys."""

import secrets
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, time, timedelta
from itertools import chain, islice
from zoneinfo import ZoneInfo

from abtest.domain.access import KeyKind, Role
from abtest.domain.experiment import Action, Experiment, ExperimentKey, Status
from abtest.errors import AbtestError, ErrorCode
from abtest.services.access import (
    COMMAND_LINE,
    ROLE_RIGHTS,
    Caller,
    add_user,
    create_key,
)
from abtest.services.definition import ExperimentDefinition
from abtest.services.demo.arrivals import Arrivals
from abtest.services.demo.passers_by import RATES, pass_by
from abtest.services.demo.spending import spend
from abtest.services.demo.stories import STORIES
from abtest.services.demo.story import Story
from abtest.services.demo.traffic import Timetable, generate
from abtest.services.experiments import (
    act_on_experiment,
    add_note,
    create_experiment,
)
from abtest.store.protocol import Bookmark, Store

USER = "demo"
PASSERS_BY = "passers-by"
"""What progress calls the traffic of no experiment."""

SEED = 1997
_PERSON = Caller(name=f"user {USER}", rights=ROLE_RIGHTS[Role.ADMIN])
_OFFICE_HOURS = timedelta(hours=10)
BATCH = 20_000
"""Events of one transaction."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DemoExperiment:
    """An experiment that was made, and what to look at in it."""

    key: ExperimentKey
    name: str
    status: Status
    events: int
    look_at: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Demo:
    """What was made; password and secrets are shown this once.

    Attributes:
        password: None when the user was there already.
        keys: (kind, secret).
    """

    experiments: tuple[DemoExperiment, ...]
    user: str
    password: str | None
    keys: tuple[tuple[KeyKind, str], ...]


def build_demo(
    store: Store,
    *,
    now: datetime,
    password: str | None = None,
    may_add: bool = False,
    stories: tuple[Story, ...] = STORIES,
    on_progress: Callable[[str, int], None] = lambda _key, _events: None,
) -> Demo:
    """Make the demo.

    Args:
        now: days count back from here.
        password: of the user; None makes one.
        may_add: put the demo beside experiments that are there already.
        on_progress: is told the experiment, or `PASSERS_BY`, and the events stored
            since the last time.

    Raises:
        AbtestError: `conflict` when there are experiments and `may_add` is false, or
            the demo is there already; then nothing was changed.
    """
    _refuse_occupied(store, stories, may_add=may_add)
    arrivals = Arrivals(now)
    made = tuple(
        _tell(store, story, now, arrivals, seed=SEED + number, on_progress=on_progress)
        for number, story in enumerate(stories)
    )
    if _has_a_shop(stories):
        on_progress(PASSERS_BY, _let_pass_by(store, arrivals, now))
    arrivals.tell(store, stories, seed=SEED)
    user_password = None
    if USER not in {user.name for user in store.list_users()}:
        user_password = password or secrets.token_urlsafe(12)
        add_user(
            store,
            USER,
            password=user_password,
            role=Role.ADMIN,
            caller=COMMAND_LINE,
            now=now,
        )
    keys = tuple(
        (
            kind,
            create_key(
                store, kind, name=f"demo {kind}", caller=COMMAND_LINE, now=now
            ).secret,
        )
        for kind in KeyKind
    )
    return Demo(experiments=made, user=USER, password=user_password, keys=keys)


def _refuse_occupied(
    store: Store, stories: tuple[Story, ...], *, may_add: bool
) -> None:
    there = {experiment.key for experiment in store.list_experiments()}
    if there and not may_add:
        raise AbtestError(
            ErrorCode.CONFLICT,
            f"this database holds {len(there)} experiments; the demo is for an empty"
            " one. Point ABTEST_DATABASE to a new file, or add the demo beside them"
            " with --force-add",
        )
    if again := there & {story.definition.key for story in stories}:
        raise AbtestError(
            ErrorCode.CONFLICT, f"the demo is there already: {', '.join(sorted(again))}"
        )


def _tell(
    store: Store,
    story: Story,
    now: datetime,
    arrivals: Arrivals,
    *,
    seed: int,
    on_progress: Callable[[str, int], None],
) -> DemoExperiment:
    """Make one experiment and let its story happen."""
    definition, timetable = _salted(story), Timetable.of(story, now)
    if timetable is None:
        experiment = create_experiment(store, definition, _PERSON, now)
        return _made(experiment, story, events=0)
    began = _morning(timetable, story, story.began)
    create_experiment(store, definition, _PERSON, began - timedelta(days=2))
    experiment = act_on_experiment(
        store, ExperimentKey(definition.key), Action.START, _PERSON, began
    )
    events = chain(
        generate(story, experiment, timetable, seed=seed),
        spend(story, experiment, timetable, seed=seed),
    )
    nothing, count = Bookmark(name=f"demo {experiment.key}", value=None), 0
    while batch := list(islice(events, BATCH)):
        store.load(batch, received_at=now, bookmark=nothing)
        arrivals.see(batch)
        count += len(batch)
        on_progress(definition.key, len(batch))
    return _made(_finish(store, story, experiment, timetable), story, events=count)


def _has_a_shop(stories: tuple[Story, ...]) -> bool:
    """Tell whether somebody asks for the steps that passers-by take."""
    declared = {step.key for story in stories for step in story.definition.funnel}
    return {step for step, _ in RATES} <= declared


def _let_pass_by(store: Store, arrivals: Arrivals, now: datetime) -> int:
    """Store the traffic of no experiment as it came, day by day; return its size."""
    count = 0
    for day in pass_by(now, seed=SEED):
        store.record(day.events, received_at=day.received_at)
        arrivals.see(day.events)
        count += len(day.events)
    return count


def _finish(
    store: Store, story: Story, experiment: Experiment, timetable: Timetable
) -> Experiment:
    """Write the notes; close, decide and archive as the story says."""
    for note in story.notes:
        at = _morning(timetable, story, note.days_ago) + _OFFICE_HOURS
        experiment = add_note(store, experiment.key, note.text, _PERSON, at)
    if story.closed is not None:
        # Closed the day after the last visitors.
        at = _morning(timetable, story, story.closed - 1)
        experiment = act_on_experiment(store, experiment.key, Action.CLOSE, _PERSON, at)
    if story.decision is not None:
        at = _morning(timetable, story, story.decision.days_ago)
        experiment = act_on_experiment(
            store,
            experiment.key,
            Action.DECIDE,
            _PERSON,
            at,
            variant=story.decision.variant,
            note=story.decision.note,
        )
        experiment = act_on_experiment(
            store, experiment.key, Action.ARCHIVE, _PERSON, at + timedelta(days=1)
        )
    return experiment


def _salted(story: Story) -> ExperimentDefinition:
    """Fix the salt, so that the same visitors get the same variants every time."""
    return replace(story.definition, salt=f"demo-{story.definition.key}")


def _morning(timetable: Timetable, story: Story, days_ago: int | None) -> datetime:
    zone = ZoneInfo(story.definition.time_zone)
    today = timetable.now.astimezone(zone).date()
    day = today - timedelta(days=days_ago or 0)
    return datetime.combine(day, time(0, 1), zone).astimezone(UTC)


def _made(experiment: Experiment, story: Story, *, events: int) -> DemoExperiment:
    return DemoExperiment(
        key=experiment.key,
        name=experiment.name,
        status=experiment.status,
        events=events,
        look_at=story.look_at,
    )
