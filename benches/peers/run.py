"""Fit one peer on one table, or on several, and print its costs and its quality as one JSON line each.

    python run.py --peer lightgbm --data dense_100000.parquet --reps 3
    python run.py --peer lightgbm --data DATA/tables/*.parquet --light

What is measured:

  fit_cpu_s   CPU seconds of each fit, user and system, of this process and of child processes that
              have ended.  Every peer is told to use one thread and no worker processes, so nothing
              escapes the count.  Reading the file and making the design matrix are outside it.  A
              small fit on at most 4,000 training rows comes before, so that loading of libraries is
              outside too.
  base_mb     resident memory just before the first measured fit: the libraries and the data.
  peak_mb     the highest resident memory during the measured fits (Linux: `VmHWM`, set back before).
  auc, average_precision, log_loss   of the last fit, on the held-out rows.
  calibration_slope   the slope of a logistic regression, without a penalty, of the held-out outcomes on
              the log-odds.  1 is right, below 1 the predictions are too extreme.  Null where no slope
              is best: all predictions alike, or the outcomes wholly apart.
  contributions_rows_per_cpu_s       rows scored in a second of CPU with the part of every term:
              EBM `eval_terms`, LightGBM `pred_contrib`, the points of optbinning's `score` (it gives
              the sum only).  Median of the passes.  Null for peers that offer no such call.

`--light` is for scores of many tables: one fit, none before it, and no contributions.  Its times are
rough, the first file's includes the loading of libraries.

One thread is set here, before the numeric libraries load; `taskset -c 1` in front makes sure of it.
"""

import os

for _name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMEXPR_NUM_THREADS", "POLARS_MAX_THREADS"):
    os.environ[_name] = "1"
os.environ["OMP_WAIT_POLICY"] = "PASSIVE"
os.environ["PYTHONWARNINGS"] = "ignore"

import argparse
import json
import platform
import resource
import signal
import statistics
import time
import warnings
from importlib.metadata import version
from pathlib import Path

import numpy as np

from table import Table, binarise, is_categorical, linear_design, load

warnings.filterwarnings("ignore")
SEED = 42
WARM_UP_POSITIVES, WARM_UP_NEGATIVES = 1_000, 3_000  # both kinds, however rare one is
MANY_ROWS = 5_000  # training rows from which LightGBM's leaves need 100 cases


# --- the peers -------------------------------------------------------------------------------------
# Each has `package` (its name on PyPI), `matrix(table)` (what its fit takes, for all rows),
# `fit(x, y)`, `predict(x)` (probabilities) and may have `contributions(x)` and `describe()`.


class Plain:
    """Takes the features as they are."""

    score_rows = 100_000

    def matrix(self, table: Table):
        return table.features

    def describe(self) -> dict:
        return {}


class Linear(Plain):
    """Takes the design matrix of `table.linear_design`."""

    def matrix(self, table: Table):
        return linear_design(table)[0]


class Ebm(Plain):
    """InterpretML's explainable boosting machine: its defaults, except the number of bags if told."""

    package = "interpret"

    def __init__(self, bags: int | None):
        self.options = {} if bags is None else {"outer_bags": bags}

    def fit(self, x, y):
        from interpret.glassbox import ExplainableBoostingClassifier

        self.model = ExplainableBoostingClassifier(n_jobs=1, random_state=SEED, **self.options).fit(x, y)

    def predict(self, x):
        return self.model.predict_proba(x)[:, 1]

    def contributions(self, x):
        return self.model.eval_terms(x)

    def describe(self):
        pairs = sum(len(t) > 1 for t in self.model.term_features_)
        return {
            "outer_bags": self.model.outer_bags,
            "interactions": str(self.model.interactions),
            "terms": len(self.model.term_features_),
            "pairs": pairs,
        }


class LightGbm(Plain):
    """LightGBM's boosted trees: 300 rounds of 15 leaves, of 100 cases or more where there are many."""

    package = "lightgbm"
    score_rows = 2_000  # its contributions are slow

    def matrix(self, table: Table):
        # It refuses names with brackets, quotes, commas or colons, so it is given plain ones.
        return table.features.set_axis([f"f{j}" for j in range(table.features.shape[1])], axis=1)

    def fit(self, x, y):
        from lightgbm import LGBMClassifier

        self.least = 100 if len(y) >= MANY_ROWS else 20  # 20 is its own default
        self.model = LGBMClassifier(
            n_estimators=300, learning_rate=0.03, num_leaves=15, min_child_samples=self.least,
            n_jobs=1, random_state=SEED, verbose=-1,
        ).fit(x, y)

    def predict(self, x):
        return self.model.predict_proba(x)[:, 1]

    def contributions(self, x):
        return self.model.predict(x, pred_contrib=True)

    def describe(self):
        return {"trees": self.model.booster_.num_trees(), "least_in_leaf": self.least}


