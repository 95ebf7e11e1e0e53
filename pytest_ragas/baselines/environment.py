"""What was installed where a run was made."""

from __future__ import annotations

import platform
from collections.abc import Iterable
from importlib import metadata


def environment(libraries: Iterable[str] = ("pytest", "pytest-ragas", "ragas")) -> dict[str, str]:
    """Versions of Python and of libraries, and the kind of machine; nothing that names a person or a machine.

    Args:
        libraries: Names of distributions; one that is not installed is left out.
    """
    found = {"python": platform.python_version(), "platform": f"{platform.system()} {platform.machine()}".strip()}
    for name in libraries:
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return found
