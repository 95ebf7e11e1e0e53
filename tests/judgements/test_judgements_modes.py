"""What runs find, keep, ask and say in each mode; against a real HTTP server."""

from __future__ import annotations

import contextlib
import dataclasses
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from judgements_made import SECRETS, Judged, samples, scored, settings
from openai_server.server import OpenAIServer

from pytest_ragas.errors import ConfigurationError, JudgementStoreError, NothingToJudgeError
from pytest_ragas.judgements.sqlite_store import SQLiteStore
from pytest_ragas.metrics.builtin import registry
from pytest_ragas.metrics.native.specs import SPECS
from pytest_ragas.models.scripted import ScriptedCritic
from pytest_ragas.protocols import JSONSchema, MetricContext, MetricSpec
from pytest_ragas.scoring.calls import current_repeat
from pytest_ragas.session.session import Session
from pytest_ragas.settings.secret import Secret
from pytest_ragas.settings.values import ModelSettings, Settings
from pytest_ragas.values.model import Answer, Message, ModelIdentity, Usage
from pytest_ragas.values.sample import Sample
from pytest_ragas.values.score import Score

METRICS = ("faithfulness", "answer_relevancy", "context_recall", "answer_similarity")


def stored(folder: Path) -> dict[str, int]:
    store = SQLiteStore(folder / "cache" / "judgements.sqlite3", readonly=True)
    try:
        return dict(store.contents().kinds)
    finally:
        store.close()


def test_a_rerun_of_unchanged_answers_asks_nothing_and_says_the_same(
    openai_server: OpenAIServer, tmp_path: Path
) -> None:
    rows = samples(3)
    plain = Judged(settings(openai_server, tmp_path, cache="off"), rows, METRICS)
    assert not (tmp_path / "cache").exists()
    openai_server.reset()
    first = Judged(settings(openai_server, tmp_path), rows, METRICS)
    asked = len(openai_server.requests)
    assert asked
    again = Judged(settings(openai_server, tmp_path), rows, METRICS)
    assert len(openai_server.requests) == asked
    assert first.scores == again.scores == plain.scores  # evidence and reasons included
    assert not first.failures
    assert (again.counts.found, again.counts.kept) == (12, 0)
    assert first.notes == again.notes == ()


def test_models_that_were_only_replayed_are_named_and_cost_nothing(openai_server: OpenAIServer, tmp_path: Path) -> None:
    first = Judged(settings(openai_server, tmp_path), samples(1), METRICS)
    again = Judged(settings(openai_server, tmp_path), samples(1), METRICS)
    assert [use.usage for use in again.models] == [Usage(), Usage()]
    assert [(use.role, use.identity) for use in again.models] == [(use.role, use.identity) for use in first.models]


def test_only_what_changed_is_asked(openai_server: OpenAIServer, tmp_path: Path) -> None:
    rows = samples(3)
    Judged(settings(openai_server, tmp_path), rows)
    openai_server.reset()
    rows[1] = dataclasses.replace(rows[1], response="It is something else.")
    rows[2] = dataclasses.replace(
        rows[2], id="another-id", reference="Not needed.", tags=("new",), source="x.json row 9"
    )
    Judged(settings(openai_server, tmp_path), rows)
    assert len(openai_server.requests) == 2  # statements and verdicts of the one row
    assert all("something else" in str(request.body) for request in openai_server.requests)


def test_vectors_are_found_text_by_text(openai_server: OpenAIServer, tmp_path: Path) -> None:
    rows = samples(2)
    Judged(settings(openai_server, tmp_path), rows, ["answer_similarity"])
    openai_server.reset()
    changed = [dataclasses.replace(row, response="Something else.") for row in rows]
    Judged(settings(openai_server, tmp_path), changed, ["answer_similarity"])
    assert [request.body["input"] for request in openai_server.embeddings] == [["Something else."]]


def test_a_new_option_is_computed_from_the_stored_answers(openai_server: OpenAIServer, tmp_path: Path) -> None:
    given = settings(openai_server, tmp_path)
    first = Judged(given, samples(2), ["answer_correctness"])
    asked = len(openai_server.requests)
    other = dataclasses.replace(given, metric_options={"answer_correctness": {"weights": [0.25, 0.75]}})
    second = Judged(other, samples(2), ["answer_correctness"])
    assert len(openai_server.requests) == asked
    assert first.scores != second.scores
    assert not second.failures


