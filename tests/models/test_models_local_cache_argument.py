"""What models call the argument that takes what they have read."""

from __future__ import annotations

from typing import Any

import pytest

from pytest_ragas.models.local.cache_argument import cache_argument


class Older:
    def forward(self, input_ids: Any = None, past_key_values: Any = None, **others: Any) -> None: ...


class Newer:
    def forward(self, input_ids: Any = None, cache: Any = None, **others: Any) -> None: ...


class Both:
    def forward(self, past_key_values: Any = None, cache: Any = None) -> None: ...


class Untold:
    def forward(self, *inputs: Any, **others: Any) -> None: ...


def hooked() -> Newer:
    model = Newer()
    model.forward = lambda *inputs, **others: None  # type: ignore[method-assign]
    return model


@pytest.mark.parametrize(
    ("model", "name"),
    [
        (Older(), "past_key_values"),
        (Newer(), "cache"),
        (hooked(), "cache"),
        (Both(), "past_key_values"),
        (Untold(), "past_key_values"),
        (object(), "past_key_values"),
    ],
)
def test_the_model_is_asked(model: object, name: str) -> None:
    assert cache_argument(model) == name
