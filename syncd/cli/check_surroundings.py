"""What `syncd check` says of machine and quota, none of which keeps a run from working."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator, Sequence

from syncd.cli.check_result import Check
from syncd.cli.unit import Unit, lingers, unit_of
from syncd.config import Config
from syncd.engine.quota import QuotaMeter
from syncd.local.inotify_limits import (
    instance_error,
    reached_limit,
    watch_limit,
    watches_needed,
)
from syncd.local.mounts import MISSING, Place, locate, mount_of, mounts
from syncd.model import HOUR
from syncd.overview.folders import Target
from syncd.overview.status_file import read_status, running_service
from syncd.overview.words import count, duration_text
from syncd.service.next_cycle import refresh_interval


def check_outputs(config: Config) -> Iterator[Check]:
    """What keeps page, metrics and `on_problem` from working."""
    for key in ("status_page", "metrics_file"):
        path: str | None = getattr(config, key)
        directory = os.path.dirname(os.path.realpath(path)) if path else "/"
        if path and not os.access(directory, os.W_OK):
            text = f"{path} cannot be written: is {directory} there, and writable for this user?"
            yield Check("config", key, text, warning=True)
    if config.on_problem:
        program = config.on_problem[0]
        base = os.path.dirname(config.file) if "/" in program else ""
        if shutil.which(os.path.join(base, program)) is None:
            text = f"{program} was not found, or may not be run: install it, or write its full path"
            yield Check("config", "on_problem", text, warning=True)


def check_watches(config: Config, targets: Sequence[Target]) -> Iterator[Check]:
    """Whether inotify can tell the service of changes; folders without it are scanned."""
    table, needed, kinds = mounts(), 0, set[str]()
    for target in targets:
        folder = target.folder
        place = locate(folder.path, folder.rules.recursive, table)
        if isinstance(place, Place):
            needed += watches_needed(place.path, folder.rules.recursive)
            mount = mount_of(place.path, table)
            kinds.add(mount.kind if mount else "an unknown file system")
        elif place != MISSING and os.path.isdir(folder.path):
            every = duration_text(target.rescan)
            text = f"{folder.path}: {place}; the service looks at it every {every} (rescan)"
            yield Check("watch", folder.name, text, warning=True)
    needed += len({entry.path for entry in config.entries if entry.kind == "each"})
    if needed:
        yield _check_limits(needed, ", ".join(sorted(kinds)))


def _check_limits(needed: int, kinds: str) -> Check:
    limit, error = watch_limit(needed), instance_error()
    instances = None if error is None else reached_limit(error)
    scanned = "until then the service looks at every `rescan` instead"
    directories = f"{needed} directories" if needed > 1 else "1 directory"
    if instances is not None:
        text = f"{instances}: {instances.remedy}; {scanned}"
        return Check("watch", "watch", text, warning=True)
    if limit.value.isdigit() and int(limit.value) < needed:
        text = f"{directories} to watch, and {limit.name} is {limit.value}: {limit.remedy}"
        return Check("watch", "watch", f"{text}; {scanned}", warning=True)
    where = f" on {kinds}" if kinds else ""
    text = f"{directories}{where} to watch ({limit.name}: {limit.value})"
    return Check("watch", "watch", text)


def check_quotas(meter: QuotaMeter, targets: Sequence[Target]) -> Iterator[Check]:
    """What is left of each organization's quota, and what the folders use of it in an hour."""
    by_organization: dict[int, list[Target]] = {}
    for target in targets:
        by_organization.setdefault(target.folder.task.organization_id, []).append(target)
    for organization, group in by_organization.items():
        name = "quota" if len(by_organization) == 1 else f"quota of organization {organization}"
        limit, left = meter.limit(organization), meter.left(organization)
        every = refresh_interval(len(group), limit)
        hourly = sum(HOUR / max(target.refresh, every) for target in group)
        use = (
            f"at rest the service uses {max(round(hourly), 1)} an hour, "
            f"`syncd --once` {len(group)} a run; changes come on top"
        )
        resets = meter.resets_in(organization)
        when = "" if resets is None else f", renewed in {duration_text(resets)}"
        if left is None and not meter.key_worked:
            continue
        if left is None:
            yield Check("quota", name, f"the server tells none; {limit} an hour assumed; {use}")
        elif left <= meter.reserve:
            text = f"{count(left, 'request')} left{when}, {meter.reserve} kept back; {use}"
            yield Check("quota", name, text, warning=True)
        else:
            text = f"{left} of {max(limit, left)} requests left{when}; {use}"
            yield Check("quota", name, text)


def check_service(config: Config) -> Check:
    """Whether the service runs, and its unit is installed."""
    pid = running_service(config.state_dir, read_status(config.state_dir))
    text, mend = _service(unit_of(config.file), pid)
    return Check("service", "service", f"{text}: {mend}" if mend else text, warning=bool(mend))


def _service(unit: Unit, pid: int | None) -> tuple[str, str]:
    """How the service stands, and the command that mends it if it needs mending."""
    runs = f"it runs (pid {pid})" if pid is not None else "it does not run"
    install = "`syncd init --service` installs it" if unit.user else "its README says how"
    journal = f"journalctl {'--user ' * unit.user}-u {unit.name} -n 20"
    if not unit.manager:
        scope = "of this user " * unit.user
        other = ": `syncd` by hand, or --once from cron" if pid is None else ""
        return f"{runs}; no systemd {scope}answers here{other}", ""
    if unit.load == "not-found":
        return f"{runs}; {unit.name} is not installed ({install})", ""
    if unit.active == "failed":
        return f"{runs}; {unit.name} has failed", journal
    if pid is None:
        return f"{runs}; {unit.name} is {unit.active}", unit.command("enable", "--now")
    if unit.active != "active":
        return f"{runs}, but not by {unit.name}, which is {unit.active}", ""
    if unit.enabled not in ("enabled", "enabled-runtime", "linked", "static"):
        text = f"{runs} by {unit.name}, which does not start by itself"
        return text, unit.command("enable")
    if unit.user and not lingers():
        return f"{runs} by {unit.name}, until you log out", "loginctl enable-linger"
    return f"{runs} by {unit.name}, which starts by itself", ""
