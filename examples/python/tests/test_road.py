"""The whole road, from extracts to a list: what the command makes, digest for digest and place for place."""

from __future__ import annotations

import json
import tomllib
import warnings
from pathlib import Path
from typing import Any

import pandas
import polars
import pyarrow
import pytest

import earlyhelp

from .conftest import ASKED, DAY, SIGNED, Command, Council

pytestmark = pytest.mark.filterwarnings("ignore::earlyhelp.EarlyhelpWarning")


@pytest.fixture(scope="module")
def project(council: Council) -> earlyhelp.Project:
    return earlyhelp.Project(council.project)


@pytest.fixture(scope="module")
def records(project: earlyhelp.Project) -> earlyhelp.Records:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", earlyhelp.EarlyhelpWarning)
        return project.records()


@pytest.fixture(scope="module")
def model(project: earlyhelp.Project, records: earlyhelp.Records) -> earlyhelp.Model:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", earlyhelp.EarlyhelpWarning)
        return project.train(records)


@pytest.fixture(scope="module")
def released(project: earlyhelp.Project, model: earlyhelp.Model) -> earlyhelp.ReleasedModel:
    return model.release(**SIGNED, purpose=project.purpose, signed_on=DAY)


def score(project: earlyhelp.Project, released: earlyhelp.ReleasedModel, **keywords: Any) -> earlyhelp.ReviewList:
    asked: dict[str, Any] = {**ASKED, "purpose": project.purpose, "on": DAY} | keywords
    return project.score(released, asked.pop("as_of", DAY), **asked)


def test_a_project(project: earlyhelp.Project, council: Council) -> None:
    assert (project.name, project.purpose) == (tomllib.loads(council.project.read_text())["name"], council.purpose)
    assert len(project.features) == len(set(project.features)) > 10
    assert repr(project) == f"<earlyhelp.Project: {project.name}>"


def test_records_and_their_rejects(command: Command, council: Council) -> None:
    with pytest.warns(earlyhelp.EarlyhelpWarning, match="rejected: ") as told:
        records = earlyhelp.Project(council.project).records()
    assert {warning.filename for warning in told} == {__file__}
    assert [str(warning.message) for warning in told] == records.warnings
    checked = json.loads(command("check", council.project, "--json"))
    assert str(records.people) in json.dumps(checked)
    assert records.read == records.accepted + records.rejected
    rejects = records.rejects().to_polars()
    assert rejects.columns == ["source", "file", "row", "column", "reason"]
    assert len(rejects) == records.rejected > 0
    by_source = {table["source"]: table["rejected"] for table in _tables(checked) if table["rejected"]}
    by_source.pop("protected", None)
    assert dict(rejects.group_by("source").len().iter_rows()) == by_source
    assert repr(records) == f"<earlyhelp.Records: {records.people:,} people, {records.read:,} rows read, {records.rejected:,} rejected>"


def _tables(checked: Any) -> list[dict[str, Any]]:
    """Whatever says of a table how many of its rows were read and rejected."""
    if isinstance(checked, dict):
        own = [checked] if {"source", "read", "rejected"} <= set(checked) and isinstance(checked["rejected"], int) else []
        return own + [found for value in checked.values() for found in _tables(value)]
    if isinstance(checked, list):
        return [found for value in checked for found in _tables(value)]
    return []


def test_the_model_is_that_of_the_command(model: earlyhelp.Model, council: Council) -> None:
    assert model.to_json() == council.model.read_text()
    assert model.digest == earlyhelp.Model.load(council.model).digest
    printed = (council.folder / "train.txt").read_text()
    assert printed.startswith(model.text)
    assert model.html.startswith("<!") and "<script src" not in model.html
    assert model.card.startswith("# ")
    assert repr(model).endswith("; not released>") and model._repr_html_().startswith("<iframe ")


def test_the_release_is_that_of_the_command(released: earlyhelp.ReleasedModel, council: Council) -> None:
    by_command = earlyhelp.ReleasedModel.load(council.released)
    assert released.digest == by_command.digest
    assert released.sign_off == by_command.sign_off
    assert released.sign_off == {**SIGNED, "purpose": council.purpose, "signed_on": DAY}
    assert released.html == by_command.html and released._repr_html_().startswith("<iframe ")


