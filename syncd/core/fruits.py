"""Which attachments nobody knew are the fruit of which create. Pure."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from unicodedata import normalize

from syncd.model import Attachment, Intent

Key = Callable[[Intent | Attachment], tuple[object, ...]]


def fruits(
    intents: Sequence[Intent], unknown: Sequence[Attachment], first_seen: Mapping[int, int]
) -> dict[int, Intent]:
    """Which unknown attachments are the fruit of which intent: id -> intent.

    By size, number and name; else by size and name (a server with numbers of its own), where
    as many are new as are awaited; else by size and number (one that rewrites names); else by
    size, where as many are new as are awaited, in id order. Never by name alone. A lost intent
    claims only what carries its number, and only what none in doubt needs.
    """
    found: dict[int, Intent] = {}
    rest = sorted(intents, key=lambda i: i.key)
    candidates = sorted(unknown, key=lambda a: a.id)
    for key_of, where_clear in (
        (_exactly, False),
        (_by_name, True),
        (_by_number, False),
        (_by_size, True),
    ):
        claiming = _clear(rest, candidates, first_seen, key_of) if where_clear else rest
        _claim(found, claiming, candidates, first_seen, key_of)
        served = {intent.key for intent in found.values()}
        rest = [i for i in rest if i.key not in served]
        candidates = [a for a in candidates if a.id not in found]
    return found


def _clear(
    intents: Sequence[Intent],
    candidates: Sequence[Attachment],
    first_seen: Mapping[int, int],
    key_of: Key,
) -> list[Intent]:
    """Those in doubt of which as many are awaited as are new."""
    doubtful = [i for i in intents if i.state != "lost"]
    oldest = min((i.sequence for i in doubtful), default=0)
    awaited = Counter(map(key_of, doubtful))
    offered = Counter(key_of(a) for a in candidates if first_seen[a.id] > oldest)
    return [i for i in doubtful if awaited[key_of(i)] == offered[key_of(i)]]


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
    key_of: Key,
) -> None:
    """Pair intents in the order they were sent with candidates in the order of their ids.

    Where there are fewer candidates than intents, those in doubt go before lost ones.
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
