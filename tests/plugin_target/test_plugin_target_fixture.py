"""The fixture of a target: its scope, its parameters, its teardown, who overrides it."""

from __future__ import annotations

import pytest

SCOPED = """
@pytest.fixture(scope="{scope}")
def rag():
    index = {{"open": True}}
    note("set up")

    def ask(user_input):
        assert index["open"]
        time.sleep(0.01)
        assert index["open"], "called while it was closed"
        return "0.9"

    yield ask
    index["open"] = False
    note("torn down")
"""


@pytest.mark.parametrize(("scope", "times"), [("session", 1), ("package", 1), ("module", 2), ("class", 4)])
def test_the_teardown_waits_for_answers_and_comes_once(project, mode, scope, times):
    """Bodies are empty: every one of them is over before its answer comes."""
    source = """
    class TestOne:
        @gate
        def test_it(self, ragas_sample): ...

    class TestTwo:
        @gate
        def test_it(self, ragas_sample): ...
    """
    project.rows(4).conftest(SCOPED.format(scope=scope)).tests(source).tests(source, name="test_more.py")
    project.run("--ragas-target-concurrency=2", *mode).assert_outcomes(passed=16)
    if mode != ["-n2"]:
        assert (len(project.notes("set up")), len(project.notes("torn down"))) == (times, times)


def test_waiting_for_answers_is_not_the_time_of_the_test_that_tears_down(project):
    """2.5 seconds of answers, after the body of the last test."""
    pytest.importorskip("pytest_timeout")
    project.rows(5).conftest(
        """
        @pytest.fixture(scope="session")
        def rag():
            def ask(user_input):
                time.sleep(0.5)
                return "0.9"
            yield ask
        """
    ).tests("@gate\ndef test_it(ragas_sample): ...").run(
        "--ragas-target-concurrency=1", "--timeout=2", "--timeout-method=thread"
    ).assert_outcomes(passed=5)


@pytest.mark.parametrize(("seconds", "first"), [(0.2, "ended"), (60, "torn down")])
def test_an_unused_call_is_waited_for_but_not_for_ever(project, seconds, first):
    """The last row's call is under way when its test skips and the fixture is torn down; nobody needs it."""
    project.rows(2).conftest(
        f"""
        TORN_DOWN = threading.Event()

        @pytest.fixture(scope="session")
        def rag():
            def ask(user_input):
                note("asked", user_input)
                if number(user_input) == 2:
                    TORN_DOWN.wait({seconds})
                    note("ended")
                return "0.9"
            yield ask
            note("torn down")
            TORN_DOWN.set()
        """
    ).tests(
        """
        @gate
        def test_it(ragas_sample):
            until(lambda: notes("asked Question 2?"))
            if ragas_sample.id == "q2":
                pytest.skip("not today")
        """
    ).run().assert_outcomes(passed=1, skipped=1)
    assert next(line for line in project.notes() if line in ("torn down", "ended")) == first


def test_a_parametrized_fixture_is_asked_for_each_parameter(project, mode):
    project.rows(3).conftest(
        """
        @pytest.fixture(scope="session", params=["small", "large"])
        def rag(request):
            open = [True]

            def ask(user_input):
                note("asked", request.param, user_input)
                time.sleep(0.02)
                assert open, "called while it was closed"
                return f"0.9 {request.param}"

            yield ask
            open.clear()
        """
    ).tests(
        """
        @gate
        def test_it(ragas_sample, request):
            if ragas_sample.id == "q1":
                assert ragas_sample.response == f"0.9 {request.node.callspec.params['rag']}"
        """
    ).run(*mode).assert_outcomes(passed=6)
    assert sorted(project.notes("asked")) == sorted(
        f"{size} Question {n}?" for size in ("small", "large") for n in (1, 2, 3)
    )


def test_a_fixture_below_a_parametrized_one_is_asked_for_each_parameter(project, mode):
    project.rows(3).conftest(
        """
        @pytest.fixture(scope="session", params=["small", "large"])
        def index(request):
            return request.param

        @pytest.fixture(scope="session")
        def rag(index):
            return lambda user_input: note("asked", index, user_input) or f"0.9 {index}"
        """
    ).tests("@gate\ndef test_it(ragas_sample, index): assert ragas_sample.response == f'0.9 {index}'").run(
        *mode
    ).assert_outcomes(passed=6)
    assert len(project.notes("asked")) == 6


@pytest.mark.parametrize("scope", ["", ", scope='session'"])
def test_a_target_may_be_a_parameter(project, mode, scope):
    project.rows(3).conftest(
        """
        def small(user_input):
            note("asked small", user_input)
            return "0.9 small"

        def large(user_input):
            note("asked large", user_input)
            return "0.9 large"
        """
    ).tests(
        f"""
        @pytest.mark.parametrize("rag", [small, large]{scope})
        @gate
        def test_it(ragas_sample, rag):
            assert ragas_sample.response == f"0.9 {{rag.__name__}}"
        """
    ).run(*mode).assert_outcomes(passed=6)
    assert len(project.notes("asked")) == 6


def test_parameters_that_are_not_the_targets_do_not_matter(project, mode):
    """Each attempt gets an answer of its own."""
    project.rows(2).conftest(
        """
        @pytest.fixture(scope="session")
        def rag():
            return lambda user_input: note("asked", user_input) or "0.9"
        """
    ).tests(
        """
        @pytest.mark.parametrize("attempt", [1, 2, 3])
        @gate
        def test_it(ragas_sample, attempt): ...
        """
    ).run(*mode).assert_outcomes(passed=6)
    assert sorted(project.notes("asked")) == ["Question 1?"] * 3 + ["Question 2?"] * 3


