"""What a plan costs in requests: how creates share them, and what of it the quota allows."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

from syncd.core.plan import Create, Plan


class Limits(NamedTuple):
    """What bounds one create request."""

    max_files: int
    max_bytes: int
    fits: Callable[[Sequence[str]], bool]
    """Whether these names fit one request line."""
    keeps_old: bool = False
    """Replaced versions stay (`delete: never`)."""


def batches(creates: Iterable[Create], limits: Limits) -> list[tuple[Create, ...]]:
    """Group creates into requests."""
    found: list[tuple[Create, ...]] = []
    batch: tuple[Create, ...] = ()
    size = 0
    for create in creates:
        longer, size = (*batch, create), size + create.file.size
        is_full = len(longer) > limits.max_files or size > limits.max_bytes
        if batch and (is_full or not limits.fits([c.file.path for c in longer])):
            found.append(batch)
            longer, size = (create,), create.file.size
        batch = longer
    return [*found, batch] if batch else found


def cost(plan: Plan, limits: Limits) -> int:
    """Requests that a plan takes from here on, the list after its creates included."""
    others = (plan.finish, plan.deletes, plan.renames, plan.reorders)
    return sum(map(len, others)) + _create_cost(plan.creates, limits)


def _create_cost(creates: Sequence[Create], limits: Limits) -> int:
    if not creates:
        return 0
    return len(batches(creates, limits)) + 1 + sum(_deletes_later(c, limits) for c in creates)


def _affordable(creates: Sequence[Create], limits: Limits, room: int) -> int:
    """How many creates, from the first, cost no more than `room`, the list after them included."""
    count, room = 0, room - 1
    for batch in batches(creates, limits):
        room -= 1
        for create in batch:
            room -= _deletes_later(create, limits)
            if room < 0:
                return count
            count += 1
    return count


def _deletes_later(create: Create, limits: Limits) -> bool:
    """Whether the old version of the file is deleted once the new one is seen."""
    return create.replaces is not None and not limits.keeps_old


def fit(
    plan: Plan,
    limits: Limits,
    left: int | None,
    reserve: int,
    *,
    owed: int = 0,
    order_share: float = 1.0,
) -> Plan:
    """Cut a plan to the requests that are left, in the order of what matters most.

    `left` counts the reserve, which only unfinished replacements may use; None = no limit
    known. `owed` are requests that creates in doubt still need; `order_share` is the part of
    what is left that reordering may take.
    """
    if left is None:
        return plan
    finish = plan.finish[: max(left, 0)]
    room = max(left - len(finish) - reserve - owed, 0)
    creates = plan.creates[: _affordable(plan.creates, limits, room)]
    room -= _create_cost(creates, limits)
    deletes = plan.deletes[:room]
    renames = plan.renames[: room - len(deletes)]
    room -= len(deletes) + len(renames)
    return plan._replace(
        finish=finish,
        creates=creates,
        deletes=deletes,
        renames=renames,
        reorders=plan.reorders[: int(room * order_share)],
    )
