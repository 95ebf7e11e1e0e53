"""Scores many samples at once on one background event loop."""
