"""Small tables, straight and not: 48 invented ones and four public ones, each with five splits.

    python small.py make --out DATA/small
    for f in DATA/small/*.parquet; do ours --trainer additive --reps 1 --data $f; done >> OUT.jsonl    # and ridge
    python small.py compare OUT.jsonl

Of the invented ones (`straight`, `curved`, `mixed`; 500, 1,500 or 5,000 rows; 10, 15 or 30 features that go together, of which
six count) the log-odds is a sum of lines, of parabolas, or of lines, parabolas and steps. A quarter of the rows of each split is
its test. The public ones come with scikit-learn: its tables of breast cancer, diabetes (whether the progression is in the upper
three tenths), wine (whether it is of the second kind), and digits (whether a 3 or an 8 is a 3).

`compare` takes the lines of `ours` and of `run.py`, and says for each kind the mean log loss of each program against that of the
plain logistic regression (`earlyhelp-ridge`) on the same splits, in percent, and the worst table's.
"""

import argparse
import json
import math
from collections import defaultdict
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from sklearn import datasets

SPLITS = 5
PLAIN = "earlyhelp-ridge"


def write(folder: Path, name: str, x, y) -> None:
    x, rows = np.asarray(x, np.float64), len(y)
    rng = np.random.default_rng(0)
    for split in range(SPLITS):
        is_test = np.zeros(rows, np.int64)
        is_test[rng.permutation(rows)[: rows // 4]] = 1
        columns = {f"f{nth:02}": x[:, nth] for nth in range(x.shape[1])}
        columns |= {"y": np.asarray(y, np.int64), "is_test": is_test}
        pq.write_table(pa.table(columns), folder / f"{name}.{split}.parquet")


def invented(kind: str, rows: int, features: int, seed: int, rate: float):
    """Features that share a part, and outcomes of the asked rate."""
    rng = np.random.default_rng(seed)
    shared, own = rng.normal(size=rows), rng.normal(size=(rows, features))
    x = math.sqrt(0.7) * own + math.sqrt(0.3) * shared[:, None]
    log_odds = np.zeros(rows)
    for nth in range(6):
        size = rng.choice([-1, 1]) * 0.5 * rng.uniform(0.5, 1.5)
        form = ("straight", "curved", "step")[nth % 3] if kind == "mixed" else kind
        column = x[:, nth]
        shapes = {"straight": column, "curved": (column**2 - 1) / 1.2, "step": 1.5 * (column > 0.5)}
        log_odds += size * shapes[form]
    low, high = -20.0, 20.0
    for _ in range(60):
        middle = (low + high) / 2
        if (1 / (1 + np.exp(-(log_odds + middle)))).mean() > rate:
            high = middle
        else:
            low = middle
    return x, rng.random(rows) < 1 / (1 + np.exp(-(log_odds + low)))


def make(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    cancer, diabetes, wine, digits = (
        load() for load in (datasets.load_breast_cancer, datasets.load_diabetes, datasets.load_wine, datasets.load_digits)
    )
    write(folder, "cancer", cancer.data, cancer.target)
    write(folder, "diabetes", diabetes.data, diabetes.target > np.quantile(diabetes.target, 0.7))
    write(folder, "wine", wine.data, wine.target == 1)
    threes = np.isin(digits.target, [3, 8])
    write(folder, "digits", digits.data[threes], digits.target[threes] == 3)
    for kind in ("straight", "curved", "mixed"):
        for rows in (500, 1500, 5000):
            for features, rate in ((10, 0.05), (15, 0.3), (30, 0.2)):
                if rows * rate < 40:
                    continue  # too few outcomes to test on
                for seed in (1, 2):
                    x, y = invented(kind, rows, features, 100 * seed + rows + features, rate)
                    write(folder, f"{kind}-{rows}-{features}-{seed}", x, y)


def compare(path: Path) -> None:
    losses = defaultdict(lambda: defaultdict(dict))
    for line in path.read_text().splitlines():
        said = json.loads(line)
        table, split, _ = Path(said["data"]).name.rsplit(".", 2)
        losses[said["peer"]][table][split] = said["log_loss"]
    plain = losses.pop(PLAIN)
    for peer, tables in sorted(losses.items()):
        by_kind = defaultdict(list)
        for table, splits in tables.items():
            own = sum(splits.values())
            other = sum(plain[table][split] for split in splits)
            by_kind[table.split("-")[0]].append(100 * (own / other - 1))
        for kind, against in sorted(by_kind.items()):
            mean = sum(against) / len(against)
            print(f"{peer:<22} {kind:<9} tables {len(against):>2}  mean {mean:+7.2f}%  worst {max(against):+7.2f}%")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("make").add_argument("--out", type=Path, required=True)
    commands.add_parser("compare").add_argument("lines", type=Path)
    arguments = parser.parse_args()
    make(arguments.out) if arguments.command == "make" else compare(arguments.lines)


if __name__ == "__main__":
    main()
