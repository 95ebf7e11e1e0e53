"""Runs that are kept: saved, accepted as the baseline, written as a report."""
