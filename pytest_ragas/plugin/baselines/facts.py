"""What the controller of pytest-xdist cannot know by itself: how workers compute metrics, with whom, on which testsets.

Workers tell it on their reports, as soon as they know: what they would leave at their end is lost where -x or a crash
ends the run.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

import pytest

from pytest_ragas.values.model import ModelIdentity
from pytest_ragas.values.recorded import MetricIdentity

if TYPE_CHECKING:
    from pytest_ragas.plugin.suite import Suite

_ATTRIBUTE = "ragas_facts"
"""Of a report: what its worker had not told before, as JSON."""


@dataclass(kw_only=True, slots=True)
class Facts:
    """What is known of how a run was made; as dicts, since they are ordered."""

    metrics: dict[MetricIdentity, None] = field(default_factory=dict)
    models: dict[tuple[str, ModelIdentity], None] = field(default_factory=dict)
    """Role and identity of each model that was asked."""
    testsets: dict[str, str] = field(default_factory=dict)
    """File, from the rootdir -> fingerprint."""

    def take(self, other: Facts) -> None:
        """Add what is known elsewhere."""
        self.metrics.update(other.metrics)
        self.models.update(other.models)
        self.testsets.update(other.testsets)

    def beyond(self, told: Facts) -> Facts:
        """What is not in others."""
        return Facts(
            metrics={one: None for one in self.metrics if one not in told.metrics},
            models={one: None for one in self.models if one not in told.models},
            testsets={file: print for file, print in self.testsets.items() if told.testsets.get(file) != print},
        )

    def __bool__(self) -> bool:
        return bool(self.metrics or self.models or self.testsets)

    def to_json(self) -> dict[str, Any]:
        """A JSON object; `from_json` reads it back."""
        return {
            "metrics": [asdict(identity) for identity in self.metrics],
            "models": [[role, identity.to_json()] for role, identity in self.models],
            "testsets": self.testsets,
        }

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Facts:
        """The facts that `to_json` wrote."""
        return cls(
            metrics={MetricIdentity(**identity): None for identity in data["metrics"]},
            models={(role, ModelIdentity.from_json(identity)): None for role, identity in data["models"]},
            testsets=data["testsets"],
        )


_TOLD = pytest.StashKey[Facts]()
"""In a worker: what it has told. In the controller: what it was told."""


def own_facts(suite: Suite) -> Facts:
    """What this process knows."""
    facts = Facts(testsets=suite.fingerprints())
    if "session" in suite.__dict__:
        facts.metrics = dict.fromkeys(suite.session.metrics())
        facts.models = dict.fromkeys((use.role, use.identity) for use in suite.session.models())
    return facts


def facts_of(suite: Suite) -> Facts:
    """What is known of the run, over all its processes."""
    facts = own_facts(suite)
    facts.take(suite.config.stash.get(_TOLD, Facts()))
    return facts


def tell(suite: Suite, report: pytest.TestReport) -> None:
    """In a worker: put on a report what the controller was not told yet."""
    told = suite.config.stash.setdefault(_TOLD, Facts())
    if news := own_facts(suite).beyond(told):
        setattr(report, _ATTRIBUTE, json.dumps(news.to_json()))
        told.take(news)


def hear(suite: Suite, report: pytest.TestReport) -> None:
    """In the controller: take what a worker tells."""
    if told := getattr(report, _ATTRIBUTE, None):
        suite.config.stash.setdefault(_TOLD, Facts()).take(Facts.from_json(json.loads(told)))
