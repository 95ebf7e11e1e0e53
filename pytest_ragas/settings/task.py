"""EvalScope's task dicts for its RAGAS backend: every key that they have had, to our own settings.

The keys are those of EvalScope 0.5.5 to 1.14 and of its RAGAS page. One that has no meaning here any more is left aside
with a note; one that never was is an error.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from pytest_ragas.errors import ConfigurationError, UnknownNameError
from pytest_ragas.files.found import found
from pytest_ragas.settings.options import OPTIONS
from pytest_ragas.settings.schema import config_schema
from pytest_ragas.settings.task_models import TableProblem, known_keys, model_table

TESTSET_FILE = "outputs/testset.json"
"""Where a testset is written and looked for, if a task does not say."""

_OF_THE_TASK = ("critic_llm", "generator_llm", "embeddings", "metrics")
"""Keys of our settings that a task has in its parts."""

_OTHER_BACKENDS = (
    "model model_id model_args model_task template_type chat_template datasets dataset_args dataset_dir dataset_hub "
    "generation_config eval_type eval_batch_size stage limit repeats mem_cache use_cache rerun_review work_dir outputs "
    "no_timestamp debug dry_run api_url api_key timeout stream judge_strategy judge_worker_num judge_model_args "
    "ignore_errors analysis_report sandbox enable_progress_tracker"
).split()
"""Keys of a task of EvalScope that say nothing to its RAGAS backend."""

RETIRED = {
    "knowledge_graph": "related passages are found anew, and what models said of them is stored by its content",
    "persona": "questions are asked by the types of the distribution",
    "personas": "questions are asked by the types of the distribution",
}
"""Keys that EvalScope has had, and what happens here in their place."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Generation:
    """`testset_generation`: a testset to be written."""

    settings: Mapping[str, Any]
    """generator_llm, critic_llm and embeddings as our settings have them, secrets sealed."""
    docs: tuple[str, ...]
    recipe: Mapping[str, Any]
    """What is said of test_size, distribution, language, seed, chunk_size and generator."""
    output_file: str = TESTSET_FILE


