"""What models cost: `[tool.pytest-ragas.prices]`. None are built in, as they would be wrong before long."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pytest_ragas.errors import ConfigurationError
from pytest_ragas.settings.values import ModelSettings, Price, Settings
from pytest_ragas.values.model import ModelIdentity, Usage

_FREE = ("embedded", "scripted", "sentence-transformers", "transformers", "likelihood")
"""Our own clients whose models run on this machine: they cost nothing unless the table says so."""


def prices_from(table: Mapping[str, Mapping[str, Any]]) -> dict[str, Price]:
    """The prices that a table without problems holds, by name of the model."""
    return {
        name: Price(input=float(entry["input"]), output=float(entry.get("output", 0.0)))
        for name, entry in table.items()
    }


def check_priced(settings: Settings) -> None:
    """Find out before the run whether a budget in US dollars can be kept.

    Raises:
        ConfigurationError: A model that is configured has no price. The generator LLM too, though not every run
            generates: when one does, it is told before anything is paid.
    """
    if not _needed(settings):
        return
    models = {
        "critic_llm": settings.critic_llm,
        "generator_llm": settings.generator_llm,
        "embeddings": settings.embeddings,
    }
    for key, model in models.items():
        if model is not None and _unpriced(model, settings):
            raise ConfigurationError(_message(model.model_name, f"{key}.model_name"))


def price_of(identity: ModelIdentity, settings: Settings) -> Price:
    """What a model costs; nothing where it runs on this machine, or where no budget asks.

    Raises:
        ConfigurationError: There is a budget in US dollars, and the model has no price.
    """
    known = known_price(identity, settings)
    if known is None and _needed(settings):
        raise ConfigurationError(_message(identity.name, "of a fixture"))
    return known or Price()


def known_price(identity: ModelIdentity, settings: Settings) -> Price | None:
    """What a model costs; None where nobody has said."""
    return settings.prices.get(identity.name) or (Price() if identity.provider in _FREE else None)


def cost_of(usage: Usage, price: Price | None) -> float:
    """US dollars for what a model read and wrote, as far as its server counts; 0 without a price."""
    if price is None:
        return 0.0
    return (usage.prompt_tokens * price.input + usage.completion_tokens * price.output) / 1_000_000


def _needed(settings: Settings) -> bool:
    return settings.max_usd is not None and settings.cache != "replay"


def _unpriced(model: ModelSettings, settings: Settings) -> bool:
    return bool(model.model_name) and model.model_name not in settings.prices


def _message(name: str, where: str) -> str:
    return (
        f"There is a budget in US dollars (max_usd), and the model {name!r} ({where}) has no price. Write what a "
        f'million tokens cost: [tool.pytest-ragas.prices] "{name}" = {{ input = 0.15, output = 0.60 }}; '
        "{ input = 0 } for one that costs nothing."
    )
