"""Thresholds and gates: pure functions over scores."""
