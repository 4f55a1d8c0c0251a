"""Hostile and broken input, by the million: fuzzing with atheris, and captures mutated at random.

[docs/robustness.md](../docs/robustness.md) says how to run it and what came of it.
"""
