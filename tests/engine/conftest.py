"""The real problem once for all tests that look at it."""

from __future__ import annotations

import pytest

from engine import Assembly, assemble
from tests.engine.samples import real_blueprint, sample_pool


@pytest.fixture(scope="session")
def real_assembly() -> Assembly:
    """Papers A and B and the spare C of the real form, from the sample bank."""
    return assemble(sample_pool(), real_blueprint(), forms=2, spares=1, seed=7)
