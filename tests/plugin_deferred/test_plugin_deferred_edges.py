"""The reports of a deferred run are those of a blocking run: every one of them, in one process and in two."""

from __future__ import annotations

import html
import importlib.util
import json
import re
import xml.etree.ElementTree as ElementTree
from collections import Counter
from pathlib import Path

import pytest
from deferred_suites import Outcome, copied

PLUGINS = ("pytest_asyncio.plugin", "anyio.pytest_plugin")
HTML, ALLURE = (importlib.util.find_spec(name) is not None for name in ("pytest_html", "allure_pytest"))
REPORTS = [
    ["--junitxml=junit.xml"],
    ["-p", "pytest_metadata.plugin", "-p", "pytest_html.plugin", "--html=report.html", "--self-contained-html"] * HTML,
    ["-p", "allure_pytest.plugin", "--alluredir=allure"] * ALLURE,
]
WAITS = {"test_verdicts.py::test_that_waits", "test_verdicts.py::test_helper"}
"""Tests with scores that no verdict is deferred of."""


def run(folder: Path, *arguments: str) -> Outcome:
    return copied("edge", folder).run(*arguments, *(word for words in REPORTS for word in words), plugins=PLUGINS)


@pytest.fixture(scope="module")
def blocking(tmp_path_factory: pytest.TempPathFactory) -> Outcome:
    """The suite, where each test waits for its own scores."""
    return run(tmp_path_factory.mktemp("blocking"), "--ragas-scoring=blocking")


@pytest.fixture(scope="module")
def deferred(tmp_path_factory: pytest.TempPathFactory) -> Outcome:
    """The same suite, as it is by default."""
    return run(tmp_path_factory.mktemp("deferred"))


@pytest.fixture(scope="module")
def blocking_xdist(tmp_path_factory: pytest.TempPathFactory) -> Outcome:
    """The suite in two processes, where each test waits for its own scores."""
    return run(tmp_path_factory.mktemp("blocking"), "--ragas-scoring=blocking", "-n2")


def differences(one: Outcome, other: Outcome) -> tuple[list[str], list[str]]:
    """Reports that only one of two runs has."""
    first, second = Counter(one.reports), Counter(other.reports)
    return sorted((first - second).elements()), sorted((second - first).elements())


def test_every_report_is_the_same(blocking, deferred):
    assert len(blocking.reports) > 200
    assert differences(blocking, deferred) == ([], [])
    assert deferred.last == blocking.last
    assert deferred.ret == blocking.ret == 1


@pytest.mark.parametrize("arguments", [["-n2"], ["-n2", "--dist=loadscope"]], ids=" ".join)
def test_every_report_is_the_same_under_xdist(blocking, blocking_xdist, tmp_path, arguments):
    outcome = run(tmp_path, *arguments)
    assert differences(blocking_xdist, outcome) == ([], [])
    assert outcome.last == blocking.last == blocking_xdist.last
    assert cases_of(outcome) == cases_of(blocking)


def test_blocks_are_whole_and_in_the_order_of_the_run(blocking, deferred):
    """Of the tests that wait for scores; others are reported when they have run."""
    order = [str(entry[1]) for entry in deferred.stream if entry[0] == "start"]
    block = ""
    for kind, nodeid, *rest in deferred.stream:
        if kind == "start":
            assert not block
            block = str(nodeid)
        elif kind == "finish":
            assert nodeid == block
            block = ""
        elif kind == "report" and rest[3] != "SubtestReport":  # core logs those while the body runs
            assert nodeid == block
    calls = [entry for entry in deferred.stream if entry[0] == "report" and entry[2] in ("setup", "call")]
    scored = {str(entry[1]) for entry in calls if any(name.startswith("ragas.") for name, _ in entry[7])} - WAITS
    assert len(scored) > 35
    in_line = [str(entry[1]) for entry in blocking.stream if entry[0] == "start" and entry[1] in scored]
    assert [nodeid for nodeid in order if nodeid in scored] == in_line


def cases_of(outcome: Outcome) -> list[tuple[str, list[str], dict[str, str]]]:
    """Of JUnit: name, what it holds, and its properties; some tests have two."""
    found = []
    for case in ElementTree.parse(outcome.folder / "junit.xml").iter("testcase"):
        kinds = [child.tag for child in case if child.tag not in ("properties", "system-out", "system-err")]
        properties = {str(entry.get("name")): str(entry.get("value")) for entry in case.iter("property")}
        properties.pop("ragas.scoring_s", None)
        found.append((f"{case.get('classname')}::{case.get('name')}", kinds, properties))
    return sorted(found, key=str)


def test_junit_is_the_same(blocking, deferred):
    assert len(cases_of(blocking)) > 60
    assert cases_of(deferred) == cases_of(blocking)
    one, other = (next(ElementTree.parse(o.folder / "junit.xml").iter("testsuite")) for o in (blocking, deferred))
    for name in ("tests", "failures", "errors", "skipped"):
        assert one.get(name) == other.get(name)


