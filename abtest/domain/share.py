"""A link with which anybody may read the results of one experiment for a while."""

from dataclasses import dataclass
from datetime import datetime
from typing import NewType

from abtest.domain.experiment import ExperimentKey

ShareLinkId = NewType("ShareLinkId", str)


@dataclass(frozen=True, slots=True, kw_only=True)
class ShareLink:
    """A link; its token is known to those alone who were given it.

    Attributes:
        token_hash: SHA-256 of the token, hex.
        created_by: as it stands in the audit log.
    """

    id: ShareLinkId
    token_hash: str
    experiment: ExperimentKey
    created_by: str
    created_at: datetime
    expires_at: datetime
    revoked_at: datetime | None = None

    def is_open(self, now: datetime) -> bool:
        """Tell whether the link still leads somewhere."""
        return self.revoked_at is None and now < self.expires_at
