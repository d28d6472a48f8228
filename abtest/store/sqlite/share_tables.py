"""Links to results."""

from datetime import datetime

from abtest.domain.experiment import ExperimentKey
from abtest.domain.share import ShareLink, ShareLinkId
from abtest.errors import AbtestError, ErrorCode
from abtest.store.lean_sqlite_utils import Database
from abtest.store.sqlite.config_tables import ConfigTables, Row, as_text, only

_TABLE = "share_link"


class ShareTables(ConfigTables):
    """The links; see `ShareStore`."""

    def add_share_link(self, link: ShareLink) -> None:
        """Store a link."""
        row = {
            "id": link.id,
            "token_hash": link.token_hash,
            "experiment": link.experiment,
            "created_by": link.created_by,
            "created_at": as_text(link.created_at),
            "expires_at": as_text(link.expires_at),
            "revoked_at": link.revoked_at and as_text(link.revoked_at),
        }
        self._write(lambda db: db.table(_TABLE).insert(row))

    def find_share_link(self, token_hash: str) -> ShareLink | None:
        """Return the link with this hash."""
        return only(self._rows(_TABLE, _to_link, "token_hash = ?", token_hash))

    def list_share_links(self, key: ExperimentKey) -> tuple[ShareLink, ...]:
        """Return the links of an experiment, oldest first."""
        return self._rows(_TABLE, _to_link, "experiment = ?", key)

    def revoke_share_link(self, link_id: ShareLinkId, at: datetime) -> None:
        """Revoke; `not_found` when unknown or revoked already."""

        def revoke(database: Database) -> None:
            changed = database.execute(
                "UPDATE share_link SET revoked_at = ?"
                " WHERE id = ? AND revoked_at IS NULL",
                [as_text(at), link_id],
            ).rowcount
            if not changed:
                raise AbtestError(
                    ErrorCode.NOT_FOUND, f"there is no link {link_id!r} to revoke"
                )

        self._write(revoke)


def _to_link(row: Row) -> ShareLink:
    revoked = row["revoked_at"]
    return ShareLink(
        id=ShareLinkId(row["id"]),
        token_hash=row["token_hash"],
        experiment=ExperimentKey(row["experiment"]),
        created_by=row["created_by"],
        created_at=datetime.fromisoformat(row["created_at"]),
        expires_at=datetime.fromisoformat(row["expires_at"]),
        revoked_at=datetime.fromisoformat(revoked) if revoked else None,
    )