class OptBinning(Plain):
    """optbinning's scorecard: its default binning, logistic regression, points from 0 to 100 rounded."""

    package = "optbinning"

    def matrix(self, table: Table):
        # It stops with an error at a feature that has no known value.
        known = table.features[~table.is_test].notna().any()
        frame = table.features.loc[:, known].copy()
        self.levels = [c for c in frame if is_categorical(frame[c])]
        for c in self.levels:
            frame[c] = frame[c].astype(object)
        return frame

    def fit(self, x, y):
        from optbinning import BinningProcess, Scorecard
        from sklearn.linear_model import LogisticRegression

        self.model = Scorecard(
            binning_process=BinningProcess(list(x.columns), categorical_variables=self.levels, n_jobs=1),
            estimator=LogisticRegression(C=1.0, max_iter=500),
            scaling_method="min_max", scaling_method_params={"min": 0, "max": 100}, rounding=True,
        )
        self.model.fit(x, y)

    def predict(self, x):
        return self.model.predict_proba(x)[:, 1]

    def contributions(self, x):
        return self.model.score(x)

    def describe(self):
        return {"card_rows": len(self.model.table(style="detailed"))}


class FasterRisk(Plain):
    """FasterRisk's best card: at most `terms` yes/no columns, points from -5 to 5, else its defaults."""

    package = "fasterrisk"

    def __init__(self, terms: int, cuts: int):
        self.terms, self.cuts = terms, cuts

    def matrix(self, table: Table):
        matrix, self.names = binarise(table, self.cuts)
        return matrix.astype(np.float64)

    def fit(self, x, y):
        from fasterrisk.fasterrisk import RiskScoreClassifier, RiskScoreOptimizer

        search = RiskScoreOptimizer(X=x, y=2 * y - 1, k=self.terms, lb=-5, ub=5)
        search.optimize()
        self.multiplier, self.intercept, self.points = search.get_models(model_index=0)
        self.model = RiskScoreClassifier(self.multiplier, self.intercept, self.points, featureNames=self.names)

    def predict(self, x):
        return self.model.predict_prob(x)

    def describe(self):
        card = {n: int(p) for n, p in zip(self.names, self.points) if p != 0}
        return {"cuts": self.cuts, "card": card, "intercept": float(self.intercept), "multiplier": float(self.multiplier)}


class Glmnet(Linear):
    """The Python wrapper of glmnet: half lasso, half ridge, 100 penalties, 5 folds, by log loss."""

    package = "python-glmnet"

    def fit(self, x, y):
        from glmnet import LogitNet

        self.model = LogitNet(
            alpha=0.5, n_lambda=100, n_splits=5, scoring="log_loss", n_jobs=1, random_state=SEED
        ).fit(x, y)

    def predict(self, x):
        return self.model.predict_proba(x)[:, 1]

    def describe(self):
        return {"penalties": len(self.model.lambda_path_), "terms": int(np.count_nonzero(self.model.coef_))}


class Logistic(Linear):
    """scikit-learn's logistic regression with its default ridge penalty (C = 1), no choice of penalty."""

    package = "scikit-learn"

    def fit(self, x, y):
        from sklearn.linear_model import LogisticRegression

        self.model = LogisticRegression(C=1.0, max_iter=500).fit(x, y)

    def predict(self, x):
        return self.model.predict_proba(x)[:, 1]

    def describe(self):
        return {"iterations": int(self.model.n_iter_[0])}


PEERS = {
    "ebm": lambda a: Ebm(None),
    "ebm-1bag": lambda a: Ebm(1),
    "lightgbm": lambda a: LightGbm(),
    "optbinning": lambda a: OptBinning(),
    "fasterrisk-5": lambda a: FasterRisk(5, a.cuts),
    "fasterrisk-10": lambda a: FasterRisk(10, a.cuts),
    "glmnet": lambda a: Glmnet(),
    "logistic": lambda a: Logistic(),
}


# --- measuring -------------------------------------------------------------------------------------


def cpu_seconds() -> float:
    """User and system time of this process and of its children that have ended."""
    both = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(r.ru_utime + r.ru_stime for r in both)


