"""Our own modules are imported as every package's are, not through pytest's assertion rewriting.

pytest rewrites the assertions of every module of a distribution with a plugin, and we have none to rewrite: its
import hook is written in Python and keeps byte code of its own. Where it may not write any (`PYTHONDONTWRITEBYTECODE`,
as in most containers) it would parse and rewrite all of our modules on every start, half a second of them.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from importlib.machinery import ModuleSpec, PathFinder
from types import ModuleType

_OURS = "pytest_ragas."


class _Finder:
    """Finds our modules where Python would look for them, before pytest's hook is asked."""

    @staticmethod
    def find_spec(name: str, path: Sequence[str] | None = None, target: ModuleType | None = None) -> ModuleSpec | None:
        """The module, if it is one of ours."""
        return PathFinder.find_spec(name, path, target) if name.startswith(_OURS) else None


def import_as_usual() -> None:
    """From now on; nothing happens if it is so already."""
    if _Finder not in sys.meta_path:
        sys.meta_path.insert(0, _Finder)
