"""What operators read: metrics and the quality of the data that come in."""

from collections.abc import Iterator

import msgspec

from abtest.domain.access import Right
from abtest.domain.experiment import ExperimentKey
from abtest.errors import AbtestError, invalid_field
from abtest.services.backups import last_backup
from abtest.services.checks import shown
from abtest.services.quality import DAYS, QualityCounts, read_quality
from abtest.web.api.serving import Asked, Parameter
from abtest.web.context import Context
from abtest.web.exchange import Call, Reply, json_reply
from abtest.web.guards.clients import client_of, is_local
from abtest.web.guards.metrics import CONTENT_TYPE
from abtest.web.security import authorize

MAX_DAYS = 400

QUALITY_QUERY = (
    Parameter(name="days", help="UTC days back, today's included", type="integer"),
)


class QualityView(msgspec.Struct, frozen=True, kw_only=True):
    """Counts of what came in.

    Attributes:
        received: valid events, those received before included.
        duplicates: of these, events whose id was known.
        rejected: events that were not right, by code.
        late: received more than 7 days (browser key) or 30 days after they happened.
        clock_skewed: events whose time was put right by more than a minute.
        unassigned: new conversions of persons who were in no experiment then.
        crawlers, no_consent: assign calls that were shown the control for that.
    """

    received: int
    duplicates: int
    rejected: dict[str, int]
    late: int
    clock_skewed: int
    unassigned: int
    crawlers: int
    no_consent: int


class QualityDayView(QualityView, frozen=True, kw_only=True):
    """The counts of one UTC day."""

    day: str


class QualityReport(msgspec.Struct, frozen=True, kw_only=True):
    """The quality of the data of one experiment or of the installation.

    Attributes:
        experiment: null for the installation, which counts everything once.
        since: the first UTC day that counts.
        days: those on which something came in.
    """

    experiment: str | None
    since: str
    total: QualityView
    days: tuple[QualityDayView, ...]


def get_metrics(context: Context, call: Call) -> Reply:
    """Answer a monitor on the same machine, or one that has a key to read."""
    proxies = context.settings.trusted_proxies
    is_forwarded = bool(call.header("HTTP_X_FORWARDED_FOR")) and not proxies
    if is_forwarded or not is_local(client_of(call.environ, proxies)):
        authorize(context.store, call, Right.READ)
    body = context.metrics.render(_gauges(context))
    return Reply(body=body, content_type=CONTENT_TYPE)


def get_quality(asked: Asked) -> Reply:
    """Answer with the counts of one experiment, or of all."""
    key = asked.call.args.get("key")
    quality = read_quality(
        asked.store,
        None if key is None else ExperimentKey(key),
        now=asked.now,
        days=_read_days(asked),
    )
    return json_reply(
        QualityReport(
            experiment=quality.experiment,
            since=quality.since.isoformat(),
            total=msgspec.convert(_told(quality.total), QualityView),
            days=tuple(
                msgspec.convert(
                    {"day": day.day.isoformat(), **_told(day.counts)}, QualityDayView
                )
                for day in quality.days
            ),
        )
    )


def _gauges(context: Context) -> Iterator[tuple[str, str, float]]:
    """Give what can be measured now; what fails is left out, and the rest told."""
    try:
        condition = context.store.condition()
        yield "abtest_db_size_bytes", "Size of the database file", condition.size
        yield "abtest_db_wal_bytes", "Size of its write-ahead log", condition.log_size
        yield "abtest_disk_free_bytes", "Free space on its disk", condition.disk_free
    except AbtestError:
        pass
    try:
        backup = last_backup(context.settings)
    except AbtestError:
        backup = None
    if backup is not None:
        age = (context.now() - backup.at).total_seconds()
        yield "abtest_backup_age_seconds", "Age of the newest backup", age


def _told(counts: QualityCounts) -> dict[str, int | dict[str, int]]:
    told = {f: getattr(counts, f) for f in QualityView.__struct_fields__}
    return {**told, "rejected": dict(counts.rejected)}


def _read_days(asked: Asked) -> int:
    text = asked.query.get("days", str(DAYS))
    if not text.isdecimal() or not 1 <= int(text[:6]) <= MAX_DAYS:
        raise invalid_field(
            "?days",
            "invalid_value",
            f"days is {shown(text)}; use a whole number from 1 to {MAX_DAYS}",
        )
    return int(text)
