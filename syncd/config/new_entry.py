"""An entry of `folders:` as text, and adding it to a config whose other bytes stay as they are."""

from __future__ import annotations

import json
import re
from typing import Any, Literal, NamedTuple

from syncd.config.locations import expand_home
from syncd.config.yaml_document import compose, read_document
from syncd.errors import ConfigError, Fault
from syncd.text import printable

_PLAIN = re.compile(r"[/~\w][\w/.~@+=,()& -]*(?<! )")


class NewEntry(NamedTuple):
    """A folder, or the parent of folders, that the config does not have yet."""

    kind: Literal["path", "each"]
    path: str
    """As the config writes it."""
    task_id: int | None
    comment: str = ""
    """The task's name."""
    organization_id: int | None = None
    """None = that of `api`."""
    workspace_id: int | None = None
    name: str | None = None
    """None = the folder's own name."""

    def lines(self) -> list[str]:
        """The entry as YAML."""
        name = f"  # {printable(self.comment)}" if self.comment else ""
        lines = [f"- {self.kind}: {scalar(self.path)}"]
        lines += [f"  task_id: {self.task_id}{name}"] if self.task_id is not None else []
        if self.name is not None:
            lines.append(f"  name: {json.dumps(self.name, ensure_ascii=False)}")
        keys = ("organization_id", "workspace_id")
        return lines + [f"  {key}: {id_}" for key in keys if (id_ := getattr(self, key))]

    def values(self) -> dict[str, object]:
        """What YAML makes of the lines."""
        keys = ("task_id", "name", "organization_id", "workspace_id")
        given = {key: id_ for key in keys if (id_ := getattr(self, key)) is not None}
        return {self.kind: self.path, **given}


def scalar(text: str) -> str:
    """Text as a YAML value: plain, or in quotes where YAML would read something else."""
    return text if _PLAIN.fullmatch(text) else json.dumps(text, ensure_ascii=False)


def written_path(path: str, config: str) -> str:
    """An absolute path as a config writes it: `~` for the home, if the config lies there too."""
    home, text = expand_home("~"), path.replace("$", "$$")
    if home is None or not config.startswith(f"{home}/") or not f"{path}/".startswith(f"{home}/"):
        return text
    return f"~/{path[len(home) + 1 :]}".replace("$", "$$")


def with_entry(file: str, text: str, entry: NewEntry) -> str:
    """The config's text with the entry at the end of `folders:`.

    Raises ConfigError, with the lines to add by hand, if that would change anything else.
    """
    before, _ = read_document(file, text)
    place = _place(compose(file, text))
    if place is None or not isinstance(before, dict):
        raise _by_hand(file, entry)
    end, indent = place
    newline = "\r\n" if "\r\n" in text else "\n"
    # Comments that are indented further than the dash belong to the last entry.
    line_end = text.find("\n", len(text[:end].rstrip()))
    end = len(text) if line_end < 0 else line_end + 1
    comment = re.compile(rf" {{{indent + 1},}}#[^\n]*(?:\n|\Z)")
    while found := comment.match(text, end):
        end = found.end()
    head, tail = text[:end], text[end:]
    if not head.endswith("\n"):
        head += newline
    new = head + "".join(f"{' ' * indent}{line}{newline}" for line in entry.lines()) + tail
    wanted = {**before, "folders": [*before["folders"], entry.values()]}
    try:
        after, _ = read_document(file, new)
    except ConfigError:
        raise _by_hand(file, entry) from None
    if after != wanted:
        raise _by_hand(file, entry)
    return new


def _place(root: Any) -> tuple[int, int] | None:
    """The index at which the last item of `folders:` ends, and the column of its dash.

    None = the list is not written as lines that begin with dashes, in its own place.
    """
    for key, value in root.value:
        if key.value == "folders" and value.id == "sequence" and value.value:
            is_here = value.start_mark.index > key.end_mark.index
            if not value.flow_style and is_here:
                return _end(value), value.start_mark.column
    return None


def _end(node: Any) -> int:
    """The index after the last character of a node; its own mark may lie behind comments."""
    if node.id == "scalar" or node.flow_style or not node.value:
        return int(node.end_mark.index)
    last = node.value[-1]
    return _end(last[1] if node.id == "mapping" else last)


def _by_hand(file: str, entry: NewEntry) -> ConfigError:
    lines = "; ".join(line.strip() for line in entry.lines())
    message = "is written in a way that a new entry would disturb: nothing was changed"
    return ConfigError(Fault(message, file, key="folders", hint=f"add by hand: {lines}"))
