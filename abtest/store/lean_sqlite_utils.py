"""sqlite-utils without pandas and numpy, which it takes along where they are installed.

It needs them only to store their types; leaving them out saves a serving process
46 MB and 0.4 s of start.
"""

import sys

_HEAVY = [name for name in ("numpy", "pandas") if name not in sys.modules]

# None in sys.modules is Python's way to say "cannot be imported".
sys.modules.update(dict.fromkeys(_HEAVY))  # type: ignore[arg-type]
try:
    from sqlite_utils import Database, Migrations
finally:
    for _name in _HEAVY:
        del sys.modules[_name]

__all__ = ["Database", "Migrations"]
