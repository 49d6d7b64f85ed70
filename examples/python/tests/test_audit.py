"""An auditor's session gives the command's very figures, whichever library the table is in."""

from __future__ import annotations

import csv
import datetime
import json
import random
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy
import pandas
import polars
import pyarrow
import pytest

import earlyhelp

from .conftest import Columns, Command, Frame

ROWS = 900


def table() -> Columns:
    """Cases with all that an audit can ask for."""
    chance = random.Random(7)
    needs = [chance.betavariate(1.0, 5.0) for _ in range(ROWS)]
    return {
        "risk": [round(need, 6) for need in needs],
        "band": [["Low", "Medium", "High"][min(2, int(need * 8))] for need in needs],
        "excluded": [chance.random() < need for need in needs],
        "status": [chance.choice(["closed", "plan", "plan", "open"]) for _ in needs],
        "picked": [need + chance.gauss(0, 0.1) > 0.35 for need in needs],
        "usual": [need + chance.gauss(0, 0.3) > 0.4 for need in needs],
        "sex": [chance.choice(["F", "M", None]) for _ in needs],
        "school year": [chance.randint(7, 9) for _ in needs],
        "household": [f"H{nth // 2}" for nth in range(ROWS)],
        "person": [f"P{nth % 700}" for nth in range(ROWS)],
        "stands_for": [chance.choice([1.0, 2.5]) for _ in needs],
        "times": [chance.randint(0, 3) for _ in needs],
        "how": [chance.choice(["lot", "ranking", "ranking"]) for _ in needs],
        "on": [datetime.date(2022, 1, 1) + datetime.timedelta(days=chance.randint(0, 700)) for _ in needs],
        "tp": [chance.randint(3, 30) for _ in needs],
        "fp": [chance.randint(3, 30) for _ in needs],
        "fn": [chance.randint(3, 30) for _ in needs],
        "tn": [chance.randint(30, 90) for _ in needs],
    }


def write(columns: Columns, path: Path) -> None:
    with path.open("w", newline="") as file:
        out = csv.writer(file)
        out.writerow(columns)
        out.writerows(zip(*columns.values()))


#: Keywords, and the options that stand for them.
ASKED: dict[str, tuple[dict[str, Any], list[str]]] = {
    "a share": (
        {"score": "risk", "outcome": "excluded", "capacity": "20%", "cluster": "household"},
        ["--score", "risk", "--outcome", "excluded", "--capacity", "20%", "--cluster", "household"],
    ),
    "so many, in pairs": (
        {"score": "risk", "outcome": "excluded", "capacity": 120, "intersections": 2, "minimum": 5, "not_held": ["religion"]},
        ["--score", "risk", "--outcome", "excluded", "--capacity", "120", "--intersections", "2", "--min-n", "5", "--not-held", "religion"],
    ),
    "a threshold, rounded": (
        {"score": "risk", "outcome": "excluded", "threshold": 0.3, "round_to": 5, "margin": 0.1, "person": "person"},
        ["--score", "risk", "--outcome", "excluded", "--threshold", "0.3", "--round-to", "5", "--margin", "0.1", "--person", "person"],
    ),
    "beside the usual way": (
        {"outcome": "excluded", "predicted": "picked", "against": "usual", "weight": "stands_for"},
        ["--outcome", "excluded", "--predicted", "picked", "--against", "usual", "--weight", "stands_for"],
    ),
    "without an outcome": (
        {"score": "risk", "capacity": 100, "scale": "points", "seed": 5},
        ["--score", "risk", "--capacity", "100", "--scores", "points", "--seed", "5"],
    ),
    "bands and words": (
        {
            "score": "band",
            "score_order": ["Low", "Medium", "High"],
            "outcome": "status",
            "outcome_true": ["plan"],
            "outcome_unresolved": ["open"],
            "threshold": 2,
        },
        [
            *("--score", "band", "--score-order", "Low,Medium,High", "--outcome", "status", "--outcome-true", "plan"),
            *("--outcome-unresolved", "open", "--threshold", "2"),
        ],
    ),
    "followed for a while": (
        {
            "score": "risk",
            "outcome": "excluded",
            "capacity": "10%",
            "scored_on": "on",
            "followed_to": datetime.date(2024, 1, 1),
            "horizon": "12 months",
        },
        [
            *("--score", "risk", "--outcome", "excluded", "--capacity", "10%", "--scored-on", "on"),
            *("--followed-to", "2024-01-01", "--horizon", "12 months"),
        ],
    ),
    "an arm drawn by lot": (
        {"score": "risk", "outcome": "excluded", "capacity": "10%", "arm": "how", "random_arm": ["lot"], "references": {"sex": "F"}},
        [
            *("--score", "risk", "--outcome", "excluded", "--capacity", "10%", "--arm", "how", "--random-arm", "lot"),
            *("--reference", "sex=F"),
        ],
    ),
    "counts": (
        {"outcome": "excluded", "predicted": "picked", "count": "times"},
        ["--outcome", "excluded", "--predicted", "picked", "--count", "times"],
    ),
    "confusion tables": (
        {"confusion": ["tp", "fp", "fn", "tn"]},
        ["--confusion", "tp,fp,fn,tn"],
    ),
}

