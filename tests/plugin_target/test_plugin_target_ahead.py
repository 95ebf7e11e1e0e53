"""What is asked ahead, and what is not: tests that will not run, runs that stop, others' patches, other workers."""

from __future__ import annotations

import sys

import pytest

ASKED = """
@pytest.fixture(scope="session")
def rag():
    def ask(user_input):
        note("asked", user_input)
        return "0.9"
    return ask
"""


def test_tests_that_will_not_run_are_not_asked(project, mode):
    project.rows(2).conftest(ASKED).tests(
        """
        @gate
        def test_runs(ragas_sample): ...

        @pytest.mark.skip(reason="not today")
        @gate
        def test_skipped(ragas_sample): ...

        @pytest.mark.skipif(True, reason="not here")
        @gate
        def test_skipped_if(ragas_sample): ...

        @pytest.mark.skipif("1 == 2", reason="not here")
        @gate
        def test_not_skipped(ragas_sample): ...

        @pytest.mark.xfail(run=False, reason="it hangs")
        @gate
        def test_not_run(ragas_sample): ...

        @gate
        def test_deselected(ragas_sample): ...
        """
    ).run("-k", "not deselected", *mode).assert_outcomes(passed=4, skipped=4, xfailed=2)
    assert sorted(project.notes("asked")) == ["Question 1?", "Question 1?", "Question 2?", "Question 2?"]


def test_what_xfail_would_not_run_is_asked_with_runxfail(project):
    project.rows(2).conftest(ASKED).tests(
        """
        @pytest.mark.xfail(run=False, reason="it hangs")
        @gate
        def test_not_run(ragas_sample): ...
        """
    ).run("--runxfail").assert_outcomes(passed=2)
    assert len(project.notes("asked")) == 2


def test_a_condition_that_cannot_be_evaluated_is_shown_by_its_own_test(project):
    project.rows(1).conftest(ASKED).tests(
        """
        @gate
        def test_runs(ragas_sample): ...

        @pytest.mark.skipif("nonsense", reason="?")
        @gate
        def test_broken(ragas_sample): ...
        """
    ).run().assert_outcomes(passed=1, errors=1)


WAITING = """
GO_ON = threading.Event()

@pytest.fixture(scope="session")
def rag():
    def ask(user_input):
        note("asked", user_input)
        if number(user_input) > 1:
            assert GO_ON.wait(60)
        return "0.9"
    return ask
"""


@pytest.mark.parametrize("end", ["pytest.skip('not today')", "assert not ragas_sample.id"])
def test_what_a_test_turns_out_not_to_need_is_not_asked_any_more(project, end):
    """One call at a time; the others are in line when their tests end without them."""
    project.rows(4).conftest(WAITING).tests(
        f"""
        @gate
        def test_it(ragas_sample):
            until(lambda: notes("asked Question 2?"))
            if ragas_sample.id != "q1":
                {end}

        def test_after():
            GO_ON.set()
        """
    ).run("--ragas-target-concurrency=1").assert_outcomes(
        passed=2, **({"skipped": 3} if "skip" in end else {"failed": 3})
    )
    assert project.notes("asked") == ["Question 1?", "Question 2?"]
    assert project.notes("scored") == ["Question 1?"]


def test_a_body_that_fails_is_not_scored(project, mode):
    """Its answer comes after the body has failed."""
    project.rows(2).conftest(WAITING).tests(
        """
        @gate
        def test_it(ragas_sample):
            if ragas_sample.id == "q2":
                until(lambda: notes("asked Question 2?"))
                raise ValueError("no good")

        def test_after():
            GO_ON.set()
        """
    ).run("--ragas-target-concurrency=2", *mode).assert_outcomes(passed=2, failed=1)
    assert project.notes("scored") == ["Question 1?"]


@pytest.mark.parametrize("option", ["-x", "--maxfail=1", "--stepwise"])
@pytest.mark.parametrize("scoring", ["deferred", "blocking"])
def test_a_run_that_may_stop_asks_no_more_ahead_than_are_asked_at_once(project, option, scoring):
    """The third of 40 rows is bad."""
    result = project.rows(40).conftest(
        """
        @pytest.fixture(scope="session")
        def rag():
            def ask(user_input):
                note("asked", user_input)
                return "0.1" if number(user_input) == 3 else "0.9"
            return ask
        """
    ).tests("@gate\ndef test_it(ragas_sample): assert ragas_sample.response").run(
        option, f"--ragas-scoring={scoring}", "--ragas-target-concurrency=4", "--ragas-concurrency=2"
    )  # fmt: skip
    result.assert_outcomes(passed=2, failed=1)
    # deferred, two tests may be ahead of their verdicts; four answers ahead of the test that runs
    assert len(project.notes("asked")) <= 3 + 2 + 1 + 4


def test_reruns_ask_again(project, mode):
    """Bad on the first attempt, good on the second; the verdict of the first one is not reused."""
    pytest.importorskip("pytest_rerunfailures")
    project.rows(4).conftest(
        """
        @pytest.fixture(scope="session")
        def rag():
            def ask(user_input):
                before = len(notes("asked " + user_input))
                note("asked", user_input)
                return "0.1" if number(user_input) == 2 and before == 0 else "0.9"
            return ask
        """
    ).tests("@gate\ndef test_it(ragas_sample): ...").run("--reruns=2", *mode).assert_outcomes(passed=4)
    assert sorted(project.notes("asked")) == [f"Question {n}?" for n in (1, 2, 2, 3, 4)]


