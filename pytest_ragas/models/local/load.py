"""`load_causal_lm`: a causal language model of transformers, from a folder with its weights to memory.

The only module that loads one. Blocking; callers run it in a thread.
"""

from __future__ import annotations

import importlib.util
import json
import threading
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from weakref import WeakValueDictionary

from pytest_ragas.errors import ConfigurationError, MissingExtraError, PytestRagasError, UnknownNameError, cut
from pytest_ragas.models.ending import end_quickly
from pytest_ragas.models.local.hub_options import HubOptions
from pytest_ragas.models.local.stopping import let_stop
from pytest_ragas.models.local.threads import cpu_threads, xdist_workers
from pytest_ragas.models.local.weights import find_weights, looks_like_path
from pytest_ragas.models.progress_bars import no_progress_bars
from pytest_ragas.settings.secret import Secret
from pytest_ragas.settings.values import ModelSettings
from pytest_ragas.values.model import ModelIdentity

OPTIONS = (
    "attn_implementation",
    "batch_size",
    "cache_folder",
    "config_kwargs",
    "device",
    "dtype",
    "hub",
    "kind",
    "local_files_only",
    "max_seq_length",
    "model_kwargs",
    "quantization",
    "revision",
    "threads",
    "token",
    "tokenizer_kwargs",
    "trust_remote_code",
)
"""What a local LLM's table may hold beside `model_name_or_path`, `template_type` and `generation_config`."""

_DTYPES = ("auto", "bfloat16", "float16", "float32")
_DECIDE = (
    "attn_implementation",
    "config_kwargs",
    "dtype",
    "hub",
    "model_kwargs",
    "quantization",
    "revision",
    "tokenizer_kwargs",
)
"""Options that decide what the model answers."""
_QUANTIZATIONS = ("int4", "int8")
MORE_ROOM = (
    'Take a smaller model, dtype = "bfloat16", quantization = "int8", or a smaller batch_size; or let a server '
    "(vLLM, llama.cpp) run it on another machine: model_name and api_base."
)


# no slots: the one instance of a process is held weakly, until nobody uses it any more
@dataclass(frozen=True, kw_only=True)
class LoadedLM:
    """A model in memory, ready to compute."""

    model: Any
    """The `PreTrainedModel`, in evaluation mode."""
    tokenizer: Any
    """Pads on the left."""
    device: str
    """"cpu", "cuda:0", "mps" …"""
    dtype: str
    """"bfloat16", "float32" …"""
    context_length: int
    """Tokens that prompt and answer may have together."""
    identity: ModelIdentity
    """Provider "transformers"; the weights' fingerprint, dtype, quantization and the like among its parameters."""


_loaded: WeakValueDictionary[str, LoadedLM] = WeakValueDictionary()
_loading = threading.Lock()


def check_options(settings: ModelSettings) -> None:
    """What can be said of the options before anything heavy is imported.

    Raises:
        UnknownNameError: An option, dtype or quantization that does not exist.
    """
    options = settings.options
    where = f"the settings of the local LLM {settings.model_name_or_path!r}"
    for option in options:
        if option not in OPTIONS:
            raise UnknownNameError("option", option, OPTIONS, where=where)
    if options.get("dtype", "auto") not in _DTYPES:
        raise UnknownNameError("dtype", str(options["dtype"]), _DTYPES, where=where)
    if "quantization" in options and options["quantization"] not in _QUANTIZATIONS:
        raise UnknownNameError("quantization", str(options["quantization"]), _QUANTIZATIONS, where=where)


