"""What the tests of generation share."""

from __future__ import annotations

from pathlib import Path

import pytest
from generate_made import Project
from openai_server.author import author
from openai_server.server import OpenAIServer


@pytest.fixture
def project(openai_server: OpenAIServer, tmp_path: Path) -> Project:
    """Three handbooks, and a server whose models write and judge by their words."""
    openai_server.brain = author
    return Project(openai_server, tmp_path)