def test_no_target_is_called_while_another_test_patches_the_process(project):
    """What the patched test sees at its begin is what it sees at its end."""
    project.rows(6).conftest(
        """
        NOW = []

        @pytest.fixture(scope="session")
        def rag():
            def ask(user_input):
                NOW.append(user_input)
                time.sleep(0.01)
                note("asked", user_input)
                NOW.remove(user_input)
                return "0.9"
            return ask
        """
    ).tests(
        """
        @pytest.mark.ragas(testset=[{"user_input": "Question 0?"}], target="rag", thresholds={"quality": 0.5})
        def test_first(ragas_sample): ...

        @pytest.mark.ragas_barrier
        def test_patches():
            before = notes("asked")
            assert NOW == []
            time.sleep(0.1)
            assert (NOW, notes("asked")) == ([], before)

        @gate
        def test_others(ragas_sample): ...
        """
    ).run("--ragas-target-concurrency=1").assert_outcomes(passed=8)


def test_a_test_that_patches_the_process_asks_while_it_does(project, mode):
    """As if it called the RAG itself; and not ahead, when another test's patches would apply or none."""
    project.rows(3).conftest(
        """
        PATCHED = []

        @pytest.fixture
        def httpx_mock(ragas_sample):
            PATCHED.append(ragas_sample.id)
            yield
            PATCHED.clear()

        @pytest.fixture(scope="session")
        def rag():
            return lambda user_input: f"0.9 {PATCHED}"
        """
    ).tests(
        """
        @gate
        def test_before(ragas_sample):
            assert ragas_sample.response == "0.9 []"

        @gate
        def test_it(ragas_sample, httpx_mock):
            assert ragas_sample.response == f"0.9 {[ragas_sample.id]}"
        """
    ).run(*mode).assert_outcomes(passed=6)


def test_a_fixture_that_patches_for_long_does_not_keep_a_test_from_its_own_answer(project, mode):
    project.rows(3).conftest(
        ASKED
        + """
@pytest.fixture(scope="session", autouse=True)
def freezer(rag):
    yield
"""
    ).tests(
        """
        @gate
        def test_reads(ragas_sample):
            assert ragas_sample.response == "0.9"

        @gate
        def test_empty(ragas_sample): ...
        """
    ).run(*mode).assert_outcomes(passed=6)


def test_a_patch_in_the_middle_of_the_run_keeps_nobody_waiting_for_ever(project):
    """Rows are in line, and their scoring too, when a fixture begins to patch for the rest of the run."""
    project.rows(4).conftest(
        WAITING
        + """
@pytest.fixture(scope="module")
def freezer():
    yield
"""
    ).tests(
        """
        @gate
        def test_it(ragas_sample, request):
            if ragas_sample.id == "q2":
                GO_ON.set()
                request.getfixturevalue("freezer")
            assert ragas_sample.id == "q1" or ragas_sample.response == "0.9"
        """
    ).run("--ragas-target-concurrency=1", "--ragas-scoring=blocking").assert_outcomes(passed=4)


@pytest.mark.parametrize("dist", ["load", "loadscope", "loadfile", "worksteal", "each"])
def test_each_worker_asks_for_its_own_tests_only(project, dist):
    source = "@gate\ndef test_it(ragas_sample): assert ragas_sample.response"
    project.rows(12).conftest(ASKED).tests(source).tests(source, name="test_more.py")
    times = 2 if dist == "each" else 1
    project.run("-n2", f"--dist={dist}").assert_outcomes(passed=24 * times)
    # who steals a test asks for it again, if it was asked already
    assert len(project.notes("asked")) in ([24 * times] if dist != "worksteal" else range(24, 24 + 2 * 8))


def test_a_worker_asks_ahead(project):
    """The first test of each worker waits until a second row is asked."""
    project.rows(8).conftest(
        """
        ASKED = []

        @pytest.fixture(scope="session")
        def rag():
            def ask(user_input):
                ASKED.append(user_input)
                return "0.9"
            return ask
        """
    ).tests("@gate\ndef test_it(ragas_sample): until(lambda: len(ASKED) > 1)").run("-n2").assert_outcomes(passed=8)


def test_another_pytest_xdist_asks_one_test_ahead(project):
    """The queue of a worker is private to pytest-xdist."""
    pytest.importorskip("xdist.remote")
    if not hasattr(sys.modules["xdist.remote"], "TestQueue"):
        pytest.skip("this is another one")
    project.rows(8).conftest(
        ASKED
        + """
@pytest.hookimpl(trylast=True)
def pytest_sessionstart(session):
    import xdist.remote

    if hasattr(session.config, "workerinput"):
        xdist.remote.TestQueue.lock = property(lambda self: (_ for _ in ()).throw(AttributeError("lock")))
        # what it needs itself
        xdist.remote.TestQueue.get = lambda self: self._has_items_event.wait() or self._items.popleft()
        xdist.remote.TestQueue.put = lambda self, item: (self._items.append(item), self._has_items_event.set())
"""
    ).tests("@gate\ndef test_it(ragas_sample): assert ragas_sample.response")
    # the replacement of the queue does not block when it is empty: all tests are sent at once
    result = project.run("-n1", "--dist=each")
    result.assert_outcomes(passed=8)
    assert len(project.notes("asked")) == 8
