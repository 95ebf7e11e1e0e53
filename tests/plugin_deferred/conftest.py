"""Fixtures of the tests of deferred verdicts."""

from __future__ import annotations

from pathlib import Path

import pytest
from deferred_suites import Suite, copied

collect_ignore = ["suites"]


@pytest.fixture
def suite(request: pytest.FixtureRequest, tmp_path: Path) -> Suite:
    """The suite that the test's module names as SUITE."""
    return copied(request.module.SUITE, tmp_path)
