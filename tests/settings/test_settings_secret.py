"""A key is used, and shown nowhere: not in repr, messages or tracebacks with locals, wherever it was written."""

from __future__ import annotations

import copy
import dataclasses
import json
import pickle
import traceback
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pytest_ragas.errors import ConfigurationError
from pytest_ragas.settings.load import load_settings
from pytest_ragas.settings.secret import Secret
from pytest_ragas.settings.values import Settings

KEY = "sk-Zq7-very-secret"


def outcome(
    folder: Path, text: str = "", *, name: str = "c.yaml", environ: Mapping[str, str] | None = None, **given: Any
) -> tuple[Settings | None, list[str]]:
    """The settings, if there are any, and everything that anybody could print of them or of the error."""
    file = folder / name
    file.write_text(text, encoding="utf-8")
    try:
        loaded = load_settings(rootdir=folder, config_file=file, environ=environ or {}, command_line=given)
    except ConfigurationError as error:
        return None, list(printed(error))
    return loaded, [repr(loaded), str(loaded), f"{loaded!s:>10}", json.dumps(dataclasses.asdict(loaded), default=str)]


def printed(error: BaseException) -> Iterator[str]:
    """An error as tracebacks print it, with the locals of every frame but those of this test."""
    yield str(error)
    yield repr(error)
    assert error.__context__ is None
    assert error.__cause__ is None
    frames = traceback.TracebackException.from_exception(error, capture_locals=True)
    frames.stack = traceback.StackSummary.from_list([frame for frame in frames.stack if frame.filename != __file__])
    yield "".join(frames.format())


# ---- the value --------------------------------------------------------------------------------------


def test_a_secret_shows_stars_to_everybody_but_the_wire() -> None:
    secret = Secret(KEY, "env:MY_KEY")
    assert secret.reveal() == KEY
    shown = [repr(secret), str(secret), f"{secret}", f"{secret:>20}", f"{secret!r}", "%s" % secret, repr([secret])]  # noqa: UP031
    assert not any(KEY in text for text in shown)
    assert secret.origin == "env:MY_KEY"
    assert bool(secret)
    assert not Secret("")


def test_a_secret_does_not_leave_the_process_and_does_not_change() -> None:
    secret = Secret(KEY)
    with pytest.raises(TypeError, match="not pickled"):
        pickle.dumps(secret)
    with pytest.raises(TypeError):
        json.dumps(secret)
    with pytest.raises(AttributeError):
        secret._value = "other"
    with pytest.raises(AttributeError):
        del secret._value
    assert copy.deepcopy(secret) is secret
    assert copy.copy(secret) is secret


def test_secrets_compare_by_what_they_hold() -> None:
    assert Secret("a") == Secret("a")
    assert Secret("a") != Secret("b")
    assert Secret("a") != "a"
    assert len({Secret("a"), Secret("a"), Secret("b")}) == 2


# ---- env:NAME ---------------------------------------------------------------------------------------

CRITIC = "critic_llm: {model_name: m, api_base: 'http://h/v1', api_key: '%s'}"


def test_the_variable_is_read_and_trimmed(tmp_path: Path) -> None:
    loaded, shown = outcome(tmp_path, CRITIC % "env:MY_KEY", environ={"MY_KEY": f" {KEY}\n"})
    assert loaded is not None
    assert loaded.critic_llm.api_key is not None
    assert loaded.critic_llm.api_key.reveal() == KEY
    assert not any(KEY in text for text in shown)


@pytest.mark.parametrize(("environ", "state"), [({}, "is not set"), ({"MY_KEY": " "}, "is empty")])
def test_a_missing_variable_is_an_error_only_for_who_needs_the_key(
    tmp_path: Path, environ: dict[str, str], state: str
) -> None:
    loaded, _ = outcome(tmp_path, CRITIC % "env:MY_KEY", environ=environ)
    assert loaded is not None
    key = loaded.critic_llm.api_key
    assert key  # so that a client asks for it
    with pytest.raises(ConfigurationError) as caught:
        key.reveal()
    assert str(caught.value) == (
        f"critic_llm.api_key in c.yaml is read from the environment variable MY_KEY, which {state}. "
        "Set it, for example with: export MY_KEY=…"
    )


