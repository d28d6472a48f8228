"""Which keys were ever used: noted once, so that a request pays nothing for it."""

from contextlib import suppress

from abtest.domain.access import ApiKey, KeyId
from abtest.errors import AbtestError
from abtest.store.protocol import ConfigStore

_USED = "key_used:"

_NOTED: set[KeyId] = set()
"""Keys whose use this process has noted, or tried to."""


def note_use(store: ConfigStore, key: ApiKey) -> None:
    """Remember that the key was used; a full disk keeps nobody from using it."""
    if key.id in _NOTED:
        return
    _NOTED.add(key.id)
    with suppress(AbtestError):
        if not was_used(store, key):
            store.put_setting(f"{_USED}{key.id}", "yes")


def was_used(store: ConfigStore, key: ApiKey) -> bool:
    """Tell whether anybody was ever let in with the key.

    Raises:
        AbtestError: `unavailable`.
    """
    return store.get_setting(f"{_USED}{key.id}") is not None
