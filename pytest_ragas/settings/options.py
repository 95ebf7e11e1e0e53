"""One row declares an option everywhere: flag, environment variable, config key, default and help."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from pytest_ragas.settings import option_text


@dataclass(frozen=True, kw_only=True, slots=True)
class Option:
    """One thing that users can set."""

    name: str
    """Field of `Settings`, and key of the command line's values: "concurrency"."""
    flag: str
    """"--ragas-concurrency"."""
    env: str
    """"PYTEST_RAGAS_CONCURRENCY"."""
    key: str
    """Key of `[tool.pytest-ragas]`; empty for what a file cannot say."""
    parse: Callable[[str], Any]
    """Text of the flag or variable -> value as a config file holds it; raises ValueError with the reason."""
    default: str
    """The default in words, for `--help`; equal to the field's own default."""
    metavar: str
    help: str
    """What it does: capital letter, no full stop, as pytest writes its own."""
    example: str
    """A text that `parse` takes, for error messages and docs."""
    choices: tuple[str, ...] = ()
    """The texts that are allowed, if they are few."""
    repeatable: bool = False
    """Whether the flag may be given several times; each adds."""
    bare: str = ""
    """What the flag means without a value; empty where it needs one."""

    @property
    def dest(self) -> str:
        """Where pytest's parser keeps the flag: "ragas_concurrency"."""
        return self.flag.lstrip("-").replace("-", "_")

    @property
    def help_text(self) -> str:
        """Help with the default and the other places where the option can be set."""
        places = [f"config key {self.key}"] if self.key else []
        return f"{self.help} (default: {self.default}; {', '.join([*places, f'env {self.env}'])})"


def _option(name: str, **fields: Any) -> Option:
    flag = name.replace("_", "-")
    return Option(
        **{
            "name": name,
            "flag": f"--ragas-{flag}",
            "env": f"PYTEST_RAGAS_{name.upper()}",
            "key": name,
            "parse": option_text.plain,
            **fields,
        }
    )


