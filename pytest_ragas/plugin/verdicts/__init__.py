"""The verdict on one marked test: what was measured, how the test ends, how pytest shows it."""
