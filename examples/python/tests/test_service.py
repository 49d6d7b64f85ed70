"""The service, asked from Python and from many threads."""

from __future__ import annotations

import datetime
import json
import shutil
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy
import pytest

import earlyhelp

from .conftest import DAY, Command, Council

WHO = {"by": "C. Worker", "on": DAY}


@pytest.fixture
def ledger(tmp_path: Path) -> Path:
    return tmp_path / "ledger.sqlite"


@pytest.fixture
def service(council: Council, ledger: Path) -> earlyhelp.Service:
    return earlyhelp.Service(council.project, council.released, ledger)


@pytest.fixture
def people(council: Council) -> list[str]:
    return [entity for entity in dict.fromkeys(_entities(council.list()))][:8]


def _entities(document: Any) -> list[str]:
    if isinstance(document, dict):
        own = [document["entity"]] if isinstance(document.get("entity"), str) else []
        return own + [found for value in document.values() for found in _entities(value)]
    if isinstance(document, list):
        return [found for value in document for found in _entities(value)]
    return []


def test_a_review_from_beginning_to_end(service: earlyhelp.Service, council: Council, people: list[str], command: Command, ledger: Path) -> None:
    assert service.ask("health")["purpose"] == council.purpose
    asked = {**WHO, "purpose": council.purpose}
    run = service.ask("score", capacity=numpy.int64(5), as_of=datetime.date(2025, 4, 1), **asked)["run"]
    places = service.ask("list", run=run, **asked)
    assert people[0] in json.dumps(places)
    opened = service.ask("open", run=run, place=1, role="Social worker", **asked)
    assert opened
    decided = service.ask(
        "decide",
        run=run,
        place=1,
        role="Social worker",
        step="offer_support",
        agreement="agree",
        reason="The school sees the same",
        reason_code=None,
        **asked,
    )
    assert decided["entry"] > 0
    assert service.ask("audit", **asked)
    # What was decided here, the command knows.
    assert "listed 5, opened 1, decided 1" in command("log", ledger)
    assert repr(service) == "<earlyhelp.Service>"


def test_an_answer_is_a_line(service: earlyhelp.Service) -> None:
    line = service.answer('{"v":1,"id":7,"do":"health"}')
    assert "\n" not in line and json.loads(line)["id"] == 7
    assert service.answer(b'{"v":1,"id":7,"do":"health"}') == line
    assert json.loads(service.answer("\ud800"))["error"]["class"] == "bad_input"
    assert json.loads(service.answer(""))["error"]["class"] == "bad_input"
    assert json.loads(service.answer(" " * (5 << 20)))["error"]["class"] == "bad_input"
    with pytest.raises(TypeError):
        service.answer(7)  # type: ignore[arg-type]


def test_errors_are_raised_by_their_class(service: earlyhelp.Service, council: Council) -> None:
    asked = {**WHO, "purpose": council.purpose}
    with pytest.raises(earlyhelp.Refused) as refused:
        service.ask("score", capacity=5, as_of=DAY, by="C. Worker", on=DAY, purpose="Stop benefits")
    assert refused.value.kind == "refused"
    with pytest.raises(earlyhelp.NotFound) as not_found:
        service.ask("list", run="none-such", **asked)
    assert not_found.value.kind == "not_found" and isinstance(not_found.value, LookupError)
    with pytest.raises(earlyhelp.BadInput):
        service.ask("explode")
    with pytest.raises(earlyhelp.BadInput):
        service.ask("explain", person="P1", colour="red", **asked)
    with pytest.raises(earlyhelp.BadInput, match="not finite"):
        service.ask("explain", features={"age": float("nan")}, **asked)
    with pytest.raises(TypeError):
        service.ask("explain", person=object(), **asked)
    with pytest.raises(TypeError):
        service.ask("health", v=2)


def test_eight_threads_are_answered_as_one_is(service: earlyhelp.Service, council: Council, people: list[str]) -> None:
    asked = {**WHO, "purpose": council.purpose, "as_of": DAY}

    def explain(person: str) -> Any:
        answer = service.ask("explain", person=person, **asked)
        assert answer.pop("entry") > 0
        return answer["answer"]

    alone = {person: explain(person) for person in people}
    at_once = threading.Barrier(8)

    def many(person: str) -> list[Any]:
        at_once.wait()
        return [explain(person) for _ in range(25)]

    assert len(people) == 8
    with ThreadPoolExecutor(8) as threads:
        for person, answers in zip(people, threads.map(many, people)):
            assert [_scored(answer) for answer in answers] == [_scored(alone[person])] * 25
    # Each of them is on record, once.
    assert service.ask("health")["entries"] >= 8 * 26


def _scored(answer: Any) -> Any:
    """What is said of a person, without what says when it was asked."""
    return {key: value for key, value in answer.items() if key in ("entity", "scored", "not_scored", "not_in_cohort")}


def test_other_threads_go_on_meanwhile(council: Council, tmp_path: Path) -> None:
    """The interpreter is let go while the library works."""
    ticks = 0
    done = threading.Event()

    def tick() -> None:
        nonlocal ticks
        while not done.is_set():
            ticks += 1
            time.sleep(0.001)

    thread = threading.Thread(target=tick)
    thread.start()
    begun = time.monotonic()
    earlyhelp.Service(council.project, council.released, tmp_path / "ledger.sqlite")
    project = earlyhelp.Project(council.project)
    import warnings

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", earlyhelp.EarlyhelpWarning)
        project.train()
    took = time.monotonic() - begun
    done.set()
    thread.join()
    assert ticks > took * 100, (ticks, took)


def test_a_service_that_cannot_be_opened(council: Council, ledger: Path, tmp_path: Path) -> None:
    with pytest.raises(earlyhelp.NotFound):
        earlyhelp.Service(tmp_path / "none.toml", council.released, ledger)
    with pytest.raises(earlyhelp.BadInput):
        earlyhelp.Service(council.project, council.model, ledger)
    with pytest.raises(TypeError, match="ledger"):
        earlyhelp.Service(council.project, council.released, 3)  # type: ignore[arg-type]
    moved = tmp_path / "moved"
    shutil.copytree(council.project.parent, moved)
    assert earlyhelp.Service(council.project, council.released, ledger, extracts=moved).ask("health")
