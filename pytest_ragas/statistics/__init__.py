"""Statistics: pure functions of numbers, standard library only. Each names its source."""
