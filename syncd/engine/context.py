"""What cycles work with: the remote, the ledger, the quota, the clock. Handed in by the caller."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cached_property
from typing import NamedTuple, Protocol

from syncd.engine.quota import QuotaMeter
from syncd.focus.uploads import Receipt, Upload
from syncd.model import Attachment, Listing, TaskKey
from syncd.state.ledger import Ledger


class Remote(Protocol):
    """What holds attachments: the six calls. Each raises ApiError for what is not its success."""

    max_files: int
    """Files that one bulk create takes."""

    def list(self, task: TaskKey, max_files: int) -> Listing:
        """All attachments of a task; the answer may be as long as so many files make it."""

    def view(self, task: TaskKey, attachment_id: int) -> Attachment | None: ...

    def create(
        self, task: TaskKey, upload: Upload, on_bytes: Callable[[int], None] | None = None
    ) -> Receipt: ...

    def create_bulk(
        self,
        task: TaskKey,
        uploads: Sequence[Upload],
        on_bytes: Callable[[int], None] | None = None,
    ) -> Receipt: ...

    def update(self, task: TaskKey, attachment_id: int, name: str, display_order: int) -> None: ...

    def delete(self, task: TaskKey, attachment_id: int) -> None: ...

    def fits(self, task: TaskKey, names: Sequence[str]) -> bool:
        """Whether one create may carry these names."""


class Progress:
    """Hears how a run gets on, and shows nothing of it; may be called by several threads."""

    uploading = False
    """Uploads are in flight."""

    def begin(self, folder: str) -> None:
        """The run turns to the folder of this name."""

    def requested(self, sent: Callable[[], int], left: Callable[[], int | None]) -> None:
        """A request goes out; what they return: how many the run has sent, and how many are left
        of the quota, if that is known."""

    def expect(self, files: int, size: int) -> None:  # noqa: ARG002
        """So many files and bytes are about to be sent."""
        self.uploading = True

    def sent(self, count: int) -> None:
        """So many bytes more went out."""

    def uploaded(self, files: int) -> None:
        """So many files more have arrived."""

    def done(self) -> None:
        """Nothing more is on its way."""
        self.uploading = False

    def close(self) -> None:
        """The run is over."""


class Tally(Protocol):
    """Keeps totals that only grow, by name and label; may be called by several threads."""

    def add(self, name: str, label: str = "", by: int = 1) -> None: ...

    def put(self, name: str, label: str, value: int) -> None:
        """In place of the value before."""


class NoTally:
    """Totals that nobody asks for."""

    def add(self, name: str, label: str = "", by: int = 1) -> None:
        pass

    def put(self, name: str, label: str, value: int) -> None:
        pass


class Options(NamedTuple):
    """What one run may do beyond the config."""

    once: bool = True
    """A run of its own, which waits out what it can; False = the service, which comes again."""
    dry_run: bool = False
    wait: bool = False
    allow_delete: bool = False
    adopt_any_age: bool = False
    settle: float = 0.0
    """Seconds that a file must have been quiet for the service to touch it."""
    list_first: bool = True
    """The remembered list is too old to plan on."""
    retry: bool = False


class _Parts(NamedTuple):
    """Clock in seconds since the epoch; `sleep` may be cut short by an exception."""

    remote: Remote
    ledger: Ledger
    quota: QuotaMeter
    clock: Callable[[], float]
    sleep: Callable[[float], None]
    progress: Progress
    connections: int
    """Uploads in parallel."""
    max_batch_bytes: int
    pulse: Callable[[], None] = lambda: None
    """Called while work goes on: the worker is alive."""
    checkpoint: Callable[[], None] = lambda: None
    """Called where work can be left: raises Stopped if it is to be."""
    tally: Tally = NoTally()


class Context(_Parts):
    """What cycles work with, and the threads that send."""

    @cached_property
    def upload_threads(self) -> ThreadPoolExecutor:
        """They live as long as the process."""
        return ThreadPoolExecutor(self.connections)
