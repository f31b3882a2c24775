"""What a fresh, believed list tells about the ledger: the books are settled before planning.

Pure: takes the `Past` as it was and gives the one that the list makes of it. Nothing here
looks at files; a list alone decides what became of attachments and of creates in doubt.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from unicodedata import normalize

from syncd.model import (
    Attachment,
    DeletePolicy,
    Intent,
    LedgerEntry,
    Listing,
    Past,
    Said,
)

DAY = 86_400.0
BELIEF = 600.0
"""Seconds for which a create answered with 201 is believed while lists lack it."""
DOUBT = 5.0
"""Seconds after its failure before a list can tell that a create was not carried out."""


def same_name(one: str, other: str) -> bool:
    """Whether two names are equal after NFC: a server may normalize what it stores."""
    return one == other or normalize("NFC", one) == normalize("NFC", other)


def missing(past: Past, listing: Listing, now: float) -> tuple[LedgerEntry, ...]:
    """Attachments of ours that a list lacks, though it should show them by now."""
    shown = {a.id for a in listing.attachments}
    lacking = [
        e
        for e in past.entries
        if e.role != "tombstone" and e.id not in shown and not _believed(e, now)
    ]
    weight = {"current": 0, "detached": 1, "superseded": 2}
    return tuple(sorted(lacking, key=lambda e: (weight[e.role], e.id)))


def settle(past: Past, listing: Listing, policy: DeletePolicy, now: float, taken_at: float) -> Past:
    """Bring entries and intents up to a list that was asked for at `taken_at`."""
    sequence = past.sequence + 1
    lacking = {e.id for e in missing(past, listing, now)}
    shown = {a.id: a for a in listing.attachments}
    entries = [
        _observe(e, shown.get(e.id)) if e.id not in lacking else _bury(e, now)
        for e in past.entries
        if e.role != "tombstone" or now - e.since < DAY
    ]
    known = {e.id for e in entries}
    unknown = [a for a in listing.attachments if a.id not in known]
    first_seen = {a.id: past.first_seen.get(a.id, sequence) for a in unknown}

    found = _fruits(past.intents, unknown, first_seen)
    for attachment in unknown:
        if attachment.id in found:
            del first_seen[attachment.id]
    entries = _enter(entries, found, shown, now)
    if policy == "never":
        # Nothing is deleted: what was replaced stays and counts as foreign from now on.
        first_seen |= {e.id: sequence for e in entries if e.role == "superseded"}
        entries = [e for e in entries if e.role != "superseded"]
    return replace(
        past,
        entries=tuple(entries),
        intents=tuple(_after(past.intents, found, now, taken_at)),
        first_seen=first_seen,
        sequence=sequence,
        created=_counted(past.created, found.values()),
    )


def _counted(
    created: Mapping[tuple[str, str], int], fruits: Iterable[Intent]
) -> Mapping[tuple[str, str], int]:
    """Creates of the last day; one answered with 201 was counted when it was answered."""
    counts = Counter(created)
    counts.update((i.path, i.digest) for i in fruits if i.digest and i.state != "answered")
    return dict(counts)


def in_doubt(past: Past) -> tuple[Intent, ...]:
    """Creates of which no list has told yet whether they were carried out."""
    return tuple(i for i in past.intents if i.state != "lost")


def _believed(entry: LedgerEntry, now: float) -> bool:
    return not entry.listed and now - entry.since < BELIEF


def _bury(entry: LedgerEntry, now: float) -> LedgerEntry:
    """An id known to be gone is remembered, so that a lagging list raises no ghost."""
    return replace(entry, role="tombstone", since=now)


def _observe(entry: LedgerEntry, attachment: Attachment | None) -> LedgerEntry:
    if attachment is None or entry.role == "tombstone":
        return entry
    name = attachment.name
    if same_name(name, entry.name.sent):
        name = entry.name.sent
    return replace(
        entry,
        listed=True,
        name=entry.name.observe(name),
        order=entry.order.observe(attachment.display_order),
    )


def _fruits(
    intents: Sequence[Intent], unknown: Sequence[Attachment], first_seen: Mapping[int, int]
) -> dict[int, Intent]:
    """Which unknown attachments are the fruit of which intent: id -> intent.

    By size, number and name; else size and number; else by size where as many are new as
    are awaited, in id order. Never by name alone. A lost intent claims only what carries
    its number, and only what none in doubt needs.
    """
    found: dict[int, Intent] = {}
    rest = sorted(intents, key=lambda i: i.key)
    candidates = sorted(unknown, key=lambda a: a.id)
    for key_of in (_exactly, _by_number):
        rest, candidates = _claim(found, rest, candidates, first_seen, key_of)
    doubtful = [i for i in rest if i.state != "lost"]
    awaited = Counter(i.size for i in doubtful)
    oldest = min((i.sequence for i in doubtful), default=0)
    offered = Counter(a.size for a in candidates if first_seen[a.id] > oldest)
    clear = {size for size, count in awaited.items() if offered[size] == count}
    _claim(
        found,
        [i for i in doubtful if i.size in clear],
        candidates,
        first_seen,
        lambda x: (x.size,),
    )
    return found


def _exactly(x: Intent | Attachment) -> tuple[object, ...]:
    return (*_by_number(x), normalize("NFC", x.name))


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


def _enter(
    entries: Iterable[LedgerEntry],
    found: Mapping[int, Intent],
    shown: Mapping[int, Attachment],
    now: float,
) -> list[LedgerEntry]:
    """Take the fruits of intents in as ours.

    Of a lost intent whose file has its attachment, the fruit is a twin that came late: the
    file was sent again meanwhile. What an upload replaces is for the matching to see, since
    only the files tell whether the former attachment has become another file's.
    """
    result = list(entries)
    for attachment_id in sorted(found, key=lambda id_: (found[id_].state == "lost", id_)):
        intent = found[attachment_id]
        fresh = entry_of(intent, shown[attachment_id], now)
        if intent.state == "lost" and any(
            e.path == intent.path and e.role == "current" for e in result
        ):
            fresh = replace(fresh, role="superseded")
        result.append(fresh)
    return result


def entry_of(intent: Intent, attachment: Attachment, now: float) -> LedgerEntry:
    """The entry of an attachment that an intent made and that the server has shown."""
    shown_name = attachment.name
    if same_name(shown_name, intent.name):
        shown_name = intent.name
    return LedgerEntry(
        id=attachment.id,
        role="current",
        path=intent.path,
        size=intent.size,
        name=Said(intent.name, intent.name).observe(shown_name),
        order=Said(intent.number, intent.number).observe(attachment.display_order),
        digest=intent.digest,
        fingerprint=intent.fingerprint,
        racy=intent.digest is None or intent.fingerprint.racy_at(intent.sent_at),
        listed=True,
        since=now,
    )


def _after(
    intents: Iterable[Intent], found: Mapping[int, Intent], now: float, taken_at: float
) -> Iterable[Intent]:
    """What remains of the intents: those in doubt, and for a day those that may yet bear a
    late twin."""
    served = {intent.key for intent in found.values()}
    for intent in intents:
        if intent.key in served:
            continue
        if intent.state != "lost" and _disproved(intent, taken_at):
            intent = replace(intent, state="lost")
        if intent.state != "lost" or now - (intent.ended_at or intent.sent_at) < DAY:
            yield intent


def _disproved(intent: Intent, taken_at: float) -> bool:
    """Whether a list asked for at `taken_at` that lacks it means that it was not done."""
    if intent.ended_at is None:
        return False
    patience = BELIEF if intent.state == "answered" else DOUBT
    return taken_at - intent.ended_at >= patience
