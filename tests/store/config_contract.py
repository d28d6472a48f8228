"""What every store must do with experiments, keys, users and the like."""

from collections.abc import Callable
from datetime import timedelta

import pytest

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
from abtest.domain.experiment import ExperimentKey, Status
from abtest.errors import AbtestError, ErrorCode
from abtest.store.protocol import ConfigStore, Store
from tests.store.builders import HOME, NOW, TRIAL, home, trial
from tests.store.contract import NewStore


def person(name: str, role: Role) -> User:
    return User(name=UserName(name), role=role, password_hash="x", created_at=NOW)


class ConfigContract:
    """Experiments, keys, users, sessions, the audit log and settings."""

    def test_an_experiment_comes_back_as_it_was(self, store: ConfigStore) -> None:
        store.add_experiment(home())
        store.add_experiment(trial())
        assert store.get_experiment(TRIAL) == trial()
        assert store.list_experiments() == (home(), trial())

    def test_a_taken_key_is_a_conflict(self, store: ConfigStore) -> None:
        store.add_experiment(home())
        with pytest.raises(AbtestError) as error:
            store.add_experiment(home(name="another"))
        assert error.value.code is ErrorCode.CONFLICT
        assert store.get_experiment(HOME) == home()

    def test_an_unknown_experiment_is_not_found(self, store: Store) -> None:
        unknown = ExperimentKey("unknown")
        for ask in (
            lambda: store.get_experiment(unknown),
            lambda: store.replace_experiment(home(key=unknown, version=2)),
            lambda: store.moments(unknown),
            lambda: store.facts(unknown),
        ):
            with pytest.raises(AbtestError) as error:
                ask()
            assert error.value.code is ErrorCode.NOT_FOUND

    def test_a_change_needs_the_next_version(self, store: ConfigStore) -> None:
        store.add_experiment(home())
        store.replace_experiment(home(name="New", version=2))
        for stale in (1, 2, 4):
            with pytest.raises(AbtestError) as error:
                store.replace_experiment(home(name="Other", version=stale))
            assert error.value.code is ErrorCode.CONFLICT
        assert store.list_experiments() == (home(name="New", version=2),)

    def test_another_store_sees_the_change_at_once(self, new_stores: NewStore) -> None:
        with new_stores() as store, new_stores() as other:
            assert other.list_experiments() == ()
            store.add_experiment(home())
            assert other.list_experiments() == (home(),)
            other.replace_experiment(home(status=Status.RUNNING, version=2))
            assert store.get_experiment(HOME).status is Status.RUNNING

    def test_keys_are_found_by_their_hash_until_revoked(
        self, store: ConfigStore
    ) -> None:
        first = ApiKey(
            id=KeyId("k1"),
            kind=KeyKind.PUBLISHABLE,
            name="Shop",
            secret_hash="aa",
            hint="wxyz",
            origins=("https://shop.example",),
            created_at=NOW,
        )
        second = ApiKey(
            id=KeyId("k2"),
            kind=KeyKind.ADMIN,
            name="Boss",
            secret_hash="bb",
            hint="0000",
            created_at=NOW,
        )
        store.add_key(first)
        store.add_key(second)
        assert store.find_key("aa") == first
        assert store.find_key("cc") is None
        store.revoke_key(first.id, NOW)
        assert store.find_key("aa") is None
        assert [(k.id, k.revoked_at) for k in store.list_keys()] == [
            ("k1", NOW),
            ("k2", None),
        ]
        for gone in (first.id, KeyId("k3")):
            with pytest.raises(AbtestError) as error:
                store.revoke_key(gone, NOW)
            assert error.value.code is ErrorCode.NOT_FOUND

    def test_users(self, store: ConfigStore) -> None:
        anna = User(
            name=UserName("anna"), role=Role.ADMIN, password_hash="x", created_at=NOW
        )
        bert = User(
            name=UserName("bert"), role=Role.VIEWER, password_hash="y", created_at=NOW
        )
        store.add_user(bert)
        store.add_user(anna)
        assert store.list_users() == (bert, anna)
        assert store.find_user(anna.name) == anna
        assert store.find_user(UserName("carl")) is None
        with pytest.raises(AbtestError) as error:
            store.add_user(anna)
        assert error.value.code is ErrorCode.CONFLICT

    def test_sessions_end(self, store: ConfigStore) -> None:
        def session(token: str, hours: float) -> Session:
            return Session(
                token_hash=token,
                user=UserName("anna"),
                created_at=NOW + timedelta(hours=hours),
                expires_at=NOW + timedelta(hours=hours + 1),
            )

        early, late = session("early", 0), session("late", 1)
        store.add_session(early)
        end = early.expires_at
        assert store.find_session("early", end - timedelta(microseconds=1)) == early
        assert store.find_session("early", end) is None
        store.extend_session("early", end + timedelta(hours=1))
        assert store.find_session("early", end) is not None
        store.extend_session("early", end)
        store.extend_session("unknown", end)
        store.add_session(late)  # drops the one that has expired
        assert store.find_session("early", NOW) is None
        store.delete_session("late")
        store.delete_session("late")
        assert store.find_session("late", NOW) is None

    def test_a_new_password_ends_the_sessions_of_its_user(
        self, store: ConfigStore
    ) -> None:
        for name in ("anna", "bert"):
            user = User(
                name=UserName(name),
                role=Role.VIEWER,
                password_hash="old",
                created_at=NOW,
            )
            session = Session(
                token_hash=name,
                user=user.name,
                created_at=NOW,
                expires_at=NOW + timedelta(hours=1),
            )
            store.add_user(user)
            store.add_session(session)
        store.replace_password(UserName("anna"), "new")
        anna, bert = store.list_users()
        assert (anna.password_hash, bert.password_hash) == ("new", "old")
        assert store.find_session("anna", NOW) is None
        assert store.find_session("bert", NOW) is not None
        with pytest.raises(AbtestError) as error:
            store.replace_password(UserName("carl"), "new")
        assert error.value.code is ErrorCode.NOT_FOUND

    def test_a_role_is_replaced(self, store: ConfigStore) -> None:
        anna, bert = person("anna", Role.ADMIN), person("bert", Role.VIEWER)
        store.add_user(anna)
        store.add_user(bert)
        store.replace_role(bert.name, Role.ADMIN)
        store.replace_role(anna.name, Role.EDITOR)
        assert [u.role for u in store.list_users()] == [Role.EDITOR, Role.ADMIN]
        with pytest.raises(AbtestError) as error:
            store.replace_role(UserName("carl"), Role.VIEWER)
        assert error.value.code is ErrorCode.NOT_FOUND

    def test_who_is_deleted_is_signed_out(self, store: ConfigStore) -> None:
        for name in ("anna", "bert"):
            store.add_user(person(name, Role.ADMIN))
            session = Session(
                token_hash=name,
                user=UserName(name),
                created_at=NOW,
                expires_at=NOW + timedelta(hours=1),
            )
            store.add_session(session)
        store.delete_user(UserName("anna"))
        assert [u.name for u in store.list_users()] == ["bert"]
        assert store.find_user(UserName("anna")) is None
        assert store.find_session("anna", NOW) is None
        assert store.find_session("bert", NOW) is not None
        with pytest.raises(AbtestError) as error:
            store.delete_user(UserName("anna"))
        assert error.value.code is ErrorCode.NOT_FOUND

    def test_an_admin_remains(self, store: ConfigStore) -> None:
        anna, bert = person("anna", Role.ADMIN), person("bert", Role.EDITOR)
        store.add_user(anna)
        store.add_user(bert)
        changes: tuple[Callable[[], None], ...] = (
            lambda: store.delete_user(anna.name),
            lambda: store.replace_role(anna.name, Role.VIEWER),
        )
        for change in changes:
            with pytest.raises(AbtestError) as error:
                change()
            assert error.value.code is ErrorCode.CONFLICT
        assert store.list_users() == (anna, bert)
        store.replace_role(anna.name, Role.ADMIN)
        store.delete_user(bert.name)

    def test_without_an_admin_others_may_go(self, store: ConfigStore) -> None:
        store.add_user(person("bert", Role.EDITOR))
        store.delete_user(UserName("bert"))
        assert store.list_users() == ()

    def test_the_audit_log_is_read_leaf_by_leaf(self, store: ConfigStore) -> None:
        entries = [
            AuditEntry(at=NOW, actor="anna", action="start", subject=subject)
            for subject in ("home", "shop", "home", "home", "shop")
        ]
        for entry in entries:
            store.append_audit(entry)
        newest_first = tuple(reversed(entries))
        leaf = store.read_audit(limit=2)
        assert leaf.entries == newest_first[:2]
        leaf = store.read_audit(limit=2, before=leaf.older)
        assert leaf.entries == newest_first[2:4]
        leaf = store.read_audit(limit=2, before=leaf.older)
        assert (leaf.entries, leaf.older) == (newest_first[4:], None)
        whole = store.read_audit(limit=5)
        assert (whole.entries, whole.older) == (newest_first, None)
        homes = tuple(e for e in newest_first if e.subject == "home")
        first = store.read_audit(limit=2, subject="home")
        assert first.entries == homes[:2]
        rest = store.read_audit(limit=2, subject="home", before=first.older)
        assert (rest.entries, rest.older) == (homes[2:], None)
        assert store.read_audit(limit=2, subject="none").entries == ()

    def test_the_audit_log_shows_the_newest_first(self, store: ConfigStore) -> None:
        entries = [
            AuditEntry(at=NOW, actor="anna", action="start", subject=f"{i}", detail="d")
            for i in range(3)
        ]
        for entry in entries:
            store.append_audit(entry)
        assert store.list_audit(limit=2) == (entries[2], entries[1])
        assert store.list_audit(limit=9) == tuple(reversed(entries))

    def test_settings(self, store: ConfigStore) -> None:
        assert store.get_setting("token") is None
        store.put_setting("token", "one")
        store.put_setting("token", "two")
        store.put_setting("other", "three")
        assert store.get_setting("token") == "two"
        store.put_setting("token", None)
        assert store.get_setting("token") is None
        assert store.get_setting("other") == "three"
