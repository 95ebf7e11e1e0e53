"""Which rows of two runs are the same ones."""

from __future__ import annotations

from comparison_made import TEST, recorded, row

from pytest_ragas.baselines.pair import pair
from pytest_ragas.values.recorded import RecordedScore


def ids(keys):
    return [key.sample_id for key in keys]


def test_rows_pair_by_test_and_id_for_each_metric_that_both_runs_have():
    before = recorded(row("a", {"faithfulness": 0.9, "old": 1.0}), row("b", {"faithfulness": 0.8}))
    after = recorded(row("b", {"faithfulness": 0.5}), row("a", {"faithfulness": 1.0, "new": 0.3}))
    pairing = pair(before, after)
    found = [(entry.key.sample_id, entry.metric, round(entry.change, 6)) for entry in pairing.pairs]
    assert found == [("a", "faithfulness", 0.1), ("b", "faithfulness", -0.3)]
    assert not any((pairing.added, pairing.removed, pairing.edited, pairing.not_run, pairing.unscored))


def test_results_of_one_test_for_one_row_pair_by_their_number():
    before = recorded(row("a", {"m": 0.1}), row("a", {"m": 0.2}, number=2))
    after = recorded(row("a", {"m": 0.1}), row("a", {"m": 0.2}, number=2), row("a", {"m": 0.9}, number=3))
    pairing = pair(before, after)
    assert [entry.change for entry in pairing.pairs] == [0.0, 0.0]
    assert [str(key) for key in pairing.added] == [f"{TEST}[a] (result 3)"]


def test_added_removed_and_edited_rows_are_told_apart():
    before = recorded(row("a", {"m": 1}), row("b", {"m": 1}), row("c", {"m": 1}, content="How many days?"))
    after = recorded(row("a", {"m": 1}), row("c", {"m": 1}, content="How many weeks?"), row("d", {"m": 1}))
    pairing = pair(before, after)
    assert (ids(pairing.added), ids(pairing.removed), ids(pairing.edited)) == (["d"], ["b"], ["c"])
    assert [entry.key.sample_id for entry in pairing.pairs] == ["a"]


def test_a_row_whose_id_alone_was_changed_keeps_its_pair():
    before = recorded(row("1", {"m": 0.7}, content="same"), row("2", {"m": 1}))
    after = recorded(row("annual-leave", {"m": 0.4}, content="same"), row("2", {"m": 1}))
    pairing = pair(before, after)
    assert [entry.key.sample_id for entry in pairing.pairs] == ["2", "annual-leave"]
    assert (pairing.added, pairing.removed) == ((), ())


def test_rows_of_the_same_content_that_could_be_either_have_no_pair():
    before = recorded(row("1", {"m": 0.7}, content="same"), row("2", {"m": 1}, content="same"))
    after = recorded(row("3", {"m": 0.4}, content="same"))
    pairing = pair(before, after)
    assert (ids(pairing.added), ids(pairing.removed), pairing.pairs) == (["3"], ["1", "2"], ())


def test_a_test_that_was_not_run_removes_nothing():
    before = recorded(row("a", {"m": 1}), row("a", {"m": 1}, test="test_other.py::test_other"), row("gone", {"m": 1}))
    pairing = pair(before, recorded(row("a", {"m": 1})))
    assert [key.test for key in pairing.not_run] == ["test_other.py::test_other"]
    assert ids(pairing.removed) == ["gone"]


def test_a_run_that_leaves_rows_out_on_purpose_removes_nothing():
    before = recorded(row("a", {"m": 1}), row("b", {"m": 1}))
    pairing = pair(before, recorded(row("a", {"m": 1})), partial=True)
    assert (ids(pairing.not_run), pairing.removed) == (["b"], ())


def test_a_score_that_is_missing_on_one_side_is_told_with_its_side():
    before = recorded(row("a", {"m": 1}), row("b", {}, failures={"m": "the server answered 500"}), row("c", {"m": 1}))
    after = recorded(row("a", {}, failures={"m": "dropped"}), row("b", {"m": 1}), row("c", {}))
    pairing = pair(before, after)
    assert pairing.pairs == ()
    assert [(entry.key.sample_id, entry.side, entry.why) for entry in pairing.unscored] == [
        ("a", "after", "dropped"),
        ("b", "before", "the server answered 500"),
    ]


def test_both_sides_are_held_to_the_thresholds_of_today():
    before = recorded(row("a", {"m": 0.75}, thresholds={"m": 0.9}), row("b", {"m": 0.9}))
    after = recorded(row("a", {"m": 0.6}, thresholds={"m": 0.7}), row("b", {"m": 0.9}))
    first, second = pair(before, after).pairs
    assert (first.held_before, first.held_after) == (True, False)
    assert (second.held_before, second.held_after) == (None, None)


def test_where_lower_is_better_a_rise_is_a_change_for_the_worse():
    def run(value: float):
        score = RecordedScore(metric="noise_sensitivity", value=value, higher_is_better=False)
        return recorded(row("a", {"noise_sensitivity": score}, thresholds={"noise_sensitivity": 0.3}))

    (entry,) = pair(run(0.1), run(0.5)).pairs
    assert round(entry.change, 6) == -0.4
    assert (entry.held_before, entry.held_after) == (True, False)


def test_rows_of_one_document_and_results_of_one_question_are_one_cluster():
    rows = [
        row("a", {"m": 1}, sources=("leave.md", "travel.md")),
        row("b", {"m": 1}, sources=("leave.md",)),
        row("c", {"m": 1}),
        row("c", {"m": 1}, test="test_other.py::test_other"),
        row("d", {"m": 1}),
    ]
    pairs = pair(recorded(*rows), recorded(*rows)).pairs
    clusters = {(entry.key.test, entry.key.sample_id): entry.cluster for entry in pairs}
    assert clusters[TEST, "a"] == clusters[TEST, "b"]
    assert clusters[TEST, "c"] == clusters["test_other.py::test_other", "c"]
    assert len(set(clusters.values())) == 3


def test_slices_are_tags_question_type_and_every_document():
    (entry,) = pair(
        recorded(row("a", {"m": 1})),
        recorded(row("a", {"m": 1}, tags=("money", "travel"), question_type="simple", sources=("a.md", "b.md"))),
    ).pairs
    assert entry.slices == ("tag=money", "tag=travel", "question_type=simple", "source=a.md", "source=b.md")
