"""A testset becomes tests: one for each row."""

from __future__ import annotations

import json
import os

import pytest

TEST = """
@pytest.mark.ragas(testset="testset.json", thresholds={"quality": 0.5})
def test_rag(ragas_sample):
    pass
"""


def test_each_row_is_a_test_named_by_its_id(rag_project, xdist_args):
    result = rag_project.testset("0.9", "0.8").tests(TEST).run("-v", *xdist_args)
    result.assert_outcomes(passed=2)
    result.stdout.fnmatch_lines_random(["*test_rag.py::test_rag[[]q1[]]*", "*test_rag.py::test_rag[[]q2[]]*"])


def test_the_rows_fields_are_the_samples(rag_project):
    rag_project.testset("0.9", reference="R", tags=["leave"], page=3).tests(
        """
        @pytest.mark.ragas(testset="testset.json", metrics=["quality"])
        def test_rag(ragas_sample):
            assert (ragas_sample.id, ragas_sample.user_input, ragas_sample.response) == ("q1", "Question 1?", "0.9")
            assert (ragas_sample.reference, ragas_sample.tags, ragas_sample.metadata) == ("R", ("leave",), {"page": 3})
        """
    ).run().assert_outcomes(passed=1)


@pytest.mark.parametrize("id", ["a b", "äö", "x::y", "x[1]", "x/y", "x\ny", "[", "]", "a-b", "%s"])
def test_any_id_makes_a_test_that_can_be_selected_by_its_node_id(rag_project, id):
    (rag_project.path / "testset.json").write_text(
        json.dumps([{"id": id, "user_input": "?", "response": "0.9"}, {"user_input": "other", "response": "0.9"}])
    )
    result = rag_project.tests(TEST).run("--collect-only", "-q")
    nodeids = [line for line in result.outlines if line.startswith("test_rag.py::")]
    assert len(nodeids) == 2
    rag_project.run(nodeids[0]).assert_outcomes(passed=1)


def test_parametrize_on_top_multiplies(rag_project):
    result = rag_project.testset("0.9", "0.8").tests(
        """
        @pytest.mark.parametrize("model", ["small", "large"])
        @pytest.mark.ragas(testset="testset.json", metrics=["quality"])
        def test_rag(ragas_sample, model):
            return ragas_sample.response
        """
    ).run("-v")  # fmt: skip
    result.assert_outcomes(passed=4)
    assert {line.split()[0] for line in result.outlines if "PASSED" in line} == {
        f"test_rag.py::test_rag[{row}-{model}]" for row in ("q1", "q2") for model in ("small", "large")
    }


def test_a_testset_is_looked_for_beside_the_test_file_then_under_the_rootdir(rag_project):
    rag_project.testset("0.9").tests(TEST, name="deep/test_deep.py")
    rag_project.run().assert_outcomes(passed=1)
    (rag_project.path / "deep" / "testset.json").write_text((rag_project.path / "testset.json").read_text())
    rag_project.testset("0.1")
    rag_project.run().assert_outcomes(passed=1)


def test_two_tests_load_a_testset_once(rag_project):
    rag_project.testset("0.9").conftest(
        """
        import pytest_ragas.testset.load as load
        real, loaded = load.load_testset, []
        load.load_testset = lambda *args, **kwargs: loaded.append(1) or real(*args, **kwargs)

        def pytest_sessionfinish():
            print("loaded", len(loaded))
        """
    ).tests(TEST + TEST.replace("test_rag", "test_again"))
    result = rag_project.run("-s")
    result.assert_outcomes(passed=2)
    result.stdout.fnmatch_lines(["*loaded 1"])


def test_a_class_may_name_the_testset_of_all_its_methods(rag_project):
    rag_project.testset("0.9", "0.2").tests(
        """
        @pytest.mark.ragas(testset="testset.json", thresholds={"quality": 0.5})
        class TestRag:
            def test_strict(self, ragas_sample):
                pass

            @pytest.mark.ragas(thresholds={"quality": 0.1})
            def test_lenient(self, ragas_sample):
                pass
        """
    ).run().assert_outcomes(passed=3, failed=1)


