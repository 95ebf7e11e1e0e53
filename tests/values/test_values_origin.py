"""Which slices a row lies in."""

from __future__ import annotations

from typing import Any

import pytest

from pytest_ragas.values.origin import question_type, slices_of, sources
from pytest_ragas.values.sample import Sample


@pytest.mark.parametrize(
    ("metadata", "expected"),
    [
        ({}, ""),
        ({"question_type": "simple"}, "simple"),
        ({"question_type": "  "}, ""),
        ({"question_type": 7, "evolution_type": " reasoning "}, "reasoning"),
        ({"synthesizer_name": "single_hop"}, "single_hop"),
    ],
)
def test_the_type_of_a_question(metadata: dict[str, Any], expected: str) -> None:
    assert question_type(metadata) == expected


@pytest.mark.parametrize(
    ("metadata", "expected"),
    [
        ({}, ()),
        ({"sources": [{"path": "a.md", "start": 0}, {"path": "b.md"}, {"path": "a.md", "start": 9}]}, ("a.md", "b.md")),
        ({"source": "a.md"}, ("a.md",)),
        ({"sources": [], "document": " a.md "}, ("a.md",)),
        ({"documents": ["a.md", "b.md", ""]}, ("a.md", "b.md")),
        ({"source": {"start": 3}}, ()),
        ({"source": 7}, ()),
    ],
)
def test_the_documents_of_a_row(metadata: dict[str, Any], expected: tuple[str, ...]) -> None:
    assert sources(metadata) == expected


def test_a_tag_that_repeats_the_type_is_no_slice_of_its_own() -> None:
    row = Sample(tags=("simple", "billing"), metadata={"question_type": "simple", "sources": [{"path": "a.md"}]})
    assert slices_of(row) == ("tag=billing", "question_type=simple", "source=a.md")
    assert slices_of(Sample(tags=("simple",))) == ("tag=simple",)
