"""What the texts of `earlyhelp sql` cost on three engines, beside what one would write without them.

    python sql.py sizes    --texts DIALECT=FOLDER ...
    python sql.py copies   --made FOLDER --times 4 --out FOLDER
    python sql.py scores   --engine duckdb|postgresql|spark --texts FOLDER --rows FOLDER --model RELEASED.json [--ebm FOLDER]
    python sql.py frame    --made FOLDER --out FRAME.csv
    python sql.py ebm      --made FRAME.csv --out FOLDER
    python sql.py project  --project PROJECT.toml --out FOLDER
    python sql.py features --engine duckdb|spark --texts FOLDER --staged FOLDER
    python sql.py split    --staged FOLDER --parts 8 --out FOLDER
    python sql.py spark    --texts FOLDER --staged FOLDER --master local[2]
    python sql.py duckdb   --texts FOLDER --staged FOLDER

All but those that only make files print JSON lines: of seconds the median, the least and the most of three runs, or of one
where it took more than a minute. The folder of `--texts` is what `earlyhelp sql` wrote for that engine, `--staged` the tables that
`--staged` of it wrote (alone, without texts), `--made` eh_case, eh_features and eh_scores of the same day. What is measured:

* `sizes`: the bytes of each text.
* `copies`: makes `eh_case` and `eh_features` of as many copies of each case, under ids of their own.
* `scores`: texts over the same features. `ours` is the whole of 4_scores.sql: contributions, sum, what is not scored, band, rank and
  labels, in two tables. `trees` is its statement of contributions alone, in the frame of the next two: sum and probability beside each
  term. `chain` is the same model as ml2sql 0.1.10 writes an explainable boosting machine: from its form are taken the order
  of WHENs (absences first, `<=` the first edge, `> a AND <=` b, `>=` the last edge, ELSE 0.0), one step for neighbours of equal value, numbers
  as Python prints them, and the two tables in WITH around them. Not from there: two kinds of absence, by the state, where ml2sql
  knows NULL alone. `chain, doubles` is the same with numbers marked as doubles: otherwise engines add decimals. Neither rounds. A value on
  an edge falls below it in ml2sql's form and above it in ours; how many scores that moves is told. Lines and pairs are not
  written by it: the demonstration's model has none. `ml2sql` is the text that ml2sql itself wrote, of another model (`ebm`).
  Differences of log-odds are to the model's JSON, computed in NumPy.
* `frame`: features and scores as one CSV file, for `ebm`.
* `ebm`: in an environment with ml2sql: an explainable boosting machine with the defaults, on the features with outcomes drawn by the
  scores of the released model (seed 1), and ml2sql's text of it with its default of 15 decimals.
* `features`: 2_cohort.sql and 3_features.sql of the project that `project` writes, beside the same cohort and features by hand: on Spark
  as DataFrames with one aggregation a source, on DuckDB as one statement. What is by hand knows nothing of coverage; on how many
  cases the values agree is told for each feature.
* `spark`, `duckdb`: each text over staged tables of a size, read from their files; on Spark on one of its masters, with bytes shuffled and
  seconds of tasks from its own REST interface (eight partitions of a shuffle; 8 GB of memory in one process, 4 GB an executor: 1.5 GB
  are too few for the features of 16 million records).

CPU seconds are user and system, from /proc: of this process for DuckDB (two threads), of the server and all that it starts for PostgreSQL, of the
Java machine and all that it starts for Spark. The load of tables is left out; where tables are files, as always on Spark, their reading is inside.
"""

import argparse
import datetime
import json
import os
import re
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path

TEXTS = ["2_cohort.sql", "3_features.sql", "4_scores.sql"]


# ---- What a process and all that it started have used ----------------------------------------------------------


def cpu_of(root: int) -> float:
    """User and system seconds of a process, of what it started, and of those of them that have ended and were waited for."""
    children, used = {}, {}
    for entry in os.listdir("/proc"):
        if entry.isdigit():
            try:
                fields = Path(f"/proc/{entry}/stat").read_text().rpartition(")")[2].split()
            except OSError:
                continue
            children.setdefault(int(fields[1]), []).append(int(entry))
            used[int(entry)] = sum(map(int, fields[11:15]))
    total, waiting = 0, [root]
    while waiting:
        process = waiting.pop()
        total += used.get(process, 0)
        waiting.extend(children.get(process, []))
    return total / os.sysconf("SC_CLK_TCK")


