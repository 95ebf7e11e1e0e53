"""A session for one command: closed in the end, with what was answered stored, also after Ctrl-C."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pytest_ragas.session.session import Session
    from pytest_ragas.settings.values import Settings

CRITIC_STORED = "what the critic answered is stored; run it again to go on"


@contextlib.contextmanager
def open_session(settings: Settings, *, interrupted: str = CRITIC_STORED) -> Iterator[Session]:
    """The session of these settings with every built-in metric.

    Args:
        settings: Of the command.
        interrupted: What is said after Ctrl-C.
    """
    from pytest_ragas.metrics.builtin import registry
    from pytest_ragas.session.session import Session

    session = Session(settings, registry())
    try:
        yield session
    except KeyboardInterrupt:
        print(f"interrupted: {interrupted}", file=sys.stderr)
        raise
    finally:
        for note in session.finish():
            print(f"warning: {note}", file=sys.stderr)
        session.close()
