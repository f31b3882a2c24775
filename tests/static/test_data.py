"""What is installed beside the code: the example config and the units, each written once, and the
style sheet of the page."""

from __future__ import annotations

from pathlib import Path

ROOT = Path(__file__).parents[2]
DATA = ROOT / "syncd" / "data"


def test_the_data_of_the_package_are_the_files_of_the_repository() -> None:
    links = (path for path in DATA.iterdir() if path.name != "page.css")
    found = {path.name: path.readlink().as_posix() for path in links}
    units = {path.name: f"../../systemd/{path.name}" for path in (ROOT / "systemd").iterdir()}
    assert found == {"config.example.yaml": "../../config.example.yaml", **units}
    assert all(path.is_file() for path in DATA.iterdir())