def statements(text: str) -> list:
    """The statements of a text, which end in a semicolon at the end of a line."""
    lines = [line for line in text.splitlines() if not line.startswith("--")]
    return [part for part in "\n".join(lines).split(";\n") if part.strip(" ;\n")]


# ---- Engines ---------------------------------------------------------------------------------------------------


class DuckDb:
    create = "CREATE TABLE {} AS\n"

    def __init__(self, _master=None):
        import duckdb

        self.connection = duckdb.connect(config={"threads": 2, "memory_limit": "4GB"})
        self.process = os.getpid()

    def load(self, folder: Path) -> None:
        for path in sorted(folder.iterdir()):
            if path.is_dir():
                self.connection.execute(f"CREATE VIEW {path.name} AS SELECT * FROM read_parquet('{path}/*.parquet')")
            elif path.suffix == ".parquet":
                self.connection.execute(f"CREATE TABLE {path.stem} AS SELECT * FROM read_parquet('{path}')")

    def run(self, text: str) -> None:
        self.connection.execute(text)

    def columns(self, table: str, names: list) -> dict:
        taken = self.connection.sql(f"SELECT {', '.join(names)} FROM {table} ORDER BY entity").fetchnumpy()
        return {name: taken[name] for name in names}

    def double(self, number: float) -> str:
        return f"{number!r}" if "e" in repr(number) else f"{number!r}E0"

    def close(self) -> None:
        self.connection.close()


class PostgreSql:
    """A server of its own with the settings that it comes with; it runs as somebody else than root and listens on no network."""

    create = "CREATE TABLE {} AS\n"

    def __init__(self, _master=None):
        self.home = Path(tempfile.mkdtemp())
        self.binaries = sorted(Path("/usr/lib/postgresql").glob("*/bin"))[-1]
        self.as_server = ["setpriv", "--reuid=nobody", "--regid=nogroup", "--clear-groups"] if os.geteuid() == 0 else []
        if self.as_server:
            shutil.chown(self.home, "nobody", "nogroup")
        data = self.home / "data"
        self.call(self.binaries / "initdb", "-D", data, "-U", "owner", "--auth=trust", "--locale=C", "--encoding=UTF8")
        quiet = f"-k {self.home} -c listen_addresses=''"
        self.call(self.binaries / "pg_ctl", "-D", data, "-w", "-l", self.home / "log", "-o", quiet, "start")
        self.process = int((data / "postmaster.pid").read_text().split()[0])

    def call(self, *command) -> str:
        # Into a file: what the server writes would keep a pipe open.
        with tempfile.TemporaryFile("w+") as said:
            done = subprocess.run([*self.as_server, *map(str, command)], stdout=said, stderr=said, cwd=self.home)
            said.seek(0)
            if done.returncode:
                sys.exit(f"{command[0]}: {said.read()[-2000:]}")

    def psql(self, *arguments) -> None:
        to = ["-h", self.home, "-U", "owner", "-d", "postgres"]
        self.call(self.binaries / "psql", "-X", "-q", "-v", "ON_ERROR_STOP=1", *to, *arguments)

    def load(self, folder: Path) -> None:
        import duckdb

        types = {"VARCHAR": "TEXT", "INTEGER": "INTEGER", "DOUBLE": "DOUBLE PRECISION"}
        for path in sorted(folder.glob("*.parquet")):
            file = self.home / f"{path.stem}.csv"
            columns = duckdb.sql(f"DESCRIBE SELECT * FROM '{path}'").fetchall()
            duckdb.sql(f"COPY (SELECT * FROM '{path}') TO '{file}' (FORMAT csv, HEADER false)")
            file.chmod(0o644)
            self.psql("-c", f"CREATE TABLE {path.stem} ({', '.join(f'{name} {types[kind]}' for name, kind, *_ in columns)})")
            self.psql("-c", f"\\copy {path.stem} FROM '{file}' (FORMAT csv, NULL '')", "-c", f"ANALYZE {path.stem}")
            file.unlink()

    def run(self, text: str) -> None:
        path = self.home / "text.sql"
        path.write_text(text)
        path.chmod(0o644)
        self.psql("-f", path)

    def columns(self, table: str, names: list) -> dict:
        import duckdb

        file = self.home / "out.csv"
        asked = f"SELECT {', '.join(names)} FROM {table} ORDER BY entity"
        self.psql("-c", f"\\copy ({asked}) TO '{file}' (FORMAT csv, HEADER)")
        kinds = {name: "VARCHAR" if name == "entity" else "DOUBLE" for name in names}
        return duckdb.sql(f"SELECT * FROM read_csv('{file}', header=true, columns={kinds})").fetchnumpy()

    def double(self, number: float) -> str:
        return f"'{number!r}'::float8"

    def close(self) -> None:
        self.call(self.binaries / "pg_ctl", "-D", self.home / "data", "-m", "immediate", "stop")
        shutil.rmtree(self.home, ignore_errors=True)


