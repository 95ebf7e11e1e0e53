"""`generator = "ragas"`: candidates that ragas' own TestsetGenerator writes, through our models."""
