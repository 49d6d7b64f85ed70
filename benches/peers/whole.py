"""Whole runs of the command on invented councils: CPU seconds, wall seconds and the highest resident memory of each stage.

    python whole.py make   --program EARLYHELP --out DATA --children 50000 100000 200000 400000
    python whole.py run    --program EARLYHELP --data DATA --runs 5
    python whole.py growth OUT.jsonl

`make` invents each council once as Parquet and once as CSV files. `run` takes every stage of every council in turn, as often as
said, and prints a JSON line for each run: `check` (with Parquet and with CSV files), `train`, `score` without and with a ledger,
`audit-model`, the same with a store of what was read before (`store` fills it, `..., kept` take from it) and in little memory
(`..., little`, with `--memory`), and beside them `bare`, in which Polars merely reads the same files into memory. `growth` takes those lines, and
says for each stage the medians by size and the power of the number of rows by which CPU seconds and memory grow (least squares
on logarithms).

CPU seconds are user plus system of the whole process and of what it starts; those of `bare` leave Python's own start out. Threads
are as RAYON_NUM_THREADS and POLARS_MAX_THREADS say.
"""

import argparse
import json
import math
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
import tomllib
from collections import defaultdict
from pathlib import Path

DAY = "2025-04-01"  # on which every invented council's files were drawn


def measured(command: list) -> dict:
    """Runs a command and says what it cost. Exit codes 0 and 4 (something was found) are as they should be."""
    with tempfile.TemporaryFile() as said:
        started = time.monotonic()
        process = subprocess.Popen([str(part) for part in command], stdout=said, stderr=subprocess.STDOUT)
        _, status, used = os.wait4(process.pid, 0)
        wall = time.monotonic() - started
        code = os.waitstatus_to_exitcode(status)
        if code not in (0, 4):
            said.seek(0)
            sys.exit(f"{command[1]} ended with {code}: {said.read().decode(errors='replace')[-2000:]}")
    return {
        "cpu_s": round(used.ru_utime + used.ru_stime, 3),
        "wall_s": round(wall, 3),
        "peak_mb": round(used.ru_maxrss / 1024),
    }


def bare(folder: Path) -> None:
    """Every extract into memory, and nothing else."""
    import polars as pl

    started, rows = (time.process_time(), time.monotonic()), 0
    for path in sorted(folder.rglob("*")):
        if path.suffix == ".parquet":
            rows += pl.read_parquet(path).height
        elif path.suffix == ".csv":
            rows += pl.read_csv(path, infer_schema_length=10_000).height
    cpu, wall = time.process_time() - started[0], time.monotonic() - started[1]
    print(json.dumps({"cpu_s": round(cpu, 3), "wall_s": round(wall, 3), "rows": rows}))


def make(arguments: argparse.Namespace) -> None:
    for children in arguments.children:
        for form in ("parquet", "csv"):
            out = arguments.out / f"{children}-{form}"
            if not out.exists():
                records = ["--attendance-records", arguments.attendance_records]
                council = ["--children", children, "--seed", "1", "--format", form, "--out", out]
                measured([arguments.program, "synth", *council, *records])


def stages(program: Path, council: Path, work: Path, memory: str) -> dict:
    """The commands of one council, in the order in which they need each other."""
    project = council / "project.toml"
    purpose = tomllib.loads(project.read_text())["purpose"]
    model, released = work / "model.json", work / "released.json"
    request = ["--as-of", DAY, "--capacity", "20", "--requested-by", "A. Lead", "--purpose", purpose]
    return {
        "check": [program, "check", project],
        "train": [program, "train", project, "--out", model],
        "release": [
            program, "release", model, "--by", "A. Manager", "--role", "Head of service", "--purpose", purpose,
            "--review-by", "2026-03-31", "--on", DAY, "--out", released, "--ledger", work / "ledger.db",
        ],
        "score": [program, "score", project, "--model", released, *request, "--on", DAY, "--out", work / "list"],
        "score, ledger": [
            program, "score", project, "--model", released, *request, "--on", DAY, "--out", work / "recorded",
            "--ledger", work / "ledger.db",
        ],
        "audit-model": [program, "audit-model", project, "--model", model, "--out", work / "audit"],
        "store": [program, "check", project, "--store", work / "store"],
        "check, kept": [program, "check", project, "--store", work / "store"],
        "train, kept": [program, "train", project, "--out", work / "kept.json", "--store", work / "store"],
        "score, kept": [
            program, "score", project, "--model", released, *request, "--on", DAY, "--out", work / "kept",
            "--store", work / "store",
        ],
        "check, little": [program, "check", project, "--memory", memory, "--scratch", work],
        "train, little": [
            program, "train", project, "--out", work / "little.json", "--memory", memory, "--scratch", work,
        ],
    }


