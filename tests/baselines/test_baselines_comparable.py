"""Which runs' scores compare, and what is said of those that do not."""

from __future__ import annotations

import pytest
from comparison_made import metric, model, recorded, row

from pytest_ragas.baselines.comparable import differences, remarks

MINI, LARGE = model("gpt-4o-mini", temperature="0"), model("gpt-4o", temperature="0")
MINILM = model("minilm", provider="sentence-transformers", endpoint="")


def run(**parts):
    given = {"critics": [MINI], "embeddings": [MINILM], "metrics": [metric("faithfulness")], **parts}
    return recorded(row("a", {"faithfulness": 1}), **given)


def test_the_same_models_and_metrics_compare():
    assert differences(run(), run()) == ()


@pytest.mark.parametrize(
    ("now", "said"),
    [
        ({"critics": [LARGE]}, "critic LLM: gpt-4o-mini in the baseline, gpt-4o now"),
        (
            {"critics": [model("gpt-4o-mini", temperature="0.7", seed="1")]},
            "critic LLM gpt-4o-mini: seed not given in the baseline, 1 now, temperature 0 in the baseline, 0.7 now",
        ),
        (
            {"critics": [model("gpt-4o-mini", provider="transformers", endpoint="", temperature="0")]},
            "critic LLM gpt-4o-mini: through openai in the baseline, transformers now",
        ),
        ({"embeddings": [model("e5")]}, "embeddings: minilm in the baseline, e5 now"),
        ({"metrics": [metric("faithfulness", version="2")]}, "faithfulness: version 1 in the baseline, 2 now"),
        (
            {"metrics": [metric("faithfulness", backend="ragas")]},
            "faithfulness: backend native in the baseline, ragas now",
        ),
        (
            {"metrics": [metric("faithfulness", options="0123456789ab")]},
            "faithfulness: other options or prompts than in the baseline",
        ),
    ],
)
def test_another_judge_is_a_difference_in_words(now, said):
    assert differences(run(), run(**now)) == (said,)


def test_every_difference_is_said():
    now = run(critics=[LARGE], embeddings=[model("e5")], metrics=[metric("faithfulness", version="2")])
    assert len(differences(run(), now)) == 3


def test_a_part_of_the_baseline_s_models_and_metrics_compares():
    both = run(critics=[MINI, LARGE], metrics=[metric("faithfulness"), metric("answer_relevancy")])
    assert differences(both, run()) == ()
    assert differences(both, run(critics=[], embeddings=[])) == ()
    assert differences(run(), run(metrics=[metric("faithfulness"), metric("new", version="7")])) == ()


def test_metrics_that_ask_no_model_compare_whatever_judged_the_others():
    free = metric("id_context_recall", backend="free")
    before = run(metrics=[free, metric("faithfulness")])
    assert differences(before, run(critics=[LARGE], metrics=[free])) == ()
    assert differences(before, run(critics=[LARGE], metrics=[free, metric("faithfulness")]))


def test_the_same_model_at_another_address_compares_and_is_told():
    now = run(critics=[model("gpt-4o-mini", provider="langchain", endpoint="https://proxy/v1", temperature="0")])
    assert differences(run(), now) == ()
    assert remarks(run(), now) == (
        "critic LLM gpt-4o-mini: at https://api/v1 in the baseline, at https://proxy/v1 now",
    )


def test_what_else_a_reader_should_know_is_told():
    before = recorded(row("a", {"m": 1, "old": 1}), complete=False)
    after = recorded(row("a", {"m": 1}, failures={"new": "500"}), complete=False)
    assert remarks(before, after) == (
        "the baseline's run was stopped before its end",
        "this run was stopped before its end",
        "old is in the baseline, and is no longer asked for",
        "new is new: the baseline has no scores of it",
    )


def test_a_test_that_was_not_run_drops_no_metric():
    before = recorded(row("a", {"m": 1}), row("a", {"old": 1}, test="test_other.py::test_other"))
    assert remarks(before, recorded(row("a", {"m": 1}))) == ()
