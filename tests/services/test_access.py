"""Keys, people and sessions: secrets are hashed, shown once and compared safely."""

import re
import statistics
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from abtest.config import Settings
from abtest.domain.access import KeyKind, Right, Role
from abtest.errors import AbtestError, ErrorCode
from abtest.services.access import (
    COMMAND_LINE,
    add_user,
    caller_of,
    caller_of_user,
    create_key,
    find_key,
    find_signed_in,
    is_setup_token,
    make_setup_token,
    redeem_setup_token,
    require,
    revoke_key,
    rotate_key,
    set_password,
    sign_in,
    sign_out,
)
from abtest.services.key_use import was_used
from abtest.store.protocol import Store

NOW = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
PASSWORD = "correct horse battery"


def refusal(caught: pytest.ExceptionInfo[AbtestError]) -> ErrorCode:
    return caught.value.code


@pytest.mark.parametrize("kind", KeyKind)
def test_a_key_is_found_by_its_secret_alone(store: Store, kind: KeyKind) -> None:
    new = create_key(store, kind, name="shop", caller=COMMAND_LINE, now=NOW)
    assert re.fullmatch(rf"abtest_{kind}_[A-Za-z0-9_-]{{43}}", new.secret)
    assert find_key(store, new.secret) == new.key
    assert new.secret.endswith(new.key.hint)
    assert find_key(store, new.secret[:-1]) is None
    assert find_key(store, new.key.secret_hash) is None
    assert find_key(store, "") is None


def test_a_rotated_key_is_like_the_old_one_which_is_useless(store: Store) -> None:
    old = create_key(
        store,
        KeyKind.PUBLISHABLE,
        name="shop",
        origins=("https://shop.example",),
        caller=COMMAND_LINE,
        now=NOW,
    )
    new = rotate_key(store, old.key.id, caller=COMMAND_LINE, now=NOW)
    assert find_key(store, old.secret) is None
    assert find_key(store, new.secret) == new.key
    for name in ("kind", "name", "origins"):
        assert getattr(new.key, name) == getattr(old.key, name)
    with pytest.raises(AbtestError) as caught:
        rotate_key(store, old.key.id, caller=COMMAND_LINE, now=NOW)
    assert refusal(caught) is ErrorCode.NOT_FOUND


def test_a_new_password_takes_the_place_of_the_old_one(store: Store) -> None:
    add_user(
        store,
        "ada",
        password=PASSWORD,
        role=Role.VIEWER,
        caller=COMMAND_LINE,
        now=NOW,
    )
    token = sign_in(store, "ada", password=PASSWORD, now=NOW)
    newer = f"{PASSWORD} staple"
    with pytest.raises(AbtestError) as caught:
        set_password(store, "ada", password="short", caller=COMMAND_LINE, now=NOW)
    assert refusal(caught) is ErrorCode.INVALID
    set_password(store, "ada", password=newer, caller=COMMAND_LINE, now=NOW)
    assert find_signed_in(store, token, NOW) is None
    with pytest.raises(AbtestError) as caught:
        sign_in(store, "ada", password=PASSWORD, now=NOW)
    assert refusal(caught) is ErrorCode.UNAUTHENTICATED
    assert sign_in(store, "ada", password=newer, now=NOW)
    assert store.list_audit(limit=1)[0].action == "user.password"


def test_the_first_use_of_a_key_is_noted(store: Store) -> None:
    new = create_key(store, KeyKind.SERVER, name="", caller=COMMAND_LINE, now=NOW)
    assert not was_used(store, new.key)
    for _ in range(2):
        assert find_key(store, new.secret)
        assert was_used(store, new.key)


def test_a_revoked_key_is_useless(store: Store) -> None:
    new = create_key(store, KeyKind.SERVER, name="", caller=COMMAND_LINE, now=NOW)
    revoke_key(store, new.key.id, caller=COMMAND_LINE, now=NOW)
    assert find_key(store, new.secret) is None
    with pytest.raises(AbtestError) as caught:
        revoke_key(store, new.key.id, caller=COMMAND_LINE, now=NOW)
    assert refusal(caught) is ErrorCode.NOT_FOUND
    log = store.list_audit(limit=10)
    assert [entry.action for entry in log] == ["key.revoke", "key.create"]


def test_no_secret_is_in_the_database(store: Store, settings: Settings) -> None:
    new = create_key(store, KeyKind.ADMIN, name="", caller=COMMAND_LINE, now=NOW)
    add_user(
        store, "ada", password=PASSWORD, role=Role.ADMIN, caller=COMMAND_LINE, now=NOW
    )
    session = sign_in(store, "ada", password=PASSWORD, now=NOW)
    store.close()
    stored = b"".join(
        path.read_bytes() for path in Path(settings.database).parent.iterdir()
    )
    for secret in (new.secret, PASSWORD, session):
        assert secret.encode() not in stored


