"""What a fresh, believed list tells about the ledger: the books are settled before planning.

Pure: takes the `Past` as it was and gives the one that the list makes of it. Nothing here
looks at files; a list alone decides what became of attachments and of creates in doubt.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace

from syncd.core.fruits import fruits, unsure
from syncd.core.habits import Habits
from syncd.core.names import resembles, same_name
from syncd.model import (
    Attachment,
    DeletePolicy,
    Intent,
    LedgerEntry,
    Listing,
    Past,
    Role,
)
from syncd.said import BELIEF, Said

DAY = 86_400.0
DOUBT = 5.0
"""Seconds after its failure before a list can tell that a create was not carried out."""
NO_FRUIT = 0
"""Stands for the list that first showed what was ours and replaced: no create of which we wait
to hear made it, and no file is to adopt it."""


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
        _observe(e, shown.get(e.id), now) if e.id not in lacking else _bury(e, now)
        for e in _revived(past.entries, shown, now)
        if e.role != "tombstone" or now - e.since < DAY
    ]
    known = {e.id for e in entries}
    unknown = [a for a in listing.attachments if a.id not in known]
    seen = {a.id: past.first_seen.get(a.id, sequence) for a in unknown}
    # A stranger that a lagging list lacks is not new when the next one shows it again.
    remembers = bool(past.intents) or policy == "never"
    first_seen = {**past.first_seen, **seen} if remembers else seen

    habits = Habits.shown_by(entries, listing, now)
    found = fruits(past.intents, unknown, first_seen, habits)
    doubtful = unsure(found, past.intents, shown, first_seen, habits)
    for id_ in found:
        del first_seen[id_]
    entries = _enter(entries, found, shown, doubtful)
    if policy == "never":
        # Nothing is deleted: what was replaced stays and counts as foreign from now on.
        first_seen |= {e.id: NO_FRUIT for e in entries if e.role == "superseded"}
        entries = [e for e in entries if e.role != "superseded"]
    return replace(
        past,
        entries=tuple(entries),
        intents=tuple(_after(past.intents, _served(found, shown), now, taken_at)),
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
    return not entry.listed and 0 <= now - entry.since < BELIEF


def _bury(entry: LedgerEntry, now: float) -> LedgerEntry:
    """An id that a believed list lacks; not `listed`, unlike one that we deleted."""
    return replace(entry, role="tombstone", listed=False, since=now)


def _revived(
    entries: Iterable[LedgerEntry], shown: Mapping[int, Attachment], now: float
) -> list[LedgerEntry]:
    """Entries with those unburied that are there after all: a task may be gone and come back.

    What we deleted ourselves stays buried, so that a lagging list raises no ghost. Of several
    of one path the newest is the file's.
    """
    buried = {e.id: e for e in entries if e.role == "tombstone" and not e.listed and e.id in shown}
    taken = {e.path for e in entries if e.role in ("current", "detached")}
    for entry in sorted(buried.values(), key=lambda e: e.id, reverse=True):
        role: Role = "superseded" if entry.path in taken else "current"
        buried[entry.id] = replace(entry, role=role, since=now)
        taken.add(entry.path)
    return [buried.get(e.id, e) for e in entries]


def _observe(entry: LedgerEntry, attachment: Attachment | None, now: float) -> LedgerEntry:
    if attachment is None or entry.role == "tombstone":
        return entry
    name = attachment.name
    if same_name(name, entry.name.sent):
        name = entry.name.sent
    return replace(
        entry,
        listed=True,
        name=entry.name.observe(name, now, alike=resembles(name, entry.name.sent)),
        order=entry.order.observe(attachment.display_order, now),
    )


def _enter(
    entries: Iterable[LedgerEntry],
    found: Mapping[int, Intent],
    shown: Mapping[int, Attachment],
    doubtful: Collection[int],
) -> list[LedgerEntry]:
    """Take the fruits of intents in as ours; of `doubtful` ones nobody knows the content.

    Of a lost intent whose file was sent again since, the fruit is a twin that came late. What an
    upload replaces is for the matching to see, since only the files tell whether the former
    attachment has become another file's.
    """
    result = list(entries)
    for attachment_id in sorted(found, key=lambda id_: (found[id_].state == "lost", id_)):
        intent = found[attachment_id]
        fresh = entry_of(intent, shown[attachment_id], intent.sent_at)
        if attachment_id in doubtful:
            fresh = replace(fresh, digest=None, fingerprint=None)
        late = intent.state == "lost"
        if late and any(_is_twin(e, fresh) or _is_past(e, fresh) for e in result):
            fresh = replace(fresh, role="superseded")
        result.append(fresh)
    return result


def _is_twin(entry: LedgerEntry, late: LedgerEntry) -> bool:
    """Whether a file that was sent twice has its attachment already."""
    if entry.digest is not None and late.digest is not None:
        same = entry.digest == late.digest
    else:
        same = entry.fingerprint == late.fingerprint
    return same and entry.path == late.path and entry.role == "current"


def _is_past(entry: LedgerEntry, late: LedgerEntry) -> bool:
    """Whether even a version that was made after this one was replaced already."""
    return entry.role == "superseded" and entry.path == late.path and entry.id > late.id


def entry_of(intent: Intent, attachment: Attachment, since: float) -> LedgerEntry:
    """The entry of an attachment that an intent made and that the server has shown."""
    shown_name = attachment.name
    if same_name(shown_name, intent.name):
        shown_name = intent.name
    return LedgerEntry(
        id=attachment.id,
        role="current",
        path=intent.path,
        size=intent.size,
        name=Said(intent.name, intent.name).observe(shown_name, since),
        order=Said(intent.number, intent.number).observe(attachment.display_order, since),
        digest=intent.digest,
        fingerprint=intent.fingerprint,
        racy=intent.digest is None or intent.fingerprint.racy_at(intent.sent_at),
        listed=True,
        since=since,
    )


def _served(found: Mapping[int, Intent], shown: Mapping[int, Attachment]) -> Mapping[int, bool]:
    """Key of each intent whose fruit was found -> whether nothing else can be its fruit.

    Of a create in doubt, what carries another number may be of somebody else's making.
    """
    return {
        intent.key: intent.state == "answered" or shown[id_].display_order == intent.number
        for id_, intent in found.items()
    }


def _after(
    intents: Iterable[Intent], served: Mapping[int, bool], now: float, taken_at: float
) -> Iterable[Intent]:
    """What remains of the intents: those in doubt, and for a day those that may yet bear a
    late twin."""
    for intent in intents:
        if served.get(intent.key):
            continue
        if intent.ended_at is not None and intent.ended_at > now:
            intent = replace(intent, ended_at=now)  # the clock was set back since
        if intent.state != "lost" and (intent.key in served or _disproved(intent, taken_at)):
            intent = replace(intent, state="lost")
        if intent.state != "lost" or now - (intent.ended_at or intent.sent_at) < DAY:
            yield intent


def _disproved(intent: Intent, taken_at: float) -> bool:
    """Whether a list asked for at `taken_at` that lacks it means that it was not done."""
    if intent.ended_at is None:
        return False
    patience = BELIEF if intent.state == "answered" else DOUBT
    return taken_at - intent.ended_at >= patience
