"""Vectors are packed without losing a bit."""

from __future__ import annotations

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_ragas.judgements.judgement import text_of
from pytest_ragas.judgements.vectors import pack, unpack


@given(st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=1, max_size=40))
def test_any_vector_comes_back_bit_by_bit(vector: list[float]) -> None:
    packed = pack(vector)
    back = unpack(packed)
    assert [struct.pack("<d", number) for number in back] == [struct.pack("<d", float(number)) for number in vector]
    assert text_of(packed)  # it is JSON


@given(st.lists(st.floats(width=32, allow_nan=False, allow_infinity=False), min_size=1, max_size=40))
def test_a_vector_of_32_bit_numbers_takes_4_bytes_each(vector: list[float]) -> None:
    packed = pack(vector)
    assert list(packed) == ["float32"]
    assert unpack(packed) == vector


def test_the_form_on_disk_is_little_endian() -> None:
    assert pack([1.0, -2.0]) == {"float32": "AACAPwAAAMA="}
    assert pack([0.1]) == {"float64": "mpmZmZmZuT8="}
    assert pack([1e300]) == {"float64": "nHUAiDzkN34="}


@pytest.mark.parametrize("packed", [None, {}, [1.0], {"float16": "AAAA"}, {"float32": "AAA"}, {"float32": 1}])
def test_what_is_no_vector_is_said_to_be_none(packed: object) -> None:
    with pytest.raises(ValueError, match="no packed vector"):
        unpack(packed)
