"""Page, metrics, `on_problem` and the log in JSON of the service, as a process."""

from __future__ import annotations

import json

from tests.support.service import Service, until


def test_page_metrics_command_and_log_follow_what_the_service_does(service: Service) -> None:
    page, metrics, told = (service.base / name for name in ("p.html", "m.prom", "told"))
    config = json.loads(service.config.read_text())
    outputs = {"status_page": str(page), "metrics_file": str(metrics)}
    command = {"on_problem": ["sh", "-c", f"cat >> {told}; exit 7"]}
    service.config.write_text(json.dumps(config | outputs | command))
    for name in "ab":
        service.write(name, name)
    service.start("--log-format", "json")
    service.settled("a", "b")
    until(lambda: metrics.exists() and "syncd_sent_bytes_total 2\n" in metrics.read_text())
    until(lambda: page.exists() and "The folder is in sync" in page.read_text())
    assert 'http-equiv="refresh"' in page.read_text()
    for name in "ab":
        (service.root / name).unlink()
    service.says("on_problem: sh ended with exit status 7")
    assert [json.loads(line)["state"] for line in told.read_text().splitlines()] == ["held"]
    until(lambda: "syncd approve --folder landing" in page.read_text(), "the held ones")
    until(lambda: 'syncd_held{folder="landing",task="789"} 2' in metrics.read_text())
    assert service.stop() == 0
    assert "No service is running" in page.read_text()
    assert 'http-equiv="refresh"' not in page.read_text()
    lines = [json.loads(line) for line in service.errors.read_text().splitlines()]
    found = {line["event"]: line for line in lines if "event" in line}
    assert found["created"]["folder"] == found["cycle"]["folder"] == "landing"
    assert (found["created"]["name"], found["created"]["task"]) == ("b", 789)
    assert found["problem"]["reason"].startswith("held back: no synced file is left")
    assert found["cycle"]["requests"] == 0
