"""What benchmarks/fresh_install.py reads in pip's output, and that it says so when an installation fails."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import pytest

SCRIPT = Path(__file__).parents[2] / "benchmarks" / "fresh_install.py"
OUTPUT = """
Collecting openai<3.4,>=2 (from pytest-ragas==0.1.0)
  Downloading openai-3.3.1-py3-none-any.whl (2.4 MB)
INFO: pip is looking at multiple versions of openai to determine which version is compatible with other requirements.
  Downloading openai-3.3.0-py3-none-any.whl (2.4 MB)
  Using cached langchain_core-1.8.2-py3-none-any.whl.metadata (3 kB)
  Downloading langchain_core-1.8.1-py3-none-any.whl.metadata (3 kB)
  Downloading langchain_core-1.8.0-py3-none-any.whl.metadata (3 kB)
  Downloading langchain_core-1.8.0-py3-none-any.whl (587 kB)
Processing /opt/files/PyYAML-6.0.3-cp311-cp311-manylinux2014_x86_64.whl (from pytest-ragas==0.1.0)
  Downloading docopt-0.6.2.tar.gz (25 kB)
"""


@pytest.fixture
def script(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    spec = importlib.util.spec_from_file_location("fresh_install", SCRIPT)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, "fresh_install", module)
    spec.loader.exec_module(module)
    return module


def test_releases_that_pip_looked_at_in_vain_are_counted(script: ModuleType) -> None:
    assert script.tried_again(OUTPUT) == {"langchain_core": 2, "openai": 1}
    assert script.retried(script.tried_again(OUTPUT)) == "3 retries (langchain_core 2, openai 1)"
    assert script.retried({}) == "0 retries"


def test_a_failure_is_a_line_and_the_exit_status(script: ModuleType, capsys: pytest.CaptureFixture[str]) -> None:
    assert script.main(["core", "--python", "/usr/bin/false" if Path("/usr/bin/false").exists() else "/bin/false"]) == 1
    assert capsys.readouterr().out.startswith("core       FAILED  -m venv ")


def test_an_extra_that_does_not_exist(script: ModuleType, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        script.main(["langchian"])
    assert "invalid choice: 'langchian'" in capsys.readouterr().err


def test_every_extra_of_the_project_is_known(script: ModuleType) -> None:
    project = SCRIPT.parents[1] / "pyproject.toml"
    section = project.read_text(encoding="utf-8").partition("[project.optional-dependencies]")[2].partition("\n[")[0]
    extras = {line.partition(" =")[0] for line in section.splitlines() if " = [" in line and not line.startswith("#")}
    assert (extras | {"core"}) - {"test", "lint"} == set(script.IMPORTS)
