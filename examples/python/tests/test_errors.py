"""Errors by what can be done about them."""

from __future__ import annotations

import copy
import pickle
import subprocess
import sys
from pathlib import Path

import pyarrow
import pytest

import earlyhelp
from earlyhelp import _core

from .conftest import DAY, SIGNED, Council

KINDS = {"refused": "Refused", "bad_input": "BadInput", "not_found": "NotFound", "retry": "Retry", "ours": "Ours"}


def few(rows: int) -> pyarrow.Table:
    return pyarrow.table({"risk": [row / rows for row in range(rows)], "out": [row % 3 == 0 for row in range(rows)], "sex": ["F"] * rows})


@pytest.mark.parametrize(("kind", "name"), KINDS.items())
def test_each_class_has_its_name(kind: str, name: str) -> None:
    error = getattr(earlyhelp, name)
    assert issubclass(error, earlyhelp.Error) and error.kind == kind
    assert error.__module__ == "earlyhelp"
    held = error("why")
    assert str(pickle.loads(pickle.dumps(held))) == str(copy.copy(held)) == "why"


def test_they_are_what_python_calls_them() -> None:
    assert issubclass(earlyhelp.BadInput, ValueError) and issubclass(earlyhelp.NotFound, LookupError)
    assert issubclass(earlyhelp.EarlyhelpWarning, UserWarning)
    assert not issubclass(earlyhelp.Refused, (ValueError, LookupError))


def test_refused() -> None:
    with pytest.raises(earlyhelp.Refused, match="under the minimum of 10") as refused:
        earlyhelp.audit(few(5), score="risk", outcome="out", groups=["sex"], capacity=2)
    assert refused.value.kind == "refused"


def test_bad_input() -> None:
    with pytest.raises(earlyhelp.BadInput, match="rsik"):
        earlyhelp.audit(few(50), score="rsik", outcome="out", groups=["sex"], capacity=2)


def test_not_found(tmp_path: Path) -> None:
    with pytest.raises(earlyhelp.NotFound, match="project.toml"):
        earlyhelp.Project(tmp_path / "project.toml")
    with pytest.raises(earlyhelp.NotFound, match="model.json"):
        earlyhelp.Model.load(tmp_path / "model.json")
    with pytest.raises(earlyhelp.NotFound, match="model.json"):
        earlyhelp.ReleasedModel.load(tmp_path / "model.json")


@pytest.mark.filterwarnings("ignore::earlyhelp.EarlyhelpWarning")
def test_retry(council: Council, tmp_path: Path) -> None:
    model = earlyhelp.Model.load(council.model)
    ledger = tmp_path / "ledger.sqlite"
    model.release(**SIGNED, purpose=council.purpose, signed_on=DAY, ledger=ledger)
    # Another process: within one, SQLite's locks are not seen by another copy of it.
    code = "import sqlite3, sys; held = sqlite3.connect(sys.argv[1], isolation_level=None); held.execute('BEGIN EXCLUSIVE'); print(flush=True); input()"
    in_the_way = subprocess.Popen([sys.executable, "-c", code, str(ledger)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert in_the_way.stdout and in_the_way.stdout.readline() == "\n"
    try:
        with pytest.raises(earlyhelp.Retry) as refused:
            model.release(**(SIGNED | {"by": "B. Manager"}), purpose=council.purpose, signed_on=DAY, ledger=ledger)
    finally:
        in_the_way.communicate("\n")
    assert refused.value.kind == "retry"
    model.release(**(SIGNED | {"by": "B. Manager"}), purpose=council.purpose, signed_on=DAY, ledger=ledger)


def test_ours(tmp_path: Path) -> None:
    found = earlyhelp.audit(few(50), score="risk", outcome="out", groups=["sex"], capacity=20)
    (tmp_path / "file").write_text("")
    with pytest.raises(earlyhelp.Ours) as refused:
        found.save(tmp_path / "file" / "folder")
    assert refused.value.kind == "ours"


def test_a_panic_is_an_error_and_says_nothing_of_what_it_was_about(capfd: pytest.CaptureFixture[str]) -> None:
    fault = getattr(_core, "_fault", None)
    if fault is None:
        pytest.skip("a build for release has no fault to try")
    with pytest.raises(earlyhelp.Ours, match=r"a fault in the library \(at lib.rs:\d+\): please report it with the version") as told:
        fault("secret")
    assert "secret" not in str(told.value)
    out, err = capfd.readouterr()
    assert out == err == ""


@pytest.mark.filterwarnings("ignore::earlyhelp.EarlyhelpWarning")
def test_messages_are_fit_for_a_terminal(tmp_path: Path) -> None:
    with pytest.raises(earlyhelp.NotFound) as refused:
        earlyhelp.Project(tmp_path / "a\x1b[31mb.toml")
    assert "\x1b" not in str(refused.value)


def test_a_signature_lacks_nothing(council: Council) -> None:
    model = earlyhelp.Model.load(council.model)
    whole = {**SIGNED, "purpose": council.purpose, "signed_on": DAY}
    for lacking in ("by", "role", "purpose"):
        with pytest.raises(earlyhelp.Refused):
            model.release(**(whole | {lacking: " "}))
        with pytest.raises(TypeError, match=lacking):
            model.release(**(whole | {lacking: None}))  # type: ignore[arg-type]
    with pytest.raises(earlyhelp.BadInput, match="review_by"):
        model.release(**(whole | {"review_by": "soon"}))
