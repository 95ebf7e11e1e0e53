"""`CausalLikelihoods`: any causal language model as a likelihood critic. Reads; generates nothing."""

from __future__ import annotations

import asyncio
import copy
import functools
import queue
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import replace

from pytest_ragas.errors import ModelError, PytestRagasError, RejectedRequestError, cut
from pytest_ragas.models.local.likelihood_text import Texts
from pytest_ragas.models.local.load import LoadedLM, check_options, given_identity, is_out_of_memory, load_causal_lm
from pytest_ragas.models.local.prefix_reader import PrefixReader
from pytest_ragas.models.local.stopping import stop_when
from pytest_ragas.models.threads import deliver
from pytest_ragas.settings.values import ModelSettings
from pytest_ragas.values.likelihood import Likelihood
from pytest_ragas.values.model import ModelIdentity

PROVIDER = "likelihood"

NOTE = (
    "likelihood is a share of surprisal that the contexts explain, not a verdict: best compared with the suite's own "
    "baseline; its scores do not compare with those that an LLM gives"
)

_LINGER = 0.003
"""Seconds to wait for further requests once one is there: the metrics of one sample ask at the same time."""


class CausalLikelihoods:
    """A causal language model of transformers that reads statements. Satisfies `LikelihoodCritic`.

    The model is loaded when first needed, in a thread of its own that also does all the reading, first come first
    served. Requests about the same contexts and question that wait at the same time are read together: contexts
    once, and the statements behind them in batches. What nobody waits for any more is not read.
    """

    notes = (NOTE,)
    """What every report says beside its scores."""

    def __init__(self, settings: ModelSettings, *, load: Callable[[ModelSettings], LoadedLM] = load_causal_lm) -> None:
        """
        Args:
            settings: `model_name_or_path` and the options of a local LLM.
            load: Loads the model; blocking, called in the reading thread.

        Raises:
            ConfigurationError: An option that does not exist.
        """
        check_options(settings)
        self._settings = settings
        self._load = load
        self._waiting: queue.SimpleQueue[_Request | None] = queue.SimpleQueue()
        self._thread: threading.Thread | None = None
        self._lock = threading.Lock()
        self._closed = False
        self._reader: _Reader | None = None
        self._failed: PytestRagasError | None = None

    @functools.cached_property
    def _identity(self) -> ModelIdentity:
        return replace(given_identity(self._settings, {}), provider=PROVIDER)

    @property
    def identity(self) -> ModelIdentity:
        """Provider "likelihood", the model as the settings name it, and what decides its numbers.

        Nothing is loaded to know it, so that stored scores are found without torch.
        """
        return self._identity

    async def likelihoods(
        self, statements: Sequence[str], *, context: str, question: str = "", yes_no: bool = False
    ) -> Sequence[Likelihood]:
        """How likely each statement is, without and with the context.

        Raises:
            ConfigurationError: The model cannot be loaded.
            RejectedRequestError: Context and statement are longer than what the model can read. Nothing is cut.
            ModelError: No memory is left, the critic was closed, or the model failed.
        """
        if not statements:
            return ()
        request = _Request(tuple(statements), context, question, yes_no)
        with self._lock:
            if self._closed:
                raise ModelError(f"{self.identity} was closed before it was asked.")
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="ragas-likelihood", daemon=True)
                self._thread.start()
            self._waiting.put(request)
        try:
            return await request.future
        finally:
            request.wanted = False

    async def aclose(self) -> None:
        """Let the thread end after the pass through the model that it makes now, and let go of the model."""
        with self._lock:
            self._closed = True
            self._waiting.put(None)
            thread = self._thread
        end = time.monotonic() + 1.0
        while thread is not None and thread.is_alive() and time.monotonic() < end:
            await asyncio.sleep(0.005)

    # what follows runs in the reading thread only

    def _run(self) -> None:
        waiting: list[_Request] = []
        stop_when(lambda: self._closed)
        while not self._closed:
            waiting = [request for request in waiting if request.wanted] or self._first()
            waiting += self._more()
            if waiting and not self._closed:
                about = waiting[0].about
                self._answer([request for request in waiting if request.about == about])
                waiting = [request for request in waiting if request.about != about]
        self._reader = None
        for request in [*waiting, *self._more()]:
            request.fail(ModelError(f"{self.identity} was closed before it answered."))

    def _first(self) -> list[_Request]:
        request = self._waiting.get()
        if request is not None:
            time.sleep(_LINGER)
        return [request] if request is not None else []

    def _more(self) -> list[_Request]:
        found: list[_Request] = []
        while True:
            try:
                request = self._waiting.get_nowait()
            except queue.Empty:
                return found
            if request is not None:
                found.append(request)

    def _answer(self, requests: Sequence[_Request]) -> None:
        """Read what requests about the same contexts and question ask, and tell each of them."""

        def go_on() -> bool:
            return not self._closed and any(request.wanted for request in requests)

        try:
            reader = self._loaded()
            fitting = [request for request in requests if reader.fits(request)]
            statements = list(dict.fromkeys(text for request in fitting for text in request.statements))
            found = reader.read(requests[0], statements, go_on) if statements else {}
        except BaseException as error:
            for request in requests:
                request.fail(self._told(error))
            return
        for request in fitting:
            if found is None:
                request.fail(ModelError(f"{self.identity} was closed before it answered."))
            else:
                request.answer([found[text] for text in request.statements])

    def _loaded(self) -> _Reader:
        if self._failed is not None:
            raise self._failed.with_traceback(None)
        if self._reader is None:
            try:
                self._reader = _Reader(self._load(self._settings), str(self.identity))
            except PytestRagasError as error:
                self._failed = error  # looking for weights again for each row would take minutes
                raise
        return self._reader

    def _told(self, error: BaseException) -> BaseException:
        if isinstance(error, PytestRagasError):
            return error
        if is_out_of_memory(error):
            told = ModelError(
                f"No memory is left to read with {self.identity}. Take fewer or shorter contexts, a smaller model, or "
                'dtype = "bfloat16".'
            )
        else:
            told = ModelError(f"{self.identity} failed while it read ({cut(f'{type(error).__name__}: {error}')}).")
        told.__cause__ = error
        return told