def test_another_model_or_temperature_is_another_judge(openai_server: OpenAIServer, tmp_path: Path) -> None:
    given = settings(openai_server, tmp_path)
    Judged(given, samples(1))
    for changes in ({"model_name": "judge-2"}, {"generation_config": {"temperature": 0.5}}):
        openai_server.reset()
        critic = dataclasses.replace(given.critic_llm, **changes)  # type: ignore[arg-type]
        Judged(dataclasses.replace(given, critic_llm=critic), samples(1))
        assert len(openai_server.requests) == 2
    openai_server.reset()
    key = dataclasses.replace(given.critic_llm, api_key=Secret("sk-another-key"), headers={}, timeout=5.0)
    Judged(dataclasses.replace(given, critic_llm=key), samples(1))
    assert not openai_server.requests


def test_repeats_of_one_judgement_are_stored_apart(openai_server: OpenAIServer, tmp_path: Path) -> None:
    for _ in range(2):
        session = Session(settings(openai_server, tmp_path), registry())
        plan = session.evaluator().plan(metrics=["faithfulness"], defaults=False)
        metric = plan.metrics[0].metric

        async def thrice(metric: Any = metric) -> list[Score]:
            scores = []
            for repeat in range(3):
                current_repeat.set(repeat)
                scores.append(await metric.score(samples(1)[0]))
            return scores

        assert len(session.engine.wait(session.engine.submit(thrice, order=0))) == 3
        session.close()
    assert len(openai_server.requests) == 6
    assert stored(tmp_path) == {"score": 3, "answer": 6}


def test_failures_are_never_stored(openai_server: OpenAIServer, tmp_path: Path) -> None:
    openai_server.fault("status", status=401, when=lambda body: "land2" in str(body))
    first = Judged(settings(openai_server, tmp_path), samples(3))
    assert [failure.sample_id for failure in first.failures] == ["q2"]
    assert stored(tmp_path) == {"score": 2, "answer": 4}
    openai_server.reset()
    again = Judged(settings(openai_server, tmp_path), samples(3))
    assert not again.failures
    assert len(openai_server.requests) == 2


def test_what_was_paid_for_before_a_failure_is_kept(openai_server: OpenAIServer, tmp_path: Path) -> None:
    openai_server.fault("status", status=401, when=lambda body: "Verdicts" in str(body))
    assert len(Judged(settings(openai_server, tmp_path), samples(2)).failures) == 2
    assert stored(tmp_path) == {"score": 0, "answer": 2}
    openai_server.reset()
    assert not Judged(settings(openai_server, tmp_path), samples(2)).failures
    assert len(openai_server.requests) == 2


def test_an_answer_that_the_metric_cannot_use_is_asked_again_in_the_next_run(
    openai_server: OpenAIServer, tmp_path: Path
) -> None:
    """It has the structure, so that the client takes it; but a verdict on a statement that nobody asked about."""
    fault = openai_server.fault("one_short", when=lambda body: "Verdicts" in str(body))
    first = Judged(settings(openai_server, tmp_path), samples(1))
    assert [failure.kind for failure in first.failures] == ["structure"]
    assert fault.struck
    openai_server.reset()
    assert not Judged(settings(openai_server, tmp_path), samples(1)).failures
    assert openai_server.requests


def test_refresh_asks_for_everything_once_and_replaces_it(openai_server: OpenAIServer, tmp_path: Path) -> None:
    Judged(settings(openai_server, tmp_path), samples(2))
    brain = openai_server.brain
    openai_server.brain = lambda request: (
        {"verdicts": [{**one, "verdict": 0} for one in brain(request)["verdicts"]]}  # type: ignore[index, call-overload]
        if request["title"] == "Verdicts"
        else brain(request)
    )
    openai_server.reset()
    session = Session(settings(openai_server, tmp_path, cache="refresh"), registry())
    evaluator = session.evaluator()
    for _ in range(2):  # two tests of one row
        for row in samples(2):
            (score,) = scored(evaluator, row, "faithfulness")
            assert score.value == 0.0
    session.close()
    assert len(openai_server.requests) == 4
    assert stored(tmp_path) == {"score": 2, "answer": 4}
    openai_server.reset()
    assert [score.value for score in Judged(settings(openai_server, tmp_path), samples(2)).scores] == [0.0, 0.0]
    assert not openai_server.requests