class Spark:
    create = "CREATE TABLE {} USING parquet AS\n"

    def __init__(self, master=None):
        from pyspark.sql import SparkSession

        self.home = Path(tempfile.mkdtemp())
        self.session = (
            SparkSession.builder.master(master or "local[2]")
            .config("spark.driver.memory", "2g" if "cluster" in (master or "") else "8g")
            .config("spark.executor.memory", "4g")
            .config("spark.ui.port", "4055")
            .config("spark.ui.retainedStages", "100000")
            .config("spark.sql.warehouse.dir", str(self.home))
            .config("spark.sql.shuffle.partitions", "8")
            .config("spark.driver.bindAddress", "127.0.0.1")
            .config("spark.driver.host", "127.0.0.1")
            .getOrCreate()
        )
        self.session.sparkContext.setLogLevel("ERROR")
        self.process = self.session.sparkContext._jvm.java.lang.ProcessHandle.current().pid()

    def load(self, folder: Path) -> None:
        for path in sorted(folder.iterdir()):
            if path.suffix == ".parquet" or (path.is_dir() and path.name.startswith("eh_")):
                self.session.read.parquet(str(path)).createOrReplaceTempView(path.stem)

    def run(self, text: str) -> None:
        for statement in statements(text):
            self.session.sql(statement)

    def columns(self, table: str, names: list) -> dict:
        import duckdb

        return duckdb.sql(
            f"SELECT {', '.join(names)} FROM read_parquet('{self.home}/{table}/*.parquet') ORDER BY entity"
        ).fetchnumpy()

    def double(self, number: float) -> str:
        return f"{number!r}D"

    def stages(self) -> dict:
        """Sums over all stages so far. The interface lags behind what has ended, so it is asked until it says the same twice."""
        context, before = self.session.sparkContext, None
        address = f"{context.uiWebUrl}/api/v1/applications/{context.applicationId}/stages"
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        while True:
            stages = json.load(opener.open(address))
            sums = {
                "shuffled": sum(stage["shuffleWriteBytes"] for stage in stages),
                "input": sum(stage["inputBytes"] for stage in stages),
                "spilled": sum(stage["diskBytesSpilled"] for stage in stages),
                "tasks": sum(stage["numCompleteTasks"] for stage in stages),
                "task_cpu_s": sum(stage["executorCpuTime"] for stage in stages) / 1e9,
            }
            if sums == before and not any(stage["status"] == "ACTIVE" for stage in stages):
                return sums
            before = sums
            time.sleep(0.5)

    def close(self) -> None:
        self.session.stop()
        shutil.rmtree(self.home, ignore_errors=True)


ENGINES = {"duckdb": DuckDb, "postgresql": PostgreSql, "spark": Spark}


