"""What several tests need. All people here are invented."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import pandas
import polars
import pyarrow
import pytest

Columns = dict[str, list[Any]]
Frame = Any


def as_pandas(columns: Columns) -> Frame:
    return pandas.DataFrame(columns)


def as_polars(columns: Columns) -> Frame:
    return polars.DataFrame(columns)


def as_pyarrow(columns: Columns) -> Frame:
    return pyarrow.table(columns)


def as_duckdb(columns: Columns) -> Frame:
    held = pyarrow.table(columns)  # noqa: F841 (the query names it)
    return duckdb.connect().from_arrow(held)


KINDS: dict[str, Callable[[Columns], Frame]] = {
    "pandas": as_pandas,
    "polars": as_polars,
    "pyarrow": as_pyarrow,
    "duckdb": as_duckdb,
}


@pytest.fixture(params=list(KINDS))
def frame(request: pytest.FixtureRequest) -> Callable[[Columns], Frame]:
    """Makes a frame of each library."""
    return KINDS[request.param]


@dataclass(frozen=True)
class Command:
    """The command, which the package has to agree with."""

    path: str

    def __call__(self, *arguments: object, may_reject: bool = True) -> str:
        done = subprocess.run(
            [self.path, *map(str, arguments)], check=False, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        # 3: done, but rows were rejected.
        assert done.returncode == 0 or (may_reject and done.returncode == 3), done.stderr
        return done.stdout


@pytest.fixture(scope="session")
def command() -> Command:
    path = os.environ.get("EARLYHELP_COMMAND")
    if not path:
        pytest.skip("EARLYHELP_COMMAND names no command to compare with")
    return Command(path)


@dataclass(frozen=True)
class Council:
    """A council that does not exist, and what the command makes of it."""

    folder: Path
    purpose: str

    @property
    def project(self) -> Path:
        return self.folder / "council" / "project.toml"

    @property
    def model(self) -> Path:
        return self.folder / "model.json"

    @property
    def released(self) -> Path:
        return self.folder / "released.json"

    def list(self) -> dict[str, Any]:
        held: dict[str, Any] = json.loads((self.folder / "list" / "list.json").read_text())
        return held


#: The day of the council's extracts: whatever is asked for is asked for on it.
DAY = "2025-04-01"
SIGNED = {"by": "A. Manager", "role": "Head of Early Help", "review_by": "2026-03-31"}
ASKED: dict[str, Any] = {"capacity": 12, "requested_by": "B. Lead", "at_random": 4}


@pytest.fixture(scope="session")
def council(command: Command, tmp_path_factory: pytest.TempPathFactory) -> Council:
    folder = tmp_path_factory.mktemp("road")
    command("synth", "--out", folder / "council", "--children", 2500, "--seed", 3, "--dirty")
    project = (folder / "council" / "project.toml").read_text()
    purpose = next(line.split('"')[1] for line in project.splitlines() if line.startswith("purpose"))
    made = Council(folder, purpose)
    (folder / "train.txt").write_text(command("train", made.project, "--out", made.model))
    command(
        *("release", made.model, "--by", SIGNED["by"], "--role", SIGNED["role"], "--purpose", purpose),
        *("--review-by", SIGNED["review_by"], "--on", DAY, "--out", made.released),
    )
    command(
        *("score", made.project, "--model", made.released, "--as-of", DAY, "--on", DAY),
        *("--capacity", ASKED["capacity"], "--at-random", ASKED["at_random"]),
        *("--requested-by", ASKED["requested_by"], "--purpose", purpose, "--out", folder / "list"),
    )
    return made