def test_a_header_may_have_words_before_the_variable(tmp_path: Path) -> None:
    text = "critic_llm: {model_name: m, api_base: 'http://h', headers: {Authorization: 'Bearer env:MY_KEY', X: plain}}"
    loaded, shown = outcome(tmp_path, text, environ={"MY_KEY": KEY})
    assert loaded is not None
    headers = loaded.critic_llm.headers
    assert {name: value.reveal() for name, value in headers.items() if isinstance(value, Secret)} == {
        "Authorization": f"Bearer {KEY}",
        "X": "plain",
    }
    assert not any(KEY in text for text in shown)


def test_a_shell_variable_is_not_taken_for_a_key(tmp_path: Path) -> None:
    loaded, _ = outcome(tmp_path, CRITIC % "${MY_KEY}")
    assert loaded is not None
    with pytest.raises(
        ConfigurationError, match=r'critic_llm\.api_key in c\.yaml is written like .* Write "env:MY_KEY"'
    ):
        loaded.critic_llm.api_key.reveal()  # type: ignore[union-attr]


def test_an_empty_key_is_no_key(tmp_path: Path) -> None:
    loaded, _ = outcome(tmp_path, CRITIC % "")
    assert loaded is not None
    assert loaded.critic_llm.api_key is None


def test_a_key_in_a_file_is_accepted_and_says_where_it_lies(tmp_path: Path) -> None:
    loaded, shown = outcome(tmp_path, CRITIC % KEY)
    assert loaded is not None
    assert loaded.critic_llm.api_key == Secret(KEY, "c.yaml")
    assert not any(KEY in text for text in shown)


def test_a_key_on_the_command_line_is_refused_and_in_a_variable_accepted(tmp_path: Path) -> None:
    text = json.dumps({"model_name": "m", "api_base": "http://h", "api_key": KEY})
    loaded, shown = outcome(tmp_path, critic_llm=text)
    assert loaded is None
    assert "critic_llm.api_key on the command line: every program on this machine can read it there" in shown[0]
    assert not any(KEY in text for text in shown)
    loaded, shown = outcome(tmp_path, environ={"PYTEST_RAGAS_CRITIC_LLM": text})
    assert loaded is not None
    assert not any(KEY in text for text in shown)


# ---- nowhere ----------------------------------------------------------------------------------------

MODEL = "critic_llm: {model_name: m, api_base: 'http://h', %s}"


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("c.yaml", MODEL % f"api_key: {KEY}, tempo: 1"),
        ("c.yaml", MODEL % f"api_kye: 1, apikey: {KEY}"),
        ("c.yaml", MODEL % f"api_key: [{KEY}]"),
        ("c.yaml", MODEL % f"api_key: {{value: {KEY}}}"),
        ("c.yaml", MODEL % f"headers: {{X: {KEY}}}, timeout: never"),
        ("c.yaml", MODEL % f"headers: [{KEY}]"),
        ("c.yaml", MODEL % f"headers: {{Authorization: [Bearer {KEY}]}}"),
        ("c.yaml", MODEL % f"generation_config: {{extra_headers: {{Authorization: {KEY}}}}}"),
        ("c.yaml", f"critic_llm: {{model_name: m, api_base: 'https://me:{KEY}@h/v1'}}"),
        ("c.yaml", f"critic_llm: {{model_name: m, api_base: 'https://h/v1?key={KEY}'}}"),
        ("c.yaml", f"api_key: {KEY}"),
        ("c.yaml", f"openai_api_key: {KEY}\nconcurrency: many"),
        ("c.yaml", f"metric_options: {{mine: {{token: {KEY}}}}}"),
        ("c.yaml", f"api_key: {KEY}\nconcurrency: ["),
        ("c.yaml", f"api_key: !{KEY} x"),
        ("c.yaml", f"api_key: *{KEY}"),
        ("c.yaml", f"api_key: !!float {KEY}"),
        ("c.yaml", f"api_key: !!bool {KEY}"),
        ("c.yaml", f"critic_llm: {{api_key: {KEY}}}\nconcurrency: .nan"),
        ("c.yaml", f"api_key: {KEY}\napi_key: {KEY}"),
        ("c.toml", f"critic_llm.api_key = '{KEY}'\nconcurrency = "),
        ("c.toml", f"critic_llm.api_key = {KEY}"),
        ("c.toml", f"critic_llm.api_key = '{KEY}'\ncritic_llm.api_key = '{KEY}'"),
        ("c.json", f'{{"critic_llm": {{"api_key": "{KEY}"}}, "concurrency": }}'),
        ("c.json", f'{{"critic_llm": {{"api_key": "{KEY}", "x": NaN}}}}'),
        ("c.ini", f"api_key = {KEY}"),
    ],
)
def test_no_message_and_no_traceback_shows_a_key(tmp_path: Path, name: str, text: str) -> None:
    loaded, shown = outcome(tmp_path, text, name=name, environ={"OTHER_KEY": KEY})
    assert loaded is None
    assert not [line for text in shown for line in text.splitlines() if KEY in line]