def timed(engine, work, runs: int) -> dict:
    """Runs a thing several times, less often where one takes more than a minute."""
    wall, cpu = [], []
    while len(wall) < runs and (not wall or wall[0] < 60):
        started = time.monotonic(), cpu_of(engine.process)
        work()
        wall.append(time.monotonic() - started[0])
        cpu.append(cpu_of(engine.process) - started[1])
    spread = lambda taken: [round(figure, 2) for figure in (statistics.median(taken), min(taken), max(taken))]
    return {"runs": len(wall), "cpu_s": spread(cpu), "wall_s": spread(wall)}


# ---- Scores ----------------------------------------------------------------------------------------------------


def model_of(path: Path) -> dict:
    return json.loads(path.read_text())["says"]["evidence"]["candidate"]["says"]["model"]


def steps_of(model: dict):
    """Each term as the name of its feature, its edges, and its values: by step, of what is missing, of what is not covered."""
    for term in model["terms"]:
        if list(term["shape"]) != ["steps"]:
            sys.exit("only terms of one feature in steps are written as a chain")
        steps = term["shape"]["steps"]
        yield term["on"][0], steps["axis"], steps["values"]


def by_the_model(model: dict, column):
    """Log-odds of the model's JSON; `column` gives a column by its name."""
    import numpy

    total = model["intercept"]
    for name, edges, values in steps_of(model):
        value, state = column(f"f_{name}"), column(f"s_{name}")
        step = numpy.searchsorted(edges, numpy.nan_to_num(value), side="right")
        step = numpy.where(state == 0, step, len(edges) + state)
        total = total + numpy.array(values)[step.astype(int)]
    return total


def chain(model: dict, name: str, write, engine, of: str = "eh_features") -> str:
    """The model in ml2sql's form; `write` writes a number."""
    scores, names = [], []
    for feature, edges, values in steps_of(model):
        column = f"f_{feature}"
        # Neighbours of equal value are one step.
        kept = [nth for nth in range(len(edges)) if values[nth] != values[nth + 1]]
        bounds = [edges[nth] for nth in kept]
        levels = [values[nth] for nth in kept] + [values[len(edges)]]
        lines = [f" WHEN s_{feature} = {state} THEN {write(values[len(edges) + state])}" for state in (1, 2)]
        for nth, level in enumerate(levels):
            if not bounds:
                when = f"{column} IS NOT NULL"
            elif nth == 0:
                when = f"{column} <= {write(bounds[0])}"
            elif nth == len(bounds):
                when = f"{column} >= {write(bounds[-1])}"
            else:
                when = f"{column} > {write(bounds[nth - 1])} AND {column} <= {write(bounds[nth])}"
            lines.append(f" WHEN {when} THEN {write(level)}")
        lines.append(" ELSE " + write(0.0))
        scores.append(",\nCASE\n" + "\n".join(lines) + f"\nEND\nAS {feature}_score")
        names.append(f"{feature}_score")
    return in_frame(name, f"SELECT entity,\n'model' AS model_name,\n{write(model['intercept'])} AS intercept" + "\n".join(scores) + f"\nFROM {of}", names, engine)


def in_frame(name: str, scores: str, names: list, engine) -> str:
    """Scores of terms with their sum and the probability beside them, as ml2sql frames them."""
    return (
        f"DROP TABLE IF EXISTS {name};\n" + engine.create.format(name) + f"WITH feature_scores AS (\n{scores}\n), add_sum_scores AS (\nSELECT *\n, "
        + " + ".join(["intercept", *names])
        + " AS score\nFROM feature_scores\n)\nSELECT *\n, EXP(score)/(EXP(score) + 1) AS probability\nFROM add_sum_scores;\n"
    )


def trees(text: str, model: dict, engine) -> str:
    """The statement of contributions of 4_scores.sql, in the same frame."""
    [made] = [part for part in statements(text) if "CREATE TABLE eh_contributions" in part]
    body = made.split("AS\n", 1)[1].strip().rstrip(";")
    names = re.findall(r" AS (t_\w+)", body)
    assert len(names) == len(model["terms"])
    first, _, rest = body.rpartition("f.entity AS entity,")
    intercept = f"f.entity AS entity,\n  {engine.double(model['intercept'])} AS intercept,"
    return in_frame("peer_trees", first + intercept + rest, names, engine)