@dataclass(frozen=True, kw_only=True, slots=True)
class Evaluation:
    """`eval`: a testset to be scored."""

    settings: Mapping[str, Any]
    """critic_llm, embeddings, metrics, concurrency and reason_language as our settings have them, secrets sealed."""
    testset_file: str = TESTSET_FILE
    raise_exceptions: bool = False
    """Whether the first score that cannot be computed ends the task."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Task:
    """What a task dict asks for. At least one of its parts is there."""

    generation: Generation | None
    evaluation: Evaluation | None
    settings: Mapping[str, Any] = field(default_factory=dict)
    """Keys of our own settings that stand beside `eval_config`."""
    notes: tuple[str, ...] = ()
    """One line for each key that is left aside."""

    def together(self) -> dict[str, Any]:
        """The settings of a run of tests: those of the evaluation, and the generator LLM."""
        table: dict[str, Any] = {}
        if self.generation:
            table.update(self.generation.settings)
        if self.evaluation:
            table.update(self.evaluation.settings)
        return {**table, **self.settings}


def is_task(document: object) -> bool:
    """Whether a document is a task of EvalScope rather than a table of our settings."""
    return isinstance(document, Mapping) and ("eval_backend" in document or "eval_config" in document)


def read_task(document: Mapping[str, Any], *, place: str, environ: Mapping[str, str]) -> Task:
    """What a task dict asks for.

    Args:
        document: The dict; `eval_config` is a dict too. Secrets are sealed.
        place: Where it came from, for messages: a file, or "the task".
        environ: Where the key of a provider is looked up that needs no `api_key`.

    Raises:
        ConfigurationError: Something in it cannot be used; lists everything.
        UnknownNameError: The one thing that is wrong is a name.
    """
    reader = _Reader(place, environ)
    task = reader.task(document)
    if reader.problems:
        if len(reader.problems) == 1:
            raise reader.problems[0]
        lines = "\n".join(f"  {problem}" for problem in reader.problems)
        raise ConfigurationError(f"{len(reader.problems)} things in {place} cannot be used:\n{lines}")
    return task


class _Reader:
    """Reads one task; keeps everything that is wrong with it, and what is left aside."""

    def __init__(self, place: str, environ: Mapping[str, str]) -> None:
        self.place = place
        self.environ = environ
        self.problems: list[ConfigurationError] = []
        self.notes: list[str] = []

    def wrong(self, path: str, value: Any, expected: str) -> None:
        self.problems.append(
            ConfigurationError(f"{path} in {self.place}: found {found(value)}; it must be {expected}.")
        )

    def task(self, document: Mapping[str, Any]) -> Task:
        ours = [option.key for option in OPTIONS if option.key and option.key not in _OF_THE_TASK]
        ours += ["metric_options", "prices"]
        ours = [key for key in ours if key not in _OTHER_BACKENDS]
        known = ("eval_backend", "eval_config", "seed", *ours)
        for key in document:
            if key in _OTHER_BACKENDS:
                self.notes.append(f"{key} in {self.place} is left aside: it says nothing to the evaluation of a RAG.")
            elif key not in known:
                self.problems.append(UnknownNameError("key", key, known, where=self.place))
        if document.get("eval_backend", "RAGEval") != "RAGEval" and not _same(document["eval_backend"], "RAGEval"):
            self.wrong("eval_backend", document["eval_backend"], '"RAGEval", the only one that there is here')
        config = document.get("eval_config")
        if not isinstance(config, Mapping):
            self.wrong("eval_config", config, "an object with testset_generation, eval or both")
            config = {}
        generation, evaluation = self.config(config, seed=document.get("seed"))
        settings = {key: value for key, value in document.items() if key in ours}
        return Task(generation=generation, evaluation=evaluation, settings=settings, notes=tuple(self.notes))

    def config(self, config: Mapping[str, Any], *, seed: Any) -> tuple[Generation | None, Evaluation | None]:
        self.keys(config, ("tool", "testset_generation", "eval"), "eval_config")
        if "tool" in config and not _same(config["tool"], "RAGAS"):
            self.wrong("eval_config.tool", config["tool"], '"RAGAS", the only one that there is here')
        generation, evaluation = config.get("testset_generation"), config.get("eval")
        if generation is None and evaluation is None and not self.problems:
            self.problems.append(
                ConfigurationError(
                    f"eval_config in {self.place} asks for nothing. Add testset_generation, eval or both."
                )
            )
        parts: list[Mapping[str, Any] | None] = []
        for name, part in (("testset_generation", generation), ("eval", evaluation)):
            if part is not None and not isinstance(part, Mapping):
                self.wrong(f"eval_config.{name}", part, "an object")
            parts.append(part if isinstance(part, Mapping) else None)
        return (
            None if parts[0] is None else self.generation(parts[0], seed),
            None if parts[1] is None else self.evaluation(parts[1]),
        )

    def generation(self, part: Mapping[str, Any], seed: Any) -> Generation:
        path = "eval_config.testset_generation"
        recipe_keys = ("test_size", "distribution", "language", "seed", "chunk_size", "generator")
        self.keys(part, ("docs", "output_file", "generator_llm", "critic_llm", "embeddings", *recipe_keys), path)
        settings = self.models(part, ("generator_llm", "critic_llm", "embeddings"), path)
        if "generator_llm" in settings:  # also judges what it wrote, where nobody else is named
            settings.setdefault("critic_llm", settings["generator_llm"])
        docs = part.get("docs")
        docs = [docs] if isinstance(docs, str) else docs
        if not isinstance(docs, list) or not docs or not all(isinstance(name, str) for name in docs):
            self.wrong(f"{path}.docs", docs, 'a list of files, folders or globs, for example ["README.md"]')
            docs = []
        recipe = {key: part[key] for key in recipe_keys if part.get(key) is not None}
        if seed is not None:
            recipe.setdefault("seed", seed)
        output_file = self.text(part, "output_file", path, TESTSET_FILE)
        return Generation(settings=settings, docs=tuple(docs), recipe=recipe, output_file=output_file)

    def evaluation(self, part: Mapping[str, Any]) -> Evaluation:
        path = "eval_config.eval"
        known = ("testset_file", "critic_llm", "embeddings", "metrics", "batch_size", "raise_exceptions", "language")
        self.keys(part, known, path)
        settings = self.models(part, ("critic_llm", "embeddings"), path)
        metrics = part.get("metrics")
        if isinstance(metrics, str):
            metrics = [metrics]
        if metrics is not None and (
            not isinstance(metrics, list) or not all(isinstance(name, str) for name in metrics)
        ):
            self.wrong(f"{path}.metrics", metrics, 'a list of names, for example ["faithfulness"]')
        elif metrics:
            settings["metrics"] = metrics
        batch_size = part.get("batch_size")
        if batch_size is not None and (
            isinstance(batch_size, bool) or not isinstance(batch_size, int) or batch_size < 1
        ):
            self.wrong(f"{path}.batch_size", batch_size, "a whole number of 1 or more")
        elif batch_size is not None:
            settings["concurrency"] = batch_size
        language = part.get("language")
        if language is not None and (not isinstance(language, str) or not language):
            self.wrong(f"{path}.language", language, 'the name of a language, for example "german"')
        elif language is not None:
            settings["reason_language"] = language
        raising = part.get("raise_exceptions")
        if raising is not None and not isinstance(raising, bool):
            self.wrong(f"{path}.raise_exceptions", raising, "true or false")
        testset_file = self.text(part, "testset_file", path, TESTSET_FILE)
        return Evaluation(settings=settings, testset_file=testset_file, raise_exceptions=bool(raising))

    def models(self, part: Mapping[str, Any], roles: tuple[str, ...], path: str) -> dict[str, Any]:
        tables: dict[str, Any] = {}
        for role in roles:
            given, where = part.get(role), f"{path}.{role}"
            if given is None or given == {}:
                continue
            if not isinstance(given, (Mapping, str)):
                self.wrong(where, given, "an object with model_name_or_path, or with model_name and api_base")
                continue
            embeddings = role == "embeddings"
            kind = "embeddings" if embeddings else "llm"
            if isinstance(given, Mapping):
                self.keys(
                    given, tuple(known_keys(config_schema()["$defs"][kind]["properties"], embeddings=embeddings)), where
                )
            try:
                tables[role] = model_table(
                    given, embeddings=embeddings, environ=self.environ, notes=self.notes, path=where
                )
            except TableProblem as error:
                self.problems.append(ConfigurationError(f"{error} (in {self.place})"))
        return tables

    def keys(self, part: Mapping[str, Any], known: tuple[str, ...], path: str) -> None:
        for key in part:
            if key in RETIRED and key not in known:
                self.notes.append(f"{path}.{key} in {self.place} is left aside: {RETIRED[key]}.")
            elif key not in known:
                self.problems.append(UnknownNameError("key", str(key), known, where=self.place, prefix=f"{path}."))

    def text(self, part: Mapping[str, Any], key: str, path: str, default: str) -> str:
        value = part.get(key)
        if value is not None and (not isinstance(value, str) or not value):
            self.wrong(f"{path}.{key}", value, "the path of a file")
        return value if isinstance(value, str) and value else default


def _same(value: Any, name: str) -> bool:
    return isinstance(value, str) and value.strip().lower() == name.lower()