GROUPS = ["sex", "school year"]


def options(groups: list[str]) -> list[str]:
    return [word for group in groups for word in ("--group", group)] + ["--resamples", "199"]


def quietly(scores: Any, **keywords: Any) -> earlyhelp.Audit:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", earlyhelp.EarlyhelpWarning)
        return earlyhelp.audit(scores, groups=GROUPS, resamples=199, **keywords)


@pytest.fixture(scope="module")
def by_command(command: Command, tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], tuple[dict[str, Any], str, Path]]:
    """What the command found, once for each way of asking."""
    folder = tmp_path_factory.mktemp("audits")
    write(table(), folder / "scores.csv")
    held: dict[str, tuple[dict[str, Any], str, Path]] = {}

    def found(asked: str) -> tuple[dict[str, Any], str, Path]:
        if asked not in held:
            out = folder / asked
            told = command("audit", folder / "scores.csv", *ASKED[asked][1], *options(GROUPS), "--out", out)
            held[asked] = (json.loads((out / "audit.json").read_text()), told.split("\nWritten to ")[0], out)
        return held[asked]

    return found


def unnamed(document: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in document.items() if key != "scores"}


@pytest.mark.parametrize("asked", ASKED)
def test_the_same_figures_of_every_frame(
    asked: str,
    frame: Callable[[Columns], Frame],
    by_command: Callable[[str], tuple[dict[str, Any], str, Path]],
) -> None:
    document, text, _ = by_command(asked)
    found = quietly(frame(table()), **ASKED[asked][0])
    assert unnamed(found.to_dict()) == unnamed(document)
    assert found.text == text
    assert (found.read, found.audited) == (document["read"], document["audited"])


@pytest.mark.parametrize("asked", ASKED)
def test_the_same_files_of_a_path(
    asked: str, tmp_path: Path, by_command: Callable[[str], tuple[dict[str, Any], str, Path]]
) -> None:
    document, _, out = by_command(asked)
    found = quietly(out.parent / "scores.csv", **ASKED[asked][0])
    assert found.to_dict() == document
    found.save(tmp_path)
    for name in ("audit.html", "audit.csv", "audit.xlsx", "audit.json"):
        assert (tmp_path / name).read_bytes() == (out / name).read_bytes(), name


def test_rejected_rows_are_those_of_the_command(command: Command, tmp_path: Path) -> None:
    columns = table()
    columns["risk"][3], columns["risk"][4], columns["excluded"][9] = None, "many", "perhaps"
    write(columns, tmp_path / "scores.csv")
    asked = ["--score", "risk", "--outcome", "excluded", "--capacity", "20%", *options(GROUPS)]
    command("audit", tmp_path / "scores.csv", *asked, "--out", tmp_path / "out")
    with pytest.warns(earlyhelp.EarlyhelpWarning, match="3 of 900 rows could not be audited"):
        found = earlyhelp.audit(
            tmp_path / "scores.csv", score="risk", outcome="excluded", groups=GROUPS, capacity="20%", resamples=199
        )
    assert found.to_dict() == json.loads((tmp_path / "out" / "audit.json").read_text())
    assert found.rejected.to_pyarrow().to_pydict() == {
        # Lines of the file, of which the header is the first.
        "row": [5, 6, 11],
        "column": ["risk", "risk", "excluded"],
        "reason": ["nothing in the cell", "not a finite number", "not true or false, 1 or 0, yes or no"],
    }