def scores(arguments: argparse.Namespace) -> None:
    import duckdb
    import numpy

    model = model_of(arguments.model)
    made = duckdb.sql(f"SELECT * FROM '{arguments.rows / 'eh_features.parquet'}' ORDER BY entity").fetchnumpy()
    entities, expected = made["entity"], by_the_model(model, lambda name: numpy.ma.filled(made[name], numpy.nan if name[0] == "f" else -1))
    on_edge = sum(
        int(numpy.isin(numpy.ma.filled(made[f"f_{name}"], numpy.nan), edges).sum()) for name, edges, _ in steps_of(model)
    )
    del made
    engine = ENGINES[arguments.engine]()
    ours = (arguments.texts / "4_scores.sql").read_text()
    texts = {
        "ours": ("eh_scores", "log_odds", ours, expected),
        "trees": ("peer_trees", "score", trees(ours, model, engine), expected),
        "chain": ("peer_chain", "score", chain(model, "peer_chain", repr, engine), expected),
        "chain, doubles": ("peer_doubles", "score", chain(model, "peer_doubles", engine.double, engine), expected),
    }
    if arguments.ebm:
        text = (arguments.ebm / "ebm_in_sql.sql").read_text()
        text = re.sub("(?m)^SELECT\n'", "SELECT entity,\n'", text, count=1).replace("<source_table> -- TODO replace with correct table", "eh_features")
        said = json.loads((arguments.ebm / "says.json").read_text())
        # Copies of a case have the scores of the case.
        of_case = dict(zip(said["entity"], said["log_odds"]))
        of_ebm = numpy.array([of_case[entity.split("/")[0]] for entity in entities])
        made_so = f"DROP TABLE IF EXISTS peer_ml2sql;\n{engine.create.format('peer_ml2sql')}{text.strip()};\n"
        texts["ml2sql"] = ("peer_ml2sql", "score", made_so, of_ebm)
    try:
        engine.load(arguments.rows)
        for what, (table, column, text, right) in texts.items():
            if arguments.only and what not in arguments.only:
                continue
            line = {"engine": arguments.engine, "rows": len(entities), "text": what, "bytes": len(text.encode())}
            try:
                line |= timed(engine, lambda: engine.run(text), arguments.runs)
                taken = engine.columns(table, ["entity", column])
                difference = numpy.abs(taken[column].astype(float) - right)
                line |= {"largest_difference": float(difference.max()), "beyond_1e-9": int((difference > 1e-9).sum()), "on_edge": on_edge}
            except (Exception, SystemExit) as error:
                line["failed"] = str(error)[:300]
            print(json.dumps(line), flush=True)
    finally:
        engine.close()


def copies(arguments: argparse.Namespace) -> None:
    import duckdb

    arguments.out.mkdir(parents=True, exist_ok=True)
    for table in ("eh_case", "eh_features"):
        entity = "REPLACE (entity || CASE copy WHEN 0 THEN '' ELSE '/' || copy END AS entity)"
        duckdb.sql(
            f"COPY (SELECT * EXCLUDE copy {entity} FROM '{arguments.made / table}.parquet', range({arguments.times}) copies(copy)) "
            f"TO '{arguments.out / table}.parquet' (FORMAT parquet)"
        )
    print(json.dumps({"rows": duckdb.sql(f"SELECT COUNT(*) FROM '{arguments.out}/eh_features.parquet'").fetchall()[0][0]}))