def test_an_invalid_byte_beside_a_key_does_not_show_it(tmp_path: Path) -> None:
    path = tmp_path / "pyproject.toml"
    path.write_bytes(f"[tool.pytest-ragas]\ncritic_llm.api_key = '{KEY}'\nx = '".encode() + b"\xff'")
    with pytest.raises(ConfigurationError) as caught:
        load_settings(rootdir=tmp_path, environ={"OTHER_KEY": KEY})
    assert not any(KEY in text for text in printed(caught.value))


@pytest.mark.parametrize("text", ["{oops %s", '{"api_key": %s}', '{"api_key": "%s", "nope": 1}', "{api_key = '%s'"])
def test_a_broken_option_or_variable_does_not_show_a_key(tmp_path: Path, text: str) -> None:
    for sources in ({"critic_llm": text % KEY}, {"environ": {"PYTEST_RAGAS_CRITIC_LLM": text % KEY}}):
        loaded, shown = outcome(tmp_path, **sources)  # type: ignore[arg-type]
        assert loaded is None
        assert not any(KEY in text for text in shown)


secret_names = st.sampled_from(
    [
        "api_key",
        "apikey",
        "api-key",
        "API_KEY",
        "openai_api_key",
        "client_secret",
        "password",
        "Authorization",
        "hf_token",
    ]
)
junk = st.sampled_from([None, True, 3, -1.5, "x", "http://h", [], [1], {}, {"a": 1}, "embedded"])
other_names = st.sampled_from(
    [
        "critic_llm",
        "embeddings",
        "model_name",
        "api_base",
        "generation_config",
        "headers",
        "metrics",
        "thresholds",
        "nope",
    ]
)
tables = st.recursive(
    st.dictionaries(other_names, junk, max_size=3)
    | st.dictionaries(secret_names, st.just(KEY) | st.just([KEY]), max_size=2),
    lambda inner: st.dictionaries(other_names, inner | junk, max_size=3).flatmap(
        lambda table: st.dictionaries(secret_names, st.just(KEY), max_size=1).map(lambda more: {**table, **more})
    ),
    max_leaves=6,
)


@settings(deadline=None, max_examples=300, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(tables)
def test_whatever_a_file_says_no_key_is_shown(tmp_path: Path, table: dict[str, Any]) -> None:
    for place in ("file", "variable", "option"):
        if place == "file":
            _, shown = outcome(tmp_path, json.dumps(table), name="c.json")
        elif place == "variable":
            _, shown = outcome(tmp_path, environ={"PYTEST_RAGAS_CRITIC_LLM": json.dumps(table)})
        else:
            _, shown = outcome(tmp_path, critic_llm=json.dumps(table))
        assert not any(KEY in text for text in shown)


def test_pytest_with_showlocals_shows_no_key(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MY_KEY", KEY)
    pytester.makefile(
        ".toml",
        bad=f"critic_llm = {{ model_name = 'm', api_base = 'http://h', api_key = '{KEY}', nope = 1 }}",
        good="[critic_llm]\nmodel_name = 'm'\n"
        "api_base = 'http://h'\napi_key = 'env:MY_KEY'\nheaders.A = 'env:MY_KEY'\n",
    )
    pytester.makepyfile(
        """
        import os
        from pathlib import Path
        from pytest_ragas.settings.load import load_settings

        def test_bad():
            load_settings(rootdir=Path("."), config_file=Path("bad.toml"), environ=os.environ)

        def test_good():
            settings = load_settings(rootdir=Path("."), config_file=Path("good.toml"), environ=os.environ)
            assert settings.critic_llm.api_key == settings
            assert False, settings

        def test_difference():
            settings = load_settings(rootdir=Path("."), config_file=Path("good.toml"), environ=os.environ)
            os.environ["MY_KEY"] = "other"
            other = load_settings(rootdir=Path("."), config_file=Path("good.toml"), environ=os.environ)
            assert settings == other
        """
    )
    result = pytester.runpytest_subprocess("-p", "no:cacheprovider", "--showlocals", "-vv", "--tb=long")
    result.assert_outcomes(failed=3)
    text = result.stdout.str() + result.stderr.str()
    assert "Unknown key 'critic_llm.nope'" in text
    assert "settings   = Settings(" in text
    assert KEY not in text
