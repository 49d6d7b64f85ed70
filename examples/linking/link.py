"""Links the pupils of a school system with the tenants' children of a housing system, which have no id in common, and
writes what earlyhelp reads: clusters.csv and pairs.csv. The children are made up: names are drawn at random from lists.

Made with CPython 3.11.7 and splink 5.0.0 (DuckDB):
    pip install splink==5.0.0
    python link.py
"""
import csv
import datetime as dt
import os
import random

import pandas as pd
import splink.comparison_library as cl
from splink import DuckDBAPI, Linker, SettingsCreator, block_on

HERE = os.path.dirname(os.path.abspath(__file__))
dice = random.Random(17)
FIRST = "Amina Ben Chloe Dev Ella Finn Grace Hamza Isla Jude Kofi Lena Maya Noah Omar Poppy Quinn Rosa Sam Tara Uma Victor Wren Yusuf Zoe".split()
LAST = "Adeyemi Brown Clarke Davies Evans Fofanah Green Hussain Iqbal Jones Khan Lewis Morgan Nowak Okafor Patel Quigley Roberts Singh Taylor Usman Vaughan Walsh Young".split()


def misspelt(word):
    at = dice.randrange(1, len(word) - 1)
    return dice.choice([word[:at] + word[at + 1 :], word[:at] + word[at + 1] + word[at] + word[at + 2 :]])


def record(child, unique_id):
    first, last, born, postcode = child
    first = misspelt(first) if len(first) > 2 and dice.random() < 0.12 else first
    last = misspelt(last) if dice.random() < 0.08 else last
    if dice.random() < 0.05:
        born = born.replace(day=dice.randrange(1, 29))
    return {"unique_id": unique_id, "first": first, "last": last, "born": born.isoformat(), "postcode": postcode}


children = []
for _ in range(400):
    born = dt.date(2008, 1, 1) + dt.timedelta(dice.randrange(4000))
    children.append((dice.choice(FIRST), dice.choice(LAST), born, f"E{dice.randrange(1, 20)} {dice.randrange(1, 9)}AB"))
school = [record(child, f"S{place:04}") for place, child in enumerate(children[:320])]
housing = [record(child, f"H{place:04}") for place, child in enumerate(children[120:])]

settings = SettingsCreator(
    link_type="link_only",
    comparisons=[
        cl.JaroWinklerAtThresholds("first", [0.9, 0.7]),
        cl.JaroWinklerAtThresholds("last", [0.9, 0.7]),
        cl.DateOfBirthComparison("born", input_is_string=True),
        cl.ExactMatch("postcode"),
    ],
    blocking_rules_to_generate_predictions=[block_on("born"), block_on("last", "postcode"), block_on("first", "last")],
)
database = DuckDBAPI()
tables = [database.register(pd.DataFrame(rows), dataset_display_name=name) for name, rows in (("school", school), ("housing", housing))]
linker = Linker(tables, settings)
linker.training.estimate_probability_two_random_records_match([block_on("born", "last")], recall=0.8)
linker.training.estimate_u_using_random_sampling(max_pairs=1e6, seed=1)
linker.training.estimate_parameters_using_expectation_maximisation(block_on("born"))
linker.training.estimate_parameters_using_expectation_maximisation(block_on("last"))
linker.training.estimate_parameters_using_expectation_maximisation(block_on("first", "postcode"))
pairs = linker.inference.predict(threshold_match_probability=0.5)
clusters = linker.clustering.cluster_pairwise_predictions_at_threshold(pairs, 0.9)
# Splink's own columns as it writes them, without the names: what goes into a project holds none.
clusters.as_pandas_dataframe()[["cluster_id", "source_dataset", "unique_id"]].sort_values(["source_dataset", "unique_id"]).to_csv(os.path.join(HERE, "clusters.csv"), index=False)
columns = ["match_probability", "source_dataset_l", "unique_id_l", "source_dataset_r", "unique_id_r"]
found = pairs.as_pandas_dataframe()[columns].sort_values(["unique_id_l", "unique_id_r"])
found["match_probability"] = found["match_probability"].round(6)
found.to_csv(os.path.join(HERE, "pairs.csv"), index=False)


def write(name, head, rows):
    with open(os.path.join(HERE, name), "w", newline="") as out:
        csv.writer(out).writerows([head, *rows])


day = lambda: (dt.date(2023, 1, 1) + dt.timedelta(dice.randrange(500))).isoformat()
write("absences.csv", ["pupil", "date", "sessions"], [[dice.choice(school)["unique_id"], day(), dice.randrange(1, 11)] for _ in range(300)])
write("arrears.csv", ["tenant_child", "date", "pounds"], [[dice.choice(housing)["unique_id"], day(), dice.randrange(50, 2000)] for _ in range(150)])
# How well it went, since here the truth is known: S and H of one child are 120 apart.
cluster = {(row.source_dataset, row.unique_id): row.cluster_id for row in clusters.as_pandas_dataframe().itertuples()}
truth = {(f"S{place:04}", f"H{place - 120:04}") for place in range(120, 320)}
linked = {(s["unique_id"], h["unique_id"]) for s in school for h in housing if cluster[("school", s["unique_id"])] == cluster[("housing", h["unique_id"])]}
print(len(truth), len(linked), len(truth & linked))
