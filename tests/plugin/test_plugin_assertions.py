"""The assertion helpers: any test, sync or async, with or without our marker and fixtures."""

from __future__ import annotations

import os

import pytest

from pytest_ragas import Sample, assert_faithfulness
from pytest_ragas.errors import ConfigurationError
from pytest_ragas.plugin import current


def test_helpers_work_in_a_plain_test_and_return_scores(rag_project, xdist_args):
    result = rag_project.tests(
        """
        SAMPLE = Sample(user_input="Where?", response="0.9", retrieved_contexts=["c"])

        def test_scores():
            scores = assert_scores(SAMPLE, quality=0.5, Style=0.3)
            assert {name: score.value for name, score in scores.items()} == {"quality": 0.9, "Style": 0.9}

        def test_mapping_of_bounds():
            assert assert_scores(SAMPLE, {"free:quality": 0.5})["free:quality"].value == 0.9

        def test_rows_of_a_testset_are_samples_too():
            assert_scores({"question": "Where?", "answer": "0.9"}, quality=0.5)

        def test_bad():
            assert_scores(Sample(response="0.2"), quality=0.5)

        def test_boom():
            assert_scores(Sample(response="BOOM"), quality=0.5)
        """
    ).run(*xdist_args)
    result.assert_outcomes(passed=3, failed=1, errors=1)
    assert "pytest_ragas" + os.sep not in result.stdout.str()
    result.stdout.fnmatch_lines(["quality 0.20 < 0.50", "*", "test_rag.py:17: ThresholdFailure"], consecutive=False)
    result.stdout.fnmatch_lines(["quality       3 *", "style         1 *", "free:quality  1 *"])


def test_every_named_helper_scores_its_metric(rag_project):
    result = rag_project.tests(
        """
        RIGHT = "There are 30 days of leave."
        SAMPLE = Sample(user_input="How many days of leave?", response=RIGHT, reference=RIGHT,
                        retrieved_contexts=["Every employee has 30 days of leave."])

        @pytest.mark.parametrize("helper", [assert_faithfulness, assert_answer_relevancy, assert_context_precision,
                                            assert_context_recall, assert_answer_correctness])
        def test_named(helper):
            score = helper(SAMPLE, threshold=0.0)
            assert helper.__name__ == f"assert_{score.metric}"
            with pytest.raises(ThresholdFailure, match=score.metric):
                helper(Sample(user_input="How many days of leave?", response="Zebras gallop over meadows.",
                              retrieved_contexts=["Nothing."], reference="Purple."), threshold=1.0)
        """
    ).run()  # fmt: skip
    result.assert_outcomes(passed=5)


def test_the_configured_threshold_is_the_default_of_a_named_helper(rag_project):
    rag_project.config("[tool.pytest-ragas.thresholds]\nfaithfulness = 0.9").tests(
        """
        def test_it():
            with pytest.raises(ThresholdFailure, match="faithfulness 0.* < 0.90"):
                assert_faithfulness(Sample(user_input="?", response="Zebras.", retrieved_contexts=["Nothing."]))
        """
    )
    rag_project.run().assert_outcomes(passed=1)
    result = rag_project.config("").run()
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["assert_faithfulness() was given no threshold, and none is configured. Write *"])


def test_async_helpers_leave_the_tests_own_loop_running(rag_project):
    result = rag_project.tests(
        """
        import asyncio

        @pytest.mark.asyncio
        async def test_async():
            ticked = asyncio.Event()
            asyncio.get_running_loop().call_soon(ticked.set)
            scores = await aassert_scores(Sample(response="0.9"), quality=0.5)
            assert scores["quality"].value == 0.9
            assert ticked.is_set()

        @pytest.mark.asyncio
        async def test_async_bad():
            await aassert_scores(Sample(response="0.2"), quality=0.5)

        @pytest.mark.asyncio
        async def test_evaluator(ragas):
            assert (await ragas.ascore(Sample(response="0.9"), ["quality"]))["quality"].value == 0.9

        @pytest.mark.asyncio
        async def test_sync_helper_in_a_running_loop():
            assert_scores(Sample(response="0.9"), quality=0.5)
        """
    ).run()  # fmt: skip
    result.assert_outcomes(passed=3, failed=1)
    assert "pytest_ragas" + os.sep not in result.stdout.str()


