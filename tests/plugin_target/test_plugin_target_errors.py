"""What a target does wrong is shown where it belongs: the user's frames, or one clear sentence."""

from __future__ import annotations

import json

import pytest

BROKEN = """
@pytest.fixture(scope="session")
def rag():
    def ask(user_input):
        if number(user_input) == 2:
            return retrieve(user_input)
        return "0.9"

    async def aask(user_input):
        await asyncio.sleep(0)
        return ask(user_input)

    return {target}

def retrieve(user_input):
    raise ValueError(f"no index for {{user_input}}")
"""


@pytest.mark.parametrize("target", ["ask", "aask", "lambda user_input: aask(user_input)"])
@pytest.mark.parametrize("body", ["...", "assert ragas_sample.response"])
def test_an_exception_fails_the_test_of_its_row_with_the_users_frames_only(project, mode, target, body):
    result = (
        project.conftest(BROKEN.format(target=target)).tests(f"@gate\ndef test_it(ragas_sample): {body}").run(*mode)
    )
    result.assert_outcomes(passed=2, failed=1)
    result.stdout.fnmatch_lines(
        [
            "*test_it[[]q2[]]*",
            "*return retrieve(user_input)",
            "user_input = 'Question 2?'",
            ">*raise ValueError(*",
            "E       ValueError: no index for Question 2?",
            "conftest.py:*: ValueError",
            "quality  2  0.90 *1",  # the row is missing
            "FAILED test_rag.py::test_it[[]q2[]] - ValueError: no index for Question 2?",
        ]
    )
    text = result.stdout.str()
    assert "pytest_ragas/" not in text
    assert "asyncio/" not in text
    assert "concurrent/" not in text
    # the line of the test is shown where it has read the answer
    assert (f"def test_it(ragas_sample): {body}" in text) == (body != "...")


def test_an_exception_that_is_read_twice_gains_no_frames(project):
    result = project.conftest(BROKEN.format(target="ask")).tests(
        """
        @gate
        def test_it(ragas_sample):
            try:
                ragas_sample.response
            except ValueError:
                pass
            ragas_sample.retrieved_contexts
        """
    ).run()  # fmt: skip
    result.assert_outcomes(passed=2, failed=1)
    result.stdout.fnmatch_lines([">*ragas_sample.retrieved_contexts", "*return retrieve(user_input)"])
    assert result.stdout.str().count("return retrieve(user_input)") == 1
    assert "pytest_ragas/" not in result.stdout.str()


def test_an_exception_that_the_test_expects_still_fails_it(project, mode):
    """The row has no answer, and the test is about one."""
    project.conftest(BROKEN.format(target="ask")).tests(
        """
        @gate
        def test_it(ragas_sample):
            if ragas_sample.id == "q2":
                with pytest.raises(ValueError, match="no index"):
                    ragas_sample.response
        """
    ).run(*mode).assert_outcomes(passed=2, failed=1)


def test_outcomes_of_pytest_are_those_of_the_test(project, mode):
    project.rows(4).conftest(
        """
        @pytest.fixture(scope="session")
        def rag():
            def ask(user_input):
                if number(user_input) == 2:
                    pytest.skip("no index here")
                if number(user_input) == 3:
                    pytest.xfail("known")
                if number(user_input) == 4:
                    raise SystemExit(3)
                return "0.9"
            return ask
        """
    ).tests("@gate\ndef test_it(ragas_sample): ...").run(*mode).assert_outcomes(
        passed=1, skipped=1, xfailed=1, failed=1
    )


def test_xfail_expects_exceptions_too_but_no_missing_score(project, mode):
    project.rows(3).conftest(
        """
        @pytest.fixture(scope="session")
        def rag():
            def ask(user_input):
                if number(user_input) == 1:
                    raise ValueError(user_input)
                return "BOOM" if number(user_input) == 2 else "0.1"
            return ask
        """
    ).tests(
        """
        @pytest.mark.xfail(strict=True, reason="weak")
        @gate
        def test_it(ragas_sample): ...
        """
    ).run(*mode).assert_outcomes(xfailed=2, errors=1)


