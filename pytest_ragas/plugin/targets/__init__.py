"""`target=`: the user's RAG is called ahead, for the whole testset."""
