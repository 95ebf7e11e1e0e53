"""The real weights, for whole sessions."""

from __future__ import annotations

import importlib.util

import pytest


@pytest.fixture(scope="session")
def smollm2() -> str:
    """The folder of SmolLM2-135M-Instruct: converted once on a machine, then out of the user's cache."""
    for library in ("torch", "transformers", "llguidance", "gguf", "accelerate"):
        needs(library, "local")
    from pytest_ragas.models.local.weights import find_weights

    return str(find_weights("smollm2").folder)


def needs(library: str, extra: str) -> None:
    """Skip where an extra is missing; without importing it, as pytester forgets modules and numpy cannot forget."""
    if importlib.util.find_spec(library) is None:
        pytest.skip(f"the extra [{extra}] is not installed: no {library}")
