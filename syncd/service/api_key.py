"""The API key of a running service: whether it ever worked, and what follows a refusal."""

from __future__ import annotations

import logging
import os

from syncd.config import Config
from syncd.engine.report import KEY, OK
from syncd.errors import ConfigError, StateError
from syncd.focus.transport import HttpTransport
from syncd.overview.status_file import read_worked_keys, record_worked_key
from syncd.secrets import KeySource
from syncd.service.worker import Worker

log = logging.getLogger("syncd.service")


class ApiKey:
    """The key in use and the source that it came from."""

    def __init__(self, config: Config, key: str) -> None:
        self._source = config.api.key_source
        self._state_dir = config.state_dir
        self._key = key
        self._recorded = False
        """It is on record that this source has worked."""

    def exit_code_at_start(self, worker: Worker) -> int:
        """77 if the key was refused and its source never worked; else the service goes on."""
        worked_before = str(self._source) in read_worked_keys(self._state_dir)
        worked = worked_before or worker.context.quota.key_worked
        if worked or not worker.pause.key_refused:
            self.record_if_it_worked(worker)
            return OK
        for state in worker.folders.values():
            if state.report and state.report.code == KEY:
                log.error("%s", state.report.error)
                break
        return KEY

    def record_if_it_worked(self, worker: Worker) -> None:
        """Put on record that this source has worked: a later refusal then pauses the service."""
        if not self._recorded and worker.context.quota.key_worked:
            self._recorded = True
            try:
                record_worked_key(self._state_dir, str(self._source))
            except StateError as error:
                log.warning("%s", error)

    def log_refused(self) -> None:
        log.error("the key was refused: all work waits, changes are collected; %s", self._advice())

    def reread(self, transport: HttpTransport) -> bool:
        """Whether the token_file holds another key by now, which `transport` uses from now on.

        Other sources are read at a reload only: a command may ask its user for a password.
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
        """The config to use after a reload, and its key. `url` and `state_dir` stay as they are.

        Where the new config has another url, the whole section `api` stays: its key is for that
        server only.
        """
        for name, before, after in (
            ("api.url", old.api.url, new.api.url),
            ("state_dir", old.state_dir, new.state_dir),
        ):
            if before != after:
                log.warning("%s changes with a restart only; it stays %s", name, before)
        api = new.api if new.api.url == old.api.url else old.api
        entries = tuple(
            e if e.task is None else e._replace(task=e.task._replace(url=api.url))
            for e in new.entries
        )
        key = self._key if api.sandbox or api.key_source is None else api.key_source.read()
        self._recorded = self._recorded and api.key_source == self._source
        self._key, self._source = key, api.key_source
        return new._replace(api=api, state_dir=old.state_dir, entries=entries), key

    def _advice(self) -> str:
        source: KeySource | None = self._source
        if source is not None and source.kind == "token_file":
            credentials = os.environ.get("CREDENTIALS_DIRECTORY")
            if credentials and source.location[0].startswith(credentials):
                return (
                    "systemd hands keys over at the start only: renew the file that "
                    "LoadCredential names, then `systemctl restart`"
                )
            return "put a new one into the token_file, it is looked at again by itself"
        return "renew it, then send SIGHUP"