# ---- replay -------------------------------------------------------------------------------------


def keyless(given: Settings) -> Settings:
    """The same settings on a machine that has no keys: `env:NAME` of a variable that is not set."""
    missing = Secret("", "env:NAME", missing="api_key is read from NAME, which is not set.")
    critic = dataclasses.replace(given.critic_llm, api_key=missing, headers={"X-Team": missing})
    assert given.embeddings is not None
    embeddings = dataclasses.replace(given.embeddings, api_key=missing)
    return dataclasses.replace(given, critic_llm=critic, embeddings=embeddings)


def test_replay_needs_neither_server_nor_key(tmp_path: Path) -> None:
    with OpenAIServer() as server:
        first = Judged(settings(server, tmp_path), samples(3), METRICS)
        url = server.url
    replayed = Judged(keyless(settings(url, tmp_path, cache="replay")), samples(3), METRICS)
    assert replayed.scores == first.scores
    assert not replayed.failures


def test_replay_computes_from_stored_answers_what_is_not_stored_as_a_score(tmp_path: Path) -> None:
    with OpenAIServer() as server:
        Judged(settings(server, tmp_path), samples(1), ["answer_correctness"])
        url = server.url
    options = {"answer_correctness": {"weights": [0.5, 0.5]}}
    replayed = Judged(
        settings(url, tmp_path, cache="replay", metric_options=options), samples(1), ["answer_correctness"]
    )
    assert len(replayed.scores) == 1
    assert stored(tmp_path)["score"] == 1  # nothing was written


def missing(tmp_path: Path, rows: Sequence[Sample], **changes: Any) -> str:
    """What the failure of the one row says, without the part that says who asked."""
    with OpenAIServer() as server:
        given = settings(server, tmp_path)
        Judged(given, samples(2), ["faithfulness", "answer_similarity"])
        critic = dataclasses.replace(given.critic_llm, **changes.pop("critic", {}))
        metrics = changes.pop("metrics", ["faithfulness"])
        given = dataclasses.replace(given, cache="replay", critic_llm=critic, **changes)
        asked = len(server.requests)
        judged = Judged(given, rows, metrics)
        assert len(server.requests) == asked
    (failure,) = judged.failures
    assert failure.sample_id == rows[0].id
    assert failure.metric == metrics[0]
    assert failure.kind == ("embeddings" if metrics == ["answer_similarity"] else "critic")
    assert failure.error.startswith(f"{metrics[0]} of row {rows[0].id!r}: ")
    assert "--ragas-cache=replay makes no call" in failure.error
    assert "Record it: run once with --ragas-cache=read-write." in failure.error
    assert len(failure.error) < 800
    return str(failure.error)


def test_a_missing_judgement_says_which_and_where_it_was_looked_for(tmp_path: Path) -> None:
    row = dataclasses.replace(samples(1)[0], id="q9", user_input="What?", response="That.")
    said = missing(tmp_path, [row])
    assert said.startswith("faithfulness of row 'q9': nothing is recorded for this row. --ragas-cache=replay makes no ")
    assert "(no answer is stored for this request for Statements to judge at http://127.0.0.1" in said
    assert said.endswith(f" in {tmp_path / 'cache' / 'judgements.sqlite3'})")


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({"response": "Other."}, "'q1': changed since it was recorded: the response. --ragas"),
        (
            {"response": "Other.", "retrieved_contexts": ["Other."]},
            "changed since it was recorded: the response; the retrieved_contexts. --ragas",
        ),
    ],
)
def test_a_changed_row_is_said_to_be_changed(tmp_path: Path, changes: dict[str, Any], text: str) -> None:
    assert text in missing(tmp_path, [dataclasses.replace(samples(1)[0], **changes)])


def test_a_changed_row_of_a_metric_of_embeddings(tmp_path: Path) -> None:
    row = dataclasses.replace(samples(1)[0], response="Other.")
    said = missing(tmp_path, [row], metrics=["answer_similarity"])
    assert "no vector is stored for the text 'Other.' by embedder at http" in said
    assert "recorded: the response." in said


