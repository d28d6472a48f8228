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
from abtest.domain.experiment import (
    Experiment,
    ExperimentKey,
    VariantKey,
    VisitorId,
)
from abtest.errors import AbtestError, ErrorCode
from abtest.store.lean_sqlite_utils import Database
from abtest.store.protocol import AuditLeaf
from abtest.store.sqlite.connection import Readers, query
from abtest.store.sqlite.experiments import Experiments, Known
from abtest.store.sqlite.memory import Recent, recent_configuration, recent_exposures
from abtest.store.sqlite.outcomes import rejudge
from abtest.store.sqlite.writer import GroupCommit

T = TypeVar("T")
Row = Mapping[str, str]

_AUDIT = ("id", "at", "actor", "action", "subject", "detail")


class ConfigTables:
    """The half of the store that people change; see `ConfigStore`.

    What every request asks for is remembered for a moment when `remembers` is true.
    """

    def __init__(
        self, readers: Readers, writer: GroupCommit, *, remembers: bool
    ) -> None:
        self._readers = readers
        self._writer = writer
        self._experiments = Experiments()
        self._known_lately: Known | None = None
        self._lists: Recent[None, tuple[Known, tuple[Experiment, ...]]] = (
            recent_configuration(remembers=remembers)
        )
        self._keys: Recent[str, ApiKey | None] = recent_configuration(
            remembers=remembers
        )
        self._exposures: Recent[VisitorId, Mapping[ExperimentKey, VariantKey]] = (
            recent_exposures(remembers=remembers)
        )

    def add_experiment(self, experiment: Experiment) -> None:
        """Store a new experiment; `conflict` when its key is taken."""
        self._write(lambda db: self._experiments.add(db, experiment))
        self._lists.forget()

    def replace_experiment(self, experiment: Experiment) -> None:
        """Store a changed experiment; `not_found`, `conflict`."""

        def replace(database: Database) -> None:
            known = self._experiments.known(database)
            self._experiments.replace(database, experiment)
            number = known.number(experiment.key)
            changed = self._experiments.known(database)
            if changed.plans[number] != known.plans[number]:
                changed.retention.check_plan(experiment.key)
                rejudge(database.conn, changed, number)

        self._write(replace)
        self._lists.forget()

    def get_experiment(self, key: ExperimentKey) -> Experiment:
        """Return the experiment; `not_found`."""
        return self._readers.read(lambda db: self._experiments.known(db).get(key))

    def list_experiments(self) -> tuple[Experiment, ...]:
        """Return all experiments, oldest first."""
        return self._lately()[1]

    def add_key(self, key: ApiKey) -> None:
        """Store a key."""
        row = {
            "id": key.id,
            "kind": key.kind.value,
            "name": key.name,
            "secret_hash": key.secret_hash,
            "hint": key.hint,
            "origins": msgspec.json.encode(key.origins).decode(),
            "created_at": as_text(key.created_at),
            "revoked_at": key.revoked_at and as_text(key.revoked_at),
        }
        self._write(lambda db: db.table("api_key").insert(row))

    def find_key(self, secret_hash: str) -> ApiKey | None:
        """Return the key with this hash that is not revoked."""
        return self._keys.get(secret_hash, self._find_key)

    def list_keys(self) -> tuple[ApiKey, ...]:
        """Return all keys, oldest first, revoked ones included."""
        return self._rows("api_key", lambda row: _to_key(*row.values()))

    def revoke_key(self, key_id: KeyId, at: datetime) -> None:
        """Revoke; `not_found` when unknown or revoked already."""

        def revoke(database: Database) -> None:
            changed = database.execute(
                "UPDATE api_key SET revoked_at = ? WHERE id = ? AND revoked_at IS NULL",
                [as_text(at), key_id],
            ).rowcount
            if not changed:
                raise AbtestError(
                    ErrorCode.NOT_FOUND, f"there is no key {key_id!r} to revoke"
                )

        self._write(revoke)
        self._keys.forget()

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
                    "created_at": as_text(user.created_at),
                }
            )

        self._write(add)

    def find_user(self, name: UserName) -> User | None:
        """Return the user of this name."""
        return only(self._rows("user", _to_user, "name = ?", name))

    def list_users(self) -> tuple[User, ...]:
        """Return all users, oldest first."""
        return self._rows("user", _to_user)

    def replace_password(self, name: UserName, password_hash: str) -> None:
        """Store a new hash and end all sessions of the user; `not_found`."""

        def replace(database: Database) -> None:
            changed = database.execute(
                "UPDATE user SET password_hash = ? WHERE name = ?",
                [password_hash, name],
            ).rowcount
            if not changed:
                raise AbtestError(ErrorCode.NOT_FOUND, f"there is no user {name!r}")
            database.table("session").delete_where("user = ?", [name])

        self._write(replace)

    def replace_role(self, name: UserName, role: Role) -> None:
        """Store another role; `not_found`, `conflict`."""

        def replace(database: Database) -> None:
            _change_one_user(
                database, "UPDATE user SET role = ? WHERE name = ?", role.value, name
            )

        self._write(replace)

    def delete_user(self, name: UserName) -> None:
        """Delete the user and their sessions; `not_found`, `conflict`."""

        def delete(database: Database) -> None:
            _change_one_user(database, "DELETE FROM user WHERE name = ?", name)
            database.table("session").delete_where("user = ?", [name])

        self._write(delete)

    def add_session(self, session: Session) -> None:
        """Store a session and drop those that expired before it began."""
        row = {
            "token_hash": session.token_hash,
            "user": session.user,
            "created_at": as_text(session.created_at),
            "expires_at": as_text(session.expires_at),
        }

        def add(database: Database) -> None:
            sessions = database.table("session")
            sessions.delete_where("expires_at <= ?", [row["created_at"]])
            sessions.insert(row)

        self._write(add)

    def find_session(self, token_hash: str, now: datetime) -> Session | None:
        """Return the session unless it has expired."""
        where = "token_hash = ? AND expires_at > ?"
        return only(self._rows("session", _to_session, where, token_hash, as_text(now)))

    def extend_session(self, token_hash: str, expires_at: datetime) -> None:
        """Let the session expire at another time, if there is one."""
        self._write(
            lambda db: db.execute(
                "UPDATE session SET expires_at = ? WHERE token_hash = ?",
                [as_text(expires_at), token_hash],
            )
        )

    def delete_session(self, token_hash: str) -> None:
        """Forget the session, if there is one."""
        self._write(
            lambda db: db.table("session").delete_where("token_hash = ?", [token_hash])
        )

    def append_audit(self, entry: AuditEntry) -> None:
        """Add to the audit log."""
        row = {
            "at": as_text(entry.at),
            "actor": entry.actor,
            "action": entry.action,
            "subject": entry.subject,
            "detail": entry.detail,
        }
        self._write(lambda db: db.table("audit_entry").insert(row))

    def list_audit(self, *, limit: int) -> tuple[AuditEntry, ...]:
        """Return the newest entries, newest first."""
        return self._rows("audit_entry", _to_audit, order="id DESC", limit=limit)

    def read_audit(
        self, *, limit: int, before: int | None = None, subject: str | None = None
    ) -> AuditLeaf:
        """Return entries of the audit log, newest first."""

        def read(database: Database) -> AuditLeaf:
            rows = database.execute(
                "SELECT * FROM audit_entry WHERE id < coalesce(:before, id + 1)"
                " AND subject = coalesce(:subject, subject)"
                " ORDER BY id DESC LIMIT :limit + 1",
                {"before": before, "subject": subject, "limit": limit},
            ).fetchall()
            shown = rows[:limit]
            return AuditLeaf(
                entries=tuple(
                    _to_audit(dict(zip(_AUDIT, r, strict=True))) for r in shown
                ),
                older=shown[-1][0] if len(rows) > limit else None,
            )

        return self._readers.read(read)

    def get_setting(self, name: str) -> str | None:
        """Return a stored setting of the installation."""
        return only(self._rows("setting", lambda row: row["value"], "name = ?", name))

    def put_setting(self, name: str, value: str | None) -> None:
        """Store a setting; None deletes it."""

        def put(database: Database) -> None:
            settings = database.table("setting")
            settings.delete_where("name = ?", [name])
            if value is not None:
                settings.insert({"name": name, "value": value})

        self._write(put)

    def _lately(self) -> tuple[Known, tuple[Experiment, ...]]:
        """Return what is known of the experiments, and all of them, oldest first."""
        return self._lists.get(None, self._read_known)

    def _read_known(self, _: None) -> tuple[Known, tuple[Experiment, ...]]:
        known = self._readers.read(self._experiments.known)
        if known is not self._known_lately:
            # Who was never exposed stays so only while the draw stays the same.
            self._known_lately = known
            self._exposures.forget()
        return known, tuple(known.by_key.values())

    def _find_key(self, secret_hash: str) -> ApiKey | None:
        rows = self._readers.read(
            lambda db: db.conn.execute(query("find_key"), (secret_hash,)).fetchall()
        )
        return only(tuple(_to_key(*row) for row in rows))

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


def _change_one_user(database: Database, statement: str, *values: str) -> None:
    """Change or delete one; an admin must remain where there was one."""
    users = database.table("user")
    had_admin = users.count_where("role = ?", [Role.ADMIN.value])
    if not database.execute(statement, list(values)).rowcount:
        raise AbtestError(ErrorCode.NOT_FOUND, f"there is no user {values[-1]!r}")
    if had_admin and not users.count_where("role = ?", [Role.ADMIN.value]):
        raise AbtestError(
            ErrorCode.CONFLICT,
            f"{values[-1]!r} is the last admin; make somebody else an admin first",
        )


def _to_audit(row: Row) -> AuditEntry:
    return AuditEntry(
        at=datetime.fromisoformat(row["at"]),
        actor=row["actor"],
        action=row["action"],
        subject=row["subject"],
        detail=row["detail"],
    )


def as_text(moment: datetime) -> str:
    """Write an aware time so that text order is time order."""
    return moment.astimezone(UTC).isoformat(timespec="microseconds")


def only(rows: tuple[T, ...]) -> T | None:
    """Return the one row, or None for none."""
    return rows[0] if rows else None
