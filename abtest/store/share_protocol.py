"""What every store promises about links to results."""

from datetime import datetime
from typing import Protocol

from abtest.domain.experiment import ExperimentKey
from abtest.domain.share import ShareLink, ShareLinkId


class ShareStore(Protocol):
    """Links with which results are read without a login."""

    def add_share_link(self, link: ShareLink) -> None:
        """Store a link."""
        ...

    def find_share_link(self, token_hash: str) -> ShareLink | None:
        """Return the link with this hash, expired and revoked ones too."""
        ...

    def list_share_links(self, key: ExperimentKey) -> tuple[ShareLink, ...]:
        """Return the links of an experiment, oldest first; none for an unknown one."""
        ...

    def revoke_share_link(self, link_id: ShareLinkId, at: datetime) -> None:
        """Revoke; `not_found` when unknown or revoked already."""
        ...