def load_causal_lm(settings: ModelSettings) -> LoadedLM:
    """The causal LM that settings name; the same object for the same weights, dtype and device.

    Args:
        settings: `model_name_or_path` and, in `options`, any of `OPTIONS`.

    Raises:
        MissingExtraError: torch or transformers is not installed.
        ConfigurationError: No such model, none of this kind, no such device, or no room for it.
    """
    check_options(settings)
    torch = _torch(settings.model_name_or_path)
    options = settings.options
    threads = cpu_threads(options.get("threads"))
    if threads is not None:
        torch.set_num_threads(threads)
    device = _device(torch, str(options.get("device", "auto")))
    dtype = _dtype(torch, device, str(options.get("dtype", "auto")))
    with _loading:
        weights = find_weights(settings.model_name_or_path, **_finding(options))
        decides = _decides(options, dtype, weights.fingerprint)
        key = json.dumps([str(weights.folder), device, options, decides], sort_keys=True, default=repr)
        known = _loaded.get(key)
        if known is None:
            identity = ModelIdentity(provider="transformers", name=weights.name, parameters=_pairs(decides))
            with no_progress_bars(), warnings.catch_warnings():
                # libraries warn as they register kernels and read configurations; a suite that makes warnings
                # errors means its own
                warnings.simplefilter("ignore")
                known = _load(weights.folder, options, identity, device=device, dtype=dtype)
            _loaded[key] = known
    return known


def given_identity(settings: ModelSettings, parameters: Mapping[str, Any]) -> ModelIdentity:
    """The identity of a model that need not be there: what is stored of its answers is found without it.

    A model at a path has the fingerprint of its files, which may change under their name. That of a known name is
    pinned, and that of a hub id is what `revision` says.

    Args:
        settings: Of the model.
        parameters: What else decides its answers.
    """
    name, options = settings.model_name_or_path, settings.options
    decides = {key: options[key] for key in _DECIDE if key in options} | dict(parameters)
    if looks_like_path(name) or Path(name).expanduser().exists():
        weights = find_weights(name, **_finding(options))
        decides["weights"] = weights.fingerprint
        name = weights.name
    return ModelIdentity(provider="transformers", name=name, parameters=_pairs(decides))


def _load(folder: Path, options: Mapping[str, Any], identity: ModelIdentity, *, device: str, dtype: str) -> LoadedLM:
    transformers: Any = importlib.import_module("transformers")
    name = identity.name
    given = {"local_files_only": True, "trust_remote_code": bool(options.get("trust_remote_code", False))}
    try:
        config = transformers.AutoConfig.from_pretrained(folder, **given, **options.get("config_kwargs", {}))
        tokenizer = transformers.AutoTokenizer.from_pretrained(
            folder, padding_side="left", **given, **options.get("tokenizer_kwargs", {})
        )
        arguments: dict[str, Any] = {"dtype": dtype, "config": config, **given}
        if "attn_implementation" in options:
            arguments["attn_implementation"] = options["attn_implementation"]
        if "quantization" in options:
            arguments |= {"quantization_config": _quantization(options["quantization"]), "device_map": device}
        arguments |= options.get("model_kwargs", {})
        model = transformers.AutoModelForCausalLM.from_pretrained(folder, **arguments)
        if "device_map" not in arguments:
            model = model.to(device)
    except PytestRagasError:
        raise
    except Exception as error:
        if is_out_of_memory(error):
            raise ConfigurationError(f"There is no room for {name!r} in the memory of {device}. {MORE_ROOM}") from error
        # OSError, ValueError, ImportError, KeyError: transformers has many ways to say that it cannot load a model
        said = cut(f"{type(error).__name__}: {error}")
        raise ConfigurationError(f"Cannot load the local LLM {name!r} from {folder} ({said}).") from error
    others = set(getattr(config.get_text_config(), "layer_types", None) or ()) - _ATTENTION
    if others or getattr(model, "_is_stateful", False):
        what = f"layers of the kind {', '.join(sorted(others))}" if others else "a running state"
        raise ConfigurationError(
            f"{name!r} ({type(model).__name__}) has {what} beside or instead of keys and values of all tokens, so that "
            f"its requests cannot be answered together. {_SERVER}"
        )
    let_stop(model)
    return LoadedLM(
        model=model.eval(),
        tokenizer=tokenizer,
        device=device,
        dtype=dtype,
        context_length=_context_length(config, tokenizer, options.get("max_seq_length")),
        identity=identity,
    )


_ATTENTION = {"full_attention", "sliding_attention"}
_SERVER = "Serve it with vLLM or llama.cpp and name it as an API model (model_name, api_base), or take another model."


def _context_length(config: Any, tokenizer: Any, wanted: int | None) -> int:
    text: Any = config.get_text_config()
    length: int = getattr(text, "max_position_embeddings", None) or getattr(tokenizer, "model_max_length", 0) or 0
    # tokenizers without a limit say 10^30
    known = int(length) if 0 < length < 10_000_000 else 4_096
    return min(known, wanted) if wanted else known