def test_helpers_work_in_fixtures_and_threads(rag_project):
    rag_project.tests(
        """
        from concurrent.futures import ThreadPoolExecutor

        @pytest.fixture
        def good():
            return assert_scores(Sample(response="0.9"), quality=0.5)

        def test_fixture(good):
            assert good["quality"].value == 0.9

        def test_threads(ragas):
            with ThreadPoolExecutor() as pool:
                scores = list(pool.map(lambda n: assert_scores(Sample(response=f"0.{n}"), quality=0.1), range(1, 9)))
            assert [score["quality"].value for score in scores] == [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8]
        """
    ).run().assert_outcomes(passed=2)


def test_the_evaluator_gives_scores_without_asserting(rag_project):
    result = rag_project.tests(
        """
        def test_it(ragas):
            scores = ragas.score(Sample(response="0.2"), ["quality", "style"])
            assert {name: score.value for name, score in scores.items()} == {"quality": 0.2, "style": 0.2}
            assert scores["quality"].evidence[0].text == "It is so."
            assert ragas.score(Sample(response="0.3"), "quality")["quality"].value == 0.3
        """
    ).run()  # fmt: skip
    result.assert_outcomes(passed=1)
    result.stdout.fnmatch_lines(["quality  2  0.25 *", "style    1  0.20 *"])


@pytest.mark.parametrize(
    ("call", "message"),
    [
        ("assert_scores(Sample(response='0.9'))", "assert_scores() needs a bound for each metric, for example *"),
        (
            "assert_scores(Sample(response='0.9'), quality=80)",
            "The threshold quality=80 in assert_scores() must be a *",
        ),
        ("assert_scores(Sample(response='0.9'), qualty=0.8)", "Unknown metric 'qualty'. Did you mean 'quality'?"),
        ("assert_scores(Sample(user_input='?'), quality=0.8)", "quality needs response, which row *"),
        ("assert_scores({'question': 7}, quality=0.8)", "Cannot read the row given to the test:*"),
    ],
)
def test_what_cannot_be_scored_is_an_error_with_the_mend(rag_project, call, message):
    result = rag_project.tests(f"def test_it():\n    {call}").run()
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines([message])
    result.stdout.fnmatch_lines(["test_rag.py:4: *Error"])
    assert "pytest_ragas" + os.sep not in result.stdout.str()


def test_a_sample_of_another_type_is_a_plain_type_error(rag_project):
    result = rag_project.tests("def test_it():\n    assert_scores('0.9', quality=0.8)").run()
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["E*TypeError: A Sample is expected, not str. Write Sample(user_input=..., *"])


def test_outside_of_a_test_the_helpers_say_so(monkeypatch):
    monkeypatch.setattr(current, "_running", [])
    with pytest.raises(ConfigurationError) as caught:
        assert_faithfulness(Sample(response="0.9"), threshold=0.5)
    assert "assert_faithfulness() was called outside of a test." in str(caught.value)


def test_a_caught_failure_still_counts_in_the_run(rag_project):
    result = rag_project.tests(
        """
        def test_it():
            with pytest.raises(ThresholdFailure):
                assert_scores(Sample(response="0.2"), quality=0.5)
        """
    ).run("--ragas-fail-under=pass_rate() >= 1")  # fmt: skip
    result.assert_outcomes(passed=1)
    result.stdout.fnmatch_lines(["gate failed: pass_rate() 0.00 < 1.00 (1 sample)"])
    assert result.ret == pytest.ExitCode.TESTS_FAILED
