"""What holds for all tests."""

import os

from hypothesis import settings

# Reports written to a pipe are as wide as COLUMNS says, and test runners set it.
os.environ.pop("COLUMNS", None)

# A run says the same each time that it is made; HYPOTHESIS_PROFILE=explore looks for what is not known yet.
settings.register_profile("same", derandomize=True, deadline=None)
settings.register_profile("explore", deadline=None, print_blob=True)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "same"))
