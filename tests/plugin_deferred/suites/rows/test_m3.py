"""Marked and plain tests, mixed."""

import os

import pytest

from conftest import note, rows

gate = pytest.mark.ragas(testset=rows(30, 3), thresholds={"quality": 0.5})


@gate
def test_one(ragas_sample, rag):
    return rag(ragas_sample.user_input)


def test_plain(store):
    note("body plain")
    assert store["open"]
    assert "PLAIN" not in os.environ


@pytest.mark.ragas(testset=rows(40, 3), thresholds={"quality": 0.5})
def test_two(ragas_sample, rag):
    return rag(ragas_sample.user_input)


def test_last():
    note("body last")
