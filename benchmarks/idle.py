"""What an idle service costs: CPU seconds, memory, wake-ups and requests, with N folders.

    python benchmarks/idle.py [--folders 20] [--files 50] [--seconds 20] [--rescan 1m]

The service runs as a process of its own against a sandbox in this one, with the default times
unless told otherwise. A rescan of a second shows what looking costs, sixty times as often.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from syncd.sandbox.quirks import Quirks
from syncd.sandbox.server import Sandbox


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--folders", type=int, default=20)
    parser.add_argument("--files", type=int, default=50, help="in each folder")
    parser.add_argument("--seconds", type=float, default=20.0)
    parser.add_argument("--rescan", default="1m")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as base, Sandbox(Quirks(quota=None)) as sandbox:
        config = prepare(Path(base), sandbox.url, options)
        measure(config, sandbox, options)


def prepare(base: Path, url: str, options: argparse.Namespace) -> Path:
    token = base / "token"
    token.write_text("toggl_sk_" + "0" * 32)
    token.chmod(0o600)
    folders = []
    for number in range(options.folders):
        folder = base / f"folder{number}"
        folder.mkdir()
        for name in range(options.files):
            (folder / f"{name}.txt").write_text(f"{number} {name}")
        folders.append({"path": str(folder), "task_id": number + 1})
    config = base / "config.yaml"
    api = {"url": url, "organization_id": 1, "workspace_id": 2, "token_file": str(token)}
    sync = {"rescan": options.rescan}
    whole = {"api": api, "state_dir": str(base / "state"), "sync": sync, "folders": folders}
    config.write_text(json.dumps(whole))
    return config


def measure(config: Path, sandbox: Sandbox, options: argparse.Namespace) -> None:
    began = time.monotonic()
    service = subprocess.Popen(
        [sys.executable, "-m", "syncd", "-q", "-c", str(config)],
    )
    try:
        wait_until_in_sync(config.parent / "state" / "status.json", options.folders)
        print(
            f"{options.folders} folders of {options.files} files in sync after "
            f"{time.monotonic() - began:.1f} s, {sandbox.api.count()} requests, "
            f"{cpu(service.pid):.2f} s of CPU"
        )
        time.sleep(2.0)
        before = cpu(service.pid), rss(service.pid), wakes(service.pid), sandbox.api.count()
        time.sleep(options.seconds)
        after = cpu(service.pid), rss(service.pid), wakes(service.pid), sandbox.api.count()
        used, grown, woken, asked = (b - a for a, b in zip(before, after, strict=True))
        print(
            f"idle for {options.seconds:g} s (rescan {options.rescan}): "
            f"{used:.2f} s of CPU ({100 * used / options.seconds:.2f} %), "
            f"{woken / options.seconds:.1f} wake-ups a second, {asked} requests, "
            f"{after[1] / 1024:.1f} MiB resident, grown by {grown} KiB"
        )
    finally:
        service.send_signal(signal.SIGTERM)
        service.wait()


def wait_until_in_sync(status: Path, folders: int) -> None:
    while True:
        time.sleep(0.1)
        if status.exists():
            rows = json.loads(status.read_text())["folders"]
            if sum(row["state"] == "in sync" for row in rows) == folders:
                return


def cpu(pid: int) -> float:
    """Seconds, of user and system together."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def rss(pid: int) -> int:
    """KiB."""
    return _number(pid, "status", "VmRSS")


def wakes(pid: int) -> int:
    """Voluntary context switches of all threads."""
    threads = os.listdir(f"/proc/{pid}/task")
    return sum(_number(pid, f"task/{t}/status", "voluntary_ctxt_switches") for t in threads)


def _number(pid: int, file: str, name: str) -> int:
    found = re.search(rf"^{name}:\s+(\d+)", Path(f"/proc/{pid}/{file}").read_text(), re.MULTILINE)
    return int(found[1]) if found else 0


if __name__ == "__main__":
    main()
