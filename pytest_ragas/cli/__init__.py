"""The console script `pytest-ragas`."""
