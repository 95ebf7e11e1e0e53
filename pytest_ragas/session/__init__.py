"""Puts the stages together for one process. Nothing here knows pytest: the plugin and the console script drive it."""
