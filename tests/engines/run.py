"""Runs the texts of `earlyhelp sql --staged` on a real engine, and keeps the tables that they make as Parquet files.

    python run.py duckdb FOLDER
    python run.py spark FOLDER

Every `*.parquet` of the folder is a staged table under its own name; every `*.sql` is run in the order of names. `eh_case`
and `eh_features`, and where there are scores `eh_contributions` and `eh_scores`, are written to FOLDER/made. Prints the seconds of each text.
"""

import json
import shutil
import sys
import tempfile
import time
from pathlib import Path

MADE = {"3_features.sql": ["eh_case", "eh_features"], "4_scores.sql": ["eh_contributions", "eh_scores"]}


def made_by(folder: Path) -> list:
    """The tables that the folder's texts make, and that are kept."""
    return [table for name, tables in MADE.items() if (folder / name).exists() for table in tables]


def duckdb(folder: Path, made: Path):
    import duckdb

    connection = duckdb.connect()
    for path in sorted(folder.glob("*.parquet")):
        connection.execute(f"CREATE TABLE {path.stem} AS SELECT * FROM read_parquet('{path}')")
    yield
    for path in sorted(folder.glob("*.sql")):
        connection.execute(path.read_text())
        yield path.name
    for table in made_by(folder):
        connection.execute(f"COPY {table} TO '{made / table}.parquet' (FORMAT parquet)")


def statements(text: str) -> list:
    """The statements of a text, which end in a semicolon at the end of a line."""
    lines = [line for line in text.splitlines() if not line.startswith("--")]
    return [part for part in "\n".join(lines).split(";\n") if part.strip(" ;\n")]


def spark(folder: Path, made: Path):
    from pyspark.sql import SparkSession

    warehouse = Path(tempfile.mkdtemp())
    session = (
        SparkSession.builder.master("local[2]")
        .config("spark.ui.enabled", "false")
        .config("spark.sql.warehouse.dir", str(warehouse))
        .config("spark.sql.shuffle.partitions", "4")
        .config("spark.driver.bindAddress", "127.0.0.1")
        .config("spark.driver.host", "127.0.0.1")
        .getOrCreate()
    )
    session.sparkContext.setLogLevel("ERROR")
    for path in sorted(folder.glob("*.parquet")):
        session.read.parquet(str(path)).createOrReplaceTempView(path.stem)
    yield
    for path in sorted(folder.glob("*.sql")):
        for statement in statements(path.read_text()):
            session.sql(statement)
        yield path.name
    for table in made_by(folder):
        session.table(table).coalesce(1).write.parquet(str(warehouse / "made" / table))
        [part] = (warehouse / "made" / table).glob("part-*.parquet")
        shutil.move(part, made / f"{table}.parquet")
    session.stop()
    shutil.rmtree(warehouse)


def main() -> None:
    engine, folder = sys.argv[1], Path(sys.argv[2])
    made = folder / "made"
    made.mkdir(exist_ok=True)
    running, seconds = {"duckdb": duckdb, "spark": spark}[engine](folder, made), {}
    next(running)
    before = time.monotonic()
    for name in running:
        seconds[name] = round(time.monotonic() - before, 3)
        before = time.monotonic()
    print(json.dumps(seconds))


if __name__ == "__main__":
    main()
