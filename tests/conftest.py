"""What holds for every test: shared helpers; property tests seeded and not judged by the clock."""

from __future__ import annotations

import os
import sys
from pathlib import Path

# Before numpy is loaded: threads gain nothing on small arrays, and cost much on busy cores.
os.environ.setdefault("OMP_NUM_THREADS", "1")

from hypothesis import HealthCheck, settings

sys.path.insert(0, str(Path(__file__).parent / "helpers"))

settings.register_profile(
    "house", derandomize=True, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("house")
