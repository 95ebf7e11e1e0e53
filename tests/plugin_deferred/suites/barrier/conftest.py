"""A critic that looks at the process while it judges: what a test patches must not be there."""

import asyncio

import pytest

from pytest_ragas import MetricSpec, Score

PATCHED = []


class Clean:
    """1 where nobody has patched the process while it was scored."""

    name = "clean"

    async def score(self, sample):
        found = False
        for _ in range(int(sample.response)):
            found = found or bool(PATCHED)
            await asyncio.sleep(0.01)
        return Score(metric="clean", value=0.0 if found else 1.0)


def pytest_ragas_register_metrics(register):
    register(
        MetricSpec(
            name="clean", backend="free", needs=frozenset({"response"}), uses=frozenset(),
            factory=lambda context: Clean(), version="1", summary="whether nobody has patched the process",
        )
    )  # fmt: skip


def patch():
    PATCHED.append(True)
    yield
    PATCHED.pop()


respx_mock = pytest.fixture(patch, name="respx_mock")
my_patch = pytest.fixture(patch, name="my_patch")
harmless = pytest.fixture(patch, name="unknown_patch")
wide_patch = pytest.fixture(patch, name="wide_patch", scope="module")
