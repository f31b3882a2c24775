"""Every key of the config, as docs/configuration.md and the man page tell of it.

`tests/static/test_docs.py` holds it to what `syncd.config.load` knows, accepts and assumes.
"""

from __future__ import annotations

from typing import NamedTuple


class Key(NamedTuple):
    section: str
    """api | sync | folders, or empty for those at the left margin."""
    name: str
    type: str
    default: str
    """YAML, `required`, or a description in parentheses."""
    example: str
    """YAML of the value."""
    effect: str
    """Markdown; the first sentence also stands in the man page."""


_DURATION = "duration"
KEYS = (
    Key(
        "api",
        "url",
        "URL, or `sandbox`",
        "https://focus.toggl.com/api",
        "sandbox",
        "The address of the API. `sandbox` is the built-in imitation, whose data are kept under "
        "`state_dir`; it needs no account and no key. `http://` is accepted for loopback addresses "
        "only. A running service takes it up with a restart.",
    ),
    Key(
        "api",
        "organization_id",
        "number from 1",
        "(required here, or in every folder)",
        "123",
        "The organization of the tasks. It is the number before `/workspaces/` in the browser's "
        "address. A folder may have its own.",
    ),
    Key(
        "api",
        "workspace_id",
        "number from 1",
        "(required here, or in every folder)",
        "456",
        "The workspace of the tasks. It is the number after `/workspaces/` in the browser's "
        "address. A folder may have its own.",
    ),
    Key(
        "api",
        "token_file",
        "path",
        "(one of the three key sources is required, but for the sandbox)",
        "~/.config/syncd/token",
        "The file that holds the API key. Others may not read it, nor anyone else write it "
        "(`chmod 600`); its group may read it (`640`). It is looked at again after the key was "
        "refused, at every rescan and at SIGHUP, so a new key needs no restart.",
    ),
    Key(
        "api",
        "token_env",
        "name of a variable",
        "(none)",
        "SYNCD_TOKEN",
        "The environment variable that holds the API key. A running service sees a new value only "
        "after a restart.",
    ),
    Key(
        "api",
        "token_command",
        "list of texts",
        "(none)",
        "[pass, show, toggl]",
        "The command that prints the API key. There is no shell; the first line of its output "
        "counts, and it has 30 s. It is run in the directory of the config.",
    ),
    Key(
        "api",
        "timeout",
        _DURATION,
        "30s",
        "10s",
        "How long connecting may take, and the pause between two bytes. The answer to an upload "
        "may take 1 s more per 2 MiB sent.",
    ),
    Key("api", "connections", "1 to 16", "2", "4", "Uploads that are sent in parallel."),
    Key(
        "api",
        "max_batch_bytes",
        "size",
        "32MiB",
        "8MiB",
        "About how much one bulk request holds, and at most 10 files. A larger file goes alone. A "
        "request that is refused as too large (413) is split whatever this says.",
    ),
    Key(
        "api",
        "quota",
        "`auto`, or a number from 1",
        "auto",
        "240",
        "Requests an hour, if you know better than the server's headers. Must be more than "
        "`quota_reserve`. `auto` goes by the headers, and where there are none assumes 30.",
    ),
    Key(
        "api",
        "quota_reserve",
        "number from 0",
        "5",
        "0",
        "Requests an hour that are left for your other tools. Only an interrupted replacement may "
        "use them.",
    ),
    Key(
        "api",
        "create_params",
        "`query`, `form` or `both`",
        "both",
        "query",
        "Where a create says the name and the order of a file. The documentation leaves open where "
        "the server reads them; `syncd probe` finds out.",
    ),
    Key(
        "sync",
        "order",
        "`natural`, `name`, `modified`, `size` or `manifest`",
        "natural",
        "manifest",
        "The order in which the task shows the files. `natural`: letters of either case alike, "
        "digits as numbers (`2.txt` before `10.txt`), folder by folder. `name`: by code point. "
        "`modified`: oldest first. `size`: smallest first. `manifest`: as listed in the file "
        "`.syncd-order` in the folder, one path a line, `#` for comments; files that it does not "
        "list follow in natural order.",
    ),
    Key("sync", "reverse", "`true` or `false`", "false", "true", "Turns the order round."),
    Key(
        "sync",
        "display_order_step",
        "1 to 1000000",
        "100",
        "1000",
        "The room between the numbers of two neighbours. Files that are put in between later need "
        "no other to move while it lasts.",
    ),
    Key(
        "sync",
        "delete",
        "`owned`, `mirror` or `never`",
        "owned",
        "never",
        "Which attachments may be deleted. `owned`: those that syncd made or adopted, when their "
        "file is gone or was replaced. `mirror`: those of others, too, if no file belongs to them; "
        "the first time that is held back for `syncd approve`. `never`: none; the old version of a "
        "changed file stays, and counts as foreign.",
    ),
    Key(
        "sync",
        "max_delete",
        "number from 0",
        "10",
        "50",
        "More deletes than this are held back until you approve them. Counted in a run, by the "
        "service in an hour; replaced files do not count.",
    ),
    Key(
        "sync",
        "recursive",
        "`true` or `false`",
        "false",
        "true",
        "Syncs subfolders, too. An attachment is then named by its path (`img/logo.png`); other "
        "file systems mounted inside are left out.",
    ),
    Key(
        "sync",
        "include",
        "list of patterns",
        "[]",
        '["*.pdf", "img/"]',
        "Only what matches is synced; empty means everything. Patterns are those of `.gitignore`.",
    ),
    Key(
        "sync",
        "ignore",
        "list of patterns",
        "[]",
        '["*.bak", "!*.part"]',
        "What matches is not synced, whatever `include` says. It adds to a built-in list of "
        "hidden, temporary and half-written files; `!pattern` takes something out of either.",
    ),
    Key(
        "sync",
        "max_file_size",
        "size",
        "0",
        "100MB",
        "Larger files are skipped. 0 means no limit of syncd's own.",
    ),
    Key(
        "sync",
        "max_files",
        "number from 0",
        "1000",
        "5000",
        "A folder with more files to sync than this is an error, and nothing of its task is "
        "touched. So a home directory that was named by mistake is not sent. 0 means no limit.",
    ),
    Key(
        "sync",
        "settle",
        _DURATION,
        "2s",
        "10s",
        "Service: a file goes out when it was quiet for so long. A neighbour that is still being "
        "written does not hold it up.",
    ),
    Key(
        "sync",
        "rescan",
        _DURATION,
        "1m",
        "5m",
        "Service: how often the folder is looked at for missed events. That costs no request.",
    ),
    Key(
        "sync",
        "refresh",
        _DURATION,
        "1h",
        "15m",
        "Service: how often the task is listed when nothing changes here. It is stretched so that "
        "all refreshes take at most a fifth of the hourly quota.",
    ),
    Key(
        "",
        "state_dir",
        "path",
        "(`$STATE_DIRECTORY`; else, for `/etc/syncd/NAME.yaml`, `/var/lib/syncd/NAME`; else "
        "`$XDG_STATE_HOME/syncd`, which is `~/.local/state/syncd`)",
        "~/.local/state/syncd-acme",
        "Where the ledger, the lock and the sandbox's data are. It must not lie inside a synced "
        "folder. A running service takes it up with a restart.",
    ),
    Key(
        "",
        "status_page",
        "path",
        "(none)",
        "~/syncd.html",
        "A page for a browser that the service keeps fresh, and `--once` writes at its end.",
    ),
    Key(
        "",
        "metrics_file",
        "path",
        "(none)",
        "/var/lib/node_exporter/syncd.prom",
        "Metrics in the Prometheus text format, for node_exporter's textfile collector.",
    ),
    Key(
        "",
        "on_problem",
        "list of texts",
        "(none)",
        "[notify-send, syncd]",
        "The command that is run when a folder goes into error or is held, and when it recovers. "
        "There is no shell; it gets a JSON document on stdin and has 30 s.",
    ),
    Key(
        "folders",
        "path",
        "path",
        "(this or `each` is required)",
        "~/Acme/Landing page",
        "The folder to sync with one task.",
    ),
    Key(
        "folders",
        "task_id",
        "number from 1",
        "(required with `path`)",
        "789",
        "The task whose attachments the folder's files are. `syncd tasks` lists the numbers. Two "
        "entries may not have the same.",
    ),
    Key(
        "folders",
        "name",
        "text without slashes",
        "(the folder's own name)",
        "landing",
        "What the folder is called in logs, reports and `--folder`.",
    ),
    Key(
        "folders",
        "each",
        "path",
        "(this or `path` is required)",
        "~/Focus",
        "A directory whose subfolders are synced, each with the task that its name begins with. "
        "The number is followed by the end, a space, `-` or `_`: `4711 Logo` is task 4711; others "
        "are left alone. It goes without `task_id` and `name`.",
    ),
    Key(
        "folders",
        "organization_id",
        "number from 1",
        "(that of `api`)",
        "124",
        "The organization of this folder's task, if it is another one.",
    ),
    Key(
        "folders",
        "workspace_id",
        "number from 1",
        "(that of `api`)",
        "457",
        "The workspace of this folder's task, if it is another one.",
    ),
)
SECTIONS = {
    "api": "`api`: the server and the key",
    "sync": "`sync`: what holds for all folders",
    "folders": "`folders`: what is synced with what",
    "": "At the left margin",
}
