"""Keys that change while the service runs."""

from __future__ import annotations

import logging
import os
from dataclasses import replace

from syncd.config import Config
from syncd.engine.report import KEY, OK
from syncd.errors import ConfigError, StateError
from syncd.focus.transport import HttpTransport
from syncd.secrets import KeySource
from syncd.service.notes import read_worked, write_worked
from syncd.service.worker import Worker

log = logging.getLogger("syncd.service")


class Keys:
    """Which key is in use, whether its source ever worked, and when there is a new one."""

    def __init__(self, config: Config, key: str) -> None:
        self._source = config.api.key_source
        self._state_dir = config.state_dir
        self._key = key
        self._noted = False

    def code_at_start(self, worker: Worker) -> int:
        """77 if the key was refused, from a source that never worked; else the service stays."""
        worked = worker.answered() or str(self._source) in read_worked(self._state_dir)
        if not worker.gate.key_refused or worked:
            self.note_if_it_works(worker)
            return OK
        for watched in worker.folders.values():
            if watched.report and watched.report.code == KEY:
                log.error("%s", watched.report.error)
                break
        return KEY

    def note_if_it_works(self, worker: Worker) -> None:
        """Once this source has worked, a refusal later on is a key that ended."""
        if not self._noted and worker.answered():
            self._noted = True
            try:
                write_worked(self._state_dir, str(self._source))
            except StateError as error:
                log.warning("%s", error)

    def say_refused(self) -> None:
        """Loudly, and with what helps."""
        log.error("the key was refused: all work waits, changes are collected; %s", self._advice())

    def renewed(self, transport: HttpTransport) -> bool:
        """Whether the token_file has another key by now; it is in use from now on.

        Only a file is looked at unasked: a command may want a password from its user.
        """
        if self._source is None or self._source.kind != "token_file":
            return False
        try:
            key = self._source.read()
        except ConfigError as error:
            log.warning("%s", error)
            return False
        if key == self._key:
            return False
        self._key = key
        transport.set_key(key)
        log.info("there is a new key: going on")
        return True

    def reload(self, old: Config, new: Config) -> tuple[Config, str]:
        """The config to go on with, and its key: url and state_dir only change with a restart.

        With another url the whole section `api` stays: its key is for that server only.
        """
        for what, before, after in (
            ("api.url", old.api.url, new.api.url),
            ("state_dir", old.state_dir, new.state_dir),
        ):
            if before != after:
                log.warning("%s changes with a restart only; it stays %s", what, before)
        api = new.api if new.api.url == old.api.url else old.api
        entries = tuple(
            e if e.task is None else replace(e, task=replace(e.task, url=api.url))
            for e in new.entries
        )
        key = self._key if api.sandbox or api.key_source is None else api.key_source.read()
        self._noted = self._noted and api.key_source == self._source
        self._key, self._source = key, api.key_source
        return replace(new, api=api, state_dir=old.state_dir, entries=entries), key

    def _advice(self) -> str:
        source: KeySource | None = self._source
        if source is not None and source.kind == "token_file":
            credentials = os.environ.get("CREDENTIALS_DIRECTORY")
            if credentials and source.words[0].startswith(credentials):
                return (
                    "systemd hands keys over at the start only: renew the file that "
                    "LoadCredential names, then `systemctl restart`"
                )
            return "put a new one into the token_file, it is looked at again by itself"
        return "renew it, then send SIGHUP"
