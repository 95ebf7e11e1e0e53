"""The project of `tests/plugin`, with a suite that is saved and accepted."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from plugin.conftest import RagProject, rag_project, xdist_args  # noqa: F401  # fixtures

SUITE = """
@pytest.mark.ragas(testset="testset.json", thresholds={"quality": 0.5})
def test_rag(ragas_sample):
    pass
"""


class KeptRuns:
    """What a run of a project has left behind."""

    def __init__(self, project: RagProject) -> None:
        self.project = project
        self.folder: Path = project.path

    def saved(self) -> list[str]:
        """Names of the saved runs."""
        return sorted(path.name for path in (self.folder / ".pytest-ragas" / "runs").glob("*.json"))

    def run(self, name: str) -> dict[str, Any]:
        """A saved run."""
        data: dict[str, Any] = json.loads((self.folder / ".pytest-ragas" / "runs" / name).read_text("utf-8"))
        return data

    def baseline(self, name: str = "baseline.json") -> dict[str, Any]:
        """The baseline."""
        data: dict[str, Any] = json.loads((self.folder / name).read_text("utf-8"))
        return data

    def scores(self, name: str = "baseline.json") -> dict[str, float]:
        """Row -> its score in the baseline."""
        return {
            f"{row['test'].partition('::')[2]} {row['id']}": row["scores"]["quality"]["value"]
            for row in self.baseline(name)["rows"]
        }


@pytest.fixture
def kept(rag_project: RagProject) -> KeptRuns:  # noqa: F811
    rag_project.tests(SUITE)
    return KeptRuns(rag_project)
