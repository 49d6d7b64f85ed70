"""Read one table of cases for the peers, and turn it into a design matrix.

A table is a Parquet file with one row for each case and these columns:

  y          0 or 1, the outcome
  is_test    0 or 1, optional: which rows are held out.  Without it the last 20 % of the rows are.
  p_true     optional: the true probability, where the data are invented
  grp_*      optional: group columns for a fairness audit; never a feature
  cat_*      a feature with unordered levels (text or whole numbers)
  the rest   a feature with numbers; a missing value is null or NaN
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
import pyarrow.parquet as pq

TEST_SHARE = 0.2


@dataclass
class Table:
    """The features of all cases, their outcomes, and which of them are held out."""

    features: pd.DataFrame
    y: np.ndarray  # int64, 0 or 1
    is_test: np.ndarray  # bool
    p_true: np.ndarray | None  # float64

    def train(self) -> tuple[pd.DataFrame, np.ndarray]:
        keep = ~self.is_test
        return self.features[keep].reset_index(drop=True), self.y[keep]

    def test(self) -> tuple[pd.DataFrame, np.ndarray]:
        return self.features[self.is_test].reset_index(drop=True), self.y[self.is_test]


def load(path: str) -> Table:
    """Read a table (see the head of this file)."""
    frame = pq.read_table(path).to_pandas()
    y = frame.pop("y").to_numpy(np.int64)
    if "is_test" in frame:
        is_test = frame.pop("is_test").to_numpy(np.int64) != 0
    else:
        is_test = np.arange(len(y)) >= int(len(y) * (1 - TEST_SHARE))
    p_true = frame.pop("p_true").to_numpy(np.float64) if "p_true" in frame else None
    frame = frame.drop(columns=[c for c in frame if c.startswith("grp_")])
    for c in frame:
        if c.startswith("cat_"):
            frame[c] = frame[c].astype("category")
    return Table(frame, y, is_test, p_true)


def is_categorical(column: pd.Series) -> bool:
    return isinstance(column.dtype, pd.CategoricalDtype)


def linear_design(table: Table) -> tuple[np.ndarray, list[str]]:
    """All rows as numbers for a linear model, learnt from the training rows only.

    Numbers are centred and divided by their standard deviation; a gap becomes the median and sets a
    flag of its own; a categorical feature becomes one flag for each level but the first.
    """
    train = ~table.is_test
    columns, names = [], []
    for name, column in table.features.items():
        if is_categorical(column):
            for level in column.cat.categories[1:]:
                columns.append((column == level).to_numpy(np.float64))
                names.append(f"{name}={level}")
            continue
        x = column.to_numpy(np.float64)
        gap = np.isnan(x)
        if gap[train].all():
            continue
        if gap.any():
            columns.append(gap.astype(np.float64))
            names.append(f"{name} missing")
            x = np.where(gap, np.nanmedian(x[train]), x)
        spread = x[train].std()
        if spread > 0:
            columns.append((x - x[train].mean()) / spread)
            names.append(name)
    return np.column_stack(columns), names


def binarise(table: Table, cuts: int = 4) -> tuple[np.ndarray, list[str]]:
    """All rows as yes/no columns (uint8), learnt from the training rows only.

    A number gives `x <= t` at `cuts` quantiles evenly spaced in share (a gap answers no) and, if it
    has gaps, a flag for them.  If every such quantile is 0, the cuts are 0, 1, 2, ... instead, because
    most counts are mostly 0.  A categorical feature gives a flag for each of its first `cuts` + 3
    levels.  Columns without both answers among the training rows, and copies of an earlier column
    there, are left out: no risk score can use them.
    """
    train = ~table.is_test
    shares = np.arange(1, cuts + 1) / (cuts + 1)
    columns, names, seen = [], [], set()

    def add(name: str, answer: np.ndarray) -> None:
        key = np.packbits(answer[train]).tobytes()
        if 0 < answer[train].sum() < train.sum() and key not in seen:
            seen.add(key)
            columns.append(answer.astype(np.uint8))
            names.append(name)

    for name, column in table.features.items():
        if is_categorical(column):
            for level in column.cat.categories[: cuts + 3]:
                add(f"{name}={level}", (column == level).to_numpy(bool))
            continue
        x = column.to_numpy(np.float64)
        gap = np.isnan(x)
        if gap[train].all():
            continue
        add(f"{name} missing", gap)
        points = np.unique(np.nanquantile(x[train], shares))
        if points.tolist() == [0.0]:
            points = np.arange(float(cuts))
        for t in points:
            add(f"{name}<={t:g}", ~gap & (x <= t))
    return np.column_stack(columns), names
