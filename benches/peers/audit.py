"""The fairness audit beside Fairlearn and Aequitas, on the same rows in one run.

    python audit.py --data dense_1000000.parquet --binary PATH_OF_OUR_BENCH --aequitas VENV/bin/python

Data: `dense.py` (five group columns of 2, 6, 5, 10 and 40 groups). The score is the true chance with
noise; selected are the top 5%. Families are made up: 1 to 4 rows each, the rows of one drawn at random
from neighbours in the file. The rows go to our side as a binary table (see audit.rs).

Each program runs in a process of its own, on one core. `cpu_s` is CPU time of the audit alone: reading
the file and imports are left out. `prepare` is CPU time before that, for the table that the program asks for:
Aequitas takes groups as texts only. Ours takes codes, and its time is all within `cpu_s`. `peak_mb` is the highest resident memory of the
process, everything included. Fairlearn's bootstrap is run on a part of the rows, and with few resamples:
all of it would take days. Versions: fairlearn 0.15.0, scikit-learn 1.9.1 (main environment); aequitas
1.1.0, pandas below 3 (an environment of its own).
"""

import argparse
import json
import os
import resource
import subprocess
import sys
import time
import warnings
from pathlib import Path

import numpy as np
import pandas as pd

ATTRIBUTES = ["grp_sex", "grp_eth", "grp_age", "grp_imd", "grp_area"]


def load(path, rows=None):
    frame = pd.read_parquet(path, columns=["y", "p_true", *ATTRIBUTES])
    rng = np.random.default_rng(3)
    score = frame.p_true.to_numpy() * np.exp(rng.normal(0, 0.3, len(frame)))
    score = np.minimum(score, 1 - 1e-9)
    frame["score"] = score
    frame["pred"] = (score >= np.quantile(score, 0.95)).astype(np.int8)
    sizes = rng.integers(1, 5, len(frame))
    frame["family"] = np.repeat(np.arange(len(frame)), sizes)[: len(frame)]
    return frame if rows is None else frame.iloc[:rows].copy()


def write(frame, path):
    with open(path, "wb") as out:
        np.array([len(frame), len(ATTRIBUTES)], dtype="<u8").tofile(out)
        frame.score.to_numpy().astype("<f8").tofile(out)
        frame.y.to_numpy().astype("u1").tofile(out)
        frame.pred.to_numpy().astype("u1").tofile(out)
        frame.family.to_numpy().astype("<u4").tofile(out)
        for name in ATTRIBUTES:
            np.array([len(frame[name].cat.categories)], dtype="<u8").tofile(out)
            frame[name].cat.codes.to_numpy().astype("<u2").tofile(out)


def aequitas(frame):
    from aequitas.bias import Bias
    from aequitas.group import Group

    table = pd.DataFrame({"score": frame.pred.astype(int), "label_value": frame.y.astype(int)})
    for name in ATTRIBUTES:
        table[name] = frame[name].astype(str)
    reference = {name: str(frame[name].value_counts().index[0]) for name in ATTRIBUTES}

    def run():
        crosstab, _ = Group().get_crosstabs(table, attr_cols=ATTRIBUTES)
        bias = Bias().get_disparity_predefined_groups(
            crosstab, original_df=table, ref_groups_dict=reference, check_significance=False
        )
        return len(bias)

    return run


def fairlearn(frame, resamples=None, attributes=ATTRIBUTES):
    from fairlearn import metrics as fm

    functions = {
        "count": fm.count,
        "selection_rate": fm.selection_rate,
        "false_positive_rate": fm.false_positive_rate,
        "false_negative_rate": fm.false_negative_rate,
        "true_positive_rate": fm.true_positive_rate,
        "true_negative_rate": fm.true_negative_rate,
        "mean_prediction": fm.mean_prediction,
    }
    more = dict(n_boot=resamples, ci_quantiles=[0.025, 0.975], random_state=1) if resamples else {}

    def run():
        groups = 0
        for name in attributes:
            held = fm.MetricFrame(
                metrics=functions,
                y_true=frame.y.to_numpy(),
                y_pred=frame.pred.to_numpy(),
                sensitive_features=frame[name],
                **more,
            )
            groups += len(held.by_group)
            held.difference()
            held.ratio()
        return groups

    return run


def one(args):
    warnings.filterwarnings("ignore")
    frame = load(args.data, args.rows)
    prepared = time.process_time()
    run = {
        "aequitas": lambda: aequitas(frame),
        "fairlearn": lambda: fairlearn(frame),
        "fairlearn-bootstrap": lambda: fairlearn(frame, args.resamples, ATTRIBUTES[:1]),
    }[args.one]()
    started, cpu = time.perf_counter(), time.process_time()
    prepared = cpu - prepared
    groups = run()
    spent = time.process_time() - cpu
    print(json.dumps({
        "what": args.one,
        "rows": len(frame),
        "resamples": args.resamples if args.one == "fairlearn-bootstrap" else 0,
        "groups": groups,
        "cpu_s": spent,
        "prepare_s": prepared,
        "wall_s": time.perf_counter() - started,
        "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    }))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", required=True)
    parser.add_argument("--binary", help="our bench, as built by `cargo bench --no-run --bench audit`")
    parser.add_argument("--aequitas", default=sys.executable, help="the Python that has aequitas")
    parser.add_argument("--table", default="audit_rows.bin", help="where the binary table is written")
    parser.add_argument("--core", default="0")
    parser.add_argument("--one", help="one peer, in this process")
    parser.add_argument("--rows", type=int)
    parser.add_argument("--resamples", type=int, default=3)
    parser.add_argument("--skip", nargs="*", default=[])
    args = parser.parse_args()
    if args.one:
        one(args)
        return
    write(load(args.data), args.table)
    this = [str(Path(__file__).resolve()), "--data", args.data, "--one"]
    jobs = {
        "ours": [args.binary, "--table", args.table],
        "ours-families": [args.binary, "--table", args.table, "--clusters"],
        "aequitas": [args.aequitas, *this, "aequitas"],
        "fairlearn": [sys.executable, *this, "fairlearn"],
        "fairlearn-bootstrap": [sys.executable, *this, "fairlearn-bootstrap", "--rows", "100000", "--resamples", "3"],
    }
    environment = {**os.environ, "RAYON_NUM_THREADS": "1", "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
    print(f"{'what':<30}{'rows':>10}{'resamples':>11}{'groups':>8}{'prepare':>9}{'CPU s':>9}{'wall s':>9}{'peak MB':>9}{'load':>7}")
    for name, job in jobs.items():
        if name in args.skip:
            continue
        load_before = os.getloadavg()[0]
        done = subprocess.run(["taskset", "-c", args.core, *job], capture_output=True, text=True, env=environment)
        if done.returncode != 0:
            print(f"{name:<30}failed: {done.stderr.strip().splitlines()[-1:]}")
            continue
        got = json.loads(done.stdout.strip().splitlines()[-1])
        print(
            f"{got['what']:<30}{got['rows']:>10}{got['resamples']:>11}{got['groups']:>8}{got.get('prepare_s', 0):>9.2f}{got['cpu_s']:>9.2f}"
            f"{got['wall_s']:>9.2f}{got['peak_mb']:>9.0f}{load_before:>7.2f}",
            flush=True,
        )


if __name__ == "__main__":
    main()
