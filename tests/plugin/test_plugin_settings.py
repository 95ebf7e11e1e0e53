"""Settings that cannot be used: one message, exit code 4, and only where somebody uses us."""

from __future__ import annotations

import pytest

SUITE = """
@pytest.mark.ragas(testset="testset.json")
def test_rag(ragas_sample):
    pass
"""
BROKEN = '[tool.pytest-ragas]\nmetric = ["quality"]\n'
MESSAGE = "ERROR: Unknown key*'metric'*Did you mean 'metrics'?*"


def usage_error(result: pytest.RunResult, message: str) -> None:
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines([message])
    everything = result.stdout.str() + result.stderr.str()
    assert "Traceback" not in everything
    assert "INTERNALERROR" not in everything
    assert result.stderr.str().count("Did you mean") <= 1


def test_settings_that_cannot_be_used_end_a_suite_that_uses_us(rag_project, xdist_args):
    rag_project.testset("0.9").tests(SUITE).tests(SUITE, name="test_other.py").config(BROKEN)
    usage_error(rag_project.run(*xdist_args), MESSAGE)


def test_settings_that_cannot_be_used_end_a_suite_that_only_takes_a_fixture(rag_project):
    rag_project.tests("def test_it(ragas): pass").config(BROKEN)
    usage_error(rag_project.run(), MESSAGE)


def test_a_suite_that_does_not_use_us_does_not_care(rag_project, xdist_args):
    result = rag_project.tests("def test_it(): pass").config(BROKEN).run(*xdist_args)
    result.assert_outcomes(passed=1)
    assert result.ret == pytest.ExitCode.OK


def test_an_option_of_ours_asks_for_the_settings(rag_project, xdist_args):
    rag_project.tests("def test_it(): pass").config(BROKEN)
    usage_error(rag_project.run("--ragas-summary=full", *xdist_args), MESSAGE)


def test_bad_values_name_their_source(rag_project, monkeypatch):
    rag_project.testset("0.9").tests(SUITE)
    result = rag_project.run("--ragas-concurrency=many")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    assert "--ragas-concurrency" in result.stderr.str()
    monkeypatch.setenv("PYTEST_RAGAS_CONCURRENCY", "0")
    result = rag_project.run()
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    assert "PYTEST_RAGAS_CONCURRENCY" in result.stderr.str()


def test_an_unknown_choice_is_refused_by_the_parser(rag_project):
    result = rag_project.tests("def test_it(): pass").run("--ragas-summary=loud")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["*argument --ragas-summary: invalid choice: 'loud'*"])


def test_a_missing_config_file_is_named(rag_project):
    result = rag_project.tests("def test_it(): pass").run("--ragas-config=ci.toml")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    assert "ci.toml" in result.stderr.str()


def test_the_command_line_weighs_more_than_environment_file_and_pyproject(rag_project, monkeypatch):
    rag_project.testset("0.5").tests(SUITE)
    rag_project.config('[tool.pytest-ragas]\nmetrics = ["quality"]\n[tool.pytest-ragas.thresholds]\nquality = 0.1')
    rag_project.run().assert_outcomes(passed=1)
    (rag_project.path / "ci.toml").write_text("[thresholds]\nquality = 0.6\n")
    rag_project.run("--ragas-config=ci.toml").assert_outcomes(failed=1)
    monkeypatch.setenv("PYTEST_RAGAS_THRESHOLDS", "quality=0.2")
    rag_project.run("--ragas-config=ci.toml").assert_outcomes(passed=1)
    rag_project.run("--ragas-config=ci.toml", "--ragas-threshold=quality=0.9").assert_outcomes(failed=1)


def test_the_config_file_is_looked_for_where_pytest_was_started(rag_project, monkeypatch):
    rag_project.testset("0.5").tests(SUITE, name="deep/test_deep.py")
    (rag_project.path / "deep" / "ci.toml").write_text('metrics = ["quality"]\n[thresholds]\nquality = 0.6\n')
    monkeypatch.chdir(rag_project.path / "deep")
    rag_project.run("--ragas-config=ci.toml").assert_outcomes(failed=1)


def test_configured_metrics_and_thresholds_are_defaults_of_every_marked_test(rag_project):
    rag_project.config('[tool.pytest-ragas]\nmetrics = ["style"]\n[tool.pytest-ragas.thresholds]\nquality = 0.5')
    result = rag_project.testset("0.4").tests(
        """
        @pytest.mark.ragas(testset="testset.json")
        def test_defaults(ragas_sample): pass

        @pytest.mark.ragas(testset="testset.json", thresholds={"quality": 0.3})
        def test_lower(ragas_sample): pass

        @pytest.mark.ragas(testset="testset.json", thresholds={"quality": None, "style": 0.4})
        def test_none(ragas_sample): pass

        @pytest.mark.ragas(testset="testset.json", metrics=["style"])
        def test_other_metric(ragas_sample): pass
        """
    ).run()  # fmt: skip
    result.assert_outcomes(passed=3, failed=1)
    result.stdout.fnmatch_lines(["style    4 *", "quality  2 *"])


def test_one_group_of_the_help_documents_every_option(rag_project):
    from pytest_ragas.settings.options import OPTIONS

    result = rag_project.run("--help")
    lines = result.outlines
    start = next(number for number, line in enumerate(lines) if line.startswith("RAG regression tests"))
    group = lines[start : lines.index("", start + 1)]
    for option in OPTIONS:
        assert any(line.strip().startswith(f"{option.flag}=") for line in group), option.flag
        assert option.env in " ".join(group)


def test_a_key_is_shown_nowhere(rag_project, monkeypatch):
    monkeypatch.setenv("RAG_KEY", "sk-very-secret")
    rag_project.testset("BOOM", reference="R", retrieved_contexts=["c"]).tests(
        SUITE.replace('json"', 'json", metrics=["quality", "faithfulness"]')
    ).config(
        """
        [tool.pytest-ragas.critic_llm]
        model_name = "judge"
        api_base = "http://127.0.0.1:9/v1"
        api_key = "env:RAG_KEY"
        timeout = 2
        """
    )
    for options in (["-vv", "--ragas-summary=full"], ["--full-trace", "--showlocals", "-vv"], ["--help"]):
        result = rag_project.run(*options)
        assert "sk-very-secret" not in result.stdout.str() + result.stderr.str()


def test_the_plugin_can_be_turned_off(pytester):
    pytester.makepyprojecttoml("[tool.pytest.ini_options]\nasyncio_default_fixture_loop_scope = 'function'")
    pytester.makepyfile("def test_it(ragas): pass")
    result = pytester.runpytest("-p", "no:ragas")
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["*fixture 'ragas' not found*"])
    assert "--ragas-summary" not in pytester.runpytest("-p", "no:ragas", "--help").stdout.str()
