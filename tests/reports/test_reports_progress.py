"""How far scoring is, in one line."""

from __future__ import annotations

import pytest

from pytest_ragas.reports.progress import Speed, Standing, progress_text


def said(*noted: tuple[float, Standing], width: int = 200) -> str:
    """The line after these standings, each noted at its second."""
    speed = Speed()
    for now, standing in noted:
        speed.note(now, standing)
    return progress_text(noted[-1][1], speed, width=width)


def test_first_line_says_no_speed_that_it_cannot_know() -> None:
    assert said((0.0, Standing(scored=0, total=40, in_flight=16))) == "ragas: 0 of 40 scored, 16 calls in flight"


def test_line_says_all_that_is_known() -> None:
    line = said(
        (0.0, Standing(scored=0, total=1200)),
        (4.0, Standing(scored=400, total=1200, in_flight=1, calls=320, tokens=98765)),
    )
    assert line == ("ragas: 400 of 1,200 scored, 1 call in flight, 80 calls/s, 8 s left, 98,765 tokens so far")


def test_prices_turn_tokens_into_dollars() -> None:
    line = said((0.0, Standing(scored=0, total=2, calls=3, tokens=98765, usd=0.0123)))
    assert line == "ragas: 0 of 2 scored, 0 calls in flight, $0.0123 so far"


def test_critic_without_calls_is_not_said_to_make_none() -> None:
    line = said((0.0, Standing(scored=0, total=10)), (1.0, Standing(scored=5, total=10)))
    assert line == "ragas: 5 of 10 scored, 1 s left"


def test_slow_calls_have_a_digit_after_the_point() -> None:
    line = said((0.0, Standing(scored=0, total=2)), (10.0, Standing(scored=0, total=2, in_flight=1, calls=5)))
    assert line == "ragas: 0 of 2 scored, 1 call in flight, 0.5 calls/s"


@pytest.mark.parametrize(
    ("total", "left"), [(60, "59 s"), (100, "1 min 39 s"), (4000, "1 h 06 min")], ids=["seconds", "minutes", "hours"]
)
def test_time_left(total: int, left: str) -> None:
    line = said((0.0, Standing(scored=0, total=total)), (1.0, Standing(scored=1, total=total)))
    assert line == f"ragas: 1 of {total:,} scored, {left} left"


def test_speed_is_that_of_the_last_seconds() -> None:
    """A server that slows down shows within ten seconds."""
    speed = Speed()
    for second in range(100):
        speed.note(float(second), Standing(scored=second * 10, total=5000, calls=second * 50))
    fast = speed.calls, speed.seconds_left
    for second in range(1, 21):
        speed.note(99.0 + second, Standing(scored=990 + second, total=5000, calls=4950 + second))
    assert fast == (50.0, (5000 - 990) / 10)
    assert (speed.calls, speed.seconds_left) == (1.0, 5000 - 1010)


def test_two_notes_of_one_moment_divide_by_nothing() -> None:
    standing = Standing(scored=1, total=2, calls=3)
    assert said((1.0, standing), (1.0, standing)) == "ragas: 1 of 2 scored, 0 calls in flight"


@pytest.mark.parametrize(
    ("width", "line"),
    [
        (45, "ragas: 0 of 40 scored, 16 calls in flight"),
        (41, "ragas: 0 of 40 scored, 16 calls in flight"),
        (40, "ragas: 0 of 40 scored"),
        (20, "ragas: 0 of 40 sco.."),
    ],
)
def test_narrow_terminal_leaves_the_least_important_out(width: int, line: str) -> None:
    assert said((0.0, Standing(scored=0, total=40, in_flight=16)), width=width) == line
