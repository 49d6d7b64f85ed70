"""Write the yes/no columns that FasterRisk is given, so that another trainer can use the very same.

    python binarise.py --data dense_100000.parquet --out binarised_100000.parquet

The output has one uint8 column (0 or 1) for each yes/no question, named by the question, and the
uint8 columns `y` and `is_test`.  The rows keep their order.  `table.binarise` says what the columns are.
"""

import argparse

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from table import binarise, load


def main() -> None:
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument("--data", required=True)
    ap.add_argument("--out", required=True)
    ap.add_argument("--cuts", type=int, default=4, help="cuts for each number (4)")
    args = ap.parse_args()
    table = load(args.data)
    matrix, names = binarise(table, args.cuts)
    columns = {name: np.ascontiguousarray(matrix[:, j]) for j, name in enumerate(names)}
    columns["y"] = table.y.astype(np.uint8)
    columns["is_test"] = table.is_test.astype(np.uint8)
    pq.write_table(pa.table(columns), args.out, compression="snappy")
    print(f"{len(names)} columns, {len(table.y)} rows, {int(table.is_test.sum())} of them held out")


if __name__ == "__main__":
    main()
