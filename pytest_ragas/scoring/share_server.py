"""`ShareServer`: deals out one limit of calls to the processes of a run, by what each can use at the moment; and keeps
the one purse of their budget.

What one gives up is given to another only when the first has said that it is free: the sum of what processes may use
never exceeds the limit.
"""

from __future__ import annotations

import hmac
import logging
import queue
import secrets
import selectors
import threading
from dataclasses import dataclass
from socket import AF_INET, SOCK_STREAM, socketpair
from socket import socket as Socket
from typing import Any

from pytest_ragas.scoring.run_ledger import RunLedger
from pytest_ragas.scoring.share_lines import HOST, BrokenLineError, Line
from pytest_ragas.scoring.shares import fair_shares, static_share
from pytest_ragas.values.spent import Spent

_TURN = 1.0
"""Seconds after which it is the next one's turn, where there is not one call for each."""

_ANSWERED = 2.0
"""Seconds that the server has to say something to its own process."""

log = logging.getLogger("pytest_ragas.shares")


@dataclass(slots=True)
class _Worker:
    """What the server knows of one process."""

    line: Line | None
    limit: int = 0
    """What it was told last."""
    number: int = 0
    """Of that message."""
    granted: int = 0
    """What it may be using: more than `limit` until it has said that it is not."""
    want: int = 0


