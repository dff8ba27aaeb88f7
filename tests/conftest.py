"""How every test runs: hypothesis tries the same examples on every machine, so that CI says the same thing twice.

`HYPOTHESIS_PROFILE=explore make test-all` searches anew, with ten times the examples.
"""

from __future__ import annotations

import os

from hypothesis import settings

settings.register_profile("same", derandomize=True, deadline=None, database=None)
settings.register_profile("explore", max_examples=1000, deadline=None)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "same"))
