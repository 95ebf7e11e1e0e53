"""Testset files in and out."""
