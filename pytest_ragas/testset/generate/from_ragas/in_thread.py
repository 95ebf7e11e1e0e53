"""Ragas' generator is synchronous and runs event loops of its own: it needs a thread, and a quiet one."""

from __future__ import annotations

import asyncio
import contextlib
import contextvars
import functools
import importlib
import logging
import os
import random
import threading
from collections.abc import Callable, Iterator
from typing import Any, TypeVar

from pytest_ragas.libraries.ragas_door import ragas_modules

T = TypeVar("T")

# a handler that does nothing: without any, Python prints ragas' errors, which we raise, on standard error
logging.getLogger("ragas").addHandler(logging.NullHandler())


async def in_thread(work: Callable[[], T]) -> T:
    """The result of work in a thread of its own, in which no event loop runs.

    The thread is a daemon: whoever stops waiting does not wait for ragas at the end of the process either.
    """
    loop = asyncio.get_running_loop()
    future: asyncio.Future[T] = loop.create_future()
    context = contextvars.copy_context()

    def settle(outcome: T | None, error: BaseException | None) -> None:
        if future.done():  # nobody waits any more
            return
        if error is not None:
            future.set_exception(error)
        else:
            future.set_result(outcome)  # type: ignore[arg-type]  # None only where T is

    def run() -> None:
        outcome, failed = None, None
        try:
            with _quietly():
                outcome = context.run(work)
        except BaseException as error:
            failed = error
        with contextlib.suppress(RuntimeError):  # the loop is closed: nobody waits any more
            loop.call_soon_threadsafe(functools.partial(settle, outcome, failed))

    threading.Thread(target=run, name="ragas-testset-generator", daemon=True).start()
    return await future


@contextlib.contextmanager
def seeded(*what: object) -> Iterator[None]:
    """Ragas shuffles with the random numbers of the whole process: inside, `what` decides them; then they go on."""
    numpy: Any = importlib.import_module("numpy")
    seed = " ".join(map(str, what))
    before, before_numpy = random.getstate(), numpy.random.get_state()
    random.seed(seed)
    numpy.random.seed(random.getrandbits(32))
    try:
        yield
    finally:
        random.setstate(before)
        numpy.random.set_state(before_numpy)


@contextlib.contextmanager
def _quietly() -> Iterator[None]:
    """No bar for each of ragas' steps, and no telemetry: nothing that ragas takes as an argument says either."""
    names = ("utils", "prompt.pydantic_prompt", "testset.synthesizers.generate")
    utils, prompt, generate = map(vars, ragas_modules(*names, what="Ragas' generator"))
    bar = utils["tqdm"]
    replaced: list[tuple[dict[str, Any], str, Any]] = [
        (utils, "tqdm", lambda **options: bar(**{**options, "disable": True}))
    ]
    if os.environ.get("RAGAS_DO_NOT_TRACK") == "true":
        # they are sent nowhere, but whoever makes one makes a file with an id of the user, and leaves it open
        replaced += [(prompt, "PromptUsageEvent", _nothing), (generate, "TestsetGenerationEvent", _nothing)]
    before = [(module, name, module[name]) for module, name, _ in replaced]
    for module, name, replacement in replaced:
        module[name] = replacement
    try:
        yield
    finally:
        for module, name, value in before:
            module[name] = value


def _nothing(**_: Any) -> None:
    """In place of an event."""
