"""The line that tells on a terminal that the service is up."""

from __future__ import annotations

import signal

from tests.support.service import Service, until
from tests.support.terminal import Terminal


def test_the_service_names_its_folders_and_tasks_in_one_line_on_a_terminal(
    service: Service,
) -> None:
    other = service.folder("other", 790)
    terminal = Terminal("-c", str(service.config))
    terminal.shows(lambda text: "up, watching" in text)
    until(lambda: service.status())
    terminal.process.send_signal(signal.SIGTERM)
    code, text = terminal.ended()
    lines = [line for line in text.splitlines() if "watching" in line]
    assert (code, len(lines)) == (0, 1), text
    assert lines[0].endswith(f"up, watching {service.root} for task 789, {other} for task 790")


def test_the_service_starts_silently_with_q_without_a_terminal_and_under_systemd(
    service: Service,
) -> None:
    for more, env in (("-q",), {}), ((), {"NOTIFY_SOCKET": str(service.base / "notify")}):
        terminal = Terminal(*more, "-c", str(service.config), **env)
        until(lambda: service.row().get("state") == "in sync")
        terminal.process.send_signal(signal.SIGTERM)
        code, text = terminal.ended()
        assert (code, "watching" in text) == (0, False), text
        (service.state / "status.json").unlink()
    service.start().settled()
    assert not service.lines("watching")