def test_a_row_of_a_frame_is_counted_from_1(frame: Callable[[Columns], Frame]) -> None:
    columns = table()
    columns["risk"][3] = None
    with pytest.warns(earlyhelp.EarlyhelpWarning, match="1 of 900 rows could not be audited"):
        found = earlyhelp.audit(frame(columns), score="risk", outcome="excluded", groups=["sex"], capacity=90, resamples=199)
    assert found.rejected.to_pyarrow().to_pydict() == {"row": [4], "column": ["risk"], "reason": ["nothing in the cell"]}
    assert found.warnings == ["1 of 900 rows could not be audited:\n  1: column risk: nothing in the cell"]


def test_rows_that_are_set_apart_are_told() -> None:
    with pytest.warns(earlyhelp.EarlyhelpWarning, match="rows are set apart: not resolved") as told:
        found = earlyhelp.audit(
            polars.DataFrame(table()),
            score="risk",
            outcome="status",
            outcome_true=["plan"],
            outcome_unresolved=["open"],
            groups=["sex"],
            capacity=90,
        )
    assert found.read - found.audited == table()["status"].count("open")
    # A warning is of whoever asked.
    assert {warning.filename for warning in told} == {__file__}


def test_rounded_counts_give_no_row_away() -> None:
    columns = table()
    columns["risk"][3] = None

    found = quietly(pyarrow.table(columns), score="risk", outcome="excluded", capacity=90, round_to=10)
    assert (found.read, found.audited) == (900, 900)
    assert "rejected" not in found.to_dict()
    with pytest.raises(earlyhelp.Refused, match="round_to"):
        found.rejected  # noqa: B018


def test_figures_are_those_of_the_csv() -> None:
    found = quietly(pyarrow.table(table()), score="risk", outcome="excluded", capacity=90)
    lines = list(csv.reader(found.csv.removeprefix("\ufeff").splitlines()))
    figures = found.figures()
    assert figures.columns == lines[0]
    assert len(figures) == len(lines) - 1
    values = figures.to_pyarrow().column("value").to_pylist()
    nth = lines[0].index("value")
    for written, value in zip(lines[1:], values):
        assert (written[nth] == "") == (value is None)
        assert value is None or float(written[nth]) == pytest.approx(value, abs=1e-4)


def test_what_is_shown() -> None:
    found = quietly(pyarrow.table(table()), score="risk", outcome="excluded", capacity=90, title='A "vendor" & <b>')
    assert repr(found) == "<earlyhelp.Audit: 900 of 900 rows audited>"
    assert found.title == 'A "vendor" & <b>'
    assert "<b>" not in found.html
    shown = found._repr_html_()
    assert shown.startswith('<iframe srcdoc="&lt;!') and " sandbox " in shown
    # Nothing of the page can end the attribute that it is in.
    assert shown.count('"') == 4 and shown.count("<") == 2


def test_the_same_table_gives_the_same_audit() -> None:
    frame = pyarrow.table(table())
    first, second = (quietly(frame, score="risk", outcome="excluded", capacity=90, seed=4) for _ in range(2))
    assert first.to_dict() == second.to_dict() and first.html == second.html
    other = quietly(frame, score="risk", outcome="excluded", capacity=90, seed=5)
    assert other.to_dict() != first.to_dict()


def test_files_that_are_somebody_elses_are_left_alone(tmp_path: Path) -> None:
    found = quietly(pyarrow.table(table()), score="risk", outcome="excluded", capacity=90)
    (tmp_path / "audit.csv").write_text("mine")
    with pytest.raises(earlyhelp.Refused, match="force=True"):
        found.save(tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir() if path.is_file()) == ["audit.csv"]
    found.save(tmp_path, force=True)
    assert (tmp_path / "audit.csv").read_text(encoding="utf-8") == found.csv
    # What it wrote itself is its own.
    found.save(tmp_path)


def test_the_table_is_not_written_over(tmp_path: Path) -> None:
    write(table(), tmp_path / "audit.csv")
    found = quietly(tmp_path / "audit.csv", score="risk", outcome="excluded", capacity=90)
    before = (tmp_path / "audit.csv").read_bytes()
    with pytest.raises(earlyhelp.Refused):
        found.save(tmp_path, force=True)
    assert (tmp_path / "audit.csv").read_bytes() == before


