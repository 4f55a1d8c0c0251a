"""Our values beside those of another program that read the same capture."""