class _Request:
    """What one caller asks, and the future on the caller's loop that waits for it."""

    def __init__(self, statements: tuple[str, ...], context: str, question: str, yes_no: bool) -> None:
        self.statements = statements
        self.about = (context, question, yes_no)
        """What requests that are read together have in common."""
        self.wanted = True
        self._loop = asyncio.get_running_loop()
        self.future: asyncio.Future[Sequence[Likelihood]] = self._loop.create_future()

    def answer(self, likelihoods: Sequence[Likelihood]) -> None:
        deliver(self._loop, self.future, result=likelihoods)

    def fail(self, error: BaseException) -> None:
        deliver(self._loop, self.future, error=error)


class _Reader:
    """A loaded model, and how texts are put to it."""

    def __init__(self, loaded: LoadedLM, name: str) -> None:
        # a copy: the tokenizer of an LLM in another thread pads, and the two settings would meet
        self._texts = Texts(copy.deepcopy(loaded.tokenizer))
        self._loaded = loaded
        self._passes = PrefixReader(loaded.model, device=loaded.device, pad=self._texts.filler)
        self._name = name

    def fits(self, request: _Request) -> bool:
        """Whether the model can read a request; the request is told if it cannot."""
        context, question, yes_no = request.about
        beginning = len(self._texts.beginning(context, question, yes_no=yes_no))
        longest = max(len(self._texts.statement(text, question, yes_no=yes_no).ids) for text in request.statements)
        needed, most = beginning + longest, self._loaded.context_length
        if needed > most:
            request.fail(
                RejectedRequestError(
                    f"The contexts and question are {beginning:,} tokens and the longest statement {longest:,}, but "
                    f"{self._name} reads {most:,} at most. Nothing was cut: retrieve fewer or shorter contexts, or "
                    "take a model that reads more."
                )
            )
        return needed <= most

    def read(
        self, request: _Request, statements: Sequence[str], go_on: Callable[[], bool]
    ) -> dict[str, Likelihood] | None:
        """What the model says of statements; None where it was told not to go on."""
        context, question, yes_no = request.about
        texts = [self._texts.statement(text, question, yes_no=yes_no) for text in statements]
        suffixes = [text.suffix for text in texts]
        read = []
        for shown in (context, None):
            beginning = self._texts.beginning(shown, question, yes_no=yes_no)
            readings = self._passes.read(beginning, suffixes, go_on=go_on)
            if readings is None:
                return None
            read.append(readings)
        return {
            statement: Likelihood(
                statement=statement,
                tokens=text.pieces,
                alone=alone.logprobs,
                given=given.logprobs,
                yes=given.odds,
                yes_alone=alone.odds,
            )
            for statement, text, given, alone in zip(statements, texts, *read, strict=True)
        }
