"""The metrics in Prometheus's text format, for node_exporter's textfile collector."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

from syncd.overview.status import FolderStatus
from syncd.text import escaped_unless_utf8

Labels = tuple[tuple[str, str], ...]
Counters = Mapping[tuple[str, str], int]
"""Totals of the ledger, by name and label."""

MODE = 0o644
"""node_exporter runs as a user of its own; the file names no file of the folders."""
_CALLS = ("list", "view", "create", "create_bulk", "update", "delete")
_KINDS = ("folder", "task", "key", "quota", "server", "offline", "files", "file")
_PER_FOLDER = {
    "last_success_timestamp_seconds": "When the folder was last found or brought in sync; 0: never",
    "pending": "Actions that are left for a later cycle",
    "held": "Deletes and replacements that wait for `syncd approve`",
    "failed": "Files that could not be synced",
}


class Metric(NamedTuple):
    """One metric with its samples, by labels."""

    name: str
    kind: str
    help: str
    samples: Mapping[Labels, int]


def metrics_text(
    folders: Iterable[FolderStatus], quotas: Mapping[int, int], counters: Counters
) -> str:
    """The whole file; `quotas`: requests that are left, by organization."""
    metrics = [*_of_folders(folders, counters), _of_quota(quotas), *_totals(counters)]
    return "".join(map(_text, metrics))


def _of_folders(folders: Iterable[FolderStatus], counters: Counters) -> Iterator[Metric]:
    samples: dict[str, dict[Labels, int]] = {name: {} for name in _PER_FOLDER}
    for folder in folders:
        task = "" if folder.task_id is None else str(folder.task_id)
        labels = (("folder", folder.name), ("task", task))
        success = counters.get(("last_success", folder.task or ""), 0)
        values = (success, folder.pending, len(folder.held), len(folder.failed))
        for name, value in zip(_PER_FOLDER, values, strict=True):
            samples[name][labels] = value
    for name, text in _PER_FOLDER.items():
        yield Metric(name, "gauge", text, samples[name])


def _of_quota(quotas: Mapping[int, int]) -> Metric:
    samples: dict[Labels, int] = {(("organization", str(o)),): n for o, n in quotas.items()}
    text = "Requests that are left in the organization's hour"
    return Metric("quota_remaining", "gauge", text, samples)


def _totals(counters: Counters) -> Iterator[Metric]:
    def total(name: str, text: str, label: str = "", values: Iterable[str] = ("",)) -> Metric:
        counted = (value for key, value in counters if key == name)
        samples: dict[Labels, int] = {
            ((label, value),) if label else (): counters.get((name, value), 0)
            for value in dict.fromkeys((*values, *counted))
        }
        return Metric(f"{name}_total", "counter", text, samples)

    yield total("sent_files", "Files uploaded, new ones and new versions")
    yield total("sent_bytes", "Bytes of these files")
    yield total("requests", "Requests sent, by call", "call", _CALLS)
    yield total("errors", "Cycles that an error ended, by kind; file: files failed", "kind", _KINDS)


def _text(metric: Metric) -> str:
    name = f"syncd_{metric.name}"
    lines = [f"# HELP {name} {metric.help}", f"# TYPE {name} {metric.kind}"]
    lines += (f"{name}{_labels(labels)} {value}" for labels, value in metric.samples.items())
    return "".join(f"{line}\n" for line in lines)


def _labels(labels: Labels) -> str:
    pairs = ",".join(f'{name}="{_escaped(value)}"' for name, value in labels)
    return f"{{{pairs}}}" if pairs else ""


def _escaped(value: str) -> str:
    """A label's value; bytes that are not UTF-8 as `\\xff`."""
    text = escaped_unless_utf8(value).replace("\\", "\\\\")
    return text.replace('"', '\\"').replace("\n", "\\n")