class ShareServer:
    """Listens on the loopback interface, in a thread of its own; whoever connects must know the token.

    Attributes:
        port: Where it listens.
        token: What a worker says first.
    """

    def __init__(self, workers: int) -> None:
        """
        Args:
            workers: How many processes will share the limit, for those that never connect.
        """
        self._count = workers
        self._limit = 0
        self._ledger = RunLedger(workers)
        self._turn = 0
        self._stopped = False
        self._workers: dict[str, _Worker] = {}
        self._commands: queue.SimpleQueue[tuple[str, str]] = queue.SimpleQueue()
        self._answers: queue.SimpleQueue[queue.SimpleQueue[Spent]] = queue.SimpleQueue()
        self._listener = Socket(AF_INET, SOCK_STREAM)
        self._listener.bind((HOST, 0))
        self._listener.listen(128)
        self._wake, self._woken = socketpair()
        self._selector = selectors.DefaultSelector()
        self._selector.register(self._listener, selectors.EVENT_READ)
        self._selector.register(self._woken, selectors.EVENT_READ)
        self.port: int = self._listener.getsockname()[1]
        self.token = secrets.token_hex(16)
        self._thread = threading.Thread(target=self._main, name="ragas-shares", daemon=True)
        self._thread.start()

    # ---- for the main thread --------------------------------------------------------------------

    def reserve(self, worker: str) -> None:
        """A worker that cannot connect, on another machine, has its static share of limit and budget."""
        self._command("reserve", worker)

    def forget(self, worker: str) -> None:
        """A worker has ended, well or not: what it had is free."""
        self._command("forget", worker)

    def spent(self) -> Spent | None:
        """What the run has spent through this server; None where it does not answer any more."""
        answer: queue.SimpleQueue[Spent] = queue.SimpleQueue()
        self._answers.put(answer)
        self._command("spent", "")
        try:
            return answer.get(timeout=_ANSWERED if self._thread.is_alive() else 0)
        except queue.Empty:
            return None

    def stop_workers(self) -> None:
        """Tell every worker that the run is over, and that it need not wait for scores."""
        self._command("stop", "")

    def close(self) -> None:
        """End the thread. May be called twice."""
        self._command("close", "")
        self._thread.join(2)

    def _command(self, name: str, worker: str) -> None:
        self._commands.put((name, worker))
        try:
            self._wake.send(b".")
        except OSError:  # closed
            pass

    # ---- in its thread --------------------------------------------------------------------------

    def _main(self) -> None:
        try:
            while self._serve():
                pass
        except Exception:  # workers fall back to static shares
            log.exception("the limit of calls is no longer shared by demand")
        finally:
            for worker in self._workers.values():
                if worker.line is not None:
                    worker.line.close()
            for connection in (self._listener, self._wake, self._woken):
                connection.close()
            self._selector.close()

    def _serve(self) -> bool:
        """One round; whether another follows."""
        events = self._selector.select(_TURN if self._crowded() else None)
        if not events:
            self._turn += 1
        for key, _ in events:
            if key.fileobj is self._listener:
                self._accept()
            elif key.fileobj is self._woken:
                self._woken.recv(1_024)
            else:
                self._hear(key.data)
        while not self._commands.empty():
            name, worker = self._commands.get()
            if name == "close":
                return False
            self._obey(name, worker)
        self._deal()
        return True

    def _accept(self) -> None:
        connection, _ = self._listener.accept()
        connection.setblocking(False)
        self._selector.register(connection, selectors.EVENT_READ, [Line(connection), ""])

    def _hear(self, data: list[Any]) -> None:
        line: Line = data[0]
        try:
            for message in line.receive():
                if not data[1]:
                    data[1] = self._greeted(line, message)
                elif "purse" in message:
                    self._ledger.told(data[1], message, say=line.send)
                else:
                    self._told(self._workers[data[1]], message)
        except (BrokenLineError, KeyError, TypeError, ValueError):
            self._hang_up(line, data[1])

    def _greeted(self, line: Line, message: dict[str, Any]) -> str:
        if not hmac.compare_digest(str(message["token"]), self.token):
            raise BrokenLineError("a stranger")
        self._limit = int(message["limit"])
        name = str(message["worker"])
        if "budget" in message:
            self._ledger.open(message["budget"])
        self._workers[name] = _Worker(line=line)
        if self._stopped:
            line.send(stop=True)
        return name

    def _told(self, worker: _Worker, message: dict[str, Any]) -> None:
        worker.want = max(0, int(message["want"]))
        # an answer to an older message says nothing about what it was told since
        if message["number"] == worker.number:
            worker.granted = max(worker.limit, int(message["have"]))

    def _hang_up(self, line: Line, name: str) -> None:
        self._selector.unregister(line.connection)
        line.close()
        worker = self._workers.get(name)
        if worker is not None and worker.line is line:
            self._ledger.lose(name)
            self._reserve(name)  # it may live, and then uses its static share

    def _obey(self, command: str, name: str) -> None:
        worker = self._workers.get(name)
        if command == "reserve":
            self._ledger.set_apart(name)
            self._reserve(name)
        elif command == "spent":
            self._answers.get().put(self._ledger.spent)
        elif command == "forget" and worker is not None:
            if worker.line is not None:
                self._hear_out(worker.line, name)
            self._workers.pop(name, None)
        elif command == "stop":
            self._stopped = True
            for other in self._workers.values():
                self._say(other, stop=True)

    def _hear_out(self, line: Line, name: str) -> None:
        """A worker has ended: what it said last is still to be read, of what it has paid above all."""
        while self._workers[name].line is line:
            said = [key.data for key, _ in self._selector.select(0) if key.fileobj is line.connection]
            if not said:  # it has not closed its end yet, but it judges nothing any more
                self._hang_up(line, name)
                return
            self._hear(said[0])

    def _reserve(self, name: str) -> None:
        worker = self._workers.setdefault(name, _Worker(line=None))
        worker.line, worker.want = None, 0

    def _crowded(self) -> bool:
        return sum(worker.want > 0 for worker in self._workers.values()) > self._limit > 0

    def _deal(self) -> None:
        """Tell everybody what is to be given up, and who may use what is free."""
        silent = [worker for worker in self._workers.values() if worker.line is None]
        talking = [worker for worker in self._workers.values() if worker.line is not None]
        for number, worker in enumerate(silent):
            worker.granted = static_share(self._limit, self._count, number)
        there = max(0, self._limit - sum(worker.granted for worker in silent))
        shares = fair_shares(there, [worker.want for worker in talking], turn=self._turn)
        for worker, share in zip(talking, shares, strict=True):
            if share < worker.limit:
                self._tell(worker, share)
        free = self._limit - sum(worker.granted for worker in self._workers.values())
        for worker, share in zip(talking, shares, strict=True):
            # up to what it still has, a higher limit takes nothing from anybody
            share = min(share, worker.granted + max(0, free))
            if share > worker.limit:
                free -= max(0, share - worker.granted)
                worker.granted = max(worker.granted, share)
                self._tell(worker, share)

    def _tell(self, worker: _Worker, limit: int) -> None:
        worker.limit = limit
        worker.number += 1
        self._say(worker, limit=limit, number=worker.number)

    def _say(self, worker: _Worker, **message: Any) -> None:
        if worker.line is not None:
            try:
                worker.line.send(**message)
            except BrokenLineError:
                pass  # its end is heard next
