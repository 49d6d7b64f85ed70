"""Split a council's cases for a comparison: test on the last date, on families that are nowhere trained on.

    cargo run --release --example export -- council/project.toml cases.parquet
    python split.py --cases cases.parquet --out council.parquet

A family is in the test if a hash of its number falls in the first of five parts.  Cases of those families
at earlier dates, and cases of other families at the last date, are left aside.  Needs polars.
"""

import argparse

import polars as pl


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--cases", required=True)
    arguments.add_argument("--out", required=True)
    given = arguments.parse_args()
    cases = pl.read_parquet(given.cases)
    tested = (pl.col("family").cast(pl.UInt64) * 2654435761) % 4294967296 % 5 == 0
    last = pl.col("as_of") == pl.col("as_of").max()
    kept = cases.with_columns(is_test=(tested & last).cast(pl.Int32), y=pl.col("outcome").cast(pl.Int32)).filter(
        (tested & last) | (~tested & ~last)
    )
    aside = {"entity", "as_of", "family", "outcome"}
    names = [name for name in kept.columns if name not in aside and not name.endswith(".absent")]
    kept.select(names).write_parquet(given.out)
    print(kept.height, "cases,", int(kept["is_test"].sum()), "in the test")


if __name__ == "__main__":
    main()