@pytest.mark.parametrize(
    ("value", "problem"),
    [
        ("None", "It returned None."),
        ("42", "int is no answer: expected a string*"),
        ("['0.9']", "list is no answer: expected a string*"),
        ("{'text': '0.9'}", "The recorded mapping has no 'response', only 'text'.*"),
        ("{'response': 9}", "response must be a string, not int (9)."),
        ("(word for word in '0.9')", "generator is no answer*"),
    ],
)
def test_nonsense_fails_the_test_and_says_so(project, mode, value, problem):
    project.rows(1).conftest(f"rag = pytest.fixture(lambda: lambda user_input: {value}, scope='session')")
    result = project.tests("@gate\ndef test_it(ragas_sample): ...").run(*mode)
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(
        ["The target 'rag' gave no answer to the row 'q1'.", problem, "It may return a string, *"]
    )
    assert "pytest_ragas/" not in result.stdout.str()


def test_an_answer_without_what_a_metric_needs_is_an_error(project, mode):
    result = project.rows(1).conftest("rag = pytest.fixture(lambda: lambda user_input: '0.9', scope='session')").tests(
        """
        @pytest.mark.ragas(testset="testset.json", target="rag", thresholds={"grounded": 0.5})
        def test_it(ragas_sample): ...
        """
    ).run(*mode)  # fmt: skip
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["*retrieved_contexts*"])
    assert project.notes("scored") == []


def test_a_row_that_no_answer_can_complete_is_not_asked(project, mode):
    result = project.conftest(
        """
        @pytest.fixture(scope="session")
        def rag():
            return lambda user_input: note("asked", user_input) or "0.9"
        """
    ).tests(
        """
        @pytest.mark.ragas(testset="testset.json", target="rag", thresholds={"right": 0.5})
        def test_it(ragas_sample): ...
        """
    ).run(*mode)  # fmt: skip
    result.assert_outcomes(errors=3)
    result.stdout.fnmatch_lines(["*reference*"])
    assert project.notes() == []


def test_what_the_target_logs_is_filed_under_its_own_test(project, mode):
    result = project.conftest(
        """
        @pytest.fixture(scope="session")
        def rag():
            def ask(user_input):
                logging.getLogger("rag").warning("retrieving for %s", user_input)
                if number(user_input) == 2:
                    raise ValueError("no index")
                return "0.9"
            return ask
        """
    ).tests(
        """
        @gate
        def test_it(ragas_sample, caplog):
            until(lambda: len(notes("scored")) >= 1)
            assert caplog.text == ""
        """
    ).run(*mode)  # fmt: skip
    result.assert_outcomes(passed=2, failed=1)
    result.stdout.fnmatch_lines(["*Captured log scoring*", "*retrieving for Question 2?"])
    assert result.stdout.str().count("retrieving for Question") == 1


@pytest.mark.parametrize("kind", ["def", "async def"])
def test_a_target_that_takes_too_long_fails_its_test(project, mode, kind):
    result = (
        project.rows(2)
        .conftest(
            f"""
        LATE = threading.Event()

        @pytest.fixture(scope="session")
        def rag():
            {kind} ask(user_input):
                if number(user_input) == 1:
                    {"await asyncio.sleep(60)" if kind == "async def" else "LATE.wait(60)"}
                return "0.9"
            yield ask
            LATE.set()
        """
        )
        .tests("@gate\ndef test_it(ragas_sample): assert ragas_sample.response")
        .run("--ragas-target-timeout=0.1", *mode)
    )
    result.assert_outcomes(passed=1, failed=1)
    result.stdout.fnmatch_lines(
        [
            "The target 'rag' gave no answer to the row 'q1' within 0.1 s (target_timeout).",
            "FAILED test_rag.py::test_it[[]q1[]] - TargetTimeout: The target 'rag' gave no answer *",
        ]
    )
    assert "pytest_ragas/" not in result.stdout.str()