def test_the_list_is_that_of_the_command(
    project: earlyhelp.Project, released: earlyhelp.ReleasedModel, records: earlyhelp.Records, council: Council, tmp_path: Path
) -> None:
    expected = council.list()
    for held in (records, None):
        found = score(project, released, records=held)
        assert found.to_dict() == expected
    assert len(found) == ASKED["capacity"] + ASKED["at_random"]
    found.save(tmp_path)
    for name in ("list.json", "list.csv", "list.xlsx", "list.html"):
        assert (tmp_path / name).read_bytes() == (council.folder / "list" / name).read_bytes(), name


def test_the_tables_of_a_list(project: earlyhelp.Project, released: earlyhelp.ReleasedModel, records: earlyhelp.Records) -> None:
    found = score(project, released, records=records)
    tables = found.tables()
    assert {"List", "Cases", "Reasons", "Records", "Beside", "Not known", "Not scored", "Sources"} <= set(tables)
    cases = found.cases().to_polars()
    assert cases["place"].to_list() == list(range(1, len(found) + 1))
    held = found.to_dict()
    entities = [entry["case"]["entity"] for entry in held["entries"]] if "entries" in held else None
    assert entities is None or cases["entity"].to_list() == entities
    reasons = found.reasons().to_polars()
    assert set(reasons["place"]) == set(cases["place"])
    assert reasons.filter(polars.col("place") == 1).height > 3
    # No column to cut at, and no chance to sort by.
    assert not {"score", "log_odds", "chance"} & set(cases.columns)
    assert found.expires == "2025-05-02" and found.run in found.text + repr(found)
    assert cases["entity"][0] not in repr(found)
    assert found._repr_html_().startswith("<iframe ")


def test_a_backtest_run_again_finds_the_same(
    project: earlyhelp.Project, model: earlyhelp.Model, released: earlyhelp.ReleasedModel, records: earlyhelp.Records
) -> None:
    report = project.backtest(model, records)
    assert report == project.backtest(released)
    metrics = model.metrics().to_polars()
    auc = metrics.filter((polars.col("measure") == "AUC") & polars.col("tested_on").is_null() & (polars.col("of") == "this model"))
    assert auc["value"].item() == pytest.approx(report["overall"]["auc"]["value"], abs=1e-12)


def test_models_are_saved_and_read_again(model: earlyhelp.Model, released: earlyhelp.ReleasedModel, tmp_path: Path) -> None:
    model.save(tmp_path / "model.json")
    released.save(tmp_path / "released.json")
    assert earlyhelp.Model.load(tmp_path / "model.json").to_json() == model.to_json()
    assert earlyhelp.ReleasedModel.load(tmp_path / "released.json").digest == released.digest
    # A page does not take the place of a model, nor a model that of another kind.
    with pytest.raises(earlyhelp.Refused, match="force=True"):
        model.save(tmp_path / "released.json")
    # Whoever has no signature has no scorer.
    with pytest.raises(earlyhelp.BadInput):
        earlyhelp.ReleasedModel.load(tmp_path / "model.json")
    text = (tmp_path / "released.json").read_text()
    (tmp_path / "changed.json").write_text(text.replace("Head of Early Help", "Head of Something"))
    with pytest.raises(earlyhelp.Refused):
        earlyhelp.ReleasedModel.load(tmp_path / "changed.json")


def frames_of(council: Council) -> dict[str, Any]:
    """Every table of the project as a frame of text, as it stands in its file; each by another library."""
    project = tomllib.loads(council.project.read_text())
    files = {source["name"]: source["path"] for source in project["source"]}
    files |= {name: project[name]["path"] for name in ("people", "households") if name in project}
    frames = {}
    for nth, (name, file) in enumerate(sorted(files.items())):
        held = polars.read_csv(council.project.parent / file, infer_schema=False, truncate_ragged_lines=True)
        makes: list[Any] = [lambda held: held, lambda held: held.to_arrow(), lambda held: pandas.DataFrame(held.to_dict(as_series=False))]
        frames[name] = makes[nth % 3](held)
    return frames


