"""Invent a table of dense risk data: 60 features, 2.5 % positive, the truth known.

    python dense.py --rows 100000 --out DATA/dense_100000.parquet

The features look like linked service records:

  cnt_00 .. cnt_23   counts, mostly zero (97 % down to 39 % zeros)
  rec_00 .. rec_13   days since something last happened, at most 1,825; 35 % to 87 % gaps
  bin_00 .. bin_15   flags, 2 % to 47 % set
  age, deprivation   continuous
  cat_0 .. cat_3     5, 8, 12 and 30 levels, the first ones the most frequent

A hidden need makes counts, recencies and flags go together.  The true log-odds is a sum of curves of
20 features, the four categories among them, and of two pairs (a flag with deprivation, a count with
age); its intercept gives the asked share of positives.  Columns `y` and `p_true` hold the outcome and
its true probability, and `is_test` marks the last 20 % of the rows.

The same seed gives the same file with the same NumPy; another version of NumPy may draw differently.
Scores on two draws are not comparable: run all programs on one file.
"""

import argparse
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

LEVELS = (5, 8, 12, 30)


def logistic(x):
    return 1.0 / (1.0 + np.exp(-x))


def flags(rng, share: float, pull: float, need):
    """Yes or no with this share where the need is average, more often where it is high."""
    return rng.random(len(need)) < logistic(np.log(share / (1.0 - share)) + pull * need)


def features(rng, rows: int) -> dict[str, np.ndarray]:
    need = rng.standard_normal(rows)
    table = {}
    for i in range(24):
        some = flags(rng, 0.03 + 0.025 * i, 0.5, need)
        table[f"cnt_{i:02d}"] = np.where(some, 1 + rng.poisson(1.5 + 0.25 * (i % 6), rows), 0).astype(np.float32)
    for i in range(14):
        seen = flags(rng, 0.65 - 0.04 * i, 0.4, need)
        days = np.minimum(np.rint(rng.exponential(300.0 + 40.0 * i, rows)), 1825.0)
        table[f"rec_{i:02d}"] = np.where(seen, days, np.nan).astype(np.float32)
    for i in range(16):
        table[f"bin_{i:02d}"] = flags(rng, 0.02 + 0.03 * i, 0.35, need).astype(np.float32)
    table["age"] = np.clip(rng.gamma(6.0, 1.6, rows), 0.0, 18.0).astype(np.float32)
    table["deprivation"] = np.clip(5.5 + 2.6 * rng.standard_normal(rows) + 0.6 * need, 1.0, 10.0).astype(np.float32)
    for k, levels in enumerate(LEVELS):
        weight = 1.0 / np.arange(1, levels + 1)
        table[f"cat_{k}"] = rng.choice(levels, rows, p=weight / weight.sum()).astype(np.int32)
    return table


def log_odds(rng, table: dict[str, np.ndarray]) -> np.ndarray:
    """The truth without its intercept."""
    c = {name: column.astype(np.float64) for name, column in table.items()}
    age, area = c["age"], c["deprivation"]
    eta = 0.55 * np.log1p(c["cnt_02"]) + 0.45 * np.log1p(c["cnt_07"]) + 0.35 * np.minimum(c["cnt_13"], 4.0)
    eta += 0.30 * np.sqrt(c["cnt_18"]) - 0.25 * (c["cnt_21"] > 2) + 0.5 * (c["cnt_05"] > 0)
    for name, size, fade in (("rec_00", 1.1, 120.0), ("rec_03", 0.9, 200.0), ("rec_08", 0.7, 365.0)):
        eta += np.nan_to_num(size * np.exp(-c[name] / fade), nan=0.0)
    eta -= 0.25 * np.isnan(c["rec_11"])
    eta += 0.7 * c["bin_00"] + 0.4 * c["bin_04"] - 0.35 * c["bin_09"] + 0.25 * c["bin_13"]
    eta += 1.2 * np.exp(-age / 1.5) + 0.6 * np.exp(-(((age - 14.0) / 2.0) ** 2))  # high at both ends
    eta += 0.35 * np.tanh((area - 5.5) / 1.5)
    for k, levels in enumerate(LEVELS):
        eta += rng.normal(0.0, 0.22, levels)[table[f"cat_{k}"]]
    eta += 0.9 * c["bin_05"] * (area > 7.0)
    eta += 0.6 * np.minimum(c["cnt_10"], 3.0) * (age < 5.0)
    return eta


def intercept(eta: np.ndarray, share: float) -> float:
    """The intercept that gives this mean probability, by halving."""
    low, high = -20.0, 20.0
    for _ in range(60):
        middle = 0.5 * (low + high)
        if logistic(eta + middle).mean() < share:
            low = middle
        else:
            high = middle
    return 0.5 * (low + high)


def main() -> None:
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument("--rows", type=int, default=100_000)
    ap.add_argument("--seed", type=int, default=20240601)
    ap.add_argument("--share", type=float, default=0.025, help="share of positives (0.025)")
    ap.add_argument("--out", type=Path, required=True)
    args = ap.parse_args()
    draw, weights = np.random.default_rng(args.seed), np.random.default_rng(args.seed + 1)
    table = features(draw, args.rows)
    eta = log_odds(weights, table)
    p = logistic(eta + intercept(eta, args.share))
    columns = {name: pa.array(column, from_pandas=True) for name, column in table.items()}
    for k, levels in enumerate(LEVELS):
        columns[f"cat_{k}"] = pa.DictionaryArray.from_arrays(table[f"cat_{k}"], [f"L{j:02d}" for j in range(levels)])
    columns["p_true"] = p
    columns["y"] = (draw.random(args.rows) < p).astype(np.int8)
    columns["is_test"] = (np.arange(args.rows) >= int(0.8 * args.rows)).astype(np.int8)
    args.out.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(pa.table(columns), args.out)
    print(f"{args.out.name}: {args.rows} rows, {columns['y'].mean():.4f} positive, mean probability {p.mean():.4f}")


if __name__ == "__main__":
    main()
