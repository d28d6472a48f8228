"""What every store promises about the persons behind the events."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Protocol

from abtest.domain.events import Cost, Event, Exposure, Milliseconds
from abtest.domain.experiment import ExperimentKey
from abtest.domain.person import PersonName, PersonRecord
from abtest.errors import AbtestError, ErrorCode, invalid_field

BEFORE_RETENTION = "before_retention"
"""The code of a complaint about an event that retention no longer admits."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Retention:
    """What has been folded: deleted, but for what it contributed to the sums.

    Attributes:
        horizon: events before it are taken no more; None until the first folding.
        folded: experiments with folded visitors. They take no further exposures, and
            their plan cannot change.
    """

    horizon: Milliseconds | None = None
    folded: frozenset[ExperimentKey] = frozenset()

    def check(self, event: Event) -> None:
        """Refuse a new event that could be the repeat of a deleted one.

        Raises:
            AbtestError: `invalid`, code `before_retention`.
        """
        if self.horizon is None or isinstance(event, Cost):
            return
        if event.at < self.horizon:
            since = datetime.fromtimestamp(self.horizon / 1000, UTC)
            raise invalid_field(
                "/at",
                BEFORE_RETENTION,
                f"events before {since:%Y-%m-%dT%H:%M:%SZ} were deleted, so that a"
                " repeat could not be recognised; send later ones only",
            )
        if isinstance(event, Exposure) and event.experiment in self.folded:
            raise invalid_field(
                "/experiment",
                BEFORE_RETENTION,
                f"events of visitors of {event.experiment} were deleted, so that nobody"
                " can tell who is new in it; it takes no exposures any more",
            )

    def check_plan(self, key: ExperimentKey) -> None:
        """Refuse to judge visitors anew whose events are deleted.

        Raises:
            AbtestError: `conflict`.
        """
        if key in self.folded:
            raise AbtestError(
                ErrorCode.CONFLICT,
                f"events of visitors of {key} were deleted by `abtest gc`, so what they"
                " did cannot be judged anew; leave the plan and the currency as they"
                " are",
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class Folded:
    """What one step of folding did, or in a rehearsal would do.

    Attributes:
        checked: persons looked at.
        persons, visitors, events: folded.
        experiments: those that lost visitors' events.
    """

    checked: int
    persons: int
    visitors: int
    events: int
    experiments: frozenset[ExperimentKey]


@dataclass(frozen=True, slots=True, kw_only=True)
class Erased:
    """What an erasure removed; `persons` is 0 or 1."""

    persons: int
    events: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Space:
    """Bytes of the database file, and how many of them are free for new data."""

    total: int
    free: int


class PrivacyStore(Protocol):
    """Showing, forgetting and keeping no longer than needed."""

    def find_person(self, name: PersonName) -> PersonRecord | None:
        """Return everything stored about the person with this name."""
        ...

    def erase_person(self, name: PersonName) -> Erased:
        """Delete the person: all names, all events, and the part in every sum.

        What is derived is afterwards that of the remaining events. When this returns,
        the files of the store hold the names nowhere, deleted space included. Refunds
        of an order that somebody else told of too are kept. Nothing happens to
        somebody unknown. Whatever a process remembers of visitors is forgotten: the
        objects that `list_experiments` returns are new ones.

        Raises:
            AbtestError: `unavailable` also when the person is deleted but traces
                could not be removed now; calling again removes them.
        """
        ...

    def experiment_events(self, key: ExperimentKey) -> Iterator[Event]:
        """Give the raw events behind an experiment, person by person; `not_found`.

        They are its exposures, the conversions at its steps, the refunds and the
        identities of the persons exposed, and its costs: recorded elsewhere for the
        same experiment they give the same sums. Folded visitors have none. An event
        may come twice when it arrives meanwhile. Memory does not grow with visitors.
        """
        ...

    def retention(self) -> Retention:
        """Return what is taken no more. Cheap: called for every batch."""
        ...

    def folded_visitors(self) -> Mapping[ExperimentKey, int]:
        """Return how many visitors are folded, by experiment that has any."""
        ...

    def fold(
        self, horizon: Milliseconds, *, is_rehearsal: bool = False
    ) -> Iterator[Folded]:
        """Delete old events and keep what they contribute to every sum.

        A person is folded when all events of the person are before the horizon and
        every experiment the person was exposed in takes no new visitors any more and
        had followed the person for its window at the horizon. `moments`, `facts` and
        `activity` do not change; `rebuild` and `verify` count folded visitors in.

        From the first step on `record` refuses new events before the horizon, and
        exposures in experiments with folded visitors, with `invalid` and the code
        `before_retention`; `replace_experiment` refuses to change the plan of such an
        experiment with `conflict`. A horizon earlier than that of before is raised to
        it. Each step is one transaction, done while the iterator is consumed; the
        rest may be left for another day.

        Args:
            is_rehearsal: only count; changes nothing.
        """
        ...

    def space(self) -> Space:
        """Return how large the files are."""
        ...

    def compact(self) -> None:
        """Give free space back to the disk; others wait meanwhile.

        Needs as much free disk as the data take.
        """
        ...
