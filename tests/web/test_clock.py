"""The clock never goes back while somebody may be between exposure and conversion."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise

from abtest.domain.experiment import Action
from abtest.services.access import COMMAND_LINE
from abtest.services.assigning import AssignRequest, assign
from abtest.services.event_rules import EventRequest
from abtest.services.experiments import act_on_experiment, create_experiment
from abtest.services.recording import record_events
from abtest.store.protocol import Store
from abtest.web.clock import SteadyClock
from tests.services.definitions import HOME

MINUTE = 60.0


class Machine:
    """A machine whose wall clock can be set."""

    def __init__(self) -> None:
        self.wall = datetime(2026, 3, 2, 12, tzinfo=UTC).timestamp()
        self.steady = 0.0

    def pass_by(self, seconds: float) -> None:
        self.wall += seconds
        self.steady += seconds

    def clock(self) -> SteadyClock:
        return SteadyClock(lambda: self.wall, lambda: self.steady)


def test_time_goes_on_while_the_system_clock_lies_behind() -> None:
    machine = Machine()
    clock = machine.clock()
    told = [clock()]
    machine.wall -= 10 * MINUTE
    for _ in range(30):
        machine.pass_by(MINUTE)
        told.append(clock())
    steps = [later - earlier for earlier, later in pairwise(told)]
    # Half speed for twenty minutes, then the machine has caught up.
    assert steps[:19] == [timedelta(seconds=30)] * 19
    assert steps[21:] == [timedelta(minutes=1)] * 9
    assert told[-1].timestamp() == machine.wall


def test_a_clock_set_forward_or_far_back_is_followed() -> None:
    machine = Machine()
    clock = machine.clock()
    for jump in (3600.0, 86_400.0, -86_400.0, -7200.0, 86_400.0):
        machine.wall += jump
        assert clock().timestamp() == machine.wall


def test_a_conversion_after_a_back_step_still_counts(store: Store) -> None:
    machine = Machine()
    clock = machine.clock()
    made = create_experiment(store, HOME, COMMAND_LINE, clock())
    act_on_experiment(store, made.key, Action.START, COMMAND_LINE, clock())
    assign(store, AssignRequest(visitor="v1"), COMMAND_LINE, clock(), is_recorded=True)
    machine.wall -= 10 * MINUTE
    machine.pass_by(5)
    bought = EventRequest(
        type="conversion",
        visitor="v1",
        step="purchase",
        at=datetime.fromtimestamp(machine.wall - 0.3, UTC),
    )
    sent_at = datetime.fromtimestamp(machine.wall, UTC)
    record_events(store, [bought], COMMAND_LINE, clock(), sent_at=sent_at)
    facts = store.moments(made.key)
    ((_, moments),) = facts.items()
    assert moments.visitors == 1
    assert sum(cell.conversions for cell in moments.cells.values()) == 1
