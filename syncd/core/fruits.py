"""Which attachments nobody knew are the fruit of which create. Pure."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from unicodedata import normalize

from syncd.core.habits import Habits
from syncd.core.names import form_of
from syncd.model import Attachment, Intent

Key = Callable[[Intent | Attachment], tuple[object, ...]]


def fruits(
    intents: Sequence[Intent],
    unknown: Sequence[Attachment],
    first_seen: Mapping[int, int],
    habits: Habits,
) -> dict[int, Intent]:
    """Which unknown attachments are the fruit of which intent: id -> intent.

    By size, number and name; else by size and name, or its form (a server with numbers of its
    own), where as many are new as are awaited; else by size and number (one that rewrites
    names); else, of those answered with 201, by size, where as many are new as are awaited, in id
    order. Never by name alone. A lost intent claims only what carries its number, and only what
    none in doubt needs; but where all that was sent of one name has come, each takes its own.
    """
    found: dict[int, Intent] = {}
    rest = everybody = sorted(intents, key=lambda i: i.key)
    candidates = sorted(unknown, key=lambda a: a.id)
    for key_of, clear in (
        (_by_number_and_form, _complete),
        (_exactly, None),
        (_by_name, _clear),
        (_by_form, _clear),
        (_by_number, None),
        (_by_size, _certain),
    ):
        claiming = clear(rest, candidates, first_seen, key_of) if clear else rest
        offered = _open_to(claiming, everybody, candidates, first_seen, habits)
        _claim(found, claiming, offered, first_seen, key_of, habits)
        served = {intent.key for intent in found.values()}
        rest = [i for i in rest if i.key not in served]
        candidates = [a for a in candidates if a.id not in found]
    return found


def _open_to(
    claiming: Sequence[Intent],
    intents: Sequence[Intent],
    candidates: Sequence[Attachment],
    first_seen: Mapping[int, int],
    habits: Habits,
) -> list[Attachment]:
    """Without those that were there before all that claim were sent, if another send, earlier
    than these, explains them."""
    alike = _grouped(intents, _by_number)

    def may_be_of(makers: Sequence[Intent], a: Attachment) -> bool:
        """They are in the order of their sending: what the first cannot have made, none has."""
        first = makers[0] if makers else None
        return bool(
            first and first_seen[a.id] > first.sequence and not habits.made_before(first, a)
        )

    return [
        a for a in candidates if may_be_of(claiming, a) or not may_be_of(alike[_by_number(a)], a)
    ]


def unsure(
    found: Mapping[int, Intent],
    intents: Sequence[Intent],
    shown: Mapping[int, Attachment],
    first_seen: Mapping[int, int],
    habits: Habits,
) -> frozenset[int]:
    """Fruits that another content of the same file may have become, too.

    Sent of one size, with one number, and as little answered, it may have arrived in its place,
    or late; of two that were made as near to the 201 of one, either may be that one's.
    """
    made = {intent.key: shown[id_] for id_, intent in found.items()}
    alike = _grouped(intents, _exactly)

    def may_be(other: Intent, intent: Intent, a: Attachment) -> bool:
        if other.digest == intent.digest or other.fingerprint == intent.fingerprint:
            return False
        answered = [i for i in (intent, other) if i.state == "answered"]
        if not answered:
            return first_seen[a.id] > other.sequence and not habits.made_before(other, a)
        b = made.get(other.key)
        one = answered[0]
        return len(answered) == 1 and b is not None and habits.apart(one, a) == habits.apart(one, b)

    return frozenset(
        id_
        for id_, intent in found.items()
        if any(may_be(other, intent, shown[id_]) for other in alike[_exactly(intent)])
    )


def _grouped(intents: Iterable[Intent], key_of: Key) -> dict[tuple[object, ...], list[Intent]]:
    groups: dict[tuple[object, ...], list[Intent]] = defaultdict(list)
    for intent in intents:
        groups[key_of(intent)].append(intent)
    return groups


def _complete(
    intents: Sequence[Intent],
    candidates: Sequence[Attachment],
    first_seen: Mapping[int, int],
    key_of: Key,
) -> list[Intent]:
    """Those of which as many have come as were ever sent, late ones included."""
    oldest = min((i.sequence for i in intents), default=0)
    sent = Counter(map(key_of, intents))
    offered = Counter(key_of(a) for a in candidates if first_seen[a.id] > oldest)
    return [i for i in intents if sent[key_of(i)] == offered[key_of(i)]]


def _clear(
    intents: Sequence[Intent],
    candidates: Sequence[Attachment],
    first_seen: Mapping[int, int],
    key_of: Key,
) -> list[Intent]:
    """Those in doubt of which as many are awaited as are new."""
    doubtful = [i for i in intents if i.state != "lost"]
    return _complete(doubtful, candidates, first_seen, key_of)


def _certain(
    intents: Sequence[Intent],
    candidates: Sequence[Attachment],
    first_seen: Mapping[int, int],
    key_of: Key,
) -> list[Intent]:
    """Those of the clear ones that were answered with 201: they must be somewhere."""
    clear = _clear(intents, candidates, first_seen, key_of)
    return [i for i in clear if i.state == "answered"]


def _exactly(x: Intent | Attachment) -> tuple[object, ...]:
    return (*_by_number(x), normalize("NFC", x.name))


def _by_number_and_form(x: Intent | Attachment) -> tuple[object, ...]:
    return (*_by_number(x), form_of(x.name))


def _by_form(x: Intent | Attachment) -> tuple[object, ...]:
    return (x.size, form_of(x.name))


def _by_size(x: Intent | Attachment) -> tuple[object, ...]:
    return (x.size,)


def _by_name(x: Intent | Attachment) -> tuple[object, ...]:
    return (x.size, normalize("NFC", x.name))


def _by_number(x: Intent | Attachment) -> tuple[object, ...]:
    return (x.size, x.number if isinstance(x, Intent) else x.display_order)


def _claim(
    found: dict[int, Intent],
    intents: Sequence[Intent],
    candidates: Sequence[Attachment],
    first_seen: Mapping[int, int],
    key_of: Key,
    habits: Habits,
) -> None:
    """Pair intents with candidates: by their times where all find one, else in the order in
    which they were sent and made."""
    groups: dict[tuple[object, ...], list[Attachment]] = defaultdict(list)
    for a in candidates:
        groups[key_of(a)].append(a)
    for key, group in _grouped(intents, key_of).items():
        oldest = min(i.sequence for i in group)
        offered = [a for a in groups.get(key, []) if first_seen[a.id] > oldest]
        paired = _by_time(group, offered, first_seen, habits)
        found.update(paired or _in_order(group, offered, first_seen, habits))


def _by_time(
    group: Sequence[Intent],
    offered: Sequence[Attachment],
    first_seen: Mapping[int, int],
    habits: Habits,
) -> dict[int, Intent]:
    """To those that were answered what was made nearest to their 201s, in the order in which they
    were sent and made; to the others, one by one, the first of what is left.

    Empty where times are unknown or contradict each other, or where not each finds its own.
    """
    if any(a.created_at is None for a in offered):
        return {}

    def fits(i: Intent, a: Attachment) -> bool:
        seen_since = first_seen[a.id] > i.sequence
        return seen_since and habits.at_its_time(i, a) and habits.allow(i, a)

    answered = [i for i in group if i.state == "answered"]
    rest = list(offered)
    for i in answered:
        near = min((a for a in rest if fits(i, a)), key=partial(habits.apart, i), default=None)
        if near is None:
            return {}
        rest.remove(near)
    pairs = list(zip(answered, (a for a in offered if a not in rest), strict=True))
    for i in group:
        if i.state != "answered":
            first = next((a for a in rest if fits(i, a)), None)
            if first is None:
                return {}
            rest.remove(first)
            pairs.append((i, first))
    return {a.id: i for i, a in pairs}


def _in_order(
    group: Sequence[Intent],
    offered: Sequence[Attachment],
    first_seen: Mapping[int, int],
    habits: Habits,
) -> dict[int, Intent]:
    """Where there are fewer candidates than intents, each goes to one that it can be of by its
    times, if it is for those to tell them apart, and to those in doubt before lost ones."""
    paired: dict[int, Intent] = {}
    waiting = list(group)
    for a in offered:
        able = [i for i in waiting if first_seen[a.id] > i.sequence and habits.allow(i, a)]
        if len(group) > len(offered):
            able = [i for i in able if habits.at_its_time(i, a)] or able
            able.sort(key=lambda i: (i.state == "lost", i.key))
        if able:
            paired[a.id] = able[0]
            waiting.remove(able[0])
    return paired
