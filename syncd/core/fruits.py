"""Which attachments nobody knew are the fruit of which create. Pure."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from unicodedata import normalize

from syncd.model import Attachment, Intent


def fruits(
    intents: Sequence[Intent], unknown: Sequence[Attachment], first_seen: Mapping[int, int]
) -> dict[int, Intent]:
    """Which unknown attachments are the fruit of which intent: id -> intent.

    By size, number and name; else size and number; else (a server with numbers of its own) by
    size and name, or by size, where as many are new as are awaited. Never by name alone. A lost
    intent claims only what carries its number, and only what none in doubt needs.
    """
    found: dict[int, Intent] = {}
    rest = sorted(intents, key=lambda i: i.key)
    candidates = sorted(unknown, key=lambda a: a.id)
    for key_of in (_exactly, _by_number):
        rest, candidates = _claim(found, rest, candidates, first_seen, key_of)
    rest = [i for i in rest if i.state != "lost"]
    oldest = min((i.sequence for i in rest), default=0)
    candidates = [a for a in candidates if first_seen[a.id] > oldest]
    for key_of in (_by_name, _by_size):
        awaited, offered = Counter(map(key_of, rest)), Counter(map(key_of, candidates))
        clear = [i for i in rest if awaited[key_of(i)] == offered[key_of(i)]]
        _, candidates = _claim(found, clear, candidates, first_seen, key_of)
        served = {intent.key for intent in found.values()}
        rest = [i for i in rest if i.key not in served]
    return found


def _exactly(x: Intent | Attachment) -> tuple[object, ...]:
    return (*_by_number(x), normalize("NFC", x.name))


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
    key_of: Callable[[Intent | Attachment], tuple[object, ...]],
) -> tuple[list[Intent], list[Attachment]]:
    """Pair intents in the order they were sent with candidates in the order of their ids.

    Where there are fewer candidates than intents, those in doubt go before lost ones.
    Returns the intents and the candidates that found no partner.
    """
    groups: dict[tuple[object, ...], list[Attachment]] = defaultdict(list)
    for a in candidates:
        groups[key_of(a)].append(a)
    rivals: dict[tuple[object, ...], list[Intent]] = defaultdict(list)
    for intent in intents:
        rivals[key_of(intent)].append(intent)
    for key, group in rivals.items():
        offered = groups.get(key, [])
        chosen = sorted(group, key=lambda i: (i.state == "lost", i.key))[: len(offered)]
        for intent in sorted(chosen, key=lambda i: i.key):
            for a in offered:
                if a.id not in found and first_seen[a.id] > intent.sequence:
                    found[a.id] = intent
                    break
    served = {intent.key for intent in found.values()}
    return (
        [i for i in intents if i.key not in served],
        [a for a in candidates if a.id not in found],
    )