OPTIONS: tuple[Option, ...] = (
    _option(
        "config_file",
        flag="--ragas-config",
        env="PYTEST_RAGAS_CONFIG",
        key="",
        default="none",
        metavar="FILE",
        help="Take settings from this .toml, .yaml or .json file too; its keys weigh more than those of pyproject.toml",
        example="ragas-ci.toml",
    ),
    _option(
        "critic_llm",
        parse=option_text.model,
        default="embedded",
        metavar="MODEL",
        help="LLM that judges: 'embedded', the name or path of a local model, or a table in JSON or TOML",
        example="embedded",
    ),
    _option(
        "generator_llm",
        parse=option_text.model,
        default="the critic LLM",
        metavar="MODEL",
        help="LLM that writes testsets, as --ragas-critic-llm",
        example='{"model_name": "gpt-4o-mini", "api_base": "https://api.openai.com/v1", "api_key": "env:API_KEY"}',
    ),
    _option(
        "generator",
        default="native",
        metavar="GENERATOR",
        help="Whose steps write a testset that does not say: native or ragas",
        example="ragas",
        choices=("native", "ragas"),
    ),
    _option(
        "embeddings",
        parse=option_text.model,
        default="none",
        metavar="MODEL",
        help="Embedding model: 'minilm', the name or path of a local model, or a table in JSON or TOML",
        example="minilm",
    ),
    _option(
        "metrics",
        parse=option_text.names,
        default="none",
        metavar="NAMES",
        help="Metrics of marked tests that name none, with commas between them",
        example="faithfulness,answer_relevancy",
        repeatable=True,
    ),
    _option(
        "reason_language",
        default="none",
        metavar="NAME",
        help="Language in which the critic LLM gives its reasons; that of the data unless given",
        example="German",
    ),
    _option(
        "metric_backend",
        default="native",
        metavar="BACKEND",
        help="Whose prompts judge a metric that names no backend: native or ragas",
        example="ragas",
        choices=("native", "ragas"),
    ),
    _option(
        "thresholds",
        flag="--ragas-threshold",
        parse=option_text.thresholds,
        default="none",
        metavar="METRIC=BOUND",
        help="Threshold for every marked test, in [0, 1]; can be given several times",
        example="faithfulness=0.8",
        repeatable=True,
    ),
    _option(
        "gates",
        flag="--ragas-fail-under",
        env="PYTEST_RAGAS_FAIL_UNDER",
        parse=option_text.gates,
        default="none",
        metavar="GATE",
        help="Fail the run if an aggregate breaks its bound: 'mean(faithfulness) >= 0.85'; can be given several times",
        example="mean(faithfulness) >= 0.85",
        repeatable=True,
    ),
    _option(
        "min_coverage",
        parse=option_text.number,
        default="1.0",
        metavar="SHARE",
        help="Share of samples that must have a score for a gate to say anything, above 0 and up to 1",
        example="0.95",
    ),
    _option(
        "concurrency",
        parse=option_text.number,
        default="16",
        metavar="N",
        help="Critic calls in flight at once, counted over all xdist workers",
        example="16",
    ),
    _option(
        "target_concurrency",
        parse=option_text.number,
        default="8",
        metavar="N",
        help="Calls of a target= in flight at once, counted over all xdist workers",
        example="8",
    ),
    _option(
        "target_timeout",
        parse=option_text.number,
        default="none",
        metavar="SECONDS",
        help="Seconds that one call of a target= may take; its test fails then",
        example="60",
    ),
    _option(
        "scoring",
        default="deferred",
        metavar="WHEN",
        help="deferred: the suite goes on while a test is scored; blocking: each test waits for its own scores",
        example="blocking",
        choices=("deferred", "blocking"),
    ),
    _option(
        "cache",
        default="read-write",
        metavar="MODE",
        help="Stored judgements: read-write asks only for what is not stored; replay never calls out, and what is not "
        "stored is an error; refresh asks for everything anew and stores it; off",
        example="replay",
        choices=("read-write", "replay", "refresh", "off"),
    ),
    _option(
        "cache_dir",
        default=".pytest-ragas",
        metavar="DIR",
        help="Folder of the file with stored judgements; a configured one begins at the rootdir",
        example=".pytest-ragas",
    ),
    _option(
        "cache_url",
        default="none",
        metavar="URL",
        help="Redis server with stored judgements, for CI shards, instead of the folder; with a password: env:NAME",
        example="redis://localhost:6379/0",
    ),
    _option(
        "cassette",
        default="none",
        metavar="FILE",
        help="Committed .jsonl file of judgements: read first, and recorded to; "
        "the only source of --ragas-cache=replay",
        example="judgements.jsonl",
    ),
    _option(
        "on_error",
        default="error",
        metavar="OUTCOME",
        help="What a test is that critic LLM or embeddings did not answer for: error; warn: it passes with a warning; "
        "skip; gates miss its scores in any case",
        example="warn",
        choices=("error", "warn", "skip"),
    ),
    _option(
        "repeats",
        parse=option_text.number,
        default="1",
        metavar="K",
        help="Judge the same answer up to K times with metrics that ask an LLM; their mean is the score",
        example="3",
    ),
    _option(
        "repeats_by",
        default="mean",
        metavar="AGGREGATE",
        help="What of the repeats is the score: mean or median",
        example="median",
        choices=("mean", "median"),
    ),
    _option(
        "repeats_confidence",
        parse=option_text.number,
        default="0.95",
        metavar="SHARE",
        help="Do not judge a row again whose verdict is decided at this confidence, above 0 and up to 1",
        example="0.99",
    ),
    _option(
        "max_calls",
        parse=option_text.number,
        default="none",
        metavar="N",
        help="Budget of the run: requests to critic LLM and embeddings, retries included; what does not fit is not run",
        example="500",
    ),
    _option(
        "max_tokens",
        parse=option_text.number,
        default="none",
        metavar="N",
        help="Budget of the run: tokens that critic LLM and embeddings read and write",
        example="200000",
    ),
    _option(
        "max_usd",
        parse=option_text.number,
        default="none",
        metavar="USD",
        help="Budget of the run: US dollars, at the prices of the config key prices",
        example="0.50",
    ),
    _option(
        "max_seconds",
        parse=option_text.number,
        default="none",
        metavar="SECONDS",
        help="Budget of the run: seconds from its start; after them no call is made, and what is unscored is not run",
        example="600",
    ),
    _option(
        "baseline",
        default="none",
        metavar="FILE",
        help="Committed .json file with the accepted scores; written by --ragas-update-baseline",
        example="baseline.json",
    ),
    _option(
        "runs_dir",
        default=".pytest-ragas/runs",
        metavar="DIR",
        help="Folder of runs that --ragas-save and --ragas-autosave keep; a configured one begins at the rootdir",
        example=".pytest-ragas/runs",
    ),
    _option(
        "compare",
        default="none",
        metavar="RUN",
        help="Compare the run with an earlier one, and fail it where it got worse: a name, number or file, latest, or "
        "off; without a value (auto) with the baseline if one is set, else with the latest saved run",
        example="latest",
        bare="auto",
    ),
    _option(
        "compare_fail",
        parse=option_text.drops,
        default="none",
        metavar="METRIC:DROP",
        help="Drop of a mean, in score points, that a comparison lets pass however sure it is; without METRIC of every "
        "metric; unless given, what the critic's own noise explains; can be given several times",
        example="faithfulness:0.02",
        repeatable=True,
    ),
    _option(
        "compare_alpha",
        parse=option_text.number,
        default="0.05",
        metavar="SHARE",
        help="How often a comparison may fail a run in which nothing got worse, above 0 and up to 0.5",
        example="0.01",
    ),
    _option(
        "compare_fall",
        parse=option_text.number,
        default="0.5",
        metavar="POINTS",
        help="Fall of a single row, beyond its noise, that fails a comparison; 1 for none",
        example="0.3",
    ),
    _option(
        "summary",
        default="short",
        metavar="LEVEL",
        help="How much of the metrics the terminal shows at the end: off, short or full",
        example="full",
        choices=("off", "short", "full"),
    ),
)
"""Every option, in the order of `pytest --help`."""