def test_several_targets_and_stacked_markers(project, mode):
    """The closest marker that names a target wins; a fixture of the module overrides that of the conftest.py."""
    project.rows(2).conftest(
        """
        @pytest.fixture(scope="session")
        def rag():
            return lambda user_input: "0.1 conftest"

        @pytest.fixture(scope="session")
        def other():
            return lambda user_input: "0.9 other"
        """
    ).tests(
        """
        pytestmark = gate

        @pytest.fixture(scope="module")
        def rag():
            async def ask(user_input):
                return "0.8 module"
            return ask

        def test_of_the_module(ragas_sample):
            assert ragas_sample.response == "0.8 module"

        class TestOther:
            pytestmark = pytest.mark.ragas(target="other")

            def test_of_the_class(self, ragas_sample):
                assert ragas_sample.response == "0.9 other"

            @pytest.mark.ragas(target="rag")
            def test_of_the_function(self, ragas_sample):
                assert ragas_sample.response == "0.8 module"

            @staticmethod
            def test_static(ragas_sample):
                assert ragas_sample.response == "0.9 other"
        """
    ).run(*mode).assert_outcomes(passed=8)


def test_a_test_that_two_classes_inherit_has_the_target_of_each(project):
    project.rows(1).tests(
        """
        def of(name):
            @pytest.fixture(scope="session")
            def target():
                note("set up", name)
                return lambda user_input: f"0.9 {name}"
            return target

        one, two = of("one"), of("two")

        class Base:
            def test_it(self, ragas_sample, request):
                assert ragas_sample.response == self.expected
                assert {"0.9 one", "0.9 two"} & {f"0.9 {name}" for name in request.fixturenames} <= {self.expected}

        @pytest.mark.ragas(testset="testset.json", target="one", thresholds={"quality": 0.5})
        class TestOne(Base):
            expected = "0.9 one"

            def test_what_is_set_up(self, ragas_sample):
                assert notes("set up") == ["set up one"]

        @pytest.mark.ragas(testset="testset.json", target="two", thresholds={"quality": 0.5})
        class TestTwo(Base):
            expected = "0.9 two"

        class TestPlain:
            test_it = Base.test_it
            expected = None

            @pytest.fixture
            def ragas_sample(self):
                return type("Row", (), {"response": None})
        """
    ).run().assert_outcomes(passed=4)


def test_the_test_uses_the_fixture_as_pytest_knows_it(project):
    project.rows(1).conftest(
        '''
        @pytest.fixture(scope="session")
        def rag():
            """The RAG under test."""
            return lambda user_input: "0.9"
        '''
    ).tests("@gate\ndef test_it(ragas_sample, request): assert 'rag' in request.fixturenames").run().assert_outcomes(
        passed=1
    )
    project.run("--fixtures-per-test").stdout.fnmatch_lines(["rag -- conftest.py:*", "    The RAG under test."])


def test_an_async_fixture_may_give_the_target(project):
    """Its value is what counts; async targets run on a loop of their own all the same."""
    project.rows(2).conftest(
        """
        import pytest_asyncio

        @pytest_asyncio.fixture(scope="session", loop_scope="session")
        async def rag():
            theirs = asyncio.get_running_loop()

            async def ask(user_input):
                assert asyncio.get_running_loop() is not theirs
                return "0.9"
            yield ask
        """
    ).tests(
        """
        @pytest.mark.asyncio(loop_scope="session")
        @gate
        async def test_it(ragas_sample):
            assert ragas_sample.response == "0.9"
        """
    ).run().assert_outcomes(passed=2)


@pytest.mark.parametrize("scope", ["session", "module", "function"])
def test_a_critic_of_any_scope_judges_answers_to_its_own_tests(project, mode, scope):
    """Scored ahead only by a critic that is known to be the one of the later test; never while it is closed."""
    source = f"""
    from pytest_ragas import ScriptedCritic

    @pytest.fixture(scope="{scope}")
    def ragas_critic_llm():
        critic = ScriptedCritic([])
        yield critic
        note("critic closed")

    @gate
    def test_it(ragas_sample): ...
    """
    project.rows(3).conftest(SCOPED.format(scope="session")).tests(source).tests(source, name="test_more.py")
    project.run(*mode).assert_outcomes(passed=6)
    assert len(project.notes("scored")) == 6


def test_a_critic_that_another_test_has_is_not_asked_for_it(project):
    """Two modules bring their own: answers to the second are asked ahead, and not scored by the critic of the first."""
    project.rows(2).conftest(
        SCOPED.format(scope="session")
        + """
from pytest_ragas import MetricSpec, Score

class Named:
    def __init__(self, context):
        self.name, self.critic = context.name, context.critic

    async def score(self, sample):
        note("judged by", self.critic.identity.name)
        return Score(metric=self.name, value=0.9)

@pytest.hookimpl(specname="pytest_ragas_register_metrics")
def pytest_ragas_more(register):
    register(MetricSpec(
        name="named", backend="native", needs=frozenset({"response"}), uses=frozenset({"llm"}),
        factory=Named, version="1", summary="who judges",
    ))
"""
    )
    for name in ("one", "two"):
        project.tests(
            f"""
            @pytest.fixture(scope="module")
            def ragas_critic_llm():
                return ScriptedCritic([], name="{name}")

            @pytest.mark.ragas(testset="testset.json", target="rag", thresholds={{"named": 0.5}})
            def test_it(ragas_sample): ...
            """,
            name=f"test_{name}.py",
        )
    project.run().assert_outcomes(passed=4)
    assert sorted(project.notes("judged by")) == ["one", "one", "two", "two"]
    assert project.notes("set up") == ["set up"]
