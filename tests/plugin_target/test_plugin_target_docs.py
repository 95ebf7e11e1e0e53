"""docs/target.md: its example runs."""

from __future__ import annotations

import re
from pathlib import Path

DOCS = Path(__file__).parents[2] / "docs" / "target.md"
FILES = dict(re.findall(r"<!-- file: (\S+) -->\n```python\n(.*?)\n```", DOCS.read_text(encoding="utf-8"), re.DOTALL))

MY_RAG = """
from types import SimpleNamespace

class MyRag:
    @classmethod
    def from_index(cls, folder):
        return cls()

    def ask(self, user_input):
        return SimpleNamespace(text="Leave is 27 days.", chunks=["Leave is 27 days a year."])
"""


def test_the_example_runs_without_any_key(project):
    project.rows(3)
    for name, text in {**FILES, "my_rag.py": MY_RAG}.items():
        (project.path / name).write_text(text, encoding="utf-8")
    project.run().assert_outcomes(passed=6)