@pytest.fixture(scope="module")
def clean(command: Command, tmp_path_factory: pytest.TempPathFactory) -> Council:
    """A council whose files are whole, so that a frame can say all that they say."""
    folder = tmp_path_factory.mktemp("clean")
    command("synth", "--out", folder / "council", "--children", 2500, "--seed", 4)
    text = (folder / "council" / "project.toml").read_text()
    return Council(folder, tomllib.loads(text)["purpose"])


def test_records_of_frames_are_those_of_files(clean: Council) -> None:
    project = earlyhelp.Project(clean.project)
    by_file = project.records()
    by_frame = project.records(frames_of(clean))
    assert (by_frame.people, by_frame.read, by_frame.rejected) == (by_file.people, by_file.read, by_file.rejected)
    models = [project.train(records) for records in (by_file, by_frame)]
    assert models[0].to_json() == models[1].to_json()
    lists = []
    for model, records in zip(models, (by_file, by_frame)):
        released = model.release(**SIGNED, purpose=project.purpose, signed_on=DAY)
        lists.append(score(project, released, records=records).to_dict())
    assert lists[0] == lists[1]


def test_protected_characteristics_may_be_a_frame(clean: Council) -> None:
    project = earlyhelp.Project(clean.project)
    file = tomllib.loads(clean.project.read_text())["protected"]["path"]
    protected = polars.read_csv(clean.project.parent / file, infer_schema=False)
    by_file = project.train()
    by_frame = project.train(project.records({"protected": protected}))
    assert by_frame.to_json() == by_file.to_json()
    # What is handed over is what is audited.
    one_sex = project.train(project.records({"protected": protected.with_columns(sex=polars.lit("female"))}))
    assert one_sex.to_json() != by_file.to_json()


def test_a_table_that_the_project_does_not_have_is_refused(project: earlyhelp.Project) -> None:
    with pytest.raises(earlyhelp.BadInput, match='no table "contcats"; it has: people'):
        project.records({"contcats": pyarrow.table({"a": [1]})})
    with pytest.raises(TypeError, match="table people"):
        project.records({"people": 3})  # type: ignore[dict-item]
    with pytest.raises(TypeError):
        project.records([("people", pyarrow.table({"a": [1]}))])  # type: ignore[arg-type]


def test_a_column_of_a_table_that_cannot_be_read(clean: Council) -> None:
    project = earlyhelp.Project(clean.project)
    columns = tomllib.loads(clean.project.read_text())["people"]["columns"]
    people = frames_of(clean)["people"]
    held = pyarrow.table(polars.DataFrame(people)) if not isinstance(people, pyarrow.Table) else people
    born = columns["birth"] if isinstance(columns.get("birth"), str) else held.column_names[1]
    nth = held.column_names.index(born)
    twice = held.append_column(born, held.column(nth))
    with pytest.raises(earlyhelp.BadInput, match=f'column "{born}" stands in the frame twice'):
        project.records({"people": twice})
    bytes_of_it = held.set_column(nth, born, pyarrow.array([b"secret"] * len(held)))
    with pytest.raises(earlyhelp.BadInput, match=f'column "{born}" is of type binary'):
        project.records({"people": bytes_of_it})


def test_trainers(project: earlyhelp.Project, records: earlyhelp.Records, model: earlyhelp.Model, command: Command, council: Council) -> None:
    several = project.train(records, trainer=["additive", "logistic"])
    out = council.folder / "compared.json"
    printed = command("train", council.project, "--trainer", "additive,logistic", "--out", out)
    assert several.to_json() == out.read_text()
    # The command has a clock, by which its table says how long each took.
    assert several.text.startswith("Trainers on the same test cases") and printed.startswith("Trainers on the same test cases")
    card = project.train(records, trainer="scorecard")
    assert card.digest != model.digest
    with pytest.raises(earlyhelp.BadInput, match='no trainer "forest"'):
        project.train(records, trainer="forest")


