"""How a model is asked by instructions in a file: the same for metrics and for the generation of testsets."""
