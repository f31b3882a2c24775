"""Match unknown attachments to the create requests that made them. Pure.

Every create carries a display order that no other attachment or create of the task has, nor has
had in the last day. So (size, display order) tells which create made an attachment. A server
that does not keep display orders leaves name and size: they decide where exactly as many
attachments are new as were sent. What is matched by neither is foreign.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Hashable, Iterable
from typing import NamedTuple, TypeVar

from syncd.model import Attachment
from syncd.task_state import Intent, nfc

T = TypeVar("T")


class MatchedCreate(NamedTuple):
    """An attachment with the create that made it."""

    attachment: Attachment
    intent: Intent
    content_known: bool
    """False: a create of other content could have made it as well."""


def match_creates(
    intents: Iterable[Intent],
    unknown: Iterable[Attachment],
    strangers: Collection[int],
    *,
    keeps_orders: bool = True,
    keeps_names: bool = True,
) -> list[MatchedCreate]:
    """Which create made which unknown attachment; `strangers` are ids that lists showed before.

    `keeps_orders`: most attachments of ours stand with the display order that they were sent with.
    `keeps_names`: all of them have the name that they were sent with; then a lost create, which
    may never have been carried out, needs its name as well as its display order.
    """
    intents = sorted(intents, key=lambda i: (i.state == "lost", i.key))
    new = sorted((a for a in unknown if a.id not in strangers), key=lambda a: a.id)
    found = _by_order(intents, new, keeps_names) if keeps_orders else []
    matched, made = {m.intent.key for m in found}, {m.attachment.id for m in found}
    by_name = _groups((a for a in new if a.id not in made), lambda a: (a.size, nfc(a.name)))
    rest = (i for i in intents if i.key not in matched)
    for key, sent in _groups(rest, lambda i: (i.size, nfc(i.path))).items():
        in_doubt = [i for i in sent if i.state != "lost"]
        if len(by_name.get(key, [])) == len(in_doubt):
            known = _same_content(sent)
            pairs = zip(by_name.get(key, []), in_doubt, strict=True)
            found += [MatchedCreate(a, i, known) for a, i in pairs]
    return found


def _by_order(
    intents: Iterable[Intent], new: Iterable[Attachment], keeps_names: bool
) -> list[MatchedCreate]:
    """By display order; not against the name of another create: a server that numbers by itself
    may come upon one of ours."""
    found: list[MatchedCreate] = []
    sent = _groups(intents, lambda i: (i.size, i.number))
    named = {(i.size, nfc(i.path)) for group in sent.values() for i in group}
    for a in new:
        possible = sent.get((a.size, a.display_order), [])
        fitting = [i for i in possible if nfc(i.path) == nfc(a.name)]
        if not fitting and (a.size, nfc(a.name)) not in named:
            fitting = [i for i in possible if i.state != "lost" or not keeps_names]
        if fitting:
            found.append(MatchedCreate(a, fitting[0], _same_content(fitting)))
            possible.remove(fitting[0])
    return found


def _same_content(sent: Iterable[Intent]) -> bool:
    """Whether any of these creates made the same; lost ones did not where others have a 201."""
    in_doubt = [i for i in sent if i.state != "lost"]
    made = in_doubt if in_doubt and all(i.state == "answered" for i in in_doubt) else sent
    return len({(i.digest, i.fingerprint) for i in made}) == 1


def _groups(items: Iterable[T], key_of: Callable[[T], Hashable]) -> dict[Hashable, list[T]]:
    groups: dict[Hashable, list[T]] = defaultdict(list)
    for item in items:
        groups[key_of(item)].append(item)
    return groups
