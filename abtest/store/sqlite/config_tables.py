"""Experiments, keys, users, sessions, the audit log and settings."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from functools import lru_cache
from typing import TypeVar

import msgspec

from abtest.domain.access import (
    ApiKey,
    AuditEntry,
    KeyId,
    KeyKind,
    Role,
    Session,
    User,
    UserName,
)
from abtest.domain.experiment import Experiment, ExperimentKey
from abtest.errors import AbtestError, ErrorCode
from abtest.store.lean_sqlite_utils import Database
from abtest.store.sqlite.connection import Readers, query
from abtest.store.sqlite.experiments import Experiments
from abtest.store.sqlite.outcomes import rejudge
from abtest.store.sqlite.writer import GroupCommit

T = TypeVar("T")
Row = Mapping[str, str]


class ConfigTables:
    """The half of the store that people change; see `ConfigStore`."""

    def __init__(self, readers: Readers, writer: GroupCommit) -> None:
        self._readers = readers
        self._writer = writer
        self._experiments = Experiments()

    def add_experiment(self, experiment: Experiment) -> None:
        """Store a new experiment; `conflict` when its key is taken."""
        self._write(lambda db: self._experiments.add(db, experiment))

    def replace_experiment(self, experiment: Experiment) -> None:
        """Store a changed experiment; `not_found`, `conflict`."""

        def replace(database: Database) -> None:
            known = self._experiments.known(database)
            self._experiments.replace(database, experiment)
            number = known.number(experiment.key)
            changed = self._experiments.known(database)
            if changed.plans[number] != known.plans[number]:
                rejudge(database.conn, changed, number)

        self._write(replace)

    def get_experiment(self, key: ExperimentKey) -> Experiment:
        """Return the experiment; `not_found`."""
        return self._readers.read(lambda db: self._experiments.known(db).get(key))

    def list_experiments(self) -> tuple[Experiment, ...]:
        """Return all experiments, oldest first."""
        known = self._readers.read(self._experiments.known)
        return tuple(known.by_key.values())

    def add_key(self, key: ApiKey) -> None:
        """Store a key."""
        row = {
            "id": key.id,
            "kind": key.kind.value,
            "name": key.name,
            "secret_hash": key.secret_hash,
            "hint": key.hint,
            "origins": msgspec.json.encode(key.origins).decode(),
            "created_at": _text(key.created_at),
            "revoked_at": key.revoked_at and _text(key.revoked_at),
        }
        self._write(lambda db: db.table("api_key").insert(row))

    def find_key(self, secret_hash: str) -> ApiKey | None:
        """Return the key with this hash that is not revoked."""
        rows = self._readers.read(
            lambda db: db.conn.execute(query("find_key"), (secret_hash,)).fetchall()
        )
        return _only(tuple(_to_key(*row) for row in rows))

    def list_keys(self) -> tuple[ApiKey, ...]:
        """Return all keys, oldest first, revoked ones included."""
        return self._rows("api_key", lambda row: _to_key(*row.values()))

    def revoke_key(self, key_id: KeyId, at: datetime) -> None:
        """Revoke; `not_found` when unknown or revoked already."""

        def revoke(database: Database) -> None:
            changed = database.execute(
                "UPDATE api_key SET revoked_at = ? WHERE id = ? AND revoked_at IS NULL",
                [_text(at), key_id],
            ).rowcount
            if not changed:
                raise AbtestError(
                    ErrorCode.NOT_FOUND, f"there is no key {key_id!r} to revoke"
                )

        self._write(revoke)

    def add_user(self, user: User) -> None:
        """Store a user; `conflict` when the name is taken."""

        def add(database: Database) -> None:
            if database.table("user").count_where("name = ?", [user.name]):
                raise AbtestError(
                    ErrorCode.CONFLICT, f"there is a user {user.name!r} already"
                )
            database.table("user").insert(
                {
                    "name": user.name,
                    "role": user.role.value,
                    "password_hash": user.password_hash,
                    "created_at": _text(user.created_at),
                }
            )

        self._write(add)

    def find_user(self, name: UserName) -> User | None:
        """Return the user of this name."""
        return _only(self._rows("user", _to_user, "name = ?", name))

    def list_users(self) -> tuple[User, ...]:
        """Return all users, oldest first."""
        return self._rows("user", _to_user)

    def add_session(self, session: Session) -> None:
        """Store a session and drop those that expired before it began."""
        row = {
            "token_hash": session.token_hash,
            "user": session.user,
            "created_at": _text(session.created_at),
            "expires_at": _text(session.expires_at),
        }

        def add(database: Database) -> None:
            sessions = database.table("session")
            sessions.delete_where("expires_at <= ?", [row["created_at"]])
            sessions.insert(row)

        self._write(add)

    def find_session(self, token_hash: str, now: datetime) -> Session | None:
        """Return the session unless it has expired."""
        where = "token_hash = ? AND expires_at > ?"
        return _only(self._rows("session", _to_session, where, token_hash, _text(now)))

    def delete_session(self, token_hash: str) -> None:
        """Forget the session, if there is one."""
        self._write(
            lambda db: db.table("session").delete_where("token_hash = ?", [token_hash])
        )

    def append_audit(self, entry: AuditEntry) -> None:
        """Add to the audit log."""
        row = {
            "at": _text(entry.at),
            "actor": entry.actor,
            "action": entry.action,
            "subject": entry.subject,
            "detail": entry.detail,
        }
        self._write(lambda db: db.table("audit_entry").insert(row))

    def list_audit(self, *, limit: int) -> tuple[AuditEntry, ...]:
        """Return the newest entries, newest first."""
        return self._rows("audit_entry", _to_audit, order="id DESC", limit=limit)

    def get_setting(self, name: str) -> str | None:
        """Return a stored setting of the installation."""
        return _only(self._rows("setting", lambda row: row["value"], "name = ?", name))

    def put_setting(self, name: str, value: str | None) -> None:
        """Store a setting; None deletes it."""

        def put(database: Database) -> None:
            settings = database.table("setting")
            settings.delete_where("name = ?", [name])
            if value is not None:
                settings.insert({"name": name, "value": value})

        self._write(put)

    def _write(self, work: Callable[[Database], T]) -> T:
        return self._writer.write(lambda database, _: [work(database)], None)

    def _rows(
        self,
        table: str,
        build: Callable[[Row], T],
        where: str | None = None,
        *values: str,
        order: str = "rowid",
        limit: int | None = None,
    ) -> tuple[T, ...]:
        def read(database: Database) -> tuple[T, ...]:
            rows = database.table(table).rows_where(
                where, values, order_by=order, limit=limit
            )
            return tuple(map(build, rows))

        return self._readers.read(read)


@lru_cache(maxsize=1024)
def _to_key(
    id_: str,
    kind: str,
    name: str,
    secret_hash: str,
    hint: str,
    origins: str,
    created_at: str,
    revoked_at: str | None,
) -> ApiKey:
    """Build a key from the columns in the order of the table.

    Every request asks for its key: a row seen before is not taken apart again.
    """
    return ApiKey(
        id=KeyId(id_),
        kind=KeyKind(kind),
        name=name,
        secret_hash=secret_hash,
        hint=hint,
        origins=msgspec.json.decode(origins, type=tuple[str, ...]),
        created_at=datetime.fromisoformat(created_at),
        revoked_at=datetime.fromisoformat(revoked_at) if revoked_at else None,
    )


def _to_user(row: Row) -> User:
    return User(
        name=UserName(row["name"]),
        role=Role(row["role"]),
        password_hash=row["password_hash"],
        created_at=datetime.fromisoformat(row["created_at"]),
    )


def _to_session(row: Row) -> Session:
    return Session(
        token_hash=row["token_hash"],
        user=UserName(row["user"]),
        created_at=datetime.fromisoformat(row["created_at"]),
        expires_at=datetime.fromisoformat(row["expires_at"]),
    )


def _to_audit(row: Row) -> AuditEntry:
    return AuditEntry(
        at=datetime.fromisoformat(row["at"]),
        actor=row["actor"],
        action=row["action"],
        subject=row["subject"],
        detail=row["detail"],
    )


def _text(moment: datetime) -> str:
    """Write an aware time so that text order is time order."""
    return moment.astimezone(UTC).isoformat(timespec="microseconds")


def _only(rows: tuple[T, ...]) -> T | None:
    return rows[0] if rows else None
