#!/usr/bin/env python3
"""Small models for the corpus of the fuzz target `model`, and for tests/forged.rs: those of models/ with most of what
they hold taken out, consistently, and with digests made anew. Run it from the root of the repository.

    python3 tests/fuzz/make_models.py
"""

import hashlib
import json
import pathlib

MARK = "\u0001"


def load(path):
    """Numbers stay as they are written: a digest is over the text."""
    hold = lambda text: MARK + text
    return json.loads(path.read_text(), parse_float=hold)


def dump(value):
    text = json.dumps(value, separators=(",", ":"), ensure_ascii=False)
    parts = text.split('"\\u0001')
    return parts[0] + "".join(part.replace('"', "", 1) for part in parts[1:])


def small(model):
    evidence = model["says"]["evidence"]
    body = evidence["candidate"]["says"]
    terms = body["model"]["terms"]
    pairs = [nth for nth, term in enumerate(terms) if len(term["on"]) == 2][:1]
    singles = [nth for nth, term in enumerate(terms) if len(term["on"]) == 1]
    size = lambda nth: len(json.dumps(terms[nth]))
    kept = sorted(set(pairs + sorted(singles, key=size)[:2] + sorted(singles, key=size)[-1:]))
    names = [name for nth in kept for name in terms[nth]["on"]]
    names = [name for name in body["model"]["features"] if name in names]
    body["model"]["features"] = names
    body["features"] = [feature for feature in body["features"] if feature["name"] in names]
    training = body["training"]
    training["ranges"] = [held for held in training["ranges"] if held["feature"] in names]
    training["importance"] = [training["importance"][nth] for nth in kept]
    training["unused"] = []
    training["sources"] = training["sources"][:2]
    # An empty one is left out of the file.
    training.pop("profiles", None)
    for card in training.get("cards", []):
        card["lines"] = [line for line in card["lines"] if line["feature"] in names]
    training["cards"] = [card for card in training.get("cards", [])[:1]]
    if not training["cards"]:
        del training["cards"]
    body["model"]["terms"] = [terms[nth] for nth in kept]
    refits = body["model"].get("refits")
    if refits:
        refits["terms"] = [refits["terms"][nth] for nth in kept]
        for part in refits["terms"] + [refits["intercept"]]:
            part["refits"] = part["refits"][:3]
    backtest = evidence["backtest"]
    backtest["splits"] = backtest["splits"][:1]
    backtest["rules"] = backtest["rules"][:1]
    backtest["lengths"] = backtest["lengths"][:2]
    on = [term["on"] for term in body["model"]["terms"]]
    backtest["terms"] = [term for term in backtest["terms"] if term["on"] in on][:2]
    audit = evidence["fairness"]
    measured = [held for held in audit["attributes"] if "measured" in held["finding"]]
    audit["attributes"] = measured[:1] + [held for held in audit["attributes"] if held not in measured][:1]
    return model


def reseal(model):
    candidate = model["says"]["evidence"]["candidate"]
    candidate["digest"] = hashlib.sha256(dump(candidate["says"]).encode()).hexdigest()
    model["digest"] = hashlib.sha256(dump(model["says"]).encode()).hexdigest()


root = pathlib.Path("tests/fuzz/corpus/model")
root.mkdir(parents=True, exist_ok=True)
for trainer in ["additive", "logistic", "scorecard"]:
    model = small(load(pathlib.Path(f"models/synthetic_council_{trainer}.json")))
    reseal(model)
    (root / f"{trainer}.json").write_text(dump(model))