def ebm(arguments: argparse.Namespace) -> None:
    """Runs where ml2sql is installed, so it reads what `scores` cannot: the frame as CSV."""
    import numpy
    import pandas
    from interpret.glassbox import ExplainableBoostingClassifier
    from ml2sql.utils.output_scripts.ebm_as_code import save_model_and_extras

    frame = pandas.read_csv(arguments.made)
    features = [name for name in frame.columns if name.startswith("f_")]
    drawn = numpy.random.default_rng(1).random(len(frame)) < 1 / (1 + numpy.exp(-frame["log_odds"]))
    started = time.process_time()
    machine = ExplainableBoostingClassifier(feature_names=features)
    machine.fit(frame[features], drawn.astype(int))
    spent = time.process_time() - started
    arguments.out.mkdir(parents=True, exist_ok=True)
    save_model_and_extras(machine, str(arguments.out), {"sql_split": True, "sql_decimals": 15})
    text = (arguments.out / "model" / "ebm_in_sql.sql").read_text()
    (arguments.out / "ebm_in_sql.sql").write_text(text)
    own = machine.decision_function(frame[features])
    (arguments.out / "says.json").write_text(json.dumps({"entity": list(frame["entity"]), "log_odds": list(map(float, own))}))
    terms = [len(term) for term in machine.term_features_]
    print(json.dumps({"terms": terms.count(1), "pairs": terms.count(2), "bytes": len(text.encode()), "positive": int(drawn.sum()), "process_cpu_s": round(spent, 1)}))


def frame(arguments: argparse.Namespace) -> None:
    import duckdb

    made = arguments.made
    duckdb.sql(
        f"COPY (SELECT f.entity, f.* LIKE 'f_%', s.log_odds FROM '{made}/eh_features.parquet' f JOIN '{made}/eh_scores.parquet' s USING (entity) ORDER BY entity) "
        f"TO '{arguments.out}' (FORMAT csv, HEADER)"
    )


# ---- Features --------------------------------------------------------------------------------------------------

# What both say: the table, the feature's name in our texts, and the measure.
ASKED = [
    ("domestic_abuse", "domestic_abuse_count_365d", "count", 365),
    ("police", "police_count_365d", "count", 365),
    ("suspensions", "suspensions_count_365d", "count", 365),
    ("youth_justice", "youth_justice_count_730d", "count", 730),
    ("contacts", "contacts_count_365d", "count", 365),
    ("referrals", "referrals_days_since_last_1095d", "days_since_last", 1095),
    ("youth_activity", "youth_activity_count_365d", "count", 365),
    ("attendance", "attendance_sum_365d", "sum", 365),
    ("health", "health_any_365d", "any", 365),
]
AS_OF = datetime.date(2025, 4, 1)
TODAY = (AS_OF - datetime.date(1970, 1, 1)).days
# Born on the day after the first or later, and up to the second: 0 to 16 years old.
BORN = ((datetime.date(2008, 4, 1) - datetime.date(1970, 1, 1)).days, TODAY)


def project(arguments: argparse.Namespace) -> None:
    """The project with the features of `ASKED` alone."""
    blocks = re.split(r"(?m)^(?=\[)", arguments.project.read_text())
    kept = "".join(block for block in blocks if not block.startswith("[[feature]]"))
    for source, name, measure, days in ASKED:
        kept += f'\n[[feature]]\nsource = "{source}"\nmeasure = "{measure}"\nover = ["{days} days"]\nwhy = "To be measured."\n'
    arguments.out.mkdir(parents=True, exist_ok=True)
    (arguments.out / "project.toml").write_text(kept)


def by_data_frames(engine) -> None:
    from pyspark.sql import functions as F

    table, day = engine.session.table, F.col("occurred")

    def known(source):
        rows = table(f"eh_{source}").filter(F.col("known") < TODAY)
        return rows.filter(F.col("superseded").isNull() | (F.col("superseded") >= TODAY))

    is_open = (day <= TODAY) & (F.col("ended").isNull() | (F.col("ended_known") >= TODAY) | (F.col("ended") > TODAY))
    gone = F.coalesce((F.col("died") < TODAY) | (F.col("left_day") < TODAY), F.lit(False))
    people = table("eh_people").filter((F.col("born") > BORN[0]) & (F.col("born") <= BORN[1]) & ~gone).select("person")
    out = people.join(known("plans").filter(is_open).select("person").distinct(), "person", "left_anti")
    for source, name, measure, days in ASKED:
        inside = (day >= TODAY - days) & (day < TODAY)
        what = {
            "count": F.count(F.when(inside, 1)).cast("double"),
            "sum": F.sum(F.when(inside, F.col("value") if measure == "sum" else None)),
            "any": F.max(F.when(inside, 1).otherwise(0)).cast("double"),
            "days_since_last": (TODAY - F.max(F.when(inside, day))).cast("double"),
        }[measure]
        found = known(source).groupBy("person").agg(what.alias(f"f_{name}"))
        out = out.join(found, "person", "left")
    zero = [f"f_{name}" for _, name, measure, _ in ASKED if measure != "days_since_last"]
    out = out.fillna(0.0, zero).withColumnRenamed("person", "entity")
    out.write.mode("overwrite").saveAsTable("peer_features")


