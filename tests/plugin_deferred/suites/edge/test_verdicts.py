import logging

import pytest

from pytest_ragas import Sample

gate = pytest.mark.ragas(thresholds={"quality": 0.5, "style": 0.3})


@gate
def test_pass(ragas_sample):
    return "0.9"


@gate
def test_low(ragas_sample, tmp_path, sees_report, noisy_teardown):
    print("printed by the body")
    logging.getLogger("app").warning("logged by the body")
    return "0.4"


def test_plain():
    pass


def test_plain_that_fails():
    print("printed by a plain test")
    assert 1 == 2


@gate
def test_body_fails(ragas_sample):
    ragas_sample.record(response="0.9")
    print("before the assertion")
    assert "this" == "that"


@gate
def test_boom(ragas_sample):
    print("printed by the body")
    return "BOOM"


@gate
def test_low_and_boom(ragas_sample):
    ragas_sample.record(user_input="first", response="0.2")
    ragas_sample.record(user_input="second", response="BOOM")


@gate
@pytest.mark.skip(reason="marked")
def test_skip_mark(ragas_sample):
    return "0.9"


@gate
def test_skip_inside(ragas_sample):
    ragas_sample.record(response="0.2")
    pytest.skip("inside")


@gate
@pytest.mark.xfail(reason="known weak")
def test_xfail_low(ragas_sample):
    return "0.2"


@gate
@pytest.mark.xfail(reason="known weak", strict=True)
def test_xfail_strict_low(ragas_sample):
    return "0.2"


@gate
@pytest.mark.xfail(reason="known weak", strict=True)
def test_xfail_strict_good(ragas_sample):
    return "0.9"


@gate
@pytest.mark.xfail(reason="known weak")
def test_xfail_good(ragas_sample):
    return "0.9"


@gate
@pytest.mark.xfail(reason="known weak")
def test_xfail_boom(ragas_sample):
    return "BOOM"


@gate
@pytest.mark.xfail(reason="known weak", raises=AssertionError)
def test_xfail_raises(ragas_sample):
    return "0.2"


@gate
@pytest.mark.xfail(reason="known weak", raises=OSError)
def test_xfail_raises_something_else(ragas_sample):
    return "0.2"


@gate
@pytest.mark.xfail(reason="not run", run=False)
def test_xfail_not_run(ragas_sample):
    return "0.2"


@gate
def test_xfail_in_the_body(ragas_sample):
    pytest.xfail("in the body")


@gate
def test_xfail_added_by_the_body(ragas_sample, request):
    request.node.add_marker(pytest.mark.xfail(reason="added"))
    return "0.2"


@gate
def test_nothing_recorded(ragas_sample):
    pass


@gate
def test_no_answer(ragas_sample):
    return 42


@gate
def test_bad_setup(ragas_sample, bad_setup):
    return "0.9"


@gate
def test_low_and_bad_teardown(ragas_sample, bad_teardown):
    return "0.2"


@gate
def test_good_and_bad_teardown(ragas_sample, bad_teardown):
    return "0.9"


@gate
@pytest.mark.xfail(reason="known weak")
def test_xfail_low_and_bad_teardown(ragas_sample, bad_teardown):
    return "0.2"


@gate
def test_properties(ragas_sample, record_property):
    record_property("mine", 1)
    return "0.4"


@gate
def test_two_answers(ragas_sample):
    ragas_sample.record(user_input="first", response="0.9")
    ragas_sample.record(user_input="second", response="0.2")


@gate
def test_changed_afterwards(ragas_sample):
    answer = {"response": "0.9", "retrieved_contexts": ["a"]}
    ragas_sample.record(answer)
    answer["response"] = "0.1"
    answer["retrieved_contexts"].clear()


@gate
def test_noisy(ragas_sample):
    return "0.4 NOISY"


def test_caplog_of_a_neighbour(caplog):
    import time

    with caplog.at_level(logging.DEBUG):
        time.sleep(0.2)
    assert [record for record in caplog.records if record.name == "critic"] == []


class TestClass:
    @gate
    def test_in_class(self, ragas_sample, class_thing, module_thing):
        assert class_thing["open"]
        return {"response": "0.9", "retrieved_contexts": ["a"]}

    @gate
    def test_in_class_low(self, ragas_sample, class_thing):
        return "0.2"

    @gate
    @staticmethod
    def test_static(ragas_sample):
        return "0.2"


@pytest.mark.ragas(
    testset=[{"id": f"q{n}", "user_input": f"question {n}"} for n in range(3)], thresholds={"quality": 0.5}
)
@pytest.mark.parametrize("word", ["0.9", "0.2"])
def test_parametrized(ragas_sample, word):
    return word


@pytest.mark.ragas(
    testset=[
        {"id": "a", "user_input": "question", "response": "0.9"},
        {"id": "b", "user_input": "question b", "response": "0.2"},
        {"id": "c", "user_input": "question c"},
    ],
    thresholds={"quality": 0.5},
)
def test_recorded(ragas_sample):
    pass


@gate
@pytest.mark.asyncio
async def test_asyncio(ragas_sample):
    import asyncio

    await asyncio.sleep(0)
    return "0.2 from asyncio"


@gate
@pytest.mark.anyio
async def test_anyio(ragas_sample, anyio_backend):
    return "0.2 from anyio"


@gate
def test_subtests_pass(ragas_sample, subtests):
    with subtests.test("one"):
        pass
    return "0.2"


@gate
def test_subtests_fail(ragas_sample, subtests):
    with subtests.test("one"):
        assert 1 == 2
    return "0.9"


@gate
def test_subtests_fail_twice_and_low(ragas_sample, subtests):
    for word in ("one", "two"):
        with subtests.test(word):
            assert word == "three"
    return "0.2"


@pytest.mark.ragas(thresholds={"quality": 0.5}, scoring="blocking")
def test_that_waits(ragas_sample):
    return "0.2"


def test_helper(ragas):
    from pytest_ragas import assert_scores

    assert_scores(Sample(response="0.2", user_input="q"), quality=0.5)


@gate
def test_helper_in_a_marked_test(ragas_sample):
    from pytest_ragas import assert_scores

    assert_scores(Sample(response="0.9", user_input="q"), quality=0.5)
    return "0.2"


@gate
@pytest.mark.breaks_late
@pytest.mark.parametrize("word", ["0.9", "0.2", "BOOM"])
def test_broken_after_the_body(ragas_sample, word):
    return word


@gate
@pytest.mark.breaks_late
@pytest.mark.xfail(reason="breaks", raises=RuntimeError)
def test_broken_after_the_body_as_expected(ragas_sample):
    return "0.2"


@pytest.fixture
def records_late(record_property):
    yield
    record_property("of the teardown", "yes")


@gate
def test_property_of_a_teardown(ragas_sample, records_late):
    return "0.9"
