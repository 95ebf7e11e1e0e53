"""`pytest-ragas`."""

from __future__ import annotations


def main() -> int:
    """Run the console script."""
    return 0
