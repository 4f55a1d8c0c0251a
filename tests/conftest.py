"""What holds for all tests."""

import os

# Reports written to a pipe are as wide as COLUMNS says, and test runners set it.
os.environ.pop("COLUMNS", None)
