"""The SQLite store keeps the contract about persons."""

from tests.store.privacy_contract import PrivacyContract


class TestPrivacy(PrivacyContract):
    pass
