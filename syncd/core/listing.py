"""What a new list changes in the ledger's state of a task. Pure."""

from __future__ import annotations

from collections.abc import Mapping

from syncd.core.matching_creates import MatchedCreate, match_creates
from syncd.model import DAY, Attachment, Listing
from syncd.task_state import BELIEF, Attribute, Event, Intent, LedgerEntry, TaskState, same_name

DOUBT = 5.0
"""Seconds after its failure before a list can tell that a create was not carried out."""


def missing(state: TaskState, listing: Listing, now: float) -> tuple[LedgerEntry, ...]:
    """Attachments of ours that a list lacks although it should show them, current ones first."""
    return tuple(e for e in lacking(state, listing) if not is_believed(e, now))


def lacking(state: TaskState, listing: Listing) -> tuple[LedgerEntry, ...]:
    """All attachments of ours that a list lacks, even where it may only lag, current ones first."""
    shown = {a.id for a in listing.attachments}
    found = (
        e
        for e in state.entries.values()
        if e.id not in shown and e.role not in ("released", "tombstone")
    )
    return tuple(sorted(found, key=lambda e: (e.role, e.id)))


def apply_list(state: TaskState, listing: Listing, now: float, taken_at: float) -> TaskState:
    """The state after a list that was asked for at `taken_at` and is believed.

    Entries that it lacks become tombstones, creates that it shows become entries, and creates that
    it lacks though it had to show them count as lost.
    """
    shown = {a.id: a for a in listing.attachments}
    gone = {e.id for e in missing(state, listing, now)}
    after = (_after_list(e, shown.get(e.id), e.id in gone, now) for e in state.entries.values())
    entries = {e.id: e for e in after if e is not None}
    unknown = [a for a in listing.attachments if a.id not in entries]
    found = _matched_creates(state, entries, unknown, now) if state.intents and unknown else []
    made = {m.attachment.id for m in found}
    for m in found:
        entry = entry_of(m.intent, m.attachment, m.intent.sent_at)
        if not m.content_known:
            entry = entry._replace(digest=None, fingerprint=None)
        entries[entry.id] = entry
    return state._replace(
        entries=entries,
        intents=_after(state.intents, {m.intent.key for m in found}, now, taken_at),
        strangers={a.id: a for a in unknown if a.id not in made},
        retired=_retired(state, entries, shown, now),
        # A create that was answered with 201 was counted then.
        history=(
            *state.history,
            *(
                Event(now, "create", m.intent.path, m.intent.digest)
                for m in found
                if m.intent.digest and m.intent.state != "answered"
            ),
        ),
        listed_at=taken_at,
        clock_skew=listing.clock_skew,
    )


def _matched_creates(
    state: TaskState, entries: Mapping[int, LedgerEntry], unknown: list[Attachment], now: float
) -> list[MatchedCreate]:
    listed = [e for e in entries.values() if e.shown and e.listed]
    return match_creates(
        state.intents.values(),
        unknown,
        state.strangers,
        # A person may have moved some of them before any list.
        keeps_orders=2 * sum(_is_kept(e.order, now) for e in listed) >= len(listed),
        keeps_names=all(_is_kept(e.name, now) for e in listed),
    )


def _is_kept(attribute: Attribute[str] | Attribute[int], now: float) -> bool:
    """Whether a value is shown as sent, or was before a person changed it."""
    return attribute.kept or attribute.current(now) == attribute.sent


def entry_of(intent: Intent, attachment: Attachment, since: float) -> LedgerEntry:
    """The entry of an attachment that a create made, as the server shows it.

    The matching of files decides whether it is the current version of its file.
    """
    return LedgerEntry(
        id=attachment.id,
        role="current",
        path=intent.path,
        size=intent.size,
        name=_listed_name(Attribute(intent.path, intent.path), attachment.name),
        order=Attribute(intent.number, intent.number).listed(attachment.display_order),
        digest=intent.digest,
        fingerprint=intent.fingerprint,
        racy=intent.digest is None or intent.fingerprint.racy_at(intent.sent_at),
        shown=True,
        listed=True,
        since=since,
    )


def is_believed(entry: LedgerEntry, now: float) -> bool:
    """Whether a 201 is recent enough to be believed over a list that lacks the attachment."""
    return not entry.listed and 0 <= now - entry.since < BELIEF


def _after_list(
    entry: LedgerEntry, attachment: Attachment | None, is_missing: bool, now: float
) -> LedgerEntry | None:
    """An entry after a list; None = it is not remembered any longer.

    What we deleted stays deleted, whatever a lagging list shows; but a task may come back.
    """
    if entry.role == "released" and attachment is None:
        return None
    if entry.role == "tombstone":
        if now - entry.since >= DAY:
            return None
        if entry.listed or attachment is None:
            return entry
        entry = entry._replace(role="current")
    if is_missing:
        # Somebody else deleted it; not `listed`, unlike an attachment that we deleted.
        return entry._replace(role="tombstone", shown=False, listed=False, since=now)
    if attachment is None:
        return entry._replace(shown=False)
    name = _listed_name(entry.name, attachment.name)
    order = entry.order.listed(attachment.display_order)
    if entry.shown and entry.listed and entry.name == name and entry.order == order:
        return entry  # As nearly all are.
    return entry._replace(shown=True, listed=True, name=name, order=order)


def _listed_name(name: Attribute[str], shown: str) -> Attribute[str]:
    return name.listed(name.sent if same_name(shown, name.sent) else shown)


def _after(
    intents: Mapping[int, Intent], matched: set[int], now: float, taken_at: float
) -> dict[int, Intent]:
    """The creates that are still in doubt, and for a day those that may be carried out late."""
    remaining = {}
    for key, intent in intents.items():
        if key in matched:
            continue
        if intent.ended_at is not None and intent.ended_at > now:
            intent = intent._replace(ended_at=now)  # The clock was set back since.
        if _is_disproved(intent, taken_at):
            intent = intent._replace(state="lost")
        if intent.state != "lost" or now - (intent.ended_at or intent.sent_at) < DAY:
            remaining[key] = intent
    return remaining


def _is_disproved(intent: Intent, taken_at: float) -> bool:
    """Whether a list asked for at `taken_at` that lacks it means that it was not carried out."""
    if intent.ended_at is None:
        return False
    return taken_at - intent.ended_at >= (BELIEF if intent.state == "answered" else DOUBT)


def _retired(
    state: TaskState,
    entries: Mapping[int, LedgerEntry],
    shown: Mapping[int, Attachment],
    now: float,
) -> dict[int, float]:
    """Display orders that an attachment had until this list, and for a day those before."""
    retired = {n: at for n, at in state.retired.items() if 0 <= now - at < DAY}
    ours = ((e.id, e.order.seen) for e in state.entries.values())
    for id_, number in (*((a.id, a.display_order) for a in state.strangers.values()), *ours):
        attachment = shown.get(id_)
        if id_ not in entries if attachment is None else attachment.display_order != number:
            retired[number] = now
    return retired
