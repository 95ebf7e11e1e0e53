"""Importing ragas: no telemetry, no warnings, the dropped module stood in for, and errors that name the mend."""

from __future__ import annotations

import ast
import importlib.util
import subprocess
import sys
from pathlib import Path

import pytest

import pytest_ragas
from pytest_ragas.errors import ConfigurationError, MissingExtraError
from pytest_ragas.libraries import ragas_door
from pytest_ragas.metrics.builtin import registry

needs_ragas = pytest.mark.skipif(importlib.util.find_spec("ragas") is None, reason="ragas is an extra")

CRITIC = "class Critic: ...\n"
BUILD = "from pytest_ragas.metrics.builtin import registry\nregistry().build('ragas:faithfulness', critic=Critic())\n"


def run(code: str, *flags: str, **environment: str) -> str:
    import os

    finished = subprocess.run(
        [sys.executable, *flags, "-c", code],
        capture_output=True,
        text=True,
        env={**{key: value for key, value in os.environ.items() if key != "RAGAS_DO_NOT_TRACK"}, **environment},
    )
    assert finished.returncode == 0, finished.stderr
    return finished.stdout


def test_only_the_door_imports_ragas() -> None:
    package = Path(pytest_ragas.__file__).parent
    importing = set()
    for file in package.rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            names = []
            if isinstance(node, ast.Import):
                names = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom) and not node.level:
                names = [node.module or ""]
            elif isinstance(node, ast.Call) and ast.unparse(node.func).endswith("import_module"):
                names = [ast.unparse(argument).lstrip("f").strip("'\"") for argument in node.args]
            if any(name == "ragas" or name.startswith("ragas.") for name in names):
                importing.add(file.relative_to(package).as_posix())
    assert importing == {"libraries/ragas_door.py"}


@needs_ragas
def test_the_import_is_silent_and_patches_nothing() -> None:
    code = (
        CRITIC
        + "import asyncio, os, sys\nbefore = asyncio.run\n"
        + BUILD
        + "from ragas._analytics import do_not_track\n"
        + "assert do_not_track() and os.environ['RAGAS_DO_NOT_TRACK'] == 'true'\n"
        + "assert asyncio.run is before and 'nest_asyncio' not in repr(asyncio.run)\n"
        + "print('built')"
    )
    assert run(code, "-W", "error", RAGAS_DO_NOT_TRACK="1") == "built\n"


@needs_ragas
def test_the_module_that_langchain_community_dropped_is_stood_in_for() -> None:
    """As langchain-community 0.4.2 does it: no module, and a warning on import."""
    code = (
        "import sys, warnings\n"
        "class Finder:\n"
        "    def __init__(self, finder): self.finder = finder\n"
        "    def __getattr__(self, name): return getattr(self.finder, name)\n"
        "    def find_spec(self, name, *rest):\n"
        "        if name == 'langchain_community': warnings.warn('is being sunset', DeprecationWarning)\n"
        "        return None if name == 'langchain_community.chat_models.vertexai' else "
        "self.finder.find_spec(name, *rest)\n"
        "sys.meta_path[:] = [Finder(finder) for finder in sys.meta_path]\n"
        + CRITIC
        + BUILD
        + "assert 'langchain_community.chat_models.vertexai' not in sys.modules\n"
        "try: import langchain_community.chat_models.vertexai\n"
        "except ModuleNotFoundError: print('still gone')\n"
    )
    assert run(code, "-W", "error") == "still gone\n"


@needs_ragas
def test_a_ragas_that_cannot_be_imported_names_the_mend() -> None:
    code = (
        "import sys\n"
        "sys.modules['instructor'] = None\n"
        + CRITIC
        + "from pytest_ragas.errors import ConfigurationError\n"
        + "try:\n"
        + "".join(f"    {line}\n" for line in BUILD.splitlines())
        + "except ConfigurationError as error: print(error)\n"
    )
    text = run(code)
    assert "ragas is installed but cannot be imported" in text
    assert "pip install 'pytest-ragas[ragas]'" in text


def test_without_ragas_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ragas_door, "installed", lambda: False)

    class Critic: ...

    with pytest.raises(MissingExtraError, match=r"ragas:faithfulness needs ragas.*pip install 'pytest-ragas\[ragas\]'"):
        registry().build("ragas:faithfulness", critic=Critic())  # type: ignore[arg-type]


def test_the_embedded_critic_is_refused_before_any_import() -> None:
    from pytest_ragas.values.model import EmbeddedCritic

    with pytest.raises(ConfigurationError, match="judged by an LLM"):
        registry().build("ragas:faithfulness", critic=EmbeddedCritic())
