"""How numbers are written in reports: rounded once, here, and never so that two different ones look the same."""

from __future__ import annotations


def score(value: float | None) -> str:
    """A score or a mean of scores; "-" where there is none."""
    return "-" if value is None else f"{value:.2f}"


def against(value: float, bound: float) -> tuple[str, str]:
    """A value and the bound that it is compared with, with as many digits as tell them apart (two to six)."""
    for digits in range(2, 7):
        texts = f"{value:.{digits}f}", f"{bound:.{digits}f}"
        if value == bound or texts[0] != texts[1]:
            break
    return texts


def count(number: int, noun: str) -> str:
    """A number with its noun: "1 call", "1,204 calls"."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


def duration(seconds: float) -> str:
    """Seconds as a person reads them: "0.42 s", "12.3 s", "4 min 05 s"."""
    if seconds < 10:
        return f"{seconds:.2f} s"
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest:02d} s"