def _device(torch: Any, wanted: str) -> str:
    """
    Raises:
        ConfigurationError: This machine has no such device.
    """
    has_cuda, has_mps = torch.cuda.is_available(), torch.backends.mps.is_available()
    if wanted == "auto":
        return "cuda:0" if has_cuda else "mps" if has_mps else "cpu"
    if wanted == "cuda":
        wanted = "cuda:0"
    kind, _, number = wanted.partition(":")
    there = ["cpu", *(f"cuda:{index}" for index in range(torch.cuda.device_count())), *(["mps"] if has_mps else [])]
    if kind not in ("cpu", "cuda", "mps") or (number and not number.isdigit()):
        raise UnknownNameError("device", wanted, ["auto", *there], where="the settings of a local LLM")
    if wanted not in there:
        raise ConfigurationError(f"This machine has no device {wanted!r}; torch sees {', '.join(there)}.")
    return wanted


def _dtype(torch: Any, device: str, wanted: str) -> str:
    """What weights are computed in; "auto" is bfloat16 where the hardware multiplies it, else float32."""
    if wanted != "auto":
        return wanted
    if device.startswith("cuda"):
        fast = torch.cuda.get_device_capability(device)[0] >= 8
    else:
        fast = device == "cpu" and _cpu_has_bf16()
    return "bfloat16" if fast else "float32"


def _cpu_has_bf16() -> bool:
    try:
        flags = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace")
    except OSError:  # not Linux
        return False
    return "avx512_bf16" in flags or "amx_bf16" in flags


def _quantization(kind: str) -> Any:
    if importlib.util.find_spec("bitsandbytes") is None:
        raise ConfigurationError(
            f'quantization = "{kind}" needs bitsandbytes, which is not installed. Install it with: '
            "pip install bitsandbytes; or take weights that are quantized already (GPTQ, AWQ, FP8)."
        )
    transformers: Any = importlib.import_module("transformers")
    return transformers.BitsAndBytesConfig(**{"load_in_4bit" if kind == "int4" else "load_in_8bit": True})


def refuse_copies(name: str) -> None:
    """
    Raises:
        ConfigurationError: Several processes of a run would each load the model.
    """
    workers = xdist_workers()
    if workers > 1:
        raise ConfigurationError(
            f"The local LLM {name!r} would be loaded {workers} times, once in each pytest-xdist worker, and the "
            "copies would slow each other down. Run with -n 0 (requests are answered together anyway), or serve the "
            "model (vLLM, llama.cpp, transformers serve) and name it as an API model: model_name and api_base."
        )


def _torch(name: str) -> Any:
    for library in ("torch", "transformers"):
        if importlib.util.find_spec(library) is None:
            raise MissingExtraError(f"The local LLM {name!r}", library, "local")
    end_quickly()
    return importlib.import_module("torch")


def _finding(options: Mapping[str, Any]) -> dict[str, Any]:
    """Options that say where weights are."""
    token = options.get("token")
    asked = HubOptions(
        revision=options.get("revision"),
        token=token.reveal() if isinstance(token, Secret) else token,
        cache_folder=options.get("cache_folder"),
        local_files_only=bool(options.get("local_files_only", False)),
    )
    return {
        "hub": options.get("hub", "huggingface"),
        "options": asked,
        "trust_remote_code": bool(options.get("trust_remote_code", False)),
    }


def _decides(options: Mapping[str, Any], dtype: str, fingerprint: str) -> dict[str, Any]:
    """What decides the model's numbers."""
    given = {name: options[name] for name in _DECIDE if name in options}
    return given | {"weights": fingerprint, "dtype": dtype}


def _pairs(values: Mapping[str, Any]) -> tuple[tuple[str, str], ...]:
    return tuple((name, json.dumps(values[name], sort_keys=True, default=repr)) for name in sorted(values))


def is_out_of_memory(error: BaseException) -> bool:
    """Whether the machine, or its GPU, had no memory left."""
    text = str(error).lower()
    return isinstance(error, MemoryError) or (
        isinstance(error, RuntimeError) and ("out of memory" in text or "allocate memory" in text)
    )
