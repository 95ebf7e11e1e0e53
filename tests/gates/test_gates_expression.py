"""What a gate may look like, and what is said of one that cannot be read."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_ragas.errors import GateSyntaxError
from pytest_ragas.gates.expression import AGGREGATES, parse_gate
from pytest_ragas.values.gate import Gate


def gate(aggregate: str, metric: str, operator: str, bound: float, tag: str = "", **more: str) -> Gate:
    return Gate(aggregate=aggregate, metric=metric, operator=operator, bound=bound, tag=tag, **more)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("mean(faithfulness) >= 0.85", gate("mean", "faithfulness", ">=", 0.85)),
        ("mean(faithfulness)>=.85", gate("mean", "faithfulness", ">=", 0.85)),
        ("  median ( AnswerRelevancy )  >  85%  ", gate("median", "AnswerRelevancy", ">", 0.85)),
        ("min(ragas:faithfulness) >= 0", gate("min", "ragas:faithfulness", ">=", 0.0)),
        ("max(noise_sensitivity) <= 2e-1", gate("max", "noise_sensitivity", "<=", 0.2)),
        ("p10(faithfulness) >= 1", gate("p10", "faithfulness", ">=", 1.0)),
        ("p05(faithfulness) >= 1.", gate("p5", "faithfulness", ">=", 1.0)),
        ("p0(a) < 12.5%", gate("p0", "a", "<", 0.125)),
        ("p100(a) < +0.5", gate("p100", "a", "<", 0.5)),
        ("pass_rate() >= 95%", gate("pass_rate", "", ">=", 0.95)),
        ("pass_rate(faithfulness) >= 95%", gate("pass_rate", "faithfulness", ">=", 0.95)),
        ("pass_rate(tag=billing) >= 0.95", gate("pass_rate", "", ">=", 0.95, "billing")),
        ("mean(faithfulness, tag=billing) >= 0.85", gate("mean", "faithfulness", ">=", 0.85, "billing")),
        ("mean(faithfulness,tag = 'late payments')>=0.85", gate("mean", "faithfulness", ">=", 0.85, "late payments")),
        ('mean(faithfulness, tag="a, b)") >= 0.85', gate("mean", "faithfulness", ">=", 0.85, "a, b)")),
        ("mean(faithfulness, tag=2024) >= 0.85", gate("mean", "faithfulness", ">=", 0.85, "2024")),
        ("mean(faithfulness, tag=team/de-AT.v2) >= 0.85", gate("mean", "faithfulness", ">=", 0.85, "team/de-AT.v2")),
        ("mean(faithfulness,\n     tag=größe)\n>= 0.85", gate("mean", "faithfulness", ">=", 0.85, "größe")),
        (
            "mean(faithfulness, question_type=simple) >= 0.8",
            gate("mean", "faithfulness", ">=", 0.8, question_type="simple"),
        ),
        ("mean(a, source=docs/a-b.md) >= 0.8", gate("mean", "a", ">=", 0.8, source="docs/a-b.md")),
        ("mean(a, source='2024/a b.md') >= 0.8", gate("mean", "a", ">=", 0.8, source="2024/a b.md")),
        (
            "min(a, source=b.md, tag=c,question_type = reasoning) > 0.8",
            gate("min", "a", ">", 0.8, "c", question_type="reasoning", source="b.md"),
        ),
        ("pass_rate(source=b.md, tag=c) > 0.8", gate("pass_rate", "", ">", 0.8, "c", source="b.md")),
        ("mean(question_type) >= 0.85", gate("mean", "question_type", ">=", 0.85)),
        ("mean(tag) >= 0.85", gate("mean", "tag", ">=", 0.85)),
    ],
)
def test_gates_are_read(text: str, expected: Gate) -> None:
    found = parse_gate(text)
    assert found.text == " ".join(text.split())
    assert replace(found, text="") == expected


@pytest.mark.parametrize(
    ("text", "column", "expected"),
    [
        ("faithfulness >= 0.85", 0, 'an aggregate around the metric, as in "mean(faithfulness)"'),
        ("avg(faithfulness) >= 0.85", 0, "an aggregate (mean, median, min, max, pass_rate or pNN (p10))"),
        ("Mean(faithfulness) >= 0.85", 0, "did you mean 'mean'?"),
        ("p101(faithfulness) >= 0.85", 0, "a percentile from p0 to p100"),
        (">= 0.85", 0, "an aggregate"),
        ("0.85 <= mean(faithfulness)", 0, "an aggregate"),
        ("mean faithfulness >= 0.85", 5, "\"(\" after 'mean'"),
        ("pass_rate >= 0.85", 10, "\"(\" after 'pass_rate'"),
        ("mean() >= 0.85", 5, 'a metric, as in "mean(faithfulness)"; only pass_rate() goes without'),
        ("mean(tag=billing) >= 0.85", 16, "a metric"),
        ("mean(faithfulness >= 0.85", 18, '")"'),
        ("mean(faithfulness", 17, '")"'),
        ("mean(faithfulness, ) >= 0.85", 19, "tag=…, question_type=… or source=… after the comma"),
        ("mean(faithfulness, tags=a) >= 0.85", 19, "tag=…, question_type=… or source=…, the only filters there are"),
        ("mean(faithfulness, billing) >= 0.85", 19, "tag=…, question_type=… or source=…, the only filters there are"),
        ("mean(faithfulness, tag) >= 0.85", 22, '"=" after "tag"'),
        ("mean(faithfulness, tag=) >= 0.85", 23, "the name of a tag"),
        ("mean(faithfulness, tag='') >= 0.85", 23, "the name of a tag between the quotes"),
        ("mean(faithfulness, tag=a, tag=b) >= 0.85", 26, "each filter once: tag= stands here twice"),
        ("mean(faithfulness, tag=a, b) >= 0.85", 26, "the only filters there are"),
        ("mean(faithfulness, source=) >= 0.85", 26, "the name of a document, as in source=docs/billing.md"),
        ("mean(faithfulness, question_type='') >= 0.85", 33, "a type of question between the quotes"),
        (
            "mean(faithfulness, source=2024/a.md) >= 0.85",
            30,
            '"," or ")" after source=2024; put a source of other characters into quotes',
        ),
        (
            "mean(faithfulness, answer_relevancy) >= 0.85",
            19,
            "tag=…, question_type=… or source=…, the only filters there are",
        ),
        ("mean(faithfulness)", 18, "an operator: >=, >, <= or <"),
        ("mean(faithfulness) 0.85", 19, "an operator: >=, >, <= or <"),
        ("mean(faithfulness) => 0.85", 19, "(did you mean >=?)"),
        ("mean(faithfulness) =< 0.85", 19, "(did you mean <=?)"),
        ("mean(faithfulness) == 0.85", 19, "(did you mean >=?)"),
        ("mean(faithfulness) = 0.85", 19, "(did you mean >=?)"),
        ("mean(faithfulness) ≥ 0.85", 19, "(did you mean >=?)"),
        ("mean(faithfulness) >> 0.85", 20, "a number in [0, 1], as in 0.85 or 85%"),
        ("mean(faithfulness) >= ", 21, "a number in [0, 1]"),
        ("mean(faithfulness) >= high", 22, "a number in [0, 1]"),
        ("mean(faithfulness) >= nan", 22, "a number in [0, 1]"),
        ("mean(faithfulness) >= 85", 22, "(did you mean 85%?)"),
        ("mean(faithfulness) >= 101%", 22, "a number in [0, 1]"),
        ("mean(faithfulness) >= -0.1", 22, "a number in [0, 1]"),
        ("mean(faithfulness) >= 0,85", 23, "nothing more"),
        ("mean(faithfulness) >= 0.85 and min(faithfulness) > 0", 27, "write a second gate for the rest"),
        ("mean(faithfulness) >= 0.85%%", 27, "nothing more"),
        ("mean[faithfulness] >= 0.85", 4, "\"(\" after 'mean'"),
        ("mean(faithfulness; tag=a) >= 0.85", 17, '")"'),
    ],
)
def test_what_cannot_be_read_is_pointed_at(text: str, column: int, expected: str) -> None:
    with pytest.raises(GateSyntaxError) as caught:
        parse_gate(text)
    head, shown, caret, example = str(caught.value).splitlines()
    line = " ".join(text.split())
    assert head.startswith(f"Cannot read the gate {line!r}: expected ")
    assert expected in head
    assert shown == f"    {line}"
    assert caret == f"    {' ' * column}^"
    assert example == "Write for example: mean(faithfulness) >= 0.85"


@pytest.mark.parametrize("text", ["", "   ", "\n"])
def test_an_empty_gate_shows_an_example(text: str) -> None:
    with pytest.raises(GateSyntaxError) as caught:
        parse_gate(text)
    assert str(caught.value) == "Cannot read an empty gate. Write for example: mean(faithfulness) >= 0.85"


@given(st.text(max_size=60))
def test_any_text_is_a_gate_or_a_syntax_error(text: str) -> None:
    try:
        assert 0 <= parse_gate(text).bound <= 1
    except GateSyntaxError:
        pass


@given(st.text(alphabet="mean(faithfulness, tag='b\")>=<0.85%p1_ ", max_size=40))
def test_any_text_of_the_right_letters_too(text: str) -> None:
    test_any_text_is_a_gate_or_a_syntax_error.hypothesis.inner_test(text)  # type: ignore[attr-defined]


names = st.from_regex(r"[a-z][a-z0-9_]{0,20}", fullmatch=True)


@given(
    aggregate=st.sampled_from([*AGGREGATES, "p0", "p10", "p100"]),
    metric=st.one_of(names, names.map(lambda name: f"ragas:{name}")),
    tag=st.one_of(st.just(""), names),
    operator=st.sampled_from([">=", ">", "<=", "<"]),
    bound=st.floats(0, 1),
    space=st.sampled_from(["", " ", "   "]),
)
def test_what_is_written_is_what_is_read(
    aggregate: str, metric: str, tag: str, operator: str, bound: float, space: str
) -> None:
    inside = f"{metric}{space},{space}tag{space}={space}{tag}" if tag else metric
    found = parse_gate(f"{aggregate}{space}({space}{inside}{space}){space}{operator}{space}{bound!r}")
    assert (found.aggregate, found.metric, found.tag, found.operator, found.bound) == (
        aggregate,
        metric,
        tag,
        operator,
        bound,
    )
