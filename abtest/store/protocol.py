"""What every store promises. The docstrings are the contract.

A store raises `AbtestError` alone: `not_found` and `conflict` where said below, and
`unavailable` when the data cannot be read or written now (disk full, locked); then
nothing of the call has been stored.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from abtest.domain.access import (
    ApiKey,
    AuditEntry,
    KeyId,
    Role,
    Session,
    User,
    UserName,
)
from abtest.domain.events import Event, Exposure, Milliseconds
from abtest.domain.experiment import (
    Experiment,
    ExperimentKey,
    VariantKey,
    VisitorId,
)
from abtest.stats.moments import Moments
from abtest.store.condition import StoreCondition
from abtest.store.insight_protocol import InsightStore
from abtest.store.privacy_protocol import PrivacyStore
from abtest.store.quality_protocol import QualityStore
from abtest.store.share_protocol import ShareStore


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordOutcome:
    """What became of a batch.

    Attributes:
        is_new: one flag per event, in order; False for an id that was stored before,
            or that stands earlier in the same batch.
    """

    is_new: tuple[bool, ...] = ()

    @property
    def accepted(self) -> int:
        """Events stored by this call."""
        return sum(self.is_new)

    @property
    def duplicates(self) -> int:
        """Events that were there already."""
        return len(self.is_new) - self.accepted


@dataclass(frozen=True, slots=True, kw_only=True)
class Bookmark:
    """A setting that remembers how far a long task has come; None deletes it."""

    name: str
    value: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ExposureOutcome:
    """The exposure that holds for a visitor, and whether this call made it."""

    variant: VariantKey
    is_first: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class ExperimentFacts:
    """Facts of one experiment that are not sums by cohort.

    Attributes:
        contaminated: exposed visitors who, or whose person, saw several variants.
        first_exposure, last_exposure: times of exposures.
        last_event: newest time of an exposure, or of a conversion at one of its
            steps; the data reach so far.
    """

    contaminated: int
    first_exposure: Milliseconds | None
    last_exposure: Milliseconds | None
    last_event: Milliseconds | None


@dataclass(frozen=True, slots=True, kw_only=True)
class DayActivity:
    """What happened on one calendar day of an experiment, in its time zone.

    Attributes:
        day: days since 1970-01-01.
        exposures: visitors exposed for the first time.
        conversions: funnel steps reached for the first time and, where the goal's
            second conversion is a `Repeat`, second conversions.
        changes: grows whenever a sum that belongs to this day changes.
    """

    day: int
    exposures: int
    conversions: int
    changes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditLeaf:
    """A stretch of the audit log.

    Attributes:
        entries: newest first.
        older: asks for what comes after them; None when there is nothing.
    """

    entries: tuple[AuditEntry, ...]
    older: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """How far a long task has come, in visitors."""

    done: int
    total: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """A place where derived data disagree with the raw events."""

    experiment: ExperimentKey
    table: str
    where: str
    stored: str
    expected: str


class ConfigStore(Protocol):
    """Experiments, keys, users, sessions and the audit log."""

    def add_experiment(self, experiment: Experiment) -> None:
        """Store a new experiment; `conflict` when its key is taken."""
        ...

    def replace_experiment(self, experiment: Experiment) -> None:
        """Store a changed experiment whose `version` is one above the stored one.

        `not_found` when the key is unknown, `conflict` when somebody else changed it
        meanwhile. Derived data follow when the change touches how outcomes are
        judged, in the same transaction.
        """
        ...

    def get_experiment(self, key: ExperimentKey) -> Experiment:
        """Return the experiment; `not_found`."""
        ...

    def list_experiments(self) -> tuple[Experiment, ...]:
        """Return all experiments, oldest first. Cheap: called for every request.

        A store may remember them for at most a second, so that what another process
        changes is seen late by that much; what this one changes is seen at once.
        """
        ...

    def add_key(self, key: ApiKey) -> None:
        """Store a key."""
        ...

    def find_key(self, secret_hash: str) -> ApiKey | None:
        """Return the key with this hash that is not revoked. Cheap.

        As with experiments, a revocation by another process may be seen a second late.
        """
        ...

    def list_keys(self) -> tuple[ApiKey, ...]:
        """Return all keys, oldest first, revoked ones included."""
        ...

    def revoke_key(self, key_id: KeyId, at: datetime) -> None:
        """Revoke; `not_found` when unknown or revoked already."""
        ...

    def add_user(self, user: User) -> None:
        """Store a user; `conflict` when the name is taken."""
        ...

    def find_user(self, name: UserName) -> User | None:
        """Return the user of this name."""
        ...

    def list_users(self) -> tuple[User, ...]:
        """Return all users, oldest first."""
        ...

    def replace_password(self, name: UserName, password_hash: str) -> None:
        """Store a new hash and end all sessions of the user; `not_found`."""
        ...

    def replace_role(self, name: UserName, role: Role) -> None:
        """Store another role; `not_found`, `conflict` when no admin would be left."""
        ...

    def delete_user(self, name: UserName) -> None:
        """Delete user and sessions; `not_found`, `conflict` as in `replace_role`."""
        ...

    def add_session(self, session: Session) -> None:
        """Store a session and drop expired ones."""
        ...

    def find_session(self, token_hash: str, now: datetime) -> Session | None:
        """Return the session unless it has expired."""
        ...

    def extend_session(self, token_hash: str, expires_at: datetime) -> None:
        """Let the session expire at another time, if there is one."""
        ...

    def delete_session(self, token_hash: str) -> None:
        """Forget the session, if there is one."""
        ...

    def append_audit(self, entry: AuditEntry) -> None:
        """Add to the audit log."""
        ...

    def list_audit(self, *, limit: int) -> tuple[AuditEntry, ...]:
        """Return the newest entries, newest first."""
        ...

    def read_audit(
        self, *, limit: int, before: int | None = None, subject: str | None = None
    ) -> AuditLeaf:
        """Return entries, newest first.

        Args:
            before: what `older` said of the entries before them.
            subject: only what was done to this; None for everything.
        """
        ...

    def get_setting(self, name: str) -> str | None:
        """Return a stored setting of the installation (for example a set-up token)."""
        ...

    def put_setting(self, name: str, value: str | None) -> None:
        """Store a setting; None deletes it."""
        ...


class EventStore(Protocol):
    """Raw events, and the sums derived from them in the same transaction."""

    def record(self, batch: Sequence[Event], *, received_at: datetime) -> RecordOutcome:
        """Store the batch in one transaction; durable when this returns.

        An id that is known changes nothing, whenever it comes. What the events mean
        (outcomes, sums) depends on the set of all events alone, not on their order,
        repetition or split into batches.
        """
        ...

    def load(
        self, batch: Sequence[Event], *, received_at: datetime, bookmark: Bookmark
    ) -> RecordOutcome:
        """Do what `record` does and put the bookmark, in one transaction.

        For very many events: a store may be much faster than with `record` when the
        events of a person stand together in the batch.
        """
        ...

    def expose(
        self, visitor: VisitorId, wanted: Sequence[Exposure], *, received_at: datetime
    ) -> Mapping[ExperimentKey, ExposureOutcome]:
        """Store each wanted exposure unless the visitor has one in that experiment.

        Durable when this returns. Fifty calls at once make one exposure.
        """
        ...

    def find_exposures(self, visitor: VisitorId) -> Mapping[ExperimentKey, VariantKey]:
        """Return the variant of the visitor's own first exposure per experiment.

        A store may remember it for a minute while the experiments stay the same;
        exposures stored through it, and erasures, are seen at once. `expose` is exact.
        """
        ...

    def moments(self, key: ExperimentKey) -> Mapping[VariantKey, Moments]:
        """Return the sufficient statistics; a variant nobody saw is absent.

        The time this takes does not depend on the number of visitors.
        """
        ...

    def facts(self, key: ExperimentKey) -> ExperimentFacts:
        """Return facts for the health checks; independent of the number of visitors."""
        ...

    def activity(self, key: ExperimentKey) -> tuple[DayActivity, ...]:
        """Return the days on which something happened, in order; `not_found`.

        For any day d the pair (`experiment.version`, sum of `changes` over the days
        up to d) is a stamp of `Moments.until(d)`: while it stays the same, so do
        the sums. A rebuild and a changed plan change it too. It tells nothing of
        `facts`, nor of sums of later days, and it is not a function of the events.
        """
        ...

    def activities(self) -> Mapping[ExperimentKey, tuple[DayActivity, ...]]:
        """Return the activity of every experiment, as of one moment."""
        ...

    def rebuild(self) -> Iterator[Progress]:
        """Recompute everything derived from the raw events, while others write.

        The work is done while the iterator is consumed; given up before its end, it
        changes nothing. `unavailable` when plans are changed or events deleted again
        and again meanwhile.
        """
        ...

    def verify(self) -> Iterator[Progress | Difference]:
        """Compare everything derived with the raw events; changes nothing."""
        ...

    def check_writable(self) -> None:
        """Write and roll back; `unavailable` says why it cannot."""
        ...

    def condition(self) -> StoreCondition:
        """Tell how the data and their disk are; takes no time that grows."""
        ...

    def close(self) -> None:
        """Finish what was accepted and release the files."""
        ...


class Store(
    ConfigStore,
    EventStore,
    InsightStore,
    QualityStore,
    PrivacyStore,
    ShareStore,
    Protocol,
):
    """The only door to data."""
