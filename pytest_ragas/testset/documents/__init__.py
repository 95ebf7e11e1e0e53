"""Documents that a testset is written from: files found, read, and cut into passages."""
