#!/usr/bin/env python3
"""Windowed features of one table of events with NumPy or Polars: the other side of `windows.rs`.

    python windows.py make  --out DATA [--events 10000000] [--people 500000] [--seed 11]
    python windows.py numpy --data DATA [--dates 12]
    python windows.py polars --data DATA [--dates 12]

For each as-of date: counts and sums of values of 30 kinds over 30, 90, 365 and 1,095 days before it, and the days since the last
in 1,095: 270 columns, a row for each person. Each prints one JSON line with its CPU seconds (user and system, reading included), and
the sums over all cells, by which the programs are seen to compute the same.

`numpy` scatters into dense arrays by one packed key, widest window first, so that each narrower one looks at what is left: the
fastest way that we know in Python. `polars` groups by the same key, lazily, and turns the groups into columns.
"""
import argparse
import datetime
import json
import resource
import time
from pathlib import Path

import numpy as np

KINDS = 30
WINDOWS = (1095, 365, 90, 30)
NAMES = [f"E{kind:02}" for kind in range(KINDS)]


def make(out: Path, events: int, people: int, seed: int) -> None:
    """Few people have many events and many have few; kinds are unequal, too. Five years of days."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    draw = np.random.default_rng(seed)
    busy = draw.gamma(0.5, size=people)
    common = (1.0 + np.arange(KINDS)) ** -0.7
    person = draw.choice(people, size=events, p=busy / busy.sum()).astype(np.int32)
    kind = draw.choice(KINDS, size=events, p=common / common.sum())
    first = (datetime.date(2019, 1, 1) - datetime.date(1970, 1, 1)).days
    day = (first + draw.integers(0, 1826, size=events)).astype(np.int32)
    value = np.round(25.0 * draw.gamma(2.0, size=events), 2)
    out.mkdir(parents=True, exist_ok=True)
    table = pa.table({
        "person_id": person,
        "event_type": pa.array(NAMES).take(pa.array(kind)),
        "date": pa.array(day).cast(pa.date32()),
        "value": value,
    })
    pq.write_table(table, out / "events.parquet", row_group_size=1 << 20)
    pq.write_table(pa.table({"person_id": np.arange(people, dtype=np.int32)}), out / "people.parquet")


def as_of_dates(dates: int) -> list[datetime.date]:
    if dates == 1:
        return [datetime.date(2023, 6, 1)]
    return [datetime.date(2022 + (5 + nth) // 12, (5 + nth) % 12 + 1, 1) for nth in range(dates)]


class Sums:
    def __init__(self) -> None:
        self.rows, self.cnt, self.sum, self.rec = 0, 0.0, 0.0, 0.0

    def add(self, rows: int, cnt: float, total: float, rec: float) -> None:
        self.rows, self.cnt = self.rows + rows, self.cnt + cnt
        self.sum, self.rec = self.sum + total, self.rec + rec


def with_numpy(data: Path, dates: list[datetime.date]) -> Sums:
    import pyarrow as pa
    import pyarrow.parquet as pq

    people = pq.read_metadata(data / "people.parquet").num_rows
    table = pq.read_table(data / "events.parquet", read_dictionary=["event_type"])
    kinds = table["event_type"].combine_chunks()
    place = np.array([NAMES.index(name) for name in kinds.dictionary.to_pylist()])
    key = table["person_id"].to_numpy().astype(np.int64) * KINDS + place[kinds.indices.to_numpy()]
    day = table["date"].cast(pa.int32()).to_numpy()
    value = table["value"].to_numpy()
    sums, cells = Sums(), people * KINDS
    for as_of in dates:
        age = (as_of - datetime.date(1970, 1, 1)).days - day
        held = (age > 0) & (age <= WINDOWS[0])
        at, ages, values = key[held], age[held], value[held]
        last = np.full(cells, np.iinfo(np.int16).max, np.int16)
        np.minimum.at(last, at, ages.astype(np.int16))
        cnt = total = 0.0
        for days in WINDOWS:
            within = ages <= days
            at, ages, values = at[within], ages[within], values[within]
            counts = np.bincount(at, minlength=cells).astype(np.uint16)
            totals = np.bincount(at, weights=values, minlength=cells).astype(np.float32)
            cnt += float(counts.sum(dtype=np.int64))
            total += float(totals.sum(dtype=np.float64))
        seen = last != np.iinfo(np.int16).max
        sums.add(people, cnt, total, float(last[seen].sum(dtype=np.int64)))
    return sums


def with_polars(data: Path, dates: list[datetime.date]) -> Sums:
    import polars as pl

    people = pl.read_parquet(data / "people.parquet")
    sums, age = Sums(), pl.col("age")
    for as_of in dates:
        events = pl.scan_parquet(data / "events.parquet").with_columns(
            age=(pl.lit(as_of) - pl.col("date")).dt.total_days().cast(pl.Int16),
            kind=pl.col("event_type").str.slice(1).cast(pl.Int64),
        )
        within = [(days, age <= days) for days in WINDOWS]
        parts = [held.sum().cast(pl.UInt16).alias(f"c{days}") for days, held in within]
        parts += [pl.col("value").filter(held).sum().cast(pl.Float32).alias(f"s{days}") for days, held in within]
        parts.append(age.min().alias("r"))
        key = pl.col("person_id").cast(pl.Int64) * 32 + pl.col("kind")
        long = events.filter((age > 0) & (age <= WINDOWS[0])).group_by(key=key).agg(parts).collect(engine="streaming")
        long = long.with_columns(person_id=(pl.col("key") // 32).cast(pl.Int32), kind=pl.col("key") % 32)
        values = [name for name in long.columns if name not in ("key", "person_id", "kind")]
        wide = people.join(long.pivot("kind", index="person_id", values=values), on="person_id", how="left")
        add = lambda mark: float(sum(wide[name].sum() or 0 for name in wide.columns if name.startswith(mark) and "_" in name))
        sums.add(wide.height, add("c"), add("s"), add("r_"))
    return sums


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=["make", "numpy", "polars"])
    parser.add_argument("--out", type=Path)
    parser.add_argument("--data", type=Path)
    parser.add_argument("--events", type=int, default=10_000_000)
    parser.add_argument("--people", type=int, default=500_000)
    parser.add_argument("--seed", type=int, default=11)
    parser.add_argument("--dates", type=int, default=1)
    asked = parser.parse_args()
    if asked.what == "make":
        make(asked.out, asked.events, asked.people, asked.seed)
        return
    began = (time.process_time(), time.perf_counter())
    way = with_numpy if asked.what == "numpy" else with_polars
    sums = way(asked.data, as_of_dates(asked.dates))
    print(json.dumps({
        "engine": asked.what,
        "dates": asked.dates,
        "cpu_s": time.process_time() - began[0],
        "wall_s": time.perf_counter() - began[1],
        "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
        "rows": sums.rows,
        "cols": 9 * KINDS,
        "cnt": sums.cnt,
        "sum": sums.sum,
        "rec": sums.rec,
    }))


if __name__ == "__main__":
    main()
