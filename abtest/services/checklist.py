"""What should be in order before an experiment is started."""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from abtest.domain.access import KeyKind
from abtest.domain.experiment import Experiment, Status
from abtest.domain.funnel import LaterStep, Repeat
from abtest.services.key_use import was_used
from abtest.services.set_up_notes import SetUpNotes
from abtest.store.protocol import Store

GAP = "…"
"""What stands in a hypothesis where something is still to be filled in."""


class Check(StrEnum):
    """What is looked at."""

    HYPOTHESIS = "hypothesis"
    VARIANTS = "variants"
    SECOND_IN_REACH = "second_in_reach"
    PLAN = "plan"
    SNIPPET = "snippet"
    ALONE = "alone"


class CheckState(StrEnum):
    """How it is; nothing here keeps anybody from starting."""

    DONE = "done"
    OPEN = "open"
    NOTICE = "notice"


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckLine:
    """One line of the list.

    Attributes:
        names: experiments that run beside this one, for `Check.ALONE`.
    """

    check: Check
    state: CheckState
    names: tuple[str, ...] = ()


def check_before_start(
    store: Store, experiment: Experiment, notes: SetUpNotes
) -> tuple[CheckLine, ...]:
    """Return the whole list, in the order in which things are done.

    Raises:
        AbtestError: `unavailable`.
    """
    return tuple(_lines(store, experiment, notes))


def is_second_in_reach(experiment: Experiment) -> bool:
    """Tell whether a visitor can make the second conversion within the window.

    A repeat must leave its gaps inside the window; a later step must come after the
    first one in the funnel.
    """
    match experiment.goal.second:
        case Repeat(ordinal=ordinal, min_gap_hours=gap):
            return (ordinal - 1) * gap < 24 * (experiment.window_days + 1)
        case LaterStep(step=step):
            order = experiment.step_keys
            return order.index(step) > order.index(experiment.goal.first)


def _lines(
    store: Store, experiment: Experiment, notes: SetUpNotes
) -> Iterator[CheckLine]:
    shown = [v for v in experiment.variants if v.weight > 0]
    has_control = experiment.control.weight > 0 and len(shown) > 1
    hypothesis = experiment.hypothesis.strip()
    yield _line(Check.HYPOTHESIS, is_done=bool(hypothesis) and GAP not in hypothesis)
    yield _line(Check.VARIANTS, is_done=has_control)
    yield _line(Check.SECOND_IN_REACH, is_done=is_second_in_reach(experiment))
    yield _line(Check.PLAN, is_done=notes.is_plan)
    yield _line(Check.SNIPPET, is_done=is_snippet_seen(store))
    others = tuple(
        e.name
        for e in store.list_experiments()
        if e.key != experiment.key and e.status is Status.RUNNING
    )
    state = CheckState.NOTICE if others else CheckState.DONE
    yield CheckLine(check=Check.ALONE, state=state, names=others)


def is_snippet_seen(store: Store) -> bool:
    """Tell whether a page has ever called with a key for browsers or servers.

    Raises:
        AbtestError: `unavailable`.
    """
    kinds = {KeyKind.PUBLISHABLE, KeyKind.SERVER}
    keys = (k for k in store.list_keys() if k.kind in kinds and k.revoked_at is None)
    return any(was_used(store, key) for key in keys)


def _line(check: Check, *, is_done: bool) -> CheckLine:
    return CheckLine(check=check, state=CheckState.DONE if is_done else CheckState.OPEN)
