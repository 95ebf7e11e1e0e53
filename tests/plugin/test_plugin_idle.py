"""A suite that does not use us pays nothing for having us installed."""

from __future__ import annotations

import json
import sys

import pytest

HEAVY = (
    "ragas", "langchain", "langchain_core", "langchain_openai", "torch", "transformers", "sentence_transformers",
    "openai", "jsonschema", "aiohttp", "yaml", "numpy",
)  # fmt: skip
STAGES = ("session", "testset", "models", "metrics", "scoring", "gates", "reports", "baselines", "judgements", "cli")

REPORT = """
import json, sys

def pytest_unconfigure():
    with open("modules.json", "w") as file:
        json.dump(sorted(sys.modules), file)
"""


def modules_of(pytester: pytest.Pytester, *arguments: str) -> set[str]:
    """What is imported at the end of a pytest run in a fresh process, with no other plugin installed."""
    pytester.makeconftest(REPORT)
    code = "import pytest, sys; sys.exit(pytest.main(sys.argv[1:]))"
    # other plugins import what they like
    options = ["-p", "pytest_ragas.plugin.entry", *arguments]
    result = pytester.run(sys.executable, "-c", code, *options)
    assert result.ret in (pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED), result.stdout.str()
    return set(json.loads((pytester.path / "modules.json").read_text()))


@pytest.fixture
def alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")


@pytest.mark.usefixtures("alone")
@pytest.mark.parametrize("arguments", [["--collect-only"], [], ["--help"], ["--markers"], ["--fixtures"]], ids=" ".join)
def test_a_suite_without_our_marker_imports_no_library_and_no_stage(pytester, arguments):
    pytester.makepyfile("import pytest_ragas\n\n\ndef test_plain(tmp_path):\n    assert True\n")
    pytester.makepyprojecttoml('[tool.pytest-ragas]\nmetrics = ["faithfulness"]\n')
    modules = modules_of(pytester, *arguments)
    assert "pytest_ragas.plugin.entry" in modules
    assert {name for name in HEAVY if name in modules} == set()
    assert {name for name in modules if name.startswith(tuple(f"pytest_ragas.{stage}" for stage in STAGES))} == set()


@pytest.mark.usefixtures("alone")
def test_a_suite_on_the_embedded_critic_needs_no_http_client_and_no_library(pytester):
    pytester.makepyfile(
        """
        import pytest

        @pytest.mark.ragas(testset=[{"user_input": "How much?", "response": "Leave is 30 days.",
                                     "retrieved_contexts": ["Leave is 30 days."]}], thresholds={"faithfulness": 0.5})
        def test_rag(ragas_sample):
            pass
        """
    )
    modules = modules_of(pytester)
    assert "pytest_ragas.session" in modules
    assert {name for name in HEAVY if name in modules} == set()
