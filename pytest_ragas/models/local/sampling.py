"""`Sampling`: what `generation_config` says to a local LLM, and the choice of the next token."""

from __future__ import annotations

import importlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pytest_ragas.errors import ConfigurationError, UnknownNameError

KEYS = (
    "do_sample",
    "max_new_tokens",
    "max_tokens",
    "min_p",
    "repetition_penalty",
    "seed",
    "temperature",
    "top_k",
    "top_p",
)
"""What `generation_config` of a local LLM may hold."""

_WHOLE = {"max_new_tokens": 1, "max_tokens": 1, "seed": 0, "top_k": 0}
_REAL = {"min_p": (0.0, 1.0), "repetition_penalty": (0.01, 10.0), "temperature": (0.0, 100.0), "top_p": (0.0, 1.0)}


@dataclass(frozen=True, kw_only=True, slots=True)
class Sampling:
    """How tokens are chosen. The configuration that comes with the weights decides none of it: they often sample."""

    max_tokens: int | None = None
    """Of an answer; None for what its structure needs."""
    temperature: float = 0.0
    """0: always the likeliest token."""
    top_p: float = 1.0
    top_k: int = 0
    """0: all."""
    min_p: float = 0.0
    repetition_penalty: float = 1.0
    seed: int | None = None
    """The same request gets the same random numbers, whatever it is answered together with; None: others each time."""

    @classmethod
    def of(cls, config: Mapping[str, Any], *, where: str) -> Sampling:
        """
        Args:
            config: `generation_config`, any of `KEYS`.
            where: Where it stands, for messages.

        Raises:
            ConfigurationError: An unknown key, a value that is none, or two that contradict each other.
        """
        for name, value in config.items():
            if name not in KEYS:
                raise UnknownNameError("key of generation_config", name, KEYS, where=where)
            _check(name, value, where)
        given = {name: value for name, value in config.items() if value is not None}
        if {"max_tokens", "max_new_tokens"} <= given.keys():
            raise ConfigurationError(f"generation_config in {where} gives max_tokens and max_new_tokens. Keep one.")
        if "max_new_tokens" in given:
            given["max_tokens"] = given.pop("max_new_tokens")
        does_sample = given.pop("do_sample", None)
        if does_sample is False and given.get("temperature"):
            raise ConfigurationError(
                f"generation_config in {where} gives do_sample = false and temperature = {given['temperature']}. "
                "Keep one: temperature = 0 always takes the likeliest token."
            )
        if does_sample:
            given.setdefault("temperature", 1.0)
        return cls(**given)

    @property
    def parameters(self) -> dict[str, Any]:
        """What decides the answers."""
        decides: dict[str, Any] = {"temperature": float(self.temperature), "max_tokens": self.max_tokens}
        if self.repetition_penalty != 1.0:
            decides["repetition_penalty"] = self.repetition_penalty
        if self.temperature:
            decides |= {"top_p": self.top_p, "top_k": self.top_k, "min_p": self.min_p, "seed": self.seed}
        return {name: value for name, value in decides.items() if value is not None}

    def generator(self) -> Any:
        """The random numbers of one request; None where none are needed."""
        if not self.temperature:
            return None
        import torch

        generator = torch.Generator()
        if self.seed is None:
            generator.seed()
        else:
            generator.manual_seed(self.seed)
        return generator

    def penalised(self, tokens: Any, logits: Any) -> Any:
        """Logits with what was written before made less likely.

        Args:
            tokens: Shape (1, n): prompt and answer.
            logits: Shape (1, vocabulary).
        """
        if self.repetition_penalty == 1.0:
            return logits
        library: Any = importlib.import_module("transformers")
        return library.RepetitionPenaltyLogitsProcessor(self.repetition_penalty)(tokens, logits)

    def choose(self, logits: Any, generator: Any) -> int:
        """The next token.

        Args:
            logits: Shape (1, vocabulary), -inf for what is not allowed.
            generator: Of the request.
        """
        if generator is None:
            return int(logits.argmax())
        import torch

        library: Any = importlib.import_module("transformers")
        logits = library.TemperatureLogitsWarper(float(self.temperature))(None, logits)
        if self.top_k:
            logits = library.TopKLogitsWarper(self.top_k)(None, logits)
        if self.top_p < 1.0:
            logits = library.TopPLogitsWarper(max(self.top_p, 1e-6))(None, logits)
        if self.min_p > 0.0:
            logits = library.MinPLogitsWarper(self.min_p)(None, logits)
        # on the CPU: its generator gives the same numbers on every machine
        return int(torch.multinomial(logits.float().softmax(-1).cpu(), 1, generator=generator))


def _check(name: str, value: object, where: str) -> None:
    if value is None:
        return
    if name == "do_sample":
        good, wanted = isinstance(value, bool), "true or false"
    elif name in _WHOLE:
        good = isinstance(value, int) and not isinstance(value, bool) and value >= _WHOLE[name]
        wanted = f"a whole number from {_WHOLE[name]}"
    else:
        least, most = _REAL[name]
        good = isinstance(value, (int, float)) and not isinstance(value, bool) and least <= value <= most
        wanted = f"a number from {least:g} to {most:g}"
    if not good:
        shown = json.dumps(value, default=repr)
        raise ConfigurationError(f"{name} of generation_config in {where} is {shown}, not {wanted}.")
