"""Strategies for rows and samples, shared by the property tests."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from pytest_ragas.testset.aliases import CANONICAL
from pytest_ragas.values.sample import Sample

# every character but halves of surrogate pairs: control characters, line ends, quotes and emoji included
texts = st.text(st.characters(codec="utf-8"), max_size=6) | st.sampled_from(
    [
        "",
        '"',
        '""',
        '"""',
        "[",
        "['a']",
        '["a"]',
        "a,b",
        " a ",
        "no",
        "true",
        "null",
        "1",
        "1.5",
        "0o7",
        "2024-01-31",
        "=",
        "- x",
        "#",
        "~",
    ]
)
metadata_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63) | st.floats(allow_nan=False, allow_infinity=False) | texts,
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(texts, inner, max_size=2),
    max_leaves=4,
)


@st.composite
def samples(draw: st.DrawFn) -> Sample:
    """Any sample that a testset may hold."""
    several = st.none() | st.lists(texts, max_size=3)
    return Sample(
        user_input=draw(texts),
        response=draw(st.none() | texts),
        retrieved_contexts=draw(several),
        reference=draw(st.none() | texts),
        reference_contexts=draw(several),
        retrieved_context_ids=draw(several),
        reference_context_ids=draw(several),
        id=draw(texts),
        tags=draw(st.lists(texts, max_size=2)),
        metadata=draw(st.dictionaries(texts, metadata_values, max_size=3)),
    )


columns = st.sampled_from([*CANONICAL, "other"])
"""Names that are read, and one that is not."""

cells: st.SearchStrategy[Any] = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(0, 3)
    | st.sampled_from([1.0, 1.5, float("nan")])
    | st.sampled_from(["", "a"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["a", "b"]), inner, max_size=1),
    max_leaves=4,
)
"""Values right and wrong."""
