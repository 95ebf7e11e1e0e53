"""The engine at the end of a process, after a fork, under Ctrl-C: in processes of their own, warnings as errors."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import pytest

HEAD = """
import asyncio, logging, os, sys, threading, time
from pytest_ragas.scoring.engine import Engine

# asyncio's debug mode warns of slow callbacks on a machine under load; what would be our fault are errors
logging.getLogger("asyncio").setLevel(logging.ERROR)
engine = Engine(concurrency=4)

async def give(value):
    return value

async def forever():
    await asyncio.Event().wait()
"""


def process(script: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [
            sys.executable,
            "-X",
            "dev",
            "-W",
            "error",
            "-W",
            "ignore:This process:DeprecationWarning",
            "-c",
            HEAD + textwrap.dedent(script),
        ],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def run(script: str) -> tuple[int, str, str]:
    child = process(script)
    try:
        out, err = child.communicate(timeout=60)
    finally:
        child.kill()
    return child.returncode, out, err


@pytest.mark.parametrize(
    "script",
    [
        pytest.param("", id="never started"),
        pytest.param("engine.close()", id="closed unstarted"),
        pytest.param("print(engine.wait(engine.submit(lambda: give(1), order=0)))", id="not closed"),
        pytest.param("engine.submit(forever, order=0); time.sleep(0.1)", id="in flight, not closed"),
        pytest.param("engine.submit(forever, order=0); engine.close()", id="closed at once"),
        pytest.param(
            "[engine.submit(forever, order=n) for n in range(500)]; time.sleep(0.1); engine.close()", id="many"
        ),
        pytest.param(
            "engine.submit(lambda: asyncio.to_thread(time.sleep, 600), order=0); time.sleep(0.1)", id="thread"
        ),
        pytest.param(
            """
            async def neglected():
                asyncio.ensure_future(forever())
                asyncio.ensure_future(give(1))
            engine.wait(engine.submit(neglected, order=0))
            """,
            id="background tasks",
        ),
        pytest.param(
            """
            async def numbers():
                try:
                    yield 1
                    await forever()
                finally:
                    await asyncio.sleep(0)
            async def work():
                async for number in numbers():
                    break
                await forever()
            engine.submit(work, order=0); time.sleep(0.1)
            """,
            id="async generator",
        ),
    ],
)
def test_the_process_ends_without_a_word(script: str) -> None:
    code, _, err = run(script)
    assert (code, err) == (0, "")


def test_clients_are_closed_at_exit_also_if_nobody_closes_the_engine() -> None:
    code, out, err = run(
        """
        async def closer():
            print("client closed")
        engine.on_close(closer)
        engine.wait(engine.submit(lambda: give(1), order=0))
        print("end of the script")
        """
    )
    assert (code, out, err) == (0, "end of the script\nclient closed\n", "")


def test_a_job_that_blocks_for_ever_does_not_keep_the_process_alive() -> None:
    code, out, err = run(
        """
        began = threading.Event()
        async def blocking():
            began.set()
            time.sleep(600)
        engine.submit(blocking, order=0)
        began.wait()
        engine.close()
        print("closed")
        """
    )
    assert (code, out) == (0, "closed\n")
    assert err == "thread ragas-engine did not end within 2 s: something blocks it\n"


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
@pytest.mark.parametrize("closed_in_the_child", [True, False])
def test_a_forked_child_has_an_engine_of_its_own_and_the_parent_keeps_its(closed_in_the_child: bool) -> None:
    code, out, err = run(
        f"""
        stuck = engine.submit(forever, order=0)
        print(engine.wait(engine.submit(lambda: give("parent"), order=0)), flush=True)
        pid = os.fork()
        if pid == 0:
            print(engine.stats().running, engine.wait(engine.submit(lambda: give("child"), order=0)), flush=True)
            import gc
            gc.collect()
            if {closed_in_the_child}:
                engine.close()
            sys.exit(0)
        assert os.waitpid(pid, 0)[1] == 0
        print(engine.stats().running, engine.wait(engine.submit(lambda: give("parent again"), order=0)))
        """
    )
    assert (code, err) == (0, "")
    assert out.splitlines() == ["parent", "0 child", "1 parent again"]


@pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX")
def test_ctrl_c_gets_through_a_wait_and_the_process_ends(tmp_path: Path) -> None:
    child = process(
        f"""
        future = engine.submit(forever, order=0)
        open({str(tmp_path / "ready")!r}, "w").close()
        try:
            engine.wait(future)
        except KeyboardInterrupt:
            print("interrupted", flush=True)
        engine.close()
        print(future.cancelled())
        """
    )
    try:
        while not (tmp_path / "ready").exists():
            assert child.poll() is None
            time.sleep(0.01)
        time.sleep(0.2)
        child.send_signal(signal.SIGINT)
        out, err = child.communicate(timeout=60)
    finally:
        child.kill()
    assert (out, err) == ("interrupted\nTrue\n", "")