def test_training_warns_as_the_command_does(project: earlyhelp.Project) -> None:
    with pytest.warns(earlyhelp.EarlyhelpWarning, match="declared complete"):
        project.train()


def test_a_run_is_on_record_before_its_list_is_given(
    project: earlyhelp.Project,
    model: earlyhelp.Model,
    records: earlyhelp.Records,
    command: Command,
    council: Council,
    tmp_path: Path,
) -> None:
    ledger = tmp_path / "ledger.sqlite"
    released = model.release(**SIGNED, purpose=project.purpose, signed_on=DAY, ledger=ledger)
    first = score(project, released, records=records, ledger=ledger, as_of="2025-03-01", on="2025-04-01")
    second = score(project, released, records=records, ledger=ledger)
    held = second.to_dict()
    assert held != council.list()
    # The list before is found in the ledger, as the command finds it.
    assert any(name.startswith("Since ") for name in second.tables()) and not any(name.startswith("Since ") for name in first.tables())
    for each, folder in ((first, "first"), (second, "second")):
        each.save(tmp_path / folder)
    lists = [word for folder in ("first", "second") for word in ("--list", tmp_path / folder / "list.json")]
    kept = sorted((tmp_path / "ledger.sqlite.checkpoints").iterdir())
    # Release and two runs: a checkpoint after each.
    assert len(kept) == 3
    told = command("verify", ledger, "--checkpoint", kept[-1], *lists, may_reject=False)
    assert "verif" in told.lower() or "holds" in told.lower()
    replayed = command("replay", ledger, "--run", second.run, may_reject=False)
    assert replayed
    # What the command puts on record of the same, it takes for the same run.
    command(
        *("score", council.project, "--model", council.released, "--as-of", DAY, "--on", DAY),
        *("--capacity", ASKED["capacity"], "--at-random", ASKED["at_random"], "--requested-by", ASKED["requested_by"]),
        *("--purpose", council.purpose, "--out", tmp_path / "by-command", "--ledger", ledger),
    )
    by_command = json.loads((tmp_path / "by-command" / "list.json").read_text())
    assert _without_witness(by_command) == _without_witness(held)


def _without_witness(document: Any) -> Any:
    """A list but for where the ledger ended when it was written."""
    if isinstance(document, dict):
        return {key: _without_witness(value) for key, value in document.items() if key != "witness"}
    if isinstance(document, list):
        return [_without_witness(value) for value in document]
    return document


def test_a_run_that_fails_is_on_record(
    project: earlyhelp.Project, released: earlyhelp.ReleasedModel, records: earlyhelp.Records, command: Command, tmp_path: Path
) -> None:
    ledger = tmp_path / "ledger.jsonl"
    with pytest.raises(earlyhelp.BadInput):
        score(project, released, records=records, ledger=ledger, capacity=1_000_000)
    entries = [json.loads(line) for line in ledger.read_text().splitlines()]
    assert "run_started" in json.dumps(entries) and "run_finished" not in json.dumps(entries)


def test_a_ledger_whose_end_was_cut_off_is_not_written_to(
    project: earlyhelp.Project, released: earlyhelp.ReleasedModel, records: earlyhelp.Records, tmp_path: Path
) -> None:
    ledger = tmp_path / "ledger.jsonl"
    score(project, released, records=records, ledger=ledger)
    lines = ledger.read_bytes().splitlines(keepends=True)
    ledger.write_bytes(b"".join(lines[:-1]))
    with pytest.raises(earlyhelp.Refused, match="its end was cut off"):
        score(project, released, records=records, ledger=ledger)
    assert ledger.read_bytes() == b"".join(lines[:-1])


def test_an_earlier_day_needs_a_reason(
    project: earlyhelp.Project, released: earlyhelp.ReleasedModel, records: earlyhelp.Records, tmp_path: Path
) -> None:
    ledger = tmp_path / "ledger.sqlite"
    score(project, released, records=records, ledger=ledger, on="2025-04-03")
    with pytest.raises(earlyhelp.BadInput, match='because="..."') as refused:
        score(project, released, records=records, ledger=ledger)
    assert "--" not in str(refused.value)
    assert len(score(project, released, records=records, ledger=ledger, because="entered a day late")) > 0