def by_hand() -> str:
    known = f"known < {TODAY} AND (superseded IS NULL OR superseded >= {TODAY})"
    joins, columns = "", ["p.person AS entity"]
    for nth, (source, name, measure, days) in enumerate(ASKED):
        inside = f"occurred >= {TODAY - days} AND occurred < {TODAY}"
        what = {
            "count": f"COUNT(*) FILTER ({inside})",
            "sum": f"SUM(value) FILTER ({inside})",
            "any": f"MAX(CASE WHEN {inside} THEN 1 ELSE 0 END)",
            "days_since_last": f"{TODAY} - MAX(occurred) FILTER ({inside})",
        }[measure]
        joins += f"\nLEFT JOIN (SELECT person, {what} AS v FROM eh_{source} WHERE {known} GROUP BY person) j{nth} ON j{nth}.person = p.person"
        value = f"j{nth}.v" if measure == "days_since_last" else f"COALESCE(j{nth}.v, 0)"
        columns.append(f"CAST({value} AS DOUBLE) AS f_{name}")
    is_open = f"occurred <= {TODAY} AND (ended IS NULL OR ended_known >= {TODAY} OR ended > {TODAY})"
    return (
        f"CREATE OR REPLACE TABLE peer_features AS\nSELECT {', '.join(columns)}\nFROM eh_people p{joins}\n"
        f"WHERE p.born > {BORN[0]} AND p.born <= {BORN[1]} AND NOT COALESCE(p.died < {TODAY} OR p.left_day < {TODAY}, false)\n"
        f"AND p.person NOT IN (SELECT person FROM eh_plans WHERE {known} AND {is_open})"
    )


def features(arguments: argparse.Namespace) -> None:
    import numpy

    engine = ENGINES[arguments.engine]()
    texts = [(arguments.texts / name).read_text() for name in TEXTS[:2]]
    peer = {"duckdb": lambda: engine.run(by_hand()), "spark": lambda: by_data_frames(engine)}[arguments.engine]
    try:
        engine.load(arguments.staged)
        for what, work in [("ours", lambda: [engine.run(text) for text in texts]), ("by hand", peer)]:
            before = engine.stages() if arguments.engine == "spark" else {}
            line = {"engine": arguments.engine, "features": len(ASKED), "what": what}
            line |= timed(engine, work, arguments.runs)
            if before:
                now = engine.stages()
                line |= {name: round((now[name] - before[name]) / line["runs"], 2) for name in now}
            print(json.dumps(line), flush=True)
        values = [f"f_{name}" for _, name, *_ in ASKED]
        mine = engine.columns("eh_features", ["entity", *values, *(f"s{name[1:]}" for name in values)])
        other = engine.columns("peer_features", ["entity", *values])
        same = list(mine["entity"]) == list(other["entity"])
        print(json.dumps({"cases": len(mine["entity"]), "same cases": same}))
        for name in values if same else []:
            state = numpy.ma.filled(mine[f"s{name[1:]}"], -1)
            a, b = (numpy.ma.filled(side[name].astype(float), numpy.nan) for side in (mine, other))
            # Features are of single precision.
            alike = (a == b) | (numpy.isnan(a) & numpy.isnan(b))
            single = (a == b.astype(numpy.float32)) | (numpy.isnan(a) & numpy.isnan(b))
            print(json.dumps({
                "feature": name, "alike": int(alike.sum()), "alike in single precision": int(single.sum()),
                "not covered by ours": int((state == 2).sum()),
                "unlike though covered": int((~single & (state != 2)).sum()),
            }))
    finally:
        engine.close()