@pytest.mark.parametrize(
    ("critic", "text"),
    [
        ({"model_name": "judge-2"}, "recorded: name of the critic LLM: judge -> judge-2."),
        ({"generation_config": {"temperature": 0.7}}, "recorded: temperature of the critic LLM: 0 -> 0.7."),
        ({"generation_config": {"seed": 7}}, "recorded: seed of the critic LLM: not given -> 7."),
        ({"api_base": "http://127.0.0.1:9/v1"}, "endpoint of the critic LLM: http://127.0.0.1:"),
    ],
)
def test_another_judge_is_said_to_be_another(tmp_path: Path, critic: dict[str, Any], text: str) -> None:
    assert text in missing(tmp_path, samples(1), critic=critic)


def test_another_version_of_the_metric_is_said_to_be_another(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with OpenAIServer() as server:
        Judged(settings(server, tmp_path), samples(1))
        store = SQLiteStore(tmp_path / "cache" / "judgements.sqlite3")
        store.write([], run="r", forget=[one.key for one in store.everything() if one.kind == "answer"])
        store.close()
        changed = registry()
        spec = changed._specs["native", "faithfulness"]
        changed._specs["native", "faithfulness"] = dataclasses.replace(spec, version="2.abc")
        monkeypatch.setattr("pytest_ragas.metrics.builtin.registry", lambda: changed)
        (failure,) = Judged(settings(server, tmp_path, cache="replay"), samples(1)).failures
    assert f"recorded: the metric's version: {spec.version} -> 2.abc." in failure.error


def test_without_anything_recorded_replay_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(JudgementStoreError, match=r"There is no judgement store .*record what it needs with"):
        Judged(settings("http://127.0.0.1:9/v1", tmp_path, cache="replay"), samples(1))
    assert not (tmp_path / "cache").exists()


def test_off_with_a_cassette_is_a_contradiction(tmp_path: Path) -> None:
    given = settings("http://127.0.0.1:9/v1", tmp_path, cache="off", cassette=str(tmp_path / "c.jsonl"))
    with pytest.raises(ConfigurationError, match="Leave one of them out"):
        Judged(given, samples(1))


# ---- who is stored --------------------------------------------------------------------------------


class OwnLLM:
    """An LLM that somebody wrote themselves."""

    def __init__(self, *, stored: bool | None = None) -> None:
        self.asked = 0
        if stored is not None:
            self.stored = stored

    @property
    def identity(self) -> ModelIdentity:
        return ModelIdentity(provider="mine", name="judge-1")

    async def ask(self, messages: Sequence[Message], schema: JSONSchema) -> Answer:
        self.asked += 1
        if "statements" in schema["properties"]:
            return Answer(value={"statements": ["It is so."]}, raw=' { "statements": ["It is so."] }')
        return Answer(value={"verdicts": [{"number": 1, "reason": "so", "verdict": 1}]}, usage=Usage(calls=1))

    async def aclose(self) -> None:
        """Nothing to let go of."""


def test_what_a_script_says_is_never_stored(tmp_path: Path) -> None:
    """A test that changes what its critic says must see the change."""
    given = Settings(cache_dir=str(tmp_path / "cache"))
    said: dict[str, Any] = {"Statements": {"statements": ["It is so."]}}
    for verdict in (0, 1):
        said["Verdicts"] = {"verdicts": [{"number": 1, "reason": "so", "verdict": verdict}]}
        for _ in range(2):
            critic = ScriptedCritic({**said})
            judged = Judged(given, samples(1), critic=critic)
            assert [score.value for score in judged.scores] == [float(verdict)]
            assert len(critic.requests) == 2
    assert not (tmp_path / "cache").exists()


def test_a_script_answers_in_replay_too(tmp_path: Path) -> None:
    critic = ScriptedCritic(
        {
            "Statements": {"statements": ["It is so."]},
            "Verdicts": {"verdicts": [{"number": 1, "reason": "so", "verdict": 1}]},
        }
    )
    assert Judged(Settings(cache="replay", cache_dir=str(tmp_path)), samples(1), critic=critic).scores


@pytest.mark.parametrize(("says", "asked"), [(None, 2), (True, 2), (False, 4)])
def test_a_model_of_somebodys_own_is_stored_unless_it_says_no(tmp_path: Path, says: bool | None, asked: int) -> None:
    given, critic = Settings(cache_dir=str(tmp_path / "cache")), OwnLLM(stored=says)
    first = Judged(given, samples(1), critic=critic)
    again = Judged(given, samples(1), critic=critic)
    assert first.scores == again.scores
    assert not first.failures
    assert critic.asked == asked


def test_the_embedded_critic_stores_nothing(tmp_path: Path) -> None:
    judged = Judged(Settings(cache_dir=str(tmp_path / "cache")), samples(1), ["faithfulness", "exact_match"])
    assert len(judged.scores) == 2
    assert not (tmp_path / "cache").exists()


class Shouting:
    """A metric of a user, with an LLM."""

    built = 0
    name = "shouting"

    def __init__(self, context: MetricContext) -> None:
        type(self).built += 1
        self._llm: Any = context.critic

    async def score(self, sample: Sample) -> Score:
        schema = {"title": "Shouting", "type": "object", "properties": {"statements": {}}}
        await self._llm.ask([Message(role="user", content=str(sample.response))], schema)
        return Score(metric=self.name, value=1.0 if str(sample.response).isupper() else 0.0)


def shouting(**changes: Any) -> MetricSpec:
    return MetricSpec(
        **{
            "name": "shouting",
            "backend": "native",
            "needs": frozenset({"response"}),
            "uses": frozenset({"llm"}),
            "factory": Shouting,
            "version": "1",
            "summary": "whether it shouts",
            **changes,
        }
    )


def judge_shouting(given: Settings, spec: MetricSpec, critic: OwnLLM) -> list[Score]:
    known = registry()
    known.register(spec)
    session = Session(given, known)
    try:
        return scored(session.evaluator(critic), samples(1)[0], "shouting")
    finally:
        session.close()


def test_a_metric_of_a_user_is_computed_anew_from_stored_answers(tmp_path: Path) -> None:
    """Its author is still changing it; the version would be forgotten."""
    given, critic = Settings(cache_dir=str(tmp_path / "cache")), OwnLLM()
    judge_shouting(given, shouting(), critic)
    built = Shouting.built
    judge_shouting(given, shouting(), critic)
    assert Shouting.built == built + 1
    assert critic.asked == 1


def test_a_metric_that_says_what_it_depends_on_is_not_even_built(tmp_path: Path) -> None:
    given, critic = Settings(cache_dir=str(tmp_path / "cache")), OwnLLM()
    spec = shouting(depends_on=frozenset({"response"}), backend="free")
    first = judge_shouting(given, spec, critic)
    built = Shouting.built
    assert judge_shouting(given, spec, critic) == first
    assert Shouting.built == built
    assert judge_shouting(given, dataclasses.replace(spec, version="2"), critic) == first
    assert Shouting.built == built + 1


class Watched(Sample):
    """A sample that notes which of its fields are looked at."""

    __slots__ = ()

    def __getattribute__(self, name: str) -> Any:
        LOOKED_AT.add(name)
        return super().__getattribute__(name)


LOOKED_AT: set[str] = set()


@pytest.mark.parametrize("spec", SPECS, ids=lambda spec: spec.name)
def test_our_metrics_read_no_field_that_their_scores_are_not_keyed_on(openai_server: OpenAIServer, spec: Any) -> None:
    row = samples(1)[0]
    watched = Watched(**{field.name: getattr(row, field.name) for field in dataclasses.fields(row)})
    session = Session(settings(openai_server, Path("unused"), cache="off"), registry())
    built = session.evaluator().plan(metrics=[spec.name], defaults=False).metrics[0]
    LOOKED_AT.clear()
    with contextlib.suppress(NothingToJudgeError):
        session.engine.wait(session.engine.submit(lambda: built.metric.score(watched), order=0))
    session.close()
    fields = {field.name for field in dataclasses.fields(Sample)}
    assert built.spec.depends_on is not None
    assert LOOKED_AT & fields <= built.spec.depends_on | {"id", "source"}  # these two are for messages


# ---- what goes wrong ------------------------------------------------------------------------------


def test_a_damaged_store_costs_a_warning_in_read_write_and_is_an_error_in_replay(
    openai_server: OpenAIServer, tmp_path: Path
) -> None:
    (tmp_path / "cache").mkdir()
    file = tmp_path / "cache" / "judgements.sqlite3"
    file.write_bytes(b"not a database at all" * 500)
    for _ in range(2):
        judged = Judged(settings(openai_server, tmp_path), samples(1))
        assert len(judged.scores) == 1
        (note,) = judged.notes
        assert str(file) in note
        assert "nothing was deleted" in note
        assert note.endswith("This run goes on without stored judgements.")
    assert len(openai_server.requests) == 4
    with pytest.raises(JudgementStoreError, match="damaged; nothing was deleted"):
        Judged(settings(openai_server, tmp_path, cache="replay"), samples(1))
    assert file.read_bytes() == b"not a database at all" * 500


def test_damage_that_shows_while_reading_costs_one_warning(openai_server: OpenAIServer, tmp_path: Path) -> None:
    Judged(settings(openai_server, tmp_path), samples(40))
    file = tmp_path / "cache" / "judgements.sqlite3"
    data = bytearray(file.read_bytes())
    data[4096:] = b"\xa5" * (len(data) - 4096)  # all but the first page
    file.write_bytes(data)
    openai_server.reset()
    judged = Judged(settings(openai_server, tmp_path), samples(3))
    assert len(judged.scores) == 3
    assert openai_server.requests
    assert len(judged.notes) == 1
    assert str(file) in judged.notes[0]
    with pytest.raises(JudgementStoreError, match=re.escape(str(file))):
        Judged(settings(openai_server, tmp_path, cache="replay"), samples(3))


def test_a_score_that_somebody_edited_is_refused(openai_server: OpenAIServer, tmp_path: Path) -> None:
    cassette = tmp_path / "c.jsonl"
    Judged(settings(openai_server, tmp_path, cassette=str(cassette)), samples(1))
    cassette.write_text(re.sub(r'"value":0\.5', '"value":7', cassette.read_text()))
    with pytest.raises(JudgementStoreError, match="Somebody has edited it; record it anew"):
        Judged(settings(openai_server, tmp_path, cassette=str(cassette), cache="replay"), samples(1))


def test_no_file_of_a_run_holds_a_key(openai_server: OpenAIServer, tmp_path: Path) -> None:
    openai_server.fault("status", status=401, message=f"Incorrect API key provided: {SECRETS[0]}", times=1)
    given = settings(openai_server, tmp_path, cassette=str(tmp_path / "c.jsonl"))
    Judged(given, samples(5), METRICS)
    sent = [request.headers for request in openai_server.requests]
    assert any(SECRETS[0] in str(headers) for headers in sent)  # it was sent
    assert any(SECRETS[1] in str(headers) for headers in sent)
    files = [file for file in tmp_path.rglob("*") if file.is_file()]
    assert len(files) >= 3
    for file in files:
        data = file.read_bytes()
        assert not [secret for secret in SECRETS if secret.encode() in data], file
        assert b"Bearer" not in data
        assert b"authorization" not in data.lower()


def test_two_sessions_at_once_share_one_file(openai_server: OpenAIServer, tmp_path: Path) -> None:
    one = Session(settings(openai_server, tmp_path), registry())
    other = Session(settings(openai_server, tmp_path), registry())
    rows = samples(20)
    first, second = (session.evaluator() for session in (one, other))
    tickets = [
        evaluator.submit(row, evaluator.plan(metrics=["faithfulness"], defaults=False))
        for row in rows
        for evaluator in (first, second)
    ]
    assert all(len(ticket.result().scores) == 1 for ticket in tickets)
    assert one.finish() == other.finish() == ()
    one.close()
    other.close()
    assert stored(tmp_path) == {"score": 20, "answer": 40}


def test_model_settings_keep_their_identity_without_keys() -> None:
    from pytest_ragas.judgements.opening import without_keys
    from pytest_ragas.models.build import build_llm

    given = ModelSettings(
        model_name="judge",
        api_base="https://x.openai.azure.com",
        api_version="2024-10-21",
        api_key=Secret("k"),
        headers={"A": "b"},
    )
    assert build_llm(without_keys(given)).identity == build_llm(given).identity
    assert without_keys(ModelSettings(model_name="judge", api_base="http://h/v1")).api_key is None
