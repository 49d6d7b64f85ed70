"""Runs the texts of `earlyhelp sql --staged` on a real engine, and keeps the tables that they make as Parquet files.

    python run.py duckdb FOLDER...
    python run.py postgresql FOLDER...
    python run.py spark FOLDER...

Each folder is run by itself. Every `*.parquet` of it is a table under its own name, and every `*.sql` is run in the order of
names: with `eh_case` and `eh_features` among the tables, `4_scores.sql` can be run alone. `eh_case` and `eh_features`, where
there are scores `eh_contributions` and `eh_scores`, where there is an outcome `eh_outcomes`, and every table that FOLDER/keep.txt
names are written to FOLDER/made. Prints the seconds of each text, a line for each folder.
"""

import contextlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

MADE = {
    "3_features.sql": ["eh_case", "eh_features"],
    "4_scores.sql": ["eh_contributions", "eh_scores"],
    "5_outcomes.sql": ["eh_outcomes"],
}


def made_by(folder: Path) -> list:
    """The tables that the folder's texts make, and that are kept."""
    keep = folder / "keep.txt"
    named = keep.read_text().split() if keep.exists() else []
    return [table for name, tables in MADE.items() if (folder / name).exists() for table in tables] + named


# An engine is a context that gives a function: it runs a folder, and stops after the tables are there and after each text.


@contextlib.contextmanager
def duckdb():
    import duckdb

    def run(folder: Path, made: Path):
        connection = duckdb.connect()
        for path in sorted(folder.glob("*.parquet")):
            connection.execute(f"CREATE TABLE {path.stem} AS SELECT * FROM read_parquet('{path}')")
        yield
        for path in sorted(folder.glob("*.sql")):
            connection.execute(path.read_text())
            yield path.name
        for table in made_by(folder):
            connection.execute(f"COPY {table} TO '{made / table}.parquet' (FORMAT parquet)")
        connection.close()

    yield run


def statements(text: str) -> list:
    """The statements of a text, which end in a semicolon at the end of a line."""
    lines = [line for line in text.splitlines() if not line.startswith("--")]
    return [part for part in "\n".join(lines).split(";\n") if part.strip(" ;\n")]


@contextlib.contextmanager
def spark():
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

    def run(folder: Path, made: Path):
        session.sql("CREATE DATABASE one")
        session.sql("USE one")
        given = sorted(folder.glob("*.parquet"))
        for path in given:
            table = session.read.parquet(str(path))
            # No view that lasts can stand on one that does not.
            table.write.saveAsTable(path.stem) if path.stem.startswith("raw_") else table.createOrReplaceTempView(path.stem)
        yield
        for path in sorted(folder.glob("*.sql")):
            for statement in statements(path.read_text()):
                session.sql(statement)
            yield path.name
        written = warehouse / "written"
        for table in made_by(folder):
            session.table(table).coalesce(1).write.parquet(str(written / table))
            [part] = (written / table).glob("part-*.parquet")
            shutil.move(part, made / f"{table}.parquet")
        shutil.rmtree(written, ignore_errors=True)
        for path in given:
            session.catalog.dropTempView(path.stem)
        session.sql("USE default")
        session.sql("DROP DATABASE one CASCADE")

    try:
        yield run
    finally:
        session.stop()
        shutil.rmtree(warehouse, ignore_errors=True)


@contextlib.contextmanager
def postgresql():
    """On a server of its own, which runs as somebody else than root and listens on no network; DuckDB brings tables in and out."""
    import duckdb

    home = Path(tempfile.mkdtemp())
    binaries = sorted(Path("/usr/lib/postgresql").glob("*/bin"))[-1]
    as_server = ["setpriv", "--reuid=nobody", "--regid=nogroup", "--clear-groups"] if os.geteuid() == 0 else []
    if as_server:
        shutil.chown(home, "nobody", "nogroup")

    def command(*words) -> str:
        done = subprocess.run([*as_server, *map(str, words)], capture_output=True, text=True, cwd=home)
        if done.returncode:
            sys.exit(f"{words[0]}: {done.stdout[-1000:]}{done.stderr[-1000:]}")
        return done.stdout

    def psql(database, *arguments) -> str:
        settings = ["-X", "-q", "-v", "ON_ERROR_STOP=1", "-h", home, "-U", "owner", "-d", database]
        return command(binaries / "psql", *settings, *arguments)

    def run(folder: Path, made: Path):
        psql("postgres", "-c", "CREATE DATABASE one")
        for path in sorted(folder.glob("*.parquet")):
            file = home / f"{path.stem}.csv"
            columns = duckdb.sql(f"DESCRIBE SELECT * FROM '{path}'").fetchall()
            duckdb.sql(f"COPY (SELECT * FROM '{path}') TO '{file}' (FORMAT csv, HEADER false, FORCE_QUOTE *)")
            file.chmod(0o644)
            described = ", ".join(f'"{name}" {TYPES[kind]}' for name, kind, *_ in columns)
            nulls = ", ".join(f'"{name}"' for name, *_ in columns)
            psql("one", "-c", f"CREATE TABLE {path.stem} ({described})")
            copy = home / "copy.sql"
            copy.write_text(f"\\copy {path.stem} FROM '{file}' (FORMAT csv, NULL '', FORCE_NULL ({nulls}))\n")
            copy.chmod(0o644)
            psql("one", "-f", copy)
            file.unlink()
        yield
        for path in sorted(folder.glob("*.sql")):
            text = home / path.name
            text.write_text(path.read_text())
            text.chmod(0o644)
            psql("one", "-f", text)
            yield path.name
        for table in made_by(folder):
            file = home / f"{table}.csv"
            psql("one", "-c", f"\\copy (SELECT * FROM {table}) TO '{file}' (FORMAT csv, HEADER)")
            names = file.open().readline().strip().split(",")
            kinds = {name: kind_of(name) for name in names}
            read = f"read_csv('{file}', header=true, max_line_size=100000000, columns={kinds})"
            duckdb.sql(f"COPY (SELECT * FROM {read}) TO '{made / table}.parquet'")
        psql("postgres", "-c", "DROP DATABASE one")

    command(binaries / "initdb", "-D", home / "data", "-U", "owner", "--auth=trust", "--locale=C", "--encoding=UTF8")
    server = [binaries / "pg_ctl", "-D", home / "data", "-w", "-l", home / "log"]
    command(*server, "-o", f"-k {home} -c listen_addresses='' -c fsync=off", "start")
    try:
        yield run
    finally:
        command(binaries / "pg_ctl", "-D", home / "data", "-m", "immediate", "stop")
        shutil.rmtree(home, ignore_errors=True)


TYPES = {"VARCHAR": "TEXT", "INTEGER": "INTEGER", "DOUBLE": "DOUBLE PRECISION", "DATE": "DATE"}


def kind_of(column: str) -> str:
    """What a column of the tables that are made holds."""
    if column.startswith("s_") or column in ("score_rank", "outcome", "as_of_day", "made_by"):
        return "INTEGER"
    return "DOUBLE" if column.startswith(("f_", "t_")) or column == "log_odds" else "VARCHAR"


def main() -> None:
    with {"duckdb": duckdb, "postgresql": postgresql, "spark": spark}[sys.argv[1]]() as run:
        for folder in map(Path, sys.argv[2:]):
            made, seconds = folder / "made", {}
            made.mkdir(exist_ok=True)
            running = run(folder, made)
            next(running)
            before = time.monotonic()
            for name in running:
                seconds[name] = round(time.monotonic() - before, 3)
                before = time.monotonic()
            print(json.dumps(seconds), flush=True)


if __name__ == "__main__":
    main()
