"""How the place where a store keeps its data is doing."""

from dataclasses import dataclass

from abtest.domain.events import Milliseconds


@dataclass(frozen=True, slots=True, kw_only=True)
class StoreCondition:
    """What can be told at once, however much is stored.

    Attributes:
        pending: migrations that this version waits for.
        size, log_size: bytes of the data, and of what is not yet merged into them.
        disk_size, disk_free: bytes of the disk they are on.
        last_received: when the newest event came; None when there is none.
    """

    pending: tuple[str, ...]
    size: int
    log_size: int
    disk_size: int
    disk_free: int
    last_received: Milliseconds | None