def test_scoring_says_no(project: earlyhelp.Project, released: earlyhelp.ReleasedModel, records: earlyhelp.Records, model: earlyhelp.Model) -> None:
    with pytest.raises(earlyhelp.Refused, match="purpose"):
        score(project, released, records=records, purpose="Stop benefits")
    with pytest.raises(earlyhelp.Refused):
        score(project, released, records=records, on="2027-01-01")
    with pytest.raises(earlyhelp.BadInput):
        score(project, released, records=records, as_of="2025-04-02")
    with pytest.raises(earlyhelp.BadInput, match="capacity"):
        score(project, released, records=records, capacity=0)
    with pytest.raises(TypeError, match="nobody scores|nothing scores"):
        score(project, model, records=records)  # type: ignore[arg-type]
    for wrong in ({"capacity": "20"}, {"capacity": 2.0}, {"at_random": True}, {"requested_by": None}, {"accept": ["contacts"]}):
        with pytest.raises(TypeError):
            score(project, released, records=records, **wrong)
    with pytest.raises(TypeError, match="records"):
        score(project, released, records=pyarrow.table({}))
    with pytest.raises(earlyhelp.BadInput, match="accept"):
        score(project, released, records=records, accept=[("contacts", "B. Lead")])


def test_a_list_that_has_expired_says_so(project: earlyhelp.Project, released: earlyhelp.ReleasedModel, records: earlyhelp.Records) -> None:
    with pytest.warns(earlyhelp.EarlyhelpWarning, match="this list has expired: it may be used until 2025-05-02"):
        score(project, released, records=records, on="2025-06-01")


def test_a_source_that_changed_has_to_be_accepted(clean: Council, tmp_path: Path) -> None:
    project = earlyhelp.Project(clean.project)
    released = project.train().release(**SIGNED, purpose=project.purpose, signed_on=DAY)
    name, frame = next((name, frame) for name, frame in frames_of(clean).items() if name not in ("people", "households"))
    emptied = project.records({name: polars.DataFrame(frame).clear()})
    with pytest.raises(earlyhelp.Refused, match=name):
        score(project, released, records=emptied)
    why = "the service closed in March"
    for accept in ([(name, "B. Lead", why)], [{"source": name, "by": "B. Lead", "reason": why}]):
        accepted = score(project, released, records=emptied, accept=accept)
        assert why in json.dumps(accepted.to_dict())


def test_only_those_not_known(project: earlyhelp.Project, released: earlyhelp.ReleasedModel, records: earlyhelp.Records) -> None:
    everybody = score(project, released, records=records)
    not_known = score(project, released, records=records, not_known=True)
    assert everybody.cases().to_polars()["entity"].to_list() != not_known.cases().to_polars()["entity"].to_list()


def test_extracts_of_another_folder(council: Council, records: earlyhelp.Records, tmp_path: Path) -> None:
    moved = tmp_path / "this month"
    moved.mkdir()
    for file in council.project.parent.iterdir():
        if file.suffix == ".csv":
            (moved / file.name).write_bytes(file.read_bytes())
    (tmp_path / "project.toml").write_text(council.project.read_text())
    with pytest.raises(earlyhelp.Error):
        earlyhelp.Project(tmp_path / "project.toml").records()
    found = earlyhelp.Project(tmp_path / "project.toml", extracts=moved).records()
    assert found.people == records.people
    (tmp_path / "linked").mkdir()
    (tmp_path / "linked" / "project.toml").write_text(council.project.read_text().replace('path = "', 'path = "../this month/'))
    with pytest.raises(earlyhelp.Refused):
        earlyhelp.Project(tmp_path / "linked" / "project.toml").records()
    assert earlyhelp.Project(tmp_path / "linked" / "project.toml", may_read=[moved]).records().people == records.people
