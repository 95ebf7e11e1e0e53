"""Metrics over real HTTP on a clock that jumps: a fault befalls one request of each metric, and requests are counted.

One event loop runs every case of a fault at once, against a real server in a thread of its own. Wherever the code under
test sleeps (backoff, `Retry-After`, time-outs) the clock jumps, but only while no request is under way, or those that
are will never be answered: so nothing depends on how fast the machine is, and every count is exact.
"""

from __future__ import annotations

import asyncio
import json
import selectors
from collections import Counter
from collections.abc import Coroutine, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal, TypeVar

from openai_server.faults import Fault
from openai_server.server import OpenAIServer, read_request

from pytest_ragas.errors import ModelError
from pytest_ragas.metrics.builtin import registry
from pytest_ragas.metrics.registry import BuiltMetric
from pytest_ragas.models.endpoint import Endpoint, endpoint_of
from pytest_ragas.models.openai_api import OpenAIChat, OpenAIEmbeddings
from pytest_ragas.models.transport import HTTPTransport, Reply
from pytest_ragas.scoring.calls import GuardedEmbeddings, GuardedLLM
from pytest_ragas.scoring.limits import Limiter
from pytest_ragas.scoring.meter import Meter
from pytest_ragas.scoring.retry import Retry
from pytest_ragas.scoring.score import score_sample
from pytest_ragas.settings.values import ModelSettings
from pytest_ragas.values.sample import Sample
from pytest_ragas.values.score import Score, ScoreFailure

T = TypeVar("T")
Results = list[tuple[tuple[Score, ...], tuple[ScoreFailure, ...]]]
"""Scores and failures of each row."""
Mode = Literal["json_schema", "json_object", "tools", "text"]
MODES: tuple[Mode, ...] = ("json_schema", "json_object", "tools", "text")

TIMEOUT = 30.0
"""Seconds that one request may take."""
SOON, LATE = 1.0, 5.0
"""Seconds after which an answer is heard. The one that the fault befalls comes last, so that it is known what else was
asked by then: everything that does not depend on it."""

SAMPLE = Sample(
    id="row-1",
    source="testset.json row 1",
    user_input="Where was Marie Curie born?",
    response="Marie Curie was born in Warsaw. The year was 1867.",
    retrieved_contexts=[
        "Marie Curie was born in Warsaw.",
        "The Vistula flows through Warsaw.",
        "Curie lived in Paris.",
    ],
    reference="Marie Curie was born in Warsaw in Poland. The year of it was 1867.",
)


@dataclass(frozen=True, kw_only=True)
class Case:
    """One metric, asked in one way, and which of its requests the fault befalls."""

    metric: str
    mode: Mode
    struck: str = ""
    """The title of the structure, or "embeddings"; the first request of that kind is meant. Empty: none."""
    options: tuple[tuple[str, Any], ...] = ()

    @property
    def id(self) -> str:
        """What the requests of this case carry as `user`."""
        return " ".join([self.metric, *(f"{name}={value}" for name, value in self.options), self.mode, self.struck])


@dataclass(frozen=True, kw_only=True)
class Ended:
    """How a case ended."""

    case: Case
    result: Score | ScoreFailure
    requests: int
    """That the server got."""
    metered: int
    """That we say we made."""
    seconds: float
    """On the clock that jumps."""


