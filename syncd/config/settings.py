"""The settings of a config: complete, checked, frozen."""

from __future__ import annotations

from typing import Literal, NamedTuple

from syncd.model import Rules, TaskKey
from syncd.secrets import KeySource

CreateParams = Literal["query", "form", "both"]

SANDBOX = "sandbox"
"""`api.url` of the built-in server, and the `TaskKey.url` of its tasks."""


class ApiSettings(NamedTuple):
    """The section `api`."""

    url: str = "https://focus.toggl.com/api"
    """Without a trailing slash; `sandbox` for the built-in server."""
    timeout: float = 30.0
    """Seconds: to connect, and between two reads."""
    connections: int = 2
    max_batch_bytes: int = 32 * 1024 * 1024
    quota: int | None = None
    """Requests an hour; None = `auto`."""
    quota_reserve: int = 5
    create_params: CreateParams = "both"
    key_source: KeySource | None = None
    """None for the sandbox, and for commands that need no key."""
    organization_id: int | None = None
    """The ids of folders that have none of their own; None = each has its own."""
    workspace_id: int | None = None

    @property
    def sandbox(self) -> bool:
        return self.url == SANDBOX


class FolderEntry(NamedTuple):
    """One entry of `folders`: a folder with its task, or the parent of such folders."""

    kind: Literal["path", "each"]
    path: str
    """Absolute; symbolic links are not resolved."""
    name: str
    """Unique among the `path` entries. An `each` entry has its directory's name."""
    task: TaskKey | None
    """None for `each`: the names of its subfolders say which task each is."""
    organization_id: int
    workspace_id: int
    rules: Rules
    settle: float
    """Seconds, as the two that follow."""
    rescan: float
    refresh: float

    @property
    def is_complete(self) -> bool:
        """Whether it says which task and workspace it is; only a faulty one does not."""
        ids = bool(self.organization_id and self.workspace_id)
        return ids and (self.kind == "each" or self.task is not None)


class Config(NamedTuple):
    """A whole config; `file` and `state_dir` are absolute paths."""

    file: str
    api: ApiSettings
    state_dir: str
    entries: tuple[FolderEntry, ...]
    status_page: str | None = None
    """The page that is kept fresh; an absolute path, as that of the metrics."""
    metrics_file: str | None = None
    on_problem: tuple[str, ...] = ()
    """The command that hears of problems; empty = none."""

    @property
    def has_outputs(self) -> bool:
        """Whether a page or metrics are to be written."""
        return self.status_page is not None or self.metrics_file is not None