@pytest.mark.parametrize(
    ("keywords", "says"),
    [
        ({}, "exactly one of threshold, capacity, predicted and confusion"),
        ({"capacity": 3, "threshold": 0.5}, "not threshold and capacity"),
        ({"capacity": 0}, "capacity"),
        ({"capacity": "101%"}, "20%"),
        ({"threshold": float("nan")}, "threshold"),
        ({"capacity": 9, "groups": []}, "groups"),
        ({"capacity": 9, "minimum": 0}, "minimum"),
        ({"capacity": 9, "intersections": 3}, "intersections"),
        ({"capacity": 9, "resamples": 3}, "resamples"),
        ({"capacity": 9, "margin": 5.0}, "margin"),
        ({"capacity": 9, "scale": "odds"}, "scale"),
        ({"capacity": 9, "seed": -1}, "seed"),
        ({"capacity": 9, "random_arm": ["lot"]}, "random_arm needs arm"),
        ({"capacity": 9, "arm": "how"}, "arm needs random_arm"),
        ({"capacity": 9, "horizon": "12 months"}, "horizon needs followed_to"),
        ({"capacity": 9, "followed_to": "2024-01-01"}, "followed_to needs scored_on and horizon"),
        ({"capacity": 9, "followed_to": "2024-02-31", "scored_on": "on", "horizon": "12 months"}, "followed_to: not a date"),
        ({"capacity": 9, "followed_to": "2024-02-01", "scored_on": "on", "horizon": "soon"}, "months"),
        ({"capacity": 9, "followed_to": pandas.NaT, "scored_on": "on", "horizon": "12 months"}, "followed_to: not a date"),
        ({"capacity": 9, "against": "usual", "round_to": 5}, "round_to"),
        ({"confusion": ["tp", "fp"]}, "confusion"),
        ({"confusion": ["tp", "fp", "fn", "tn"]}, "confusion table"),
        ({"capacity": 9, "score": "rsik"}, "rsik"),
        ({"capacity": 9, "references": [("sex", "F", "M")]}, "references"),
        ({"capacity": 9, "references": {"sex": "X"}}, "sex"),
        ({"capacity": 9, "outcome_true": ["none such"]}, "excluded"),
    ],
)
def test_what_does_not_go_together_is_refused_by_its_keyword(keywords: dict[str, Any], says: str) -> None:
    asked: dict[str, Any] = {"score": "risk", "outcome": "excluded", "groups": ["sex"]} | keywords
    with pytest.raises(earlyhelp.BadInput) as refused:
        earlyhelp.audit(pyarrow.table(table()), **asked)
    assert says in str(refused.value)
    assert "--" not in str(refused.value) and refused.value.kind == "bad_input"


@pytest.mark.parametrize(
    "keywords",
    [
        {"score": 1},
        {"groups": None},
        {"groups": [1]},
        {"groups": b"sex"},
        {"capacity": 2.5},
        {"capacity": True},
        {"capacity": None, "threshold": "0.5"},
        {"minimum": "5"},
        {"minimum": 5.0},
        {"margin": "0.1"},
        {"seed": None, "resamples": 100.0},
        {"title": 3},
        {"references": "sex=F"},
        {"references": 3},
        {"followed_to": 2024, "scored_on": "on", "horizon": "12 months"},
        {"no_such_keyword": 1},
    ],
)
def test_a_wrong_type_is_a_type_error(keywords: dict[str, Any]) -> None:
    asked: dict[str, Any] = {"score": "risk", "outcome": "excluded", "groups": ["sex"], "capacity": 90} | keywords
    with pytest.raises(TypeError):
        earlyhelp.audit(pyarrow.table(table()), **asked)


def test_numbers_of_other_libraries_are_numbers() -> None:
    frame = pyarrow.table(table())
    plain = quietly(frame, score="risk", outcome="excluded", threshold=0.25, minimum=12, seed=3)
    other = quietly(
        frame, score="risk", outcome="excluded", threshold=numpy.float64(0.25), minimum=numpy.int32(12), seed=numpy.uint64(3)
    )
    assert plain.to_dict() == other.to_dict()
    followed: dict[str, Any] = {"score": "risk", "outcome": "excluded", "capacity": 50, "scored_on": "on", "horizon": "12 months"}
    days = ["2024-01-01", datetime.date(2024, 1, 1), datetime.datetime(2024, 1, 1, 12), pandas.Timestamp("2024-01-01")]
    first, *others = (quietly(frame, followed_to=day, **followed).to_dict() for day in days)
    assert all(other == first for other in others)


def test_one_group_by_itself_is_not_its_letters() -> None:
    frame = pyarrow.table(table())
    one = earlyhelp.audit(frame, score="risk", outcome="excluded", groups="sex", capacity=90)
    assert one.to_dict()["columns"]["groups"] == ["sex"]