def rows_of(council: Path) -> int:
    """How many rows the council's files have, counted where it costs nothing."""
    done = subprocess.run([sys.executable, __file__, "bare", council], capture_output=True, text=True, check=True)
    return json.loads(done.stdout)["rows"]


def run(arguments: argparse.Namespace) -> None:
    councils = sorted(arguments.data.glob("*-*"), key=lambda path: (int(path.name.split("-")[0]), path.name))
    sizes = {council: rows_of(council) for council in councils}
    for nth in range(arguments.runs):
        for council in councils:
            children, form = council.name.split("-")
            about = {"children": int(children), "form": form, "rows": sizes[council], "run": nth}
            done = subprocess.run([sys.executable, __file__, "bare", council], capture_output=True, text=True, check=True)
            print(json.dumps({"stage": "bare"} | about | json.loads(done.stdout)), flush=True)
            work = Path(tempfile.mkdtemp())
            for stage, command in stages(arguments.program, council, work, arguments.memory).items():
                asked = not arguments.stages or stage in arguments.stages
                if (form == "parquet" or stage == "check") and (asked or stage in ("train", "release")):
                    print(json.dumps({"stage": stage} | about | measured(command)), flush=True)
            shutil.rmtree(work)


def growth(path: Path) -> None:
    found = defaultdict(lambda: defaultdict(list))
    for line in path.read_text().splitlines():
        said = json.loads(line)
        found[said["stage"], said["form"]][said["rows"]].append(said)
    for (stage, form), sizes in sorted(found.items()):
        points = []
        for rows, runs in sorted(sizes.items()):
            middle = {key: statistics.median(run[key] for run in runs if key in run) for key in ("cpu_s", "wall_s")}
            peak = [run["peak_mb"] for run in runs if "peak_mb" in run]
            cpu = [run["cpu_s"] for run in runs]
            points.append((rows, middle["cpu_s"], statistics.median(peak) if peak else None))
            told = f"{stage:<14} {form:<8} {rows:>11,} rows  CPU {middle['cpu_s']:7.2f} s ({min(cpu):.2f} to {max(cpu):.2f})"
            print(told + f"  wall {middle['wall_s']:7.2f} s" + (f"  peak {statistics.median(peak):,.0f} MB" if peak else ""))
        if len(points) > 2:
            powers = [f"CPU by the power {power([(rows, cpu) for rows, cpu, _ in points]):.2f}"]
            if points[0][2]:
                powers.append(f"memory by {power([(rows, peak) for rows, _, peak in points]):.2f}")
            print(f"{stage:<14} {form:<8} grows with the rows: {', '.join(powers)}")


def power(points: list) -> float:
    x, y = ([math.log(point[nth]) for point in points] for nth in (0, 1))
    centre, middle = statistics.mean(x), statistics.mean(y)
    return sum((a - centre) * (b - middle) for a, b in zip(x, y)) / sum((a - centre) ** 2 for a in x)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(dest="command", required=True)
    making = commands.add_parser("make")
    making.add_argument("--program", type=Path, required=True)
    making.add_argument("--out", type=Path, required=True)
    making.add_argument("--children", type=int, nargs="+", required=True)
    making.add_argument("--attendance-records", default="1")
    running = commands.add_parser("run")
    running.add_argument("--program", type=Path, required=True)
    running.add_argument("--data", type=Path, required=True)
    running.add_argument("--runs", type=int, default=5)
    running.add_argument("--stages", nargs="*", default=[])
    running.add_argument("--memory", default="2GB")
    reading = commands.add_parser("bare")
    reading.add_argument("folder", type=Path)
    growing = commands.add_parser("growth")
    growing.add_argument("lines", type=Path)
    arguments = parser.parse_args()
    match arguments.command:
        case "make":
            make(arguments)
        case "run":
            run(arguments)
        case "bare":
            bare(arguments.folder)
        case "growth":
            growth(arguments.lines)


if __name__ == "__main__":
    main()
