"""Writes the text of a first config: config.example.yaml, filled in."""

from __future__ import annotations

import os
from typing import NamedTuple

from syncd.config.new_entry import NewEntry, scalar
from syncd.config.settings import SANDBOX
from syncd.packaged_files import packaged

PLAYGROUND = "syncd-playground"
"""The folder of a sandbox's config, beside it, where no other is named."""
_HEADER = """\
# The config of syncd, written by `syncd init`, which also adds folders to it. `syncd check` looks
# at all of it, `syncd status` tells how the folders stand.
#
"""
_HEADER_ENDS = "# A line that begins with #"
_ENTRY = """\
  - path: examples/landing-page
    task_id: 789
"""
_NAME = "    #name: landing-page     # for --folder and logs; the default is the folder's name\n"


class NewConfig(NamedTuple):
    """What a first config says."""

    url: str
    organization_id: int
    workspace_id: int
    token_file: str | None
    """As the config writes it; None for the sandbox."""
    entry: NewEntry
    state_dir: str | None = None
    """As the config writes it; None = the default, of the sandbox the example's."""

    def text(self) -> str:
        """The whole config, with the comments of the example."""
        example = packaged("config.example.yaml")
        changes = [
            ("\n  url: sandbox\n", f"\n  url: {self.url}\n"),
            ("\n  organization_id: 1\n", f"\n  organization_id: {self.organization_id}\n"),
            ("\n  workspace_id: 1\n", f"\n  workspace_id: {self.workspace_id}\n"),
            (_ENTRY, "".join(f"  {line}\n" for line in self.entry.lines())),
        ]
        if self.entry.kind == "each":
            changes.append((_NAME, ""))
        if self.token_file is not None:
            key = f"  token_file: {scalar(self.token_file)}\n"
            changes.append(("  #token_file: ~/.config/syncd/token\n", key))
        if self.state_dir is not None:
            own = f"\nstate_dir: {scalar(self.state_dir)}\n"
            changes.append(("\nstate_dir: .syncd-sandbox\n", own))
        elif self.url != SANDBOX:
            changes.append(
                ("\nstate_dir: .syncd-sandbox\n", "\n#state_dir: ~/.local/state/syncd\n")
            )
        _, mark, text = example.partition(_HEADER_ENDS)
        for old, new in changes:
            if text.count(old) != 1:
                raise ValueError(f"config.example.yaml has not one {old.strip()!r}")
            text = text.replace(old, new)
        return _HEADER + mark + text


def playground(config: str) -> str:
    """The folder of a sandbox's config."""
    return os.path.join(os.path.dirname(config), PLAYGROUND)
