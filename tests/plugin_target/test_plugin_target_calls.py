"""A target is called for every row, ahead and concurrently; each test gets its own answer."""

from __future__ import annotations

import pytest

ANSWERS = """
@pytest.fixture(scope="session")
def rag():
    def ask(user_input):
        note("asked", user_input)
        return f"0.{number(user_input)}"
    return ask
"""


def test_every_row_is_asked_once_and_scored(project, mode):
    """0.1 … 0.9: five of nine reach 0.5, whether the body reads the answer or is empty."""
    project.rows(9).conftest(ANSWERS).tests(
        """
        @gate
        def test_empty(ragas_sample): ...

        @gate
        def test_reads(ragas_sample):
            assert ragas_sample.response == f"0.{ragas_sample.id[1:]}"
            assert ragas_sample.sample.user_input == ragas_sample.user_input
        """
    ).run(*mode).assert_outcomes(passed=10, failed=8)
    assert sorted(project.notes("asked")) == sorted(f"Question {n}?" for n in range(1, 10) for _ in range(2))
    assert sorted(project.notes("scored")) == sorted(project.notes("asked"))


@pytest.mark.parametrize(
    "target",
    [
        "lambda user_input: '0.9 ' + user_input",
        "lambda user_input: {'response': '0.9', 'contexts': ['a', 'b']}",
        "lambda sample: {'response': f'0.9 {sample.id}'}",
        "lambda sample: Sample(response='0.9')",
        "lambda user_input: Answer('0.9', ['a'])",
        "lambda user_input: ask(user_input, k=4)",
        "ask",
        "Rag().ask",
        "Rag()",
    ],
)
def test_targets_of_every_kind_answer(project, target):
    project.conftest(
        f"""
        class Answer:
            def __init__(self, response, retrieved_contexts):
                self.response, self.retrieved_contexts = response, retrieved_contexts

        async def ask(user_input, k=1):
            await asyncio.sleep(0)
            return "0.9"

        class Rag:
            def ask(self, user_input: str) -> str:
                return "0.9"

            async def __call__(self, row: Sample) -> Answer:
                return Answer(f"0.9 {{row.id}}", [])

        @pytest.fixture(scope="session")
        def rag():
            return {target}
        """
    ).tests("@gate\ndef test_it(ragas_sample): assert ragas_sample.response.startswith('0.9')").run().assert_outcomes(
        passed=3
    )


def test_contexts_come_with_the_answer_and_are_scored(project, mode):
    project.conftest(
        """
        @pytest.fixture(scope="session")
        def rag():
            return lambda user_input: {"response": "0.9", "retrieved_contexts": ["a", user_input]}
        """
    ).tests(
        """
        @pytest.mark.ragas(testset="testset.json", target="rag", thresholds={"grounded": 0.5})
        def test_it(ragas_sample):
            assert ragas_sample.retrieved_contexts == ("a", ragas_sample.user_input)
        """
    ).run(*mode).assert_outcomes(passed=3)


MEETING = """
@pytest.fixture(scope="session")
def rag():
    # nobody is answered before {size} are asked at once
    together, lock, now = threading.Barrier({size}), threading.Lock(), []

    def ask(user_input):
        with lock:
            now.append(user_input)
            note("now", len(now))
        together.wait(60)
        with lock:
            now.remove(user_input)
        return "0.9"

    async def aask(user_input):
        return await asyncio.to_thread(ask, user_input)

    return {target}
"""


@pytest.mark.parametrize("scoring", ["deferred", "blocking"])
@pytest.mark.parametrize("target", ["ask", "aask", "lambda user_input: aask(user_input)"])
@pytest.mark.parametrize("body", ["...", "assert ragas_sample.response == '0.9'"])
def test_so_many_are_asked_at_once_and_no_more(project, scoring, target, body):
    project.rows(12).conftest(MEETING.format(size=4, target=target)).tests(
        f"@gate\ndef test_it(ragas_sample): {body}"
    ).run("--ragas-target-concurrency=4", f"--ragas-scoring={scoring}").assert_outcomes(passed=12)
    assert max(map(int, project.notes("now"))) == 4


@pytest.mark.parametrize(
    ("limit", "most"), [(2, {"gw0": 1, "gw1": 1}), (1, {"gw0": 1, "gw1": 1}), (3, {"gw0": 2, "gw1": 1})]
)
def test_workers_share_the_limit_of_the_run(project, limit, most):
    """Each counts its own calls; a run with a lower limit than workers leaves each of them one."""
    project.rows(12).conftest(
        """
        @pytest.fixture(scope="session")
        def rag():
            lock, now, met = threading.Lock(), [], threading.Event()

            def ask(user_input):
                with lock:
                    now.append(user_input)
                    note("now", os.environ["PYTEST_XDIST_WORKER"], len(now))
                    if len(now) == 2:
                        met.set()
                met.wait(0.1)  # for as long as another one may come
                with lock:
                    now.remove(user_input)
                return "0.9"

            return ask
        """
    ).tests("@gate\ndef test_it(ragas_sample): assert ragas_sample.response").run(
        "-n2", f"--ragas-target-concurrency={limit}"
    ).assert_outcomes(passed=12)
    found: dict[str, int] = {}
    for worker, count in (line.split() for line in project.notes("now")):
        found[worker] = max(found.get(worker, 0), int(count))
    assert found == {worker: most[worker] for worker in found}


