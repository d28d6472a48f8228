"""Nobody can make up where a request comes from."""

import pytest

from abtest.web.guards.clients import UNKNOWN, client_of, is_local, prefix_of


@pytest.mark.parametrize(
    ("forwarded", "proxies", "client"),
    [
        ("203.0.113.9", 0, "10.0.0.1"),
        ("203.0.113.9", 1, "203.0.113.9"),
        ("1.1.1.1, 203.0.113.9", 1, "203.0.113.9"),
        ("1.1.1.1,203.0.113.9, 10.0.0.2", 2, "203.0.113.9"),
        ("203.0.113.9", 2, "10.0.0.1"),
        ("", 1, "10.0.0.1"),
    ],
)
def test_only_our_own_proxies_are_believed(
    forwarded: str, proxies: int, client: str
) -> None:
    environ = {"REMOTE_ADDR": "10.0.0.1", "HTTP_X_FORWARDED_FOR": forwarded}
    assert client_of(environ, proxies) == client


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("203.0.113.9", "203.0.113.250", True),
        ("203.0.113.9", "203.0.114.9", False),
        ("203.0.113.9", "::ffff:203.0.113.77", True),
        ("203.0.113.9", "203.0.113.9:5123", True),
        ("2001:db8:1:2::1", "2001:db8:1:ff::2", True),
        ("2001:db8:1:2::1", "2001:db8:1:100::2", False),
        ("2001:db8::1", "[2001:db8::2]:443", True),
        ("fe80::1%eth0", "fe80::2", True),
    ],
)
def test_networks(one: str, other: str, same: bool) -> None:  # noqa: FBT001 - a column of the table
    assert (prefix_of(one) == prefix_of(other)) is same


@pytest.mark.parametrize(
    "address", ["unknown", "1.2.3", "::g", "a\0b", "127.0.0.1.evil"]
)
def test_what_is_no_address_is_no_stranger_we_know(address: str) -> None:
    assert prefix_of(address) == UNKNOWN
    assert not is_local(address)


@pytest.mark.parametrize(
    ("address", "local"),
    [
        ("127.0.0.1", True),
        ("127.8.8.8", True),
        ("::1", True),
        ("::ffff:127.0.0.1", True),
        ("", True),
        ("10.0.0.1", False),
        ("::2", False),
        ("::ffff:8.8.8.8", False),
    ],
)
def test_this_machine(address: str, local: bool) -> None:  # noqa: FBT001 - a column of the table
    assert is_local(address) is local
