"""What a marked test returns or records is scored, whatever kind of function it is."""

from __future__ import annotations

import pytest


def test_a_returned_answer_is_scored_without_a_warning(rag_project):
    rag_project.testset(None).tests(
        """
        @pytest.mark.ragas(testset="testset.json", thresholds={"quality": 0.5})
        def test_good(ragas_sample):
            return "0.9"

        @pytest.mark.ragas(testset="testset.json", thresholds={"quality": 0.5})
        def test_bad(ragas_sample):
            return {"response": "0.2", "retrieved_contexts": ["a"]}

        class TestMethods:
            @pytest.mark.ragas(testset="testset.json", thresholds={"quality": 0.5})
            def test_method(self, ragas_sample):
                return Sample(response="0.9")

            @staticmethod
            @pytest.mark.ragas(testset="testset.json", thresholds={"quality": 0.5})
            def test_static(ragas_sample):
                return "0.2"
        """
    ).run().assert_outcomes(passed=2, failed=2)


def test_async_tests_are_scored_too(rag_project):
    rag_project.testset(None).conftest("anyio_backend = pytest.fixture(lambda: 'asyncio')").tests(
        """
        @pytest.mark.asyncio
        @pytest.mark.ragas(testset="testset.json", thresholds={"quality": 0.5})
        async def test_asyncio_good(ragas_sample):
            return "0.9"

        @pytest.mark.asyncio
        @pytest.mark.ragas(testset="testset.json", thresholds={"quality": 0.5})
        async def test_asyncio_bad(ragas_sample):
            ragas_sample.record("0.2")

        @pytest.mark.anyio
        @pytest.mark.ragas(testset="testset.json", thresholds={"quality": 0.5})
        async def test_anyio_bad(ragas_sample, anyio_backend):
            return "0.2"
        """
    ).run().assert_outcomes(passed=1, failed=2)


def test_every_recorded_answer_is_scored(rag_project):
    result = rag_project.testset(None).tests(
        """
        @pytest.mark.ragas(testset="testset.json", thresholds={"quality": 0.5})
        def test_rag(ragas_sample):
            for answer in ("0.9", "0.2", "0.1"):
                ragas_sample.record(answer)
        """
    ).run()  # fmt: skip
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["quality 0.20 < 0.50", "  row *q1#2 (*", "  likewise     q1#3", "quality  3 *"])


def test_without_a_testset_the_test_brings_the_question(rag_project):
    rag_project.tests(
        """
        @pytest.mark.ragas(thresholds={"quality": 0.5})
        def test_recorded(ragas_sample):
            ragas_sample.record(user_input="Q?", response="0.2")

        @pytest.mark.ragas(thresholds={"quality": 0.5})
        def test_returned_without_the_fixture():
            return Sample(user_input="Q?", response="0.2")
        """
    ).run().assert_outcomes(failed=2)


def test_a_body_that_fails_or_skips_is_not_scored(rag_project):
    result = rag_project.testset(None).tests(
        """
        @pytest.mark.ragas(testset="testset.json", thresholds={"quality": 0.5})
        def test_fails(ragas_sample):
            ragas_sample.record("0.1")
            assert 1 == 2

        @pytest.mark.ragas(testset="testset.json", thresholds={"quality": 0.5})
        def test_skips(ragas_sample):
            ragas_sample.record("0.1")
            pytest.skip("not today")
        """
    ).run()  # fmt: skip
    result.assert_outcomes(failed=1, skipped=1)
    assert "quality 0.10" not in result.stdout.str()
    result.stdout.fnmatch_lines(["*assert 1 == 2*", "quality  0     - *"])


@pytest.mark.parametrize(
    ("body", "text"),
    [
        ("pass", "This test is marked ragas, but evaluates nothing: it records no answer, and row 'q1' of *"),
        ("return True", "This test is marked ragas, but what it returned is no answer."),
        ("return [1]", "list is no answer: expected a string*"),
    ],
)
def test_a_marked_test_that_evaluates_nothing_fails_and_says_so(rag_project, body, text):
    rag_project.testset(None).tests(
        f"""
        @pytest.mark.ragas(testset="testset.json", metrics=["quality"])
        def test_rag(ragas_sample):
            {body}
        """
    )
    result = rag_project.run()
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines([text])
    assert "pytest_ragas/" not in result.stdout.str()


def test_a_marked_test_that_scores_with_the_helpers_evaluates_something(rag_project):
    rag_project.tests(
        """
        @pytest.mark.ragas
        def test_helper():
            assert_scores(Sample(response="0.9"), quality=0.5)

        @pytest.mark.ragas(metrics=["quality"])
        def test_evaluator(ragas):
            ragas.score(Sample(response="0.9"), "quality")
        """
    ).run().assert_outcomes(passed=2)


def test_a_wrong_answer_is_shown_at_the_line_that_recorded_it(rag_project):
    result = rag_project.testset(None).tests(
        """
        @pytest.mark.ragas(testset="testset.json", metrics=["quality"])
        def test_rag(ragas_sample):
            ragas_sample.record(response=None)
        """
    ).run()  # fmt: skip
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines([">*ragas_sample.record(response=None)", "E*TypeError: response must be a string*"])
    assert "handle.py" not in result.stdout.str()


def test_methods_of_unittest_are_refused_with_the_mend(rag_project):
    result = rag_project.tests(
        """
        import unittest

        class TestCase(unittest.TestCase):
            @pytest.mark.ragas(metrics=["quality"])
            def test_it(self):
                pass
        """
    ).run()  # fmt: skip
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["*is marked ragas, but is a method of unittest.TestCase, which takes no fixtures.*"])


def test_hypothesis_is_refused_with_the_mend(rag_project):
    result = rag_project.tests(
        """
        from hypothesis import given, strategies

        @pytest.mark.ragas(metrics=["quality"])
        @given(strategies.text())
        def test_it(text):
            pass
        """
    ).run()  # fmt: skip
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["*Hypothesis runs its body many times for one verdict.*"])


def test_ragas_sample_in_a_test_without_the_marker_is_an_error_with_the_mend(rag_project):
    result = rag_project.tests("def test_it(ragas_sample): pass").run()
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["test_rag.py::test_it takes ragas_sample, but is not marked. Mark it: *"])
    assert "pytest_ragas/" not in result.stdout.str()


def test_a_fixture_of_the_users_may_take_the_row(rag_project):
    rag_project.testset(None).tests(
        """
        @pytest.fixture
        def answer(ragas_sample):
            return ragas_sample.record(response="0.2")

        @pytest.mark.ragas(testset="testset.json", thresholds={"quality": 0.5})
        def test_rag(answer, ragas_sample):
            assert answer.response == "0.2"
        """
    ).run().assert_outcomes(failed=1)