# ---- Spark by size ---------------------------------------------------------------------------------------------


def split(arguments: argparse.Namespace) -> None:
    """Each staged table as a folder of files, its rows dealt in turn: a person's rows lie in several."""
    import duckdb

    rows = 0
    for path in sorted(arguments.staged.glob("eh_*.parquet")):
        folder = arguments.out / path.stem
        folder.mkdir(parents=True)
        rows += duckdb.sql(f"SELECT COUNT(*) FROM '{path}'").fetchall()[0][0]
        for part in range(arguments.parts):
            duckdb.sql(
                f"COPY (SELECT * EXCLUDE file_row_number FROM read_parquet('{path}', file_row_number=true) "
                f"WHERE file_row_number % {arguments.parts} = {part}) TO '{folder}/part-{part}.parquet' (FORMAT parquet)"
            )
    print(json.dumps({"rows": rows}))


def by_size(arguments: argparse.Namespace) -> None:
    started = time.monotonic()
    engine = ENGINES[arguments.command](arguments.master)
    stages = getattr(engine, "stages", dict)
    what = {"engine": arguments.command, "master": arguments.master, "staged": arguments.staged.name}
    try:
        engine.load(arguments.staged)
        engine.run("SELECT 1")
        print(json.dumps(what | {"start_s": round(time.monotonic() - started, 1), "cpu_s": round(cpu_of(engine.process), 1)}))
        for _ in range(arguments.runs):
            for name in TEXTS:
                before, cpu, wall = stages(), cpu_of(engine.process), time.monotonic()
                engine.run((arguments.texts / name).read_text())
                line = what | {"text": name, "wall_s": round(time.monotonic() - wall, 1)}
                line["cpu_s"] = round(cpu_of(engine.process) - cpu, 1)
                now = stages()
                print(json.dumps(line | {key: round(now[key] - before[key], 1) for key in now}), flush=True)
        log_odds = engine.columns("eh_scores", ["entity", "log_odds"])["log_odds"]
        print(json.dumps(what | {"cases": len(log_odds), "sum of log-odds": float(log_odds.sum())}))
    finally:
        engine.close()


def sizes(arguments: argparse.Namespace) -> None:
    for text in arguments.texts:
        dialect, _, folder = text.partition("=")
        print(json.dumps({"dialect": dialect} | {path.name: path.stat().st_size for path in sorted(Path(folder).glob("*.sql"))}))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(dest="command", required=True)

    def command(name: str, work, *paths: str) -> argparse.ArgumentParser:
        added = commands.add_parser(name)
        added.set_defaults(work=work)
        for path in paths:
            added.add_argument(f"--{path}", type=Path, required=True)
        return added

    command("sizes", sizes).add_argument("--texts", nargs="+", required=True)
    command("copies", copies, "made", "out").add_argument("--times", type=int, required=True)
    command("frame", frame, "made", "out")
    command("ebm", ebm, "made", "out")
    command("project", project, "project", "out")
    command("split", split, "staged", "out").add_argument("--parts", type=int, default=8)
    scoring = command("scores", scores, "texts", "rows", "model")
    scoring.add_argument("--ebm", type=Path)
    scoring.add_argument("--only", nargs="+")
    counting = command("features", features, "texts", "staged")
    of_sizes = [command(name, by_size, "texts", "staged") for name in ("spark", "duckdb")]
    for sizing in of_sizes:
        sizing.add_argument("--master", help="Spark's alone", default="local[2]" if sizing is of_sizes[0] else None)
    scoring.add_argument("--engine", choices=ENGINES, required=True)
    counting.add_argument("--engine", choices=["duckdb", "spark"], required=True)
    for measuring, runs in [(scoring, 3), (counting, 3), *((sizing, 1) for sizing in of_sizes)]:
        measuring.add_argument("--runs", type=int, default=runs)
    arguments = parser.parse_args()
    # Whoever is stopped stops the server that it started.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("stopped"))
    arguments.work(arguments)


if __name__ == "__main__":
    main()
