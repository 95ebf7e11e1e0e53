"""A run imports the metrics that it scores, not all of them."""

from __future__ import annotations

import subprocess
import sys

import pytest

from pytest_ragas.errors import ConfigurationError
from pytest_ragas.metrics.builtin import registry
from pytest_ragas.metrics.later import later
from pytest_ragas.models.scripted import ScriptedCritic, ScriptedEmbeddings
from pytest_ragas.protocols import MetricContext, MetricSpec

IMPORTED = """
import sys
from pytest_ragas.metrics.builtin import registry
registry()
families = ("native", "embedded", "free")
known = ("specs", "prompt")
print([name for name in sys.modules if name.split(".")[2:3] and name.split(".")[2] in families
       and name.split(".")[3:] and name.split(".")[3] not in known])
"""


def test_registering_imports_no_metric() -> None:
    result = subprocess.run([sys.executable, "-c", IMPORTED], capture_output=True, text=True, check=True)
    assert result.stdout.strip() == "[]"


@pytest.mark.parametrize(
    "spec",
    [spec for spec in registry()._specs.values() if spec.backend != "ragas"],
    ids=lambda spec: f"{spec.backend}:{spec.name}",
)
def test_every_metric_is_where_its_spec_says(spec: MetricSpec) -> None:
    """The place is a text that no type checker sees."""
    context = MetricContext(
        critic=ScriptedCritic([]), embeddings=ScriptedEmbeddings(lambda text: [1.0]), name=spec.name
    )
    try:
        assert spec.factory(context).name == spec.name
        assert (spec.uses_with or (lambda options: spec.uses))({}) <= {"llm", "embeddings"}
    except ConfigurationError:  # an option that it cannot do without
        assert spec.options


def test_a_wrong_place_is_an_error_that_names_it() -> None:
    with pytest.raises(ModuleNotFoundError, match=r"native\.nowhere"):
        later("native.nowhere", "build")()
