"""What travels between the stages: frozen dataclasses, JSON both ways, standard library only."""
