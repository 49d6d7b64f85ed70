"""What somebody meets who installs the package."""

from __future__ import annotations

import importlib.metadata
import json
import os
import runpy
import subprocess
import sys
from pathlib import Path

import pytest

import earlyhelp

HERE = Path(__file__).resolve().parent.parent


def run(*arguments: str, folder: Path | None = None) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, *arguments], check=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=folder)


def test_importing_it_imports_no_library_of_frames() -> None:
    code = "import sys, earlyhelp; print([name for name in ('pandas', 'polars', 'pyarrow', 'numpy', 'duckdb') if name in sys.modules])"
    assert run("-c", code).stdout.strip() == "[]"


def test_importing_it_is_quick() -> None:
    code = "import time; begun = time.perf_counter(); import earlyhelp; print(time.perf_counter() - begun)"
    times = sorted(float(run("-c", code).stdout) for _ in range(7))
    assert times[3] < 0.3, times


def test_it_is_what_it_says() -> None:
    held = importlib.metadata.metadata("earlyhelp")
    assert held["Version"] == earlyhelp.__version__
    assert held["License-Expression"] == "MIT OR Apache-2.0"
    assert held["Requires-Python"] == ">=3.10"
    requires = importlib.metadata.requires("earlyhelp") or []
    assert all("extra ==" in each for each in requires)
    files = {str(file) for file in importlib.metadata.files("earlyhelp") or []}
    assert "earlyhelp/py.typed" in files and "earlyhelp/_core.pyi" in files
    assert sum(file.endswith(("LICENSE-MIT", "LICENSE-APACHE")) for file in files) == 2


def test_everything_public_says_what_it_is() -> None:
    for name in earlyhelp.__all__:
        held = getattr(earlyhelp, name)
        if name == "__version__":
            continue
        assert held.__doc__, name
        if isinstance(held, type):
            for attribute, value in vars(held).items():
                is_public = not attribute.startswith("_") and (callable(value) or isinstance(value, (property, classmethod)))
                assert not is_public or value.__doc__, f"{name}.{attribute}"


def test_versions_are_those_of_the_library() -> None:
    manifest = HERE.parent.parent / "Cargo.toml"
    if not manifest.exists():
        pytest.skip("the package stands by itself here")
    version = next(line.split('"')[1] for line in manifest.read_text().splitlines() if line.startswith("version"))
    assert earlyhelp.__version__ == version
    for file in ("Cargo.toml", "pyproject.toml", "command/pyproject.toml"):
        assert f'version = "{version}"' in (HERE / file).read_text(), file


def test_licences_are_those_of_the_library() -> None:
    for name in ("LICENSE-MIT", "LICENSE-APACHE"):
        above = HERE.parent.parent / name
        if above.exists():
            assert (HERE / name).read_bytes() == above.read_bytes()
            assert (HERE / "command" / name).read_bytes() == above.read_bytes()


def test_where_an_auditor_starts_from(tmp_path: Path) -> None:
    told = run(str(HERE / "auditor.py"), str(tmp_path / "audit"), folder=tmp_path).stdout
    assert "warning: 10 of 4000 rows could not be audited" in told and "is not fair" in told
    held = json.loads((tmp_path / "audit" / "audit.json").read_text())
    assert (held["read"], held["audited"]) == (4000, 3990)
    # What was put into the invented scores is found: the east is selected more often than its needs say.
    assert "east" in told.split("shape:")[-1]
    assert sorted(file.name for file in (tmp_path / "audit").iterdir() if file.is_file()) == [
        "audit.csv",
        "audit.html",
        "audit.json",
        "audit.xlsx",
    ]


def test_it_can_be_run_cell_by_cell(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", ["ipykernel", "-f", "connection.json"])
    held = runpy.run_path(os.fspath(HERE / "auditor.py"))
    assert isinstance(held["found"], earlyhelp.Audit) and (tmp_path / "audit" / "audit.html").exists()
