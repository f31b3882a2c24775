"""What may go wrong in the simulation: quirks of the server, failing requests, crashes."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from tests.support.faults import Fault
from tests.support.simulated_run import Crash

FAULTS = (
    *(("status_before", {"status": s}) for s in (400, 401, 402, 403, 413, 422, 500, 503)),
    *(("status_after", {"status": s}) for s in (500, 503)),
    ("reset_before", {}),
    ("reset_before", {"after_bytes": 0}),
    ("reset_after", {}),
    ("reset_after", {}),
    ("hang", {}),
    ("hang_after", {}),
    ("cut", {}),
    ("late_commit", {"seconds": 3.0, "status": 502}),
    ("late_commit", {"seconds": 4.5, "drop": "reset"}),
    ("late_commit", {"seconds": 60.0, "drop": "hang"}),
    ("429", {"retry_after": "3"}),
    ("429", {"retry_after": "600"}),
    ("garbage", {}),
    ("redirect", {}),
)


faults = st.tuples(
    st.sampled_from(FAULTS),
    st.sampled_from((None, "POST", "POST", "DELETE", "PUT", "GET")),
    st.integers(0, 3),
    st.sampled_from((1, 1, 1, 2, 3)),
)
Spec = tuple[tuple[Any, dict[str, Any]], str | None, int, int]


def fresh(specs: list[Spec]) -> list[Fault]:
    """The faults of these, made anew, since they count down."""
    return [
        Fault(kind, method=method, skip=skip, times=times, **options)
        for (kind, options), method, skip, times in specs
    ]


QUIRKS: tuple[dict[str, Any], ...] = (
    {},
    {"rewrite_name": str.lower},
    {"orders": "ignored"},
    {"orders": "renumbered"},
    {"list_lag": 3.0},
    {"list_lag": 60.0},
    {"unique_names": "suffix"},
    {"unique_names": "refuse"},
    {"ids_in_201": "object"},
    {"ids_in_201": "items"},
    {"quota": 20},
    {"created_fraction": True, "view_soft_deleted": False},
)
"""How the server differs from the hardest one that the documentation allows: in one way."""

crashes = st.builds(
    Crash,
    at=st.integers(0, 40),
    kind=st.sampled_from(("before", "after", "way", "full")),
    seconds=st.sampled_from((0.5, 4.0)),
)
