"""Is this folder a causal LM that can be loaded? Said before anything heavy reads it."""

from __future__ import annotations

import contextlib
import importlib
import json
import os
import struct
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from pytest_ragas.errors import ConfigurationError

_TOKENIZERS = (
    "tokenizer.json",
    "tokenizer.model",
    "tokenizer_config.json",
    "vocab.json",
    "tekken.json",
    "spiece.model",
)


def check_causal_lm(folder: Path, *, trust_remote_code: bool = False) -> None:
    """Weights that are whole, a configuration of a causal LM, and a tokenizer.

    Raises:
        ConfigurationError: What is missing, cut off or of another kind, with the mend.
    """
    with explained_reading(folder):
        names = set(os.listdir(folder))
        if "config.json" not in names:
            raise ConfigurationError(_no_config(folder, names))
        config = _json(folder / "config.json")
        _check_kind(folder, config, trust_remote_code)
        _check_weights(folder, names)
        if names.isdisjoint(_TOKENIZERS):
            raise ConfigurationError(
                f"{folder} has weights but no tokenizer (tokenizer.json, tokenizer_config.json, tokenizer.model). Copy "
                "these files of the model into it too."
            )


def check_embedding_model(folder: Path | None, *, pooled: bool) -> None:
    """Weights that are whole, of a model that was made to embed.

    Args:
        folder: None where it is not known.
        pooled: Whether the user said how token vectors become one: then any model of tokens will do.

    Raises:
        ConfigurationError: It is a causal LM, or damaged.
    """
    if folder is None:
        return
    with explained_reading(folder):
        names = set(os.listdir(folder))
        config = _json(folder / "config.json") if "config.json" in names else {}
        architectures = [str(name) for name in config.get("architectures") or ()]
        if "modules.json" not in names and not pooled and any(map(_is_causal, architectures)):
            raise ConfigurationError(
                f"The model in {folder} is no embedding model but a causal LM ({', '.join(architectures)}). It belongs "
                'into critic_llm or generator_llm; or say pooling_mode = "mean" to compare its token vectors.'
            )
        if "model.safetensors" in names:
            check_safetensors(folder / "model.safetensors")


@contextlib.contextmanager
def explained_reading(path: Path) -> Iterator[None]:
    """What the system says of a file of the user's, as an error with a mend."""
    try:
        yield
    except OSError as error:
        raise ConfigurationError(
            f"The model at {path} cannot be read: {error.filename or path}: {error.strerror or error}. "
            "Give the user who runs the tests the right to read it."
        ) from error


def _check_kind(folder: Path, config: Mapping[str, Any], trust_remote_code: bool) -> None:
    architectures = [str(name) for name in config.get("architectures") or ()]
    kind = str(config.get("model_type", ""))
    if "auto_map" in config and not trust_remote_code and not _known_types(kind):
        raise ConfigurationError(
            f"The model in {folder} (model_type {kind!r}) comes with code of its own, which is not run unless you say "
            "trust_remote_code = true in its table. Read the code first: it can do whatever you can."
        )
    if any(map(_is_causal, architectures)):
        return
    if "auto_map" in config and "AutoModelForCausalLM" in config["auto_map"] and trust_remote_code:
        return
    # models that see pictures too can be asked in text: Gemma 3, Llama 4 …
    may_be = not architectures or any(name.endswith("ForConditionalGeneration") for name in architectures)
    if may_be and _known_types(kind, causal=True):
        return
    is_what = ", ".join(architectures) or f"model_type {kind!r}"
    embeds = "sentence_bert_config.json" in os.listdir(folder) or "modules.json" in os.listdir(folder)
    mend = (
        "It is an embedding model: it belongs into embeddings = {model_name_or_path = …}."
        if embeds
        else "A critic LLM has to be a causal LM: Qwen, Llama, Gemma, Mistral, SmolLM and their like."
    )
    raise ConfigurationError(f"The model in {folder} is no causal LM ({is_what}). {mend}")


def _is_causal(architecture: str) -> bool:
    return architecture.endswith(("ForCausalLM", "LMHeadModel"))


def _known_types(kind: str, *, causal: bool = False) -> bool:
    """Whether transformers has this model type itself; where it is not installed, loading will say so."""
    where, table = (
        ("modeling_auto", "MODEL_FOR_CAUSAL_LM_MAPPING_NAMES")
        if causal
        else ("configuration_auto", "CONFIG_MAPPING_NAMES")
    )
    try:
        module: Any = importlib.import_module(f"transformers.models.auto.{where}")
    except ModuleNotFoundError:
        return True
    return kind in getattr(module, table)


def _check_weights(folder: Path, names: set[str]) -> None:
    index = next(
        (name for name in ("model.safetensors.index.json", "pytorch_model.bin.index.json") if name in names), ""
    )
    if "model.safetensors" in names:
        check_safetensors(folder / "model.safetensors")
    elif index:
        shards = sorted(set(_json(folder / index).get("weight_map", {}).values()))
        missing = [shard for shard in shards if shard not in names]
        if missing or not shards:
            raise ConfigurationError(
                f"{folder} lacks {len(missing)} of the {len(shards)} files that {index} names: {', '.join(missing[:3])}"
                f"{' …' if len(missing) > 3 else ''}. Download the model again."
            )
        for shard in shards:
            if shard.endswith(".safetensors"):
                check_safetensors(folder / shard)
    elif "pytorch_model.bin" not in names:
        raise ConfigurationError(
            f"{folder} has a config.json but no weights (model.safetensors, or its parts and their index). "
            + (
                "adapter_model.safetensors is only what fine-tuning added: merge it into its model first."
                if "adapter_model.safetensors" in names
                else "Download the model again, weights included."
            )
        )


def check_safetensors(file: Path) -> None:
    """Whether a file is as long as its header says.

    Raises:
        ConfigurationError: It is cut off, damaged, or something else.
        OSError: It cannot be read.
    """
    size = file.stat().st_size
    with open(file, "rb") as stream:
        head = stream.read(8)
        length = struct.unpack("<Q", head)[0] if len(head) == 8 else size
        header = stream.read(length) if length <= min(size, 200_000_000) else b""
    try:
        tensors = json.loads(header)
        end = max((tensor["data_offsets"][1] for name, tensor in tensors.items() if name != "__metadata__"), default=0)
    except (ValueError, LookupError, TypeError, AttributeError):
        is_pointer = head == b"version "
        what = "a Git LFS pointer, not the file itself: run git lfs pull" if is_pointer else "no safetensors file"
        raise ConfigurationError(f"{file} is {what}. Download the model again.") from None
    if size != 8 + length + end:
        raise ConfigurationError(
            f"{file} is damaged: it has {size:,} bytes, and its header speaks of {8 + length + end:,}. "
            "Download it again."
        )


def _no_config(folder: Path, names: set[str]) -> str:
    ggufs = sorted(name for name in names if name.endswith(".gguf"))
    if ggufs:
        return f"{folder} holds several .gguf files ({', '.join(ggufs[:4])}): name one of them, {folder / ggufs[0]}."
    return (
        f"{folder} is no model: it has no config.json. The folder of a model holds config.json, model.safetensors and "
        "the files of its tokenizer."
    )


def _json(file: Path) -> dict[str, Any]:
    try:
        found = json.loads(file.read_text(encoding="utf-8"))
    except ValueError as error:
        raise ConfigurationError(f"{file} is damaged: {error}. Download the model again.") from None
    if not isinstance(found, dict):
        raise ConfigurationError(f"{file} is damaged: it holds no JSON object. Download the model again.")
    return found