def test_every_scored_test_says_how_long_scoring_took(deferred):
    tree = ElementTree.parse(deferred.folder / "junit.xml")
    case = next(case for case in tree.iter("testcase") if case.get("name") == "test_low")
    properties = {entry.get("name"): entry.get("value") for entry in case.iter("property")}
    assert float(properties["ragas.scoring_s"]) > 0


@pytest.mark.skipif(not HTML, reason="pytest-html is not installed")
def test_html_is_the_same(blocking, deferred):
    def rows(outcome: Outcome) -> dict[str, list[str]]:
        text = (outcome.folder / "report.html").read_text(encoding="utf-8")
        found = re.search(r'data-jsonblob="([^"]*)"', text)
        assert found
        return {
            name: [row["result"] for row in rows] for name, rows in json.loads(html.unescape(found[1]))["tests"].items()
        }

    assert sum(map(len, rows(blocking).values())) > 60
    assert rows(deferred) == rows(blocking)


@pytest.mark.skipif(not ALLURE, reason="allure-pytest is not installed")
def test_allure_is_the_same(blocking, deferred):
    def results(outcome: Outcome) -> list[tuple[str, str, str]]:
        files = [json.loads(file.read_text()) for file in (outcome.folder / "allure").glob("*-result.json")]
        details = [(result.get("statusDetails") or {}).get("message", "") for result in files]
        return sorted((r["fullName"], r["status"], d) for r, d in zip(files, details, strict=True))

    assert len(results(blocking)) > 60
    assert results(deferred) == results(blocking)


def test_captured_output_is_shown_with_a_late_failure(deferred):
    block = deferred.out.partition("_ test_low _")[2].partition("\n____")[0]
    for line in (
        "quality 0.40 < 0.50",
        "- Captured stdout call -",
        "printed by the body",
        "logged by the body",
        "tmp_path was test_low0",
    ):
        assert line in block
    assert block.count("printed by the teardown") == 1


def test_what_scoring_logs_is_shown_with_its_own_test(deferred):
    block = deferred.out.partition("_ test_noisy _")[2].partition("\n____")[0]
    assert "- Captured log scoring -" in block
    assert "scoring 0.4 NOISY" in block
    assert deferred.out.count("scoring 0.4 NOISY") == block.count("scoring 0.4 NOISY") == 2  # two metrics


@pytest.mark.skipif(importlib.util.find_spec("_pytest.subtests") is None, reason="this pytest has no subtests")
def test_a_subtest_that_fails_is_no_score_that_is_missing(deferred):
    reports = {str(entry[1]): entry for entry in deferred.stream if entry[0] == "report" and entry[2] == "teardown"}
    names = [name for name, _ in reports["test_verdicts.py::test_subtests_fail"][7]]
    assert names == ["ragas.quality", "ragas.style"]


def test_no_traceback_shows_our_frames(deferred):
    assert "pytest_ragas" not in "".join(deferred.reports)


def test_durations_are_those_of_the_bodies(tmp_path):
    outcome = copied("edge", tmp_path).run(
        "test_critic_of_a_module.py", "--durations=0", "-vv", plugins=PLUGINS, SUITE_DELAY=0.3
    )
    times = {nodeid: float(time) for time, nodeid in re.findall(r"([\d.]+)s call +(\S+)", outcome.out)}
    assert len(times) == 3
    assert max(times.values()) < 0.3


LATE = """
import time
import pytest
from pytest_ragas import Sample, assert_scores

@pytest.mark.ragas(thresholds={"quality": 0.5})
def test_late(ragas_sample):
    time.sleep(0.2)
    assert_scores(Sample(user_input="in the body", response="0.9"), quality=0.5)
    return "0.3"
"""


@pytest.fixture(scope="module")
def late(tmp_path_factory: pytest.TempPathFactory) -> Outcome:
    """A test whose verdict makes its call report again, and whose body scored something itself."""
    suite = copied("edge", tmp_path_factory.mktemp("late"))
    (suite.folder / "test_late.py").write_text(LATE, encoding="utf-8")
    return suite.run(
        "test_late.py", "--durations=0", "-vv", "--ragas-fail-under=mean(quality) >= 0.59", plugins=PLUGINS
    )


def test_a_report_that_is_made_again_has_the_times_of_its_body(late):
    assert late.last == "1 failed"
    (seconds,) = re.findall(r"([\d.]+)s call +test_late.py::test_late", late.out)
    assert float(seconds) >= 0.2


def test_a_gate_sees_the_scores_of_helpers_beside_a_late_verdict(late):
    """0.9 of the body and 0.3 of the verdict."""
    assert re.search(r"^quality +2 +0\.60 ", late.out, re.M), late.out
    assert "gate failed" not in late.out
