"""`ragas_sample`: the row as a test sees it, and what may be recorded for it."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from pytest_ragas.plugin.handle import SampleHandle
from pytest_ragas.values.sample import Sample

ROW = Sample(
    id="q1", user_input="How many days?", reference="30 days.", reference_contexts=["ctx"], tags=["leave"],
    metadata={"page": 3}, source="testset.json row 1",
)  # fmt: skip


def test_it_shows_the_row():
    handle = SampleHandle(ROW)
    shown = (handle.id, handle.user_input, handle.response, handle.retrieved_contexts, handle.reference)
    assert shown == ("q1", "How many days?", None, None, "30 days.")
    assert (handle.reference_contexts, handle.tags, handle.metadata) == (("ctx",), ("leave",), {"page": 3})
    assert repr(handle) == "<ragas_sample 'q1': 'How many days?'>"


@pytest.mark.parametrize(
    "answer",
    [
        {"response": "30", "retrieved_contexts": ["a", "b"]},
        {"answer": "30", "contexts": ["a", "b"], "question": "as asked", "latency": 0.3, "ground_truth": "ignored"},
        SimpleNamespace(response="30", retrieved_contexts=("a", "b"), usage=12),
        Sample(user_input="How many days?", response="30", retrieved_contexts=["a", "b"]),
        Sample(response="30", retrieved_contexts=["a", "b"]),
    ],
    ids=["mapping", "mapping of old names", "object", "sample", "sample without question"],
)
def test_an_answer_of_any_shape_is_recorded_into_the_row(answer):
    recorded = SampleHandle(ROW).record(answer)
    assert (recorded.response, recorded.retrieved_contexts) == ("30", ("a", "b"))
    assert (recorded.id, recorded.user_input, recorded.reference) == ("q1", "How many days?", "30 days.")
    assert (recorded.tags, recorded.source) == (("leave",), "testset.json row 1")


def test_a_string_is_the_response():
    assert SampleHandle(ROW).record("30").response == "30"


def test_fields_are_recorded_by_name():
    recorded = SampleHandle(ROW).record(response="30", retrieved_contexts="one", retrieved_context_ids=["d1"])
    assert (recorded.retrieved_contexts, recorded.retrieved_context_ids) == (("one",), ("d1",))


def test_contexts_may_be_documents_of_langchain_or_llamaindex():
    documents = [SimpleNamespace(page_content="a"), SimpleNamespace(text="b"), "c"]
    assert SampleHandle(ROW).record(response="30", retrieved_contexts=documents).retrieved_contexts == ("a", "b", "c")


def test_what_was_recorded_does_not_change_with_the_users_objects():
    handle, contexts = SampleHandle(ROW), ["a"]
    handle.record(response="30", retrieved_contexts=contexts)
    contexts.append("b")
    assert handle.samples()[0].retrieved_contexts == ("a",)


def test_several_answers_of_one_row_have_ids_of_their_own():
    handle = SampleHandle(ROW)
    assert [handle.record(answer).id for answer in ("a", "b", "c")] == ["q1", "q1#2", "q1#3"]
    assert len(handle.samples()) == 3


def test_recording_and_returning_the_same_sample_records_once():
    handle = SampleHandle(ROW)
    for sample in (Sample(response="30"), Sample(user_input="Another?", response="30")):
        handle.record(handle.record(sample))
    assert [sample.user_input for sample in handle.samples()] == ["How many days?", "Another?"]


def test_a_sample_about_another_question_keeps_its_own_fields():
    recorded = SampleHandle(ROW).record(Sample(user_input="Another?", response="30", id="mine"))
    assert (recorded.id, recorded.reference) == ("mine", None)


def test_without_a_testset_question_and_reference_are_recorded_too():
    handle = SampleHandle()
    recorded = handle.record(user_input="Q?", response="A", reference="R")
    assert recorded == Sample(user_input="Q?", response="A", reference="R")
    assert handle.record({"question": "Q2?", "answer": "A"}).user_input == "Q2?"


def test_a_row_with_an_answer_is_scored_as_it_is_unless_one_is_recorded():
    row = ROW.answered(response="recorded earlier")
    handle = SampleHandle(row)
    assert handle.samples() == (row,)
    handle.record("new")
    assert [sample.response for sample in handle.samples()] == ["new"]
    assert SampleHandle(ROW).samples() == ()


def test_an_empty_answer_is_an_answer():
    assert SampleHandle(ROW).record(response="").response == ""


@pytest.mark.parametrize(
    ("answer", "fields", "message"),
    [
        (None, {}, "record() was given nothing. Write for example record(response=answer.text)."),
        (None, {"response": None}, "response must be a string, not NoneType (None)."),
        (None, {"response": SimpleNamespace(content="30")}, "Did you mean its .content?"),
        (None, {"retrieved_contexts": 3}, "retrieved_contexts must be a list of strings, not int (3)."),
        (None, {"retrieved_contexts": {"a": 1}}, "retrieved_contexts must be a list of strings, not dict"),
        (None, {"retrieved_contexts": ["a", None]}, "retrieved_contexts[1] must be a string or a document"),
        (None, {"retreived_contexts": []}, "record() knows no field 'retreived_contexts'. Did you mean 'retrieved_"),
        (None, {"answer": "30"}, "Did you mean 'response'?"),
        (None, {"zzz": "30"}, "Known: response, user_input, reference, retrieved_contexts"),
        (None, {"response": "30", "reference": "x"}, "reference belongs to the row 'q1' of the testset"),
        ({"result": "30"}, {}, "The recorded mapping has no 'response', only 'result'."),
        (30, {}, "int is no answer: expected a string, a mapping with 'response', a Sample, or an object"),
        (["30"], {}, "list is no answer"),
        (SimpleNamespace(response=None), {}, "response must be a string, not NoneType"),
        (Sample(response="30"), {"response": "31"}, "record() takes a Sample or fields by name, not both"),
    ],
)  # fmt: skip
def test_what_is_no_answer_says_what_was_expected(answer, fields, message):
    with pytest.raises(TypeError) as caught:
        SampleHandle(ROW).record(answer, **fields)
    assert message in str(caught.value)
