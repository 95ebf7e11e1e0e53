"""`docs=`: a testset whose file is missing is generated while tests are collected."""
