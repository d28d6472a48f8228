"""What every store must do with links to results."""

from dataclasses import replace
from datetime import timedelta

import pytest

from abtest.domain.share import ShareLink, ShareLinkId
from abtest.errors import AbtestError, ErrorCode
from abtest.store.protocol import Store
from tests.store.builders import HOME, NOW, TRIAL

LINK = ShareLink(
    id=ShareLinkId("share_1"),
    token_hash="1" * 64,
    experiment=HOME,
    created_by="user anna",
    created_at=NOW,
    expires_at=NOW + timedelta(days=7),
)
OTHER = replace(LINK, id=ShareLinkId("share_2"), token_hash="2" * 64, experiment=TRIAL)


class ShareContract:
    """Links to results."""

    def test_a_link_comes_back_as_it_was(self, store: Store) -> None:
        for link in (LINK, OTHER):
            store.add_share_link(link)
        assert store.find_share_link(LINK.token_hash) == LINK
        assert store.find_share_link("3" * 64) is None
        assert store.list_share_links(HOME) == (LINK,)
        assert store.list_share_links(TRIAL) == (OTHER,)

    def test_links_are_listed_oldest_first(self, store: Store) -> None:
        newer = replace(OTHER, experiment=HOME)
        store.add_share_link(LINK)
        store.add_share_link(newer)
        assert store.list_share_links(HOME) == (LINK, newer)

    def test_a_revoked_link_says_when(self, store: Store) -> None:
        store.add_share_link(LINK)
        store.revoke_share_link(LINK.id, NOW)
        assert store.find_share_link(LINK.token_hash) == replace(LINK, revoked_at=NOW)
        for gone in (LINK.id, ShareLinkId("share_9")):
            with pytest.raises(AbtestError) as error:
                store.revoke_share_link(gone, NOW)
            assert error.value.code is ErrorCode.NOT_FOUND