@pytest.mark.parametrize(
    "origin",
    [
        "www.example.com",
        "https://www.example.com/",
        "https://*.example.com",
        "HTTPS://www.example.com",
        "https://",
        "ftp://example.com",
        "https://user@example.com",
        "null",
        "",
    ],
)
def test_origins_must_be_exact(store: Store, origin: str) -> None:
    with pytest.raises(AbtestError) as caught:
        create_key(
            store,
            KeyKind.PUBLISHABLE,
            name="",
            origins=("https://ok.example", origin),
            caller=COMMAND_LINE,
            now=NOW,
        )
    assert caught.value.errors[0].pointer == "/origins/1"


def test_only_browser_keys_have_origins(store: Store) -> None:
    with pytest.raises(AbtestError) as caught:
        create_key(
            store,
            KeyKind.SERVER,
            name="",
            origins=("https://ok.example",),
            caller=COMMAND_LINE,
            now=NOW,
        )
    assert caught.value.errors[0].code == "unsupported"


def test_rights_follow_the_kind(store: Store) -> None:
    new = create_key(store, KeyKind.SERVER, name="", caller=COMMAND_LINE, now=NOW)
    caller = caller_of(new.key)
    assert caller.is_trusted
    require(caller, Right.RECORD)
    with pytest.raises(AbtestError) as caught:
        require(caller, Right.READ)
    assert "rk or ak" in caught.value.detail


def test_signing_in_and_out(store: Store) -> None:
    user = add_user(
        store, "ada", password=PASSWORD, role=Role.EDITOR, caller=COMMAND_LINE, now=NOW
    )
    assert PASSWORD not in user.password_hash
    assert Right.MANAGE in caller_of_user(user).rights
    token = sign_in(store, "ada", password=PASSWORD, now=NOW)
    assert find_signed_in(store, token, NOW) == user
    assert find_signed_in(store, "x" + token, NOW) is None
    unused = sign_in(store, "ada", password=PASSWORD, now=NOW)
    assert find_signed_in(store, unused, NOW + timedelta(hours=8)) is None
    last = NOW + timedelta(days=7)
    for hours in range(0, 7 * 24, 7):
        assert find_signed_in(store, token, NOW + timedelta(hours=hours)) == user
    assert find_signed_in(store, token, last - timedelta(seconds=1)) == user
    assert find_signed_in(store, token, last) is None
    other = sign_in(store, "ada", password=PASSWORD, now=NOW)
    sign_out(store, token)
    assert find_signed_in(store, token, NOW) is None
    assert find_signed_in(store, other, NOW) == user


@pytest.mark.parametrize(
    ("name", "password"),
    [("ada", "wrong"), ("ada", ""), ("eve", PASSWORD), ("ada", PASSWORD + " ")],
)
def test_a_wrong_password_and_an_unknown_name_are_told_the_same(
    store: Store, name: str, password: str
) -> None:
    add_user(
        store, "ada", password=PASSWORD, role=Role.VIEWER, caller=COMMAND_LINE, now=NOW
    )
    with pytest.raises(AbtestError) as caught:
        sign_in(store, name, password=password, now=NOW)
    assert refusal(caught) is ErrorCode.UNAUTHENTICATED
    assert caught.value.detail == "this name and password do not belong together"


def test_an_unknown_name_takes_as_long_as_a_wrong_password(store: Store) -> None:
    add_user(
        store, "ada", password=PASSWORD, role=Role.VIEWER, caller=COMMAND_LINE, now=NOW
    )

    def took(name: str) -> float:
        start = time.process_time()
        with pytest.raises(AbtestError):
            sign_in(store, name, password="wrong wrong", now=NOW)
        return time.process_time() - start

    pairs = [(took("ada"), took("eve")) for _ in range(5)]
    known, unknown = (statistics.median(times) for times in zip(*pairs, strict=True))
    assert 0.5 < known / unknown < 2


def test_passwords_and_names_have_bounds(store: Store) -> None:
    for name, password, pointer in [
        ("ada", "short", "/password"),
        ("ada", "x" * 257, "/password"),
        ("ada lovelace", PASSWORD, "/name"),
        ("", PASSWORD, "/name"),
    ]:
        with pytest.raises(AbtestError) as caught:
            add_user(
                store,
                name,
                password=password,
                role=Role.VIEWER,
                caller=COMMAND_LINE,
                now=NOW,
            )
        assert caught.value.errors[0].pointer == pointer


def test_the_set_up_link_works_once(store: Store) -> None:
    older = make_setup_token(store)
    token = make_setup_token(store)
    assert older is not None
    assert token is not None
    assert not is_setup_token(store, older)
    assert is_setup_token(store, token)
    user = redeem_setup_token(store, token, name="ada", password=PASSWORD, now=NOW)
    assert user.role is Role.ADMIN
    assert not is_setup_token(store, token)
    with pytest.raises(AbtestError) as caught:
        redeem_setup_token(store, token, name="eve", password=PASSWORD, now=NOW)
    assert refusal(caught) is ErrorCode.UNAUTHENTICATED
    assert make_setup_token(store) is None
