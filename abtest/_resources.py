"""Finds migrations and client snippets in a wheel as well as in a checkout."""

from pathlib import Path

_PACKAGE = Path(__file__).resolve().parent


def migrations(engine: str) -> Path:
    """Return the folder of the engine's migrations."""
    return _found("migrations") / engine


def client_snippets() -> Path:
    """Return the folder of the client snippets."""
    return _found("client_snippets")


def _found(name: str) -> Path:
    packaged = _PACKAGE / f"_{name}"
    return packaged if packaged.is_dir() else _PACKAGE.parent / name
