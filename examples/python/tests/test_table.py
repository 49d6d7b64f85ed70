"""Frames that are given out."""

from __future__ import annotations

import datetime
from pathlib import Path

import duckdb
import pandas
import polars
import pyarrow
import pytest

import earlyhelp
from earlyhelp import Table, _core

ROWS = {
    "name": ["<b>bold</b>", 'a "quoted" & long' + "g" * 60, None],
    "share": [0.25, None, 1.0],
    "count": [3, 4, None],
    "day": [datetime.date(2024, 2, 29), None, datetime.date(2025, 1, 1)],
    "flag": [True, False, None],
}


@pytest.fixture
def table() -> Table:
    return Table(_core.Frame.of(pyarrow.table(ROWS)))


def test_every_library_takes_it(table: Table) -> None:
    assert table.to_pyarrow().to_pydict() == ROWS
    assert pyarrow.table(table).to_pydict() == ROWS
    assert table.to_polars().to_dict(as_series=False) == ROWS
    assert polars.DataFrame(table).equals(table.to_polars())
    by_pandas = table.to_pandas()
    assert list(by_pandas.columns) == list(ROWS) and by_pandas["share"].isna().tolist() == [False, True, False]
    assert pandas.DataFrame.from_arrow(table)["name"].tolist()[0] == "<b>bold</b>"
    held = table  # noqa: F841 (the query names it)
    counted = duckdb.sql("SELECT count(*), sum(count) FROM held")
    assert counted is not None and counted.fetchall() == [(3, 7)]


def test_it_can_be_taken_as_often_as_wanted(table: Table) -> None:
    assert pyarrow.table(table).equals(pyarrow.table(table))
    # And left again.
    for _ in range(3):
        table.__arrow_c_stream__()


def test_columns_and_rows(table: Table) -> None:
    assert table.columns == list(ROWS) and len(table) == 3
    empty = Table(_core.Frame.of(pyarrow.table(ROWS).slice(0, 0)))
    assert len(empty) == 0 and empty.columns == list(ROWS) and bool(empty)
    assert pyarrow.table(empty).schema.names == list(ROWS)
    assert "0 rows, 5 columns" in repr(empty) and "<th>name</th>" in empty._repr_html_()


def test_what_is_shown(table: Table) -> None:
    lines = repr(table).splitlines()
    assert lines[0] == "<earlyhelp.Table: 3 rows, 5 columns>"
    assert lines[1].split() == list(ROWS) and "2024-02-29" in lines[2] and "..." in lines[3]
    shown = table._repr_html_()
    assert "<b>" not in shown and "&lt;b&gt;bold&lt;/b&gt;" in shown and "&quot;quoted&quot; &amp; long" in shown
    long = Table(_core.Frame.of(pyarrow.table({"<i>": list(range(1000))})))
    assert repr(long).endswith("...") and len(repr(long).splitlines()) == 13
    assert long._repr_html_().count("<tr>") == 21 and "1,000 rows, 1 column, of which the first 20 are shown" in long._repr_html_()
    assert "<i>" not in long._repr_html_()


def test_nothing_that_a_terminal_obeys_is_shown() -> None:
    table = Table(_core.Frame.of(pyarrow.table({"a\x1b[31m": ["\x1b[2J\nnext"]})))
    assert "\x1b" not in repr(table) and len(repr(table).splitlines()) == 3


def test_figures_in_notebooks(tmp_path: Path) -> None:
    rows = 100
    frame = pyarrow.table({"risk": [row / rows for row in range(rows)], "sex": ["F", "<script>alert(1)</script>"] * 50})
    found = earlyhelp.audit(frame, score="risk", groups=["sex"], capacity=10)
    assert "<script>alert" not in found.figures()._repr_html_() and "<script>alert" not in found.html