class World:
    """A server, a clock, and cases that run on both."""

    def __init__(self, server: OpenAIServer) -> None:
        self.server = server
        self.flying = 0
        self.timed_out = 0
        self._struck: dict[str, str] = {}
        self._wires: list[HTTPTransport] = []

    def run(self, cases: Sequence[Case], fault: Fault | None = None) -> list[Ended]:
        """Run all cases at once; raises where a real loop would hang."""
        if fault is not None:
            befalls = fault.when
            fault.when = lambda body: self.is_struck(body) and befalls(body)
            fault.route = "any"
        ended = self._run(self._all(cases), [fault] if fault else [])
        # what was answered too late to be heard must not be counted either
        requests = Counter(str(request.body["user"]) for request in self.server.requests)
        return [Ended(**{**vars(one), "requests": requests[one.case.id]}) for one in ended]

    def score(self, rows: Sequence[Sample], metrics: Sequence[str], faults: Sequence[Fault] = ()) -> Results:
        """Score every row at once with every metric, 16 requests in flight; what befalls them is up to `faults`."""
        return self._run(self._score(rows, metrics), faults)

    async def _score(self, rows: Sequence[Sample], metrics: Sequence[str]) -> Results:
        root = Limiter(16)
        built = [self._built(Case(metric=metric, mode="json_schema"), root, Meter()) for metric in metrics]
        return await asyncio.gather(*(score_sample(row, built) for row in rows))

    def _run(self, work: Coroutine[Any, Any, T], faults: Sequence[Fault]) -> T:
        self.server.reset()
        self.server.faults.extend(faults)
        self._struck.clear()
        self.flying = self.timed_out = 0
        loop = _Loop(self)
        try:
            return loop.run_until_complete(self._tidy(work))
        finally:
            loop.close()

    async def _tidy(self, work: Coroutine[Any, Any, T]) -> T:
        result = await work
        while self._wires:
            await self._wires.pop().aclose()
        for _ in range(5):  # connections that were closed are gone some steps later
            await asyncio.sleep(0)
        return result

    async def _all(self, cases: Sequence[Case]) -> list[Ended]:
        return list(await asyncio.gather(*(self._one(case) for case in cases)))

    async def _one(self, case: Case) -> Ended:
        meter = Meter()
        built = self._built(case, Limiter(16), meter)
        began = asyncio.get_running_loop().time()
        scores, failures = await score_sample(SAMPLE, [built])
        seconds = asyncio.get_running_loop().time() - began
        [result] = [*scores, *failures]
        assert meter.in_flight == 0
        return Ended(case=case, result=result, requests=0, metered=meter.usage.calls, seconds=seconds)

    def _built(self, case: Case, root: Limiter, meter: Meter) -> BuiltMetric:
        base = ModelSettings(api_base=self.server.url, timeout=TIMEOUT, generation_config={"user": case.id})
        chat = replace(base, model_name="judge", structure=case.mode)
        llm = OpenAIChat(chat, transport=_Wire(self, endpoint_of(chat)))
        embedder = OpenAIEmbeddings(replace(base, model_name="embedder"), transport=_Wire(self, endpoint_of(base)))
        # as `Session` puts them together
        return registry().build(
            case.metric,
            critic=GuardedLLM(llm, limiter=root.child(), retry=Retry.for_timeout(TIMEOUT), meter=meter),
            embeddings=GuardedEmbeddings(embedder, limiter=root.child(), retry=Retry.for_timeout(TIMEOUT), meter=meter),
            options=dict(case.options),
        )

    def is_struck(self, body: dict[str, Any]) -> bool:
        """Whether the fault befalls this request, which may be asked a second and a third time."""
        case, kind, key = key_of(body)
        return self._struck.get(case) == key and case.endswith(f" {kind}")

    def note(self, body: dict[str, Any]) -> None:
        """A request is about to be sent: the first one of its kind is the one to strike."""
        case, kind, key = key_of(body)
        if case.endswith(f" {kind}"):
            self._struck.setdefault(case, key)

    @property
    def at_rest(self) -> bool:
        """Whether nothing that is under way will be answered."""
        hung = sum(fault.struck for fault in self.server.faults if fault.kind == "hang")
        return self.flying == hung - self.timed_out


def key_of(body: dict[str, Any]) -> tuple[str, str, str]:
    """Case, kind and content of a request."""
    if "input" in body:
        return str(body["user"]), "embeddings", json.dumps(body["input"])
    messages = body["messages"][:2]  # what follows is what was wrong with an answer
    title = read_request({**body, "messages": messages})["title"]
    return str(body["user"]), title, json.dumps(messages)


class _Wire(HTTPTransport):
    """The real transport; it only tells the world what is under way, and when to hear the answer."""

    def __init__(self, world: World, endpoint: Endpoint) -> None:
        super().__init__(endpoint, timeout=TIMEOUT)
        self._world = world
        world._wires.append(self)

    async def post(self, url: str, body: bytes) -> Reply:
        world, sent = self._world, json.loads(body)
        world.note(sent)
        world.flying += 1
        try:
            return await super().post(url, body)
        except ModelError as error:
            world.timed_out += "gave no answer within" in str(error)
            raise
        finally:
            world.flying -= 1
            await asyncio.sleep(LATE if world.is_struck(sent) else SOON)


class _Selector(selectors.DefaultSelector):
    """Moves the clock to the next timer where there is nothing to wait for."""

    def __init__(self, world: World) -> None:
        super().__init__()
        self.world = world
        self.now = 0.0

    def select(self, timeout: float | None = None) -> Any:
        at_rest = self.world.at_rest  # before looking: what arrives afterwards is seen the next time
        events = super().select(0)
        if events or timeout == 0:
            return events
        if not at_rest:
            return super().select(0.002)
        if timeout is None:
            raise RuntimeError("nothing will ever happen again: it hangs")
        self.now += timeout
        return []


class _Loop(asyncio.SelectorEventLoop):
    def __init__(self, world: World) -> None:
        self._jumps = _Selector(world)
        super().__init__(self._jumps)

    def time(self) -> float:
        return self._jumps.now
