"""Style sheets and scripts: addresses that change with their content."""

import hashlib
from functools import cache
from pathlib import Path

from flask import Response, request, url_for

_STATIC = Path(__file__).resolve().parents[1] / "static"
_YEAR = 365 * 24 * 3600


def asset_url(name: str) -> str:
    """Return the address of a static file, fingerprint included."""
    return url_for("pages.static", filename=name, v=_fingerprint(name))


def cache_assets(response: Response) -> Response:
    """Let browsers keep what is addressed with its fingerprint."""
    if request.endpoint == "pages.static":
        kept = f"public, max-age={_YEAR}, immutable"
        response.headers["Cache-Control"] = kept if request.args else "no-cache"
    return response


@cache
def _fingerprint(name: str) -> str:
    return hashlib.sha256((_STATIC / name).read_bytes()).hexdigest()[:12]
