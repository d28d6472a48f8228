"""The SQLite store keeps the contract."""

from tests.store.config_contract import ConfigContract
from tests.store.contract import EventContract
from tests.store.insight_contract import InsightContract, InsightSetContract
from tests.store.load_contract import LoadContract
from tests.store.set_contract import SetContract
from tests.store.share_contract import ShareContract
from tests.store.tally_contract import TallyContract


class TestConfig(ConfigContract):
    pass


class TestEvents(EventContract):
    pass


class TestLoading(LoadContract):
    pass


class TestTally(TallyContract):
    pass


class TestShares(ShareContract):
    pass


class TestSets(SetContract):
    pass


class TestInsights(InsightContract):
    pass


class TestInsightSets(InsightSetContract):
    pass