def test_rows_may_be_written_in_the_marker(rag_project):
    rag_project.tests(
        """
        ROWS = [{"question": "A?", "answer": "0.9", "id": "a"}, Sample(user_input="B?", response="0.9", id="b")]

        @pytest.mark.ragas(testset=ROWS, metrics=["quality"])
        def test_rows(ragas_sample):
            pass

        TESTSET = Testset(samples=(Sample(user_input="C?", response="0.9", id="c"),))

        @pytest.mark.ragas(testset=TESTSET, metrics="quality")
        def test_testset(ragas_sample):
            pass
        """
    ).run().assert_outcomes(passed=3)


def collection_error(rag_project, *arguments: str) -> str:
    """The one error of a collection, and nothing of our insides."""
    result = rag_project.run(*arguments)
    result.assert_outcomes(errors=1)
    assert result.ret == pytest.ExitCode.INTERRUPTED or arguments
    text = result.stdout.str()
    assert "pytest_ragas" + os.sep not in text
    assert "Traceback" not in text
    return text


def test_a_missing_testset_is_a_collection_error_that_names_the_places(rag_project, xdist_args):
    text = collection_error(rag_project.tests(TEST, name="deep/test_deep.py"), *xdist_args)
    assert "There is no testset 'testset.json': neither " in text
    assert os.path.join("deep", "testset.json") in text


def test_a_broken_testset_is_a_collection_error_that_lists_its_rows(rag_project):
    (rag_project.path / "testset.json").write_text('[{"user_input": 7}, {"user_input": "ok"}, {"response": []}]')
    text = collection_error(rag_project.tests(TEST))
    assert "row 1" in text
    assert "row 3" in text


def test_rows_of_the_marker_with_one_id_are_a_collection_error(rag_project):
    text = collection_error(
        rag_project.tests(
            """
            @pytest.mark.ragas(testset=[{"user_input": "A?"}, {"user_input": "A?"}], metrics="quality")
            def test_rows(ragas_sample):
                pass
            """
        )
    )
    assert "Two rows of the marker's testset have the id" in text


def test_a_test_that_takes_no_row_of_its_testset_is_a_collection_error(rag_project):
    text = collection_error(rag_project.testset("0.9").tests(TEST.replace("(ragas_sample)", "()")))
    assert "test_rag.py::test_rag has a testset, but takes no row of it." in text
    assert "Add the argument: def test_rag(ragas_sample, ...)." in text


def test_a_bad_marker_is_a_collection_error(rag_project, xdist_args):
    text = collection_error(rag_project.testset("0.9").tests(TEST.replace("thresholds", "treshold")), *xdist_args)
    assert "Unknown argument 'treshold' in the ragas marker of test_rag.py::test_rag. Did you mean" in text


def test_an_unknown_metric_is_a_collection_error_that_names_its_neighbour(rag_project):
    text = collection_error(rag_project.testset("0.9").tests(TEST.replace("quality", "qualty")))
    assert "Unknown metric 'qualty' in the ragas marker of test_rag.py::test_rag. Did you mean 'quality'?" in text


def test_other_files_are_collected_beside_a_bad_one(rag_project):
    rag_project.tests(TEST).testset("0.9", name="other.json")
    rag_project.tests(TEST.replace("testset.json", "other.json"), name="test_other.py")
    rag_project.run("--continue-on-collection-errors").assert_outcomes(passed=1, errors=1)


def test_a_row_that_lacks_a_reference_is_an_error_before_the_body_runs(rag_project):
    rag_project.testset("0.9").tests(
        """
        @pytest.mark.ragas(testset="testset.json", metrics=["right"])
        def test_rag(ragas_sample):
            print("the body ran")
        """
    )
    result = rag_project.run("-rA")
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["right needs reference, which row 'q1' (testset.json row 1) does not have.*"])
    assert "the body ran" not in result.stdout.str()
    result = rag_project.testset("0.9", reference="R").run()
    result.assert_outcomes(passed=1)


def test_an_answer_without_contexts_is_an_error_before_any_call(rag_project):
    rag_project.testset(None).tests(
        """
        @pytest.mark.ragas(testset="testset.json", thresholds={"grounded": 0.5, "quality": 0.5})
        def test_rag(ragas_sample):
            return "0.1"
        """
    )
    result = rag_project.run()
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["grounded needs retrieved_contexts, which row 'q1' (testset.json row 1) does not*"])
