"""Metrics that are ragas' own classes, asked through our model seam."""
