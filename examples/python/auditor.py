"""Where an auditor starts from: somebody else's scores, audited in a notebook.

Each ``# %%`` opens a cell; as a script it takes the folder to write into. It needs this package and polars.
"""

# %% The vendor's table: a row a case, with its score and what followed. Replace it by yours:
# scores = polars.read_csv("vendor.csv"), a pandas frame, a DuckDB relation, or simply the path.
import random
import sys
import warnings
from pathlib import Path

import polars

import earlyhelp

chance = random.Random(20250401)


def one_case(nth: int) -> dict[str, object]:
    """A case that does not exist. The score reads one group's risk too high."""
    area = chance.choice(["north", "north", "south", "east"])
    needs = chance.betavariate(1.2, 6.0)
    return {
        "household": f"H{nth // 2:05}",
        "area": area,
        "sex": chance.choice(["F", "M"]),
        "risk": min(1.0, needs * (1.6 if area == "east" else 1.0)),
        "excluded": chance.random() < needs,
    }


scores = polars.DataFrame([one_case(nth) for nth in range(4_000)])
# As in real tables: some rows have no score.
scores = scores.with_columns(risk=polars.when(polars.int_range(polars.len()) % 400 != 7).then("risk"))

# %% The audit. A team can look at one in ten. What is doubtful of the table is said as warnings.
with warnings.catch_warnings(record=True) as told:
    warnings.simplefilter("always")
    found = earlyhelp.audit(
        scores,
        score="risk",
        outcome="excluded",
        groups=["area", "sex"],
        not_held=["ethnicity"],
        capacity="10%",
        cluster="household",
        resamples=199,
        title="A vendor's exclusion score, spring 2025 (invented)",
    )
for warning in told:
    print(f"warning: {warning.message}")
print(found.text)

# %% The page, as it is kept and printed. In a notebook it is shown where it is named.
found  # noqa: B018

# %% Which rows could not be audited, and why.
print(found.rejected)

# %% Every figure as a frame: here the differences that are there, the largest first.
figures = found.figures().to_polars()
present = figures.filter(polars.col("verdict") == "present").sort(polars.col("difference").abs(), descending=True)
print(present.select("characteristic", "group", "measure", "difference", "difference_low", "difference_high"))

# %% What is kept: audit.html for people, audit.xlsx and audit.csv for spreadsheets, audit.json for programs.
folder = Path(sys.argv[1] if len(sys.argv) > 1 and not sys.argv[1].startswith("-") else "audit")
found.save(folder)
print(f"Written to {folder}")
