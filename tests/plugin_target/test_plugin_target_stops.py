"""A target that ends the run, and a run that ends while targets are under way."""

from __future__ import annotations

import os
import xml.etree.ElementTree as ElementTree

import pytest


@pytest.mark.parametrize("scoring", ["deferred", "blocking"])
@pytest.mark.parametrize("body", ["...", "assert ragas_sample.response"])
def test_pytest_exit_in_a_target_ends_the_run(project, scoring, body):
    result = (
        project.rows(5)
        .conftest(
            """
        @pytest.fixture(scope="session")
        def rag():
            def ask(user_input):
                if number(user_input) == 3:
                    pytest.exit("the index is gone", returncode=9)
                return "0.9"
            yield ask
            note("torn down")
        """
        )
        .tests(f"@gate\ndef test_it(ragas_sample): {body}")
        .run(f"--ragas-scoring={scoring}", "--ragas-target-concurrency=1")
    )
    assert result.ret == 9
    result.stdout.fnmatch_lines(["*_pytest.outcomes.Exit: the index is gone*"])
    assert result.parseoutcomes().get("passed", 0) <= 4  # whatever has its scores is reported
    assert "failed" not in result.parseoutcomes()
    assert project.notes("torn down") == ["torn down"]


@pytest.mark.parametrize("scoring", ["deferred", "blocking"])
def test_a_keyboard_interrupt_in_a_target_ends_the_run(project, scoring):
    result = (
        project.rows(5)
        .conftest(
            """
        @pytest.fixture(scope="session")
        def rag():
            async def ask(user_input):
                if number(user_input) == 1:
                    raise KeyboardInterrupt
                return "0.9"
            return ask
        """
        )
        .tests("@gate\ndef test_it(ragas_sample): ...")
        .run_apart(f"--ragas-scoring={scoring}")
    )
    assert result.ret == pytest.ExitCode.INTERRUPTED
    assert "failed" not in result.parseoutcomes()


@pytest.mark.parametrize("scoring", ["deferred", "blocking"])
def test_pytest_exit_in_a_target_ends_the_run_of_all_workers(project, scoring):
    """Without an exit code: with one, pytest-xdist itself ends in an INTERNALERROR, whoever calls `pytest.exit()`."""
    result = (
        project.rows(20)
        .conftest(
            """
        @pytest.fixture(scope="session")
        def rag():
            def ask(user_input):
                if number(user_input) == 3:
                    pytest.exit("the index is gone")
                time.sleep(0.05)
                return "0.9"
            return ask
        """
        )
        .tests("@gate\ndef test_it(ragas_sample): ...")
        .run_apart(f"--ragas-scoring={scoring}", "-n2", "--ragas-target-concurrency=2", "--junitxml=junit.xml")
    )
    assert result.ret == pytest.ExitCode.INTERRUPTED
    assert "INTERNALERROR" not in result.stdout.str()
    green = [
        case.attrib["name"]
        for case in ElementTree.parse(project.path / "junit.xml").iter("testcase")
        if not {child.tag for child in case} & {"failure", "error"}
    ]
    assert "test_it[q3]" not in green
    assert len(green) == len(set(green)) == result.parseoutcomes().get("passed", 0)


@pytest.mark.parametrize("scoring", ["deferred", "blocking"])
def test_a_target_that_kills_its_worker_leaves_errors(project, scoring):
    """Every row has a verdict: a score, or that its worker crashed. A worker takes its place, and asks once more."""
    result = (
        project.rows(12)
        .conftest(
            """
        @pytest.fixture(scope="session")
        def rag():
            def ask(user_input):
                if number(user_input) == 5 and not notes("crashes"):
                    note("crashes")
                    os._exit(42)
                return "0.9"
            return ask
        """
        )
        .tests("@gate\ndef test_it(ragas_sample): ...")
        .run_apart(f"--ragas-scoring={scoring}", "-n2", "--junitxml=junit.xml")
    )
    assert result.ret == 1
    ends: dict[str, set[str]] = {f"test_it[q{number}]": set() for number in range(1, 13)}
    for case in ElementTree.parse(project.path / "junit.xml").iter("testcase"):
        ends[case.attrib["name"]].update(
            [child.tag for child in case if child.tag in ("failure", "error")] or ["passed"]
        )
    assert all(ends.values()), result.stdout.str()
    assert any(end - {"passed"} for end in ends.values())
    assert result.stdout.str().count("crashed") >= 1


HANGING = """
@pytest.fixture(scope="session")
def rag():
    {kind} ask(user_input):
        if number(user_input) == 1:
            return "0.9"
        note("hangs")
        {hang}

    yield ask
    note("torn down")
"""


@pytest.mark.skipif(not hasattr(os, "killpg"), reason="signals of POSIX")
@pytest.mark.parametrize(
    ("kind", "hang"),
    [("def", "time.sleep(600)"), ("async def", "await asyncio.sleep(600)"), ("async def", "time.sleep(600)")],
)
@pytest.mark.parametrize(
    "body",
    ["...", "ragas_sample.id == 'q1' or ragas_sample.response"],
    ids=["waits at the end", "waits in the body"],
)
def test_ctrl_c_gets_through_while_a_target_hangs(project, kind, hang, body):
    """pytest ends long before the target would; the fixture is torn down."""
    project.rows(3).conftest(HANGING.format(kind=kind, hang=hang)).tests(
        f"""
        @gate
        def test_it(ragas_sample):
            if ragas_sample.id == "q2":
                until(lambda: notes("hangs"))
                threading.Timer(0.3, os.kill, (os.getpid(), 2)).start()
            {body}
        """
    )
    result = project.run_apart()
    assert result.ret == pytest.ExitCode.INTERRUPTED
    result.assert_outcomes(passed=1)
    assert project.notes("torn down") == ["torn down"]
    for noise in ("Task was destroyed", "Event loop is closed", "never awaited", "Traceback"):
        assert noise not in result.stdout.str() + result.stderr.str()


def test_a_run_that_stops_early_does_not_wait_for_what_it_does_not_need(project):
    """-x: the first row turns out bad when all bodies have run, and the answers to the others would never come."""
    result = project.rows(3).conftest(
        """
        BODIES, LET_GO = threading.Event(), threading.Event()

        @pytest.fixture(scope="session")
        def rag():
            def ask(user_input):
                if number(user_input) == 1:
                    assert BODIES.wait(60)
                    return "0.1"
                LET_GO.wait(60)
                note("ended")
            yield ask
            note("torn down")
            LET_GO.set()
        """
    ).tests(
        """
        @gate
        def test_it(ragas_sample):
            if ragas_sample.id == "q3":
                BODIES.set()
        """
    ).run("-x")  # fmt: skip
    result.assert_outcomes(failed=1)
    assert next(line for line in project.notes() if line in ("ended", "torn down")) == "torn down"
