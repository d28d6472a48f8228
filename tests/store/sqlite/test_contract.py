"""The SQLite store keeps the contract."""

from tests.store.config_contract import ConfigContract
from tests.store.contract import EventContract
from tests.store.set_contract import SetContract


class TestConfig(ConfigContract):
    pass


class TestEvents(EventContract):
    pass


class TestSets(SetContract):
    pass
