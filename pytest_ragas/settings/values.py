"""`Settings`: what a run is configured to do, resolved once and frozen."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from pytest_ragas.settings.secret import Secret
from pytest_ragas.values.gate import Threshold


@dataclass(frozen=True, kw_only=True, slots=True)
class ModelSettings:
    """One model: the critic LLM, the generator LLM or the embeddings.

    Either an API model (`model_name`, `api_base`) or a local one (`model_name_or_path`). The names are
    those of EvalScope's RAGAS page.
    """

    model_name: str = ""
    """API model: the name that the server knows."""
    api_base: str = ""
    """API model: base URL up to and including `/v1`."""
    api_key: Secret | None = None
    """API model: the key; absent for servers that need none."""
    api_version: str = ""
    """Azure OpenAI: the `api-version` query parameter; makes the client speak Azure."""
    headers: Mapping[str, str | Secret] = field(default_factory=dict)
    """API model: extra HTTP headers."""
    client: Literal["", "openai", "langchain"] = ""
    """Which client talks to an API model; empty for our own."""
    structure: Literal["auto", "json_schema", "json_object", "tools", "text"] = "auto"
    """How the server is asked for structured answers; auto finds out and remembers."""
    timeout: float = 120.0
    """Seconds that one request may take."""
    concurrency: int | None = None
    """Requests to this model in flight at once; None for as many as the run may have."""
    model_name_or_path: str = ""
    """Local model: "embedded", "minilm", a path or a hub id."""
    template_type: str = ""
    """Local model: name of a chat template that overrides the tokenizer's."""
    generation_config: Mapping[str, Any] = field(default_factory=dict)
    """temperature, max_tokens, top_p, seed …; unknown names go to the server as they are."""
    options: Mapping[str, Any] = field(default_factory=dict)
    """Further keys of a local model or embeddings: device, dtype, prompt, pooling_mode, dimensions …"""


@dataclass(frozen=True, kw_only=True, slots=True)
class Price:
    """What a model costs, in US dollars for a million tokens."""

    input: float = 0.0
    """Tokens that it reads."""
    output: float = 0.0
    """Tokens that it writes, those of reasoning included."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Settings:
    """What `[tool.pytest-ragas]`, `--ragas-config`, the environment and the command line say together."""

    critic_llm: ModelSettings = ModelSettings(model_name_or_path="embedded")
    generator_llm: ModelSettings | None = None
    """None: the critic LLM generates too."""
    generator: Literal["native", "ragas"] = "native"
    """Whose steps write a testset whose recipe does not say."""
    embeddings: ModelSettings | None = None
    metrics: tuple[str, ...] = ()
    """What a marked test without metrics and thresholds of its own is scored with."""
    reason_language: str = ""
    """In which language the critic LLM gives its reasons, in English words; empty for that of the data."""
    metric_backend: Literal["native", "ragas"] = "native"
    metric_options: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    thresholds: tuple[Threshold, ...] = ()
    """Defaults for every marked test."""
    gates: tuple[str, ...] = ()
    """Gate expressions, e.g. "mean(faithfulness) >= 0.85"; `pytest_ragas.gates.expression` reads them."""
    concurrency: int = 16
    """Critic calls in flight at once, counted over all xdist workers."""
    min_coverage: float = 1.0
    """Share of samples that must have a score for a gate to say anything, in (0, 1]."""
    summary: Literal["off", "short", "full"] = "short"
    scoring: Literal["deferred", "blocking"] = "deferred"
    """deferred: a marked test's verdict comes when its scores are there, and the suite goes on meanwhile.
    blocking: each test waits for its own scores."""
    target_concurrency: int = 8
    """Calls of a `target=` in flight at once, counted over all xdist workers."""
    target_timeout: float | None = None
    """Seconds that one call of a `target=` may take; None for as long as it likes."""
    cache: Literal["read-write", "replay", "refresh", "off"] = "read-write"
    """What is done with judgements that are stored: see `pytest_ragas.judgements.judgements`."""
    cache_dir: str = ".pytest-ragas"
    """The folder with the file of stored judgements; `path()` of it is where it lies."""
    cache_url: str | Secret = ""
    """A Redis server that several machines store their judgements on, instead of `cache_dir`."""
    cassette: str = ""
    """A JSONL file of judgements that is read first and recorded to; empty for none."""
    on_error: Literal["error", "warn", "skip"] = "error"
    """What becomes of a test that critic LLM or embeddings did not answer for: an ERROR, a pass with a warning, a skip.
    Its scores are missing for gates in any case."""
    repeats: int = 1
    """How often the same answer is judged by metrics that ask an LLM."""
    repeats_by: Literal["mean", "median"] = "mean"
    """What of the repeats is the score."""
    repeats_confidence: float = 0.95
    """A row whose verdict is decided at this confidence, in (0, 1], is not judged again."""
    max_calls: int | None = None
    """Requests that a run may send to critic LLM and embeddings, over all xdist workers; None for any number."""
    max_tokens: int | None = None
    """Tokens that they may read and write."""
    max_usd: float | None = None
    """US dollars that they may cost."""
    max_seconds: float | None = None
    """Seconds from the start of a run after which no call is made any more."""
    prices: Mapping[str, Price] = field(default_factory=dict)
    """What models cost, by their names."""
    baseline: str = ""
    """The committed file with the accepted scores; empty for none."""
    runs_dir: str = ".pytest-ragas/runs"
    """The folder that runs are saved in."""
    compare: str = ""
    """The earlier run that a run is compared with: a name, number or file of `runs_dir`, "latest", "auto" (the baseline
    if one is set, else the latest), "off"; empty for the baseline if one is set."""
    compare_fail: Mapping[str, float] = field(default_factory=dict)
    """Metric, or "*" for every other one -> the drop of its mean that passes, in score points."""
    compare_alpha: float = 0.05
    """How often a comparison may fail a run in which nothing got worse."""
    compare_fall: float = 0.5
    """The fall of a single row, in score points, that fails a comparison if it is beyond its noise; 1 for none."""
    compare_rules: Mapping[str, Any] = field(default_factory=dict)
    """What else decides a comparison: fields of `ComparisonRules` by their names."""
    origin: Mapping[str, str] = field(default_factory=dict)
    """Where each key that is not a default came from: "command line", "environment", a file."""
    notes: tuple[str, ...] = field(default=(), compare=False)
    """What a source says that is left aside, for the user to see once."""
    places: Mapping[str, Path] = field(default_factory=dict, compare=False, repr=False)
    """Where `cache_dir`, `cassette`, `baseline` and `runs_dir` lie, as whoever wrote them meant it: a path in a file
    begins at the rootdir, a typed one where it was typed."""

    def path(self, key: Literal["cache_dir", "cassette", "baseline", "runs_dir"]) -> Path:
        """The absolute path of a folder or file."""
        text: str = getattr(self, key)
        return self.places.get(key) or Path(text).absolute()
