"""Rounds and loops: TRAIN, QUERY, ANNOTATE, APPEND, each step once, whatever dies when."""
