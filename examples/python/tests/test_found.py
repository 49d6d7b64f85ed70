"""What an attack found: each of these went wrong once."""

from __future__ import annotations

import os
import subprocess
import sys
import warnings
from pathlib import Path
from typing import Any

import numpy
import polars
import pytest

import earlyhelp

from .conftest import ASKED, DAY, SIGNED, Command, Council

ROWS = 400


def scores(**more: Any) -> polars.DataFrame:
    held: dict[str, Any] = {
        "risk": [row / ROWS for row in range(ROWS)],
        "excluded": [int(row * 7 % 10 < row / 40) for row in range(ROWS)],
        "area": ["north", "south"] * (ROWS // 2),
    }
    return polars.DataFrame(held | more)


def audited(frame: Any, **more: Any) -> dict[str, Any]:
    asked: dict[str, Any] = {"score": "risk", "outcome": "excluded", "groups": ["area"], "capacity": 80}
    return earlyhelp.audit(frame, **asked | more).to_dict()


@pytest.mark.parametrize(
    "ids",
    [
        polars.Series([4 * 10**18 + row // 2 for row in range(ROWS)]).cast(polars.Decimal(38, 0)),
        polars.Series([2**63 + row // 2 for row in range(ROWS)], dtype=polars.UInt64),
        polars.Series([-(2**63) + row // 2 for row in range(ROWS)], dtype=polars.Int64),
        polars.Series([0.1 * (row // 2) for row in range(ROWS)], dtype=polars.Float32),
    ],
    ids=["decimal", "u64", "least", "f32"],
)
def test_long_numbers_are_who_they_are_in_a_file(ids: polars.Series, tmp_path: Path) -> None:
    frame = scores(family=ids)
    frame.write_csv(tmp_path / "scores.csv")
    frame.write_parquet(tmp_path / "scores.parquet")
    by_frame = audited(frame, cluster="family")["audit"]
    assert by_frame["clusters"] == ROWS // 2
    assert audited(tmp_path / "scores.csv", cluster="family")["audit"] == by_frame
    assert audited(tmp_path / "scores.parquet", cluster="family")["audit"] == by_frame


def test_settings_that_contradict_themselves_are_refused() -> None:
    for wrong in (
        {"groups": ["area", "area"]},
        {"groups": ["excluded"]},
        {"groups": ["risk"]},
        {"references": [("area", "north"), ("area", "south")]},
    ):
        with pytest.raises(earlyhelp.BadInput):
            audited(scores(), **wrong)


def test_a_day_of_numpy_is_no_date_of_ours() -> None:
    day: Any = numpy.datetime64("2025-01-01")
    with pytest.raises(TypeError, match="followed_to"):
        audited(scores(on="2024-01-01"), scored_on="on", horizon="6 months", followed_to=day)


def test_no_input_is_written_over_wherever_the_process_goes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    scores().write_csv(tmp_path / "audit.csv")
    before = (tmp_path / "audit.csv").read_bytes()
    monkeypatch.chdir(tmp_path)
    found = earlyhelp.audit("audit.csv", score="risk", outcome="excluded", groups=["area"], capacity=80)
    monkeypatch.chdir("/")
    with pytest.raises(earlyhelp.Error):
        found.save(tmp_path, force=True)
    assert (tmp_path / "audit.csv").read_bytes() == before


def test_neither_extracts_nor_a_project_nor_a_ledger_are_written_over(council: Council, tmp_path: Path) -> None:
    project = earlyhelp.Project(council.project)
    model = earlyhelp.Model.load(council.model)
    ledger = tmp_path / "ledger.sqlite"
    model.release(**SIGNED, purpose=project.purpose, signed_on=DAY, ledger=ledger)
    for held in (council.project, council.project.parent / "contacts.csv", ledger):
        before = held.read_bytes()
        with pytest.raises(earlyhelp.Error):
            model.save(held, force=True)
        assert held.read_bytes() == before


def test_what_is_on_record_is_not_lost_where_warnings_are_errors(council: Council, tmp_path: Path, command: Command) -> None:
    project = earlyhelp.Project(council.project)
    released = earlyhelp.ReleasedModel.load(council.released)
    asked: dict[str, Any] = {**ASKED, "purpose": project.purpose, "on": DAY, "ledger": tmp_path / "ledger.sqlite"}
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(earlyhelp.EarlyhelpWarning) as told:
            project.score(released, DAY, **asked)
    review = told.value.result
    assert isinstance(review, earlyhelp.ReviewList)
    assert review.run[:8] in command("log", tmp_path / "ledger.sqlite")


def test_a_flag_is_true_or_false(council: Council) -> None:
    project = earlyhelp.Project(council.project)
    released = earlyhelp.ReleasedModel.load(council.released)
    no: Any = "no"
    with pytest.raises(TypeError, match="not_known"):
        project.score(released, DAY, **ASKED, purpose=project.purpose, on=DAY, not_known=no)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork here")
def test_a_fork_is_refused_and_not_waited_for() -> None:
    code = """
import earlyhelp, os, sys
frame = {"risk": [row / 400 for row in range(400)], "excluded": [row % 3 == 0 for row in range(400)], "area": ["n", "s"] * 200}
import polars
def audit():
    earlyhelp.audit(polars.DataFrame(frame), score="risk", outcome="excluded", groups=["area"], capacity=80)
audit()
if os.fork() == 0:
    try:
        audit()
    except earlyhelp.Refused:
        os._exit(7)
    os._exit(8)
_, status = os.wait()
sys.exit(os.waitstatus_to_exitcode(status))
"""
    done = subprocess.run([sys.executable, "-W", "ignore", "-c", code], check=False, timeout=60)
    assert done.returncode == 7
