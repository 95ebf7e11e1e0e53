"""`@pytest.mark.ragas(...)`: what its arguments may be, and how stacked markers add up."""

from __future__ import annotations

from pathlib import Path

import pytest

from pytest_ragas.errors import ConfigurationError, UnknownNameError
from pytest_ragas.plugin.marker import MarkerArguments, read_markers
from pytest_ragas.values.sample import Sample
from pytest_ragas.values.testset import Testset


def read(*marks: pytest.MarkDecorator) -> MarkerArguments:
    return read_markers([mark.mark for mark in marks], where="test_rag.py::test_rag")


ragas = pytest.mark.ragas


def test_a_bare_marker_leaves_everything_to_the_configuration():
    assert read(ragas) == MarkerArguments()


def test_arguments_are_read_into_a_frozen_value():
    arguments = read(ragas(testset=Path("a.json"), thresholds={"faithfulness": 1}, metrics=["style"], target="rag"))
    assert arguments == MarkerArguments(
        testset=Path("a.json"), thresholds={"faithfulness": 1.0}, metrics=("style",), target="rag"
    )


def test_one_metric_may_be_written_as_a_string():
    assert read(ragas(metrics="style")).metrics == ("style",)


@pytest.mark.parametrize(
    "testset", ["a.json", Testset(samples=(Sample(user_input="q"),)), [{"user_input": "q"}], [Sample(user_input="q")]]
)
def test_a_testset_is_a_file_a_testset_or_rows(testset):
    assert read(ragas(testset=testset)).testset is testset


def test_for_each_argument_the_closest_marker_wins():
    on_function = ragas(thresholds={"style": 0.5})
    on_class = ragas(thresholds={"faithfulness": 0.8}, metrics=["quality"], testset="class.json")
    on_module = ragas(testset="module.json", target="rag")
    assert read(on_function, on_class, on_module) == MarkerArguments(
        thresholds={"style": 0.5}, metrics=("quality",), testset="class.json", target="rag"
    )


def test_no_bound_takes_a_configured_threshold_away():
    assert read(ragas(thresholds={"faithfulness": None})).thresholds == {"faithfulness": None}


@pytest.mark.parametrize(
    ("mark", "message"),
    [
        (ragas("a.json"), "Name them: @pytest.mark.ragas(testset="),
        (ragas(testset=7), "testset=7 in the ragas marker of test_rag.py::test_rag is no testset. Give a file"),
        (ragas(testset=[]), "is no testset"),
        (ragas(testset=["a.json"]), "is no testset"),
        (ragas(thresholds=0.8), 'Write for example thresholds={"faithfulness": 0.8}'),
        (ragas(thresholds={"faithfulness": "high"}), "faithfulness='high' in the ragas marker"),
        (ragas(thresholds={"faithfulness": True}), "must be a number from 0 to 1"),
        (ragas(thresholds={"faithfulness": 80}), "must be a number from 0 to 1"),
        (ragas(thresholds={"faithfulness": float("nan")}), "must be a number from 0 to 1"),
        (ragas(thresholds={7: 0.8}), "7 in the ragas marker of test_rag.py::test_rag is no name of a metric"),
        (ragas(metrics=[]), "must be a list of names"),
        (ragas(metrics={"faithfulness": 0.8}), "must be a list of names"),
        (ragas(metrics=[len]), "must be a list of names"),
        (ragas(target=len), 'must be the name of a fixture that gives your RAG as a callable. Write for example targ'),
        (ragas(target="my rag"), "must be the name of a fixture"),
        (ragas(docs=["a.md"]), 'needs the file that the testset is generated into. Write testset="generated.json"'),
        (ragas(docs=["a.md"], testset=[{"user_input": "A?"}]), "needs the file that the testset is generated into"),
        (ragas(docs=[], testset="a.json"), "must be a list of files, folders or globs"),
        (ragas(docs=7, testset="a.json"), "must be a list of files, folders or globs"),
        (ragas(test_size=5), "test_size= in the ragas marker of test_rag.py::test_rag says what a generated testset"),
        (ragas(distribution={}, testset="a.json"), "docs= is missing"),
    ],
)  # fmt: skip
def test_arguments_of_the_wrong_kind_say_what_they_should_be(mark, message):
    with pytest.raises(ConfigurationError) as caught:
        read(mark)
    assert message in str(caught.value)


def test_an_unknown_argument_names_its_neighbour():
    with pytest.raises(UnknownNameError) as caught:
        read(ragas(treshold={"faithfulness": 0.8}))
    assert str(caught.value) == (
        "Unknown argument 'treshold' in the ragas marker of test_rag.py::test_rag. Did you mean 'thresholds'?"
    )


def test_pytest_markers_documents_the_marker_with_an_example(rag_project):
    result = rag_project.run("--markers")
    result.stdout.fnmatch_lines(
        ["@pytest.mark.ragas(testset=None, *", '*@pytest.mark.ragas(testset="testset.json", thresholds=*']
    )


def test_the_marker_is_known_to_strict_markers(rag_project):
    rag_project.tests(
        """
        @pytest.mark.ragas(metrics=["quality"])
        def test_it(ragas_sample):
            return "0.9"
        """
    )
    rag_project.run("--strict-markers").assert_outcomes(passed=1)