def memory_mb(field: str) -> float:
    """`VmRSS` (resident now) or `VmHWM` (highest since it was set back), in MiB."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith(field + ":"):
            return int(line.split()[1]) / 1024
    raise LookupError(field)


def timed(work) -> tuple[float, float]:
    """CPU and wall seconds of one call."""
    cpu, wall = cpu_seconds(), time.perf_counter()
    work()
    return cpu_seconds() - cpu, time.perf_counter() - wall


def contribution_rate(peer, x) -> dict:
    """Rows in a CPU second: at least three passes, and at least one second of them."""
    if not hasattr(peer, "contributions"):
        return {"contributions_rows_per_cpu_s": None}
    rows = x.iloc[: peer.score_rows]
    passes = [timed(lambda: peer.contributions(rows))[0] for _ in range(3)]
    while sum(passes) < 1.0:
        passes.append(timed(lambda: peer.contributions(rows))[0])
    rate = len(rows) / statistics.median(passes)
    return {"contributions_rows_per_cpu_s": round(rate), "contributions_rows": len(rows), "contributions_passes": len(passes)}


def calibration_slope(y, p) -> float | None:
    """See the head of this file."""
    from sklearn.linear_model import LogisticRegression

    x = np.log(p) - np.log1p(-p)
    yes, no = x[y == 1], x[y == 0]
    if np.ptp(x) < 1e-9 or yes.min() >= no.max() or no.min() >= yes.max():
        return None
    spread = x.std()
    fit = LogisticRegression(C=np.inf, tol=1e-9, max_iter=1_000).fit((x[:, None] - x.mean()) / spread, y)
    return round(float(fit.coef_[0, 0] / spread), 4)


def quality(y, p) -> dict:
    from sklearn.metrics import average_precision_score, log_loss, roc_auc_score

    p = np.clip(np.asarray(p, np.float64), 1e-12, 1 - 1e-12)
    return {
        "auc": round(roc_auc_score(y, p), 6),
        "average_precision": round(average_precision_score(y, p), 6),
        "log_loss": round(log_loss(y, p), 7),
        "calibration_slope": calibration_slope(y, p),
    }


class OutOfTime(BaseException):
    """The fit has used the CPU seconds that `--cap` allows.  No `Exception`: EBM would catch it and go on with its other bags."""


def stop(_signal, _frame):
    raise OutOfTime


def measure(args, path: str) -> dict:
    table = load(path)
    peer = PEERS[args.peer](args)
    x = peer.matrix(table)
    train, held_out = ~table.is_test, table.is_test
    x_train, y_train, x_test, y_test = x[train], table.y[train], x[held_out], table.y[held_out]
    if hasattr(x, "iloc"):
        x_train, x_test = x_train.reset_index(drop=True), x_test.reset_index(drop=True)
    features = table.features.shape[1]
    rows = len(table.y)
    p_true = None if table.p_true is None else table.p_true[held_out]
    del table, x

    line = {
        "peer": args.peer, "package": peer.package, "version": version(peer.package),
        "python": platform.python_version(), "data": Path(path).name, "rows": rows,
        "train_rows": len(y_train), "test_rows": len(y_test), "test_positives": int(y_test.sum()),
        "features": features, "columns": x_train.shape[1],
    }
    if p_true is not None:
        line["truth"] = quality(y_test, p_true)
    if not (args.no_warm_up or args.light):
        few = np.sort(np.r_[np.flatnonzero(y_train == 1)[:WARM_UP_POSITIVES], np.flatnonzero(y_train == 0)[:WARM_UP_NEGATIVES]])
        peer.fit(x_train.iloc[few].reset_index(drop=True) if hasattr(x_train, "iloc") else x_train[few], y_train[few])
    Path("/proc/self/clear_refs").write_text("5")  # sets VmHWM back to what is resident now
    line["base_mb"] = round(memory_mb("VmRSS"))
    line["fit_cpu_s"], line["fit_wall_s"] = [], []
    signal.signal(signal.SIGPROF, stop)
    try:
        for _ in range(1 if args.light else args.reps):
            signal.setitimer(signal.ITIMER_PROF, args.cap)
            cpu, wall = timed(lambda: peer.fit(x_train, y_train))
            signal.setitimer(signal.ITIMER_PROF, 0)
            line["fit_cpu_s"].append(round(cpu, 3))
            line["fit_wall_s"].append(round(wall, 3))
    except OutOfTime:
        line["stopped_after_cpu_s"] = args.cap
    line["peak_mb"] = round(memory_mb("VmHWM"))
    if line["fit_cpu_s"]:
        line["median_fit_cpu_s"] = round(statistics.median(line["fit_cpu_s"]), 3)
    if "stopped_after_cpu_s" not in line:
        line |= quality(y_test, peer.predict(x_test)) | peer.describe()
        if not args.light:
            line |= contribution_rate(peer, x_test)
    return line


def main() -> None:
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument("--peer", required=True, choices=PEERS)
    ap.add_argument("--data", required=True, nargs="+", help="Parquet tables; table.py says which columns")
    ap.add_argument("--reps", type=int, default=3, help="measured fits (3)")
    ap.add_argument("--cap", type=float, default=3600.0, help="give a fit up after so many CPU seconds (3600)")
    ap.add_argument("--cuts", type=int, default=4, help="FasterRisk: cuts for each number (4)")
    ap.add_argument("--no-warm-up", action="store_true", help="no small fit before the measured ones")
    ap.add_argument("--light", action="store_true", help="one fit for its scores, and no timing of contributions")
    ap.add_argument("--out", type=Path, help="append the lines to this file, too")
    args = ap.parse_args()
    for path in args.data:
        line = measure(args, path)
        told = vars(args) | {"data": path} | ({"reps": 1} if args.light else {})
        line["command"] = " ".join(["python run.py", *(f"--{k.replace('_', '-')} {v}" for k, v in told.items()
                                                       if k in ("peer", "data", "reps", "cap", "cuts"))])
        if args.light:
            line["command"] += " --light"
        text = json.dumps(line)
        print(text, flush=True)
        if args.out:
            with args.out.open("a") as f:
                f.write(text + "\n")


if __name__ == "__main__":
    main()