# ---- what cannot be a target ---------------------------------------------------------------------

ASKED = """
@pytest.fixture(scope="session")
def rag_pipeline():
    return lambda user_input: note("asked", user_input) or "0.9"
"""


@pytest.mark.parametrize(
    ("arguments", "conftest", "message"),
    [
        (
            'testset="testset.json", target="rag_pipline"',
            ASKED,
            "Unknown fixture 'rag_pipline' in target= of the ragas marker of *::test_it. Did you mean 'rag_pipeline'?",
        ),
        (
            'target="rag_pipeline"',
            ASKED,
            "target='rag_pipeline' in * has no testset whose rows it could answer. Name one beside it: testset=*",
        ),
        (
            'testset="testset.json", target="rag_pipeline"',
            ASKED.replace('scope="session"', ""),
            "target='rag_pipeline' in * is a fixture of function scope: * Write @pytest.fixture(scope=\"session\") *",
        ),
    ],
)
def test_a_fixture_that_cannot_be_a_target_is_found_at_collection(project, arguments, conftest, message):
    result = project.conftest(conftest).tests(
        f"""
        @pytest.mark.ragas({arguments}, thresholds={{"quality": 0.5}})
        def test_it(ragas_sample): ...
        """
    ).run()  # fmt: skip
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines([message])
    assert "Traceback" not in result.stdout.str()
    assert project.notes() == []


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ("None", "The fixture 'rag', the target of test_rag.py::test_it[[]q1[]], gives None. Return the callable: *"),
        ("Rag()", "*gives a Rag, which cannot be called. Return its method: return rag.ask."),
        ("lambda user_input, k: '0.9'", "*cannot be called with one argument (missing a required argument: 'k')*"),
    ],
)
def test_a_value_that_cannot_be_called_is_an_error_of_the_setup(project, mode, value, message):
    result = (
        project.conftest(
            f"""
        class Rag:
            def ask(self, user_input):
                return "0.9"

        rag = pytest.fixture(lambda: {value}, scope="session")
        """
        )
        .tests("@gate\ndef test_it(ragas_sample): ...")
        .run(*mode)
    )
    result.assert_outcomes(errors=3)
    result.stdout.fnmatch_lines([message])
    assert "pytest_ragas/" not in result.stdout.str()


def test_the_fixtures_own_error_is_shown_as_pytest_shows_it(project, mode):
    result = (
        project.conftest(
            """
        @pytest.fixture(scope="session")
        def rag():
            raise OSError("no index on this machine")
        """
        )
        .tests("@gate\ndef test_it(ragas_sample): ...")
        .run(*mode)
    )
    result.assert_outcomes(errors=3)
    result.stdout.fnmatch_lines(["E *OSError: no index on this machine"])


def test_results_of_rows_without_answer_are_missing_in_gates(project, mode):
    result = (
        project.conftest(BROKEN.format(target="ask"))
        .tests("@gate\ndef test_it(ragas_sample): ...")
        .run("--ragas-fail-under=mean(quality) >= 0.1", *mode)
    )
    result.stdout.fnmatch_lines(["*mean(quality)*2 of 3*"])
    assert result.ret == pytest.ExitCode.TESTS_FAILED


def test_a_target_that_answers_with_the_rows_own_sample(project):
    """A testset that carries answers is asked anew all the same."""
    rows = [{"id": "q1", "user_input": "Question 1?", "response": "0.1", "retrieved_contexts": ["recorded"]}]
    (project.path / "testset.json").write_text(json.dumps(rows), encoding="utf-8")
    project.conftest(
        "rag = pytest.fixture(lambda: lambda sample: f'0.9 was {sample.response}', scope='session')"
    ).tests("@gate\ndef test_it(ragas_sample): assert ragas_sample.response == '0.9 was 0.1'").run().assert_outcomes(
        passed=1
    )