def test_later_rows_are_asked_before_the_first_body_runs_on(project):
    """The first test waits for the call of the last row: without look-ahead it would wait for ever."""
    project.rows(6).conftest(
        """
        LAST = threading.Event()

        @pytest.fixture(scope="session")
        def rag():
            def ask(user_input):
                if number(user_input) == 6:
                    LAST.set()
                return "0.9"
            return ask
        """
    ).tests("@gate\ndef test_it(ragas_sample): assert LAST.wait(60)").run().assert_outcomes(passed=6)


def test_scoring_starts_as_answers_arrive(project):
    """Scores of all rows are there before the first body, which waits for them, has ended."""
    project.rows(6).conftest(ANSWERS).tests(
        """
        @gate
        def test_it(ragas_sample):
            until(lambda: len(notes("scored")) == 6)
        """
    ).run().assert_outcomes(passed=2, failed=4)


def test_reading_waits_for_this_rows_answer_only(project):
    """The second row is never answered before the first test has read its own answer, and recorded that."""
    project.rows(2).conftest(
        """
        READ = threading.Event()

        @pytest.fixture(scope="session")
        def rag():
            def ask(user_input):
                assert number(user_input) == 1 or READ.wait(60)
                return f"0.9 {user_input}"
            return ask
        """
    ).tests(
        """
        @gate
        def test_it(ragas_sample):
            assert ragas_sample.response == f"0.9 {ragas_sample.user_input}"
            READ.set()
        """
    ).run().assert_outcomes(passed=2)


def test_a_test_does_not_wait_for_what_it_does_not_read(project):
    """With deferred verdicts every body runs before the first answer comes."""
    project.rows(4).conftest(
        """
        BODIES = []
        ALL = threading.Event()

        @pytest.fixture(scope="session")
        def rag():
            def ask(user_input):
                assert ALL.wait(60)
                return "0.9"
            return ask
        """
    ).tests(
        """
        @gate
        def test_it(ragas_sample):
            BODIES.append(ragas_sample.id)
            if len(BODIES) == 4:
                ALL.set()
        """
    ).run().assert_outcomes(passed=4)


def test_a_target_that_blocks_its_event_loop_does_not_stall_judging(project):
    """The second row's target blocks the loop of async targets until the first row is scored."""
    project.rows(2).conftest(
        """
        @pytest.fixture(scope="session")
        def rag():
            async def ask(user_input):
                if number(user_input) == 2:
                    until(lambda: notes("scored Question 1?"))
                return "0.9"
            return ask
        """
    ).tests("@gate\ndef test_it(ragas_sample): ...").run("--ragas-target-concurrency=1").assert_outcomes(passed=2)


def test_the_body_may_record_another_answer(project, mode):
    """What the test records is what is scored; what it does not say stays the target's."""
    project.conftest(
        """
        @pytest.fixture(scope="session")
        def rag():
            return lambda user_input: {"response": "0.1", "retrieved_contexts": ["a"]}
        """
    ).tests(
        """
        @pytest.mark.ragas(testset="testset.json", target="rag", thresholds={"grounded": 0.5})
        def test_records(ragas_sample):
            assert ragas_sample.record(response=ragas_sample.response.replace("1", "9")).retrieved_contexts == ("a",)

        @pytest.mark.ragas(testset="testset.json", target="rag", thresholds={"quality": 0.5})
        def test_returns(ragas_sample):
            return "0.9"
        """
    ).run(*mode).assert_outcomes(passed=6)


def test_helpers_take_the_targets_answer(project):
    project.conftest(ANSWERS).tests(
        """
        @pytest.mark.ragas(testset="testset.json", target="rag", metrics=["quality"])
        def test_it(ragas_sample):
            scores = assert_scores(ragas_sample, quality=0.2)
            assert scores["quality"].value == float(ragas_sample.response)
        """
    ).run().assert_outcomes(passed=2, failed=1)


def test_async_tests_read_the_answer_too(project):
    project.conftest(ANSWERS + "anyio_backend = pytest.fixture(lambda: 'asyncio')\n").tests(
        """
        @pytest.mark.asyncio
        @gate
        async def test_asyncio(ragas_sample):
            await asyncio.sleep(0)
            assert ragas_sample.response

        @pytest.mark.anyio
        @gate
        async def test_anyio(ragas_sample, anyio_backend):
            assert ragas_sample.response
        """
    ).run().assert_outcomes(failed=6)


def test_a_fixture_of_the_tests_may_read_the_answer(project, mode):
    project.conftest(
        ANSWERS
        + """
@pytest.fixture
def shouted(ragas_sample):
    return ragas_sample.response + "!"
"""
    ).tests("@gate\ndef test_it(shouted, ragas_sample): assert shouted == ragas_sample.response + '!'").run(
        *mode
    ).assert_outcomes(failed=3)


def test_no_call_is_made_where_no_body_runs(project):
    project.conftest(ANSWERS).tests("@gate\ndef test_it(ragas_sample): ...")
    for option in ("--collect-only", "--setup-plan", "--setup-only"):
        assert project.run(option).ret == pytest.ExitCode.OK
    assert project.notes() == []


def test_the_target_sees_the_context_that_its_fixture_was_set_up_in(project):
    """Not what a test sets; and what one call sets is not there in another."""
    project.conftest(
        """
        TENANT = contextvars.ContextVar("tenant", default="nobody")

        @pytest.fixture(scope="session")
        def rag():
            TENANT.set("acme")

            def ask(user_input):
                found = TENANT.get()
                TENANT.set(user_input)
                return f"0.9 {found}"
            return ask
        """
    ).tests(
        """
        @gate
        def test_it(ragas_sample):
            TENANT.set("the test's")
            assert ragas_sample.response == "0.9 acme"
        """
    ).run().assert_outcomes(passed=3)
