"""A project: its records, its models, and its lists."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Union

from . import _core
from ._arguments import ArrowFrame, Date, StrPath, apart, day, flag, optional_path, path, text, texts, warn, whole
from ._errors import BadInput
from ._table import Table

Acceptance = Union[tuple[str, str, str], Mapping[str, str]]

_U32 = 2**32 - 1


class Records:
    """Linked records, and what became of the rows that they were read from."""

    __slots__ = ("_records",)

    def __init__(self, records: _core.Records) -> None:
        self._records = records

    @property
    def people(self) -> int:
        """How many people there are."""
        return self._records.people

    @property
    def read(self) -> int:
        """Rows read, of all tables."""
        return sum(read for _, read, _, _ in self._records.intake())

    @property
    def accepted(self) -> int:
        """Rows used."""
        return sum(accepted for _, _, accepted, _ in self._records.intake())

    @property
    def rejected(self) -> int:
        """Rows not used: see :meth:`rejects`."""
        return sum(rejected for _, _, _, rejected in self._records.intake())

    def rejects(self) -> Table:
        """Rows that were not used: the table, where each stands (from 1; in a CSV the line), the column at fault, and why."""
        return Table(self._records.rejects())

    @property
    def warnings(self) -> list[str]:
        """Rejected rows by table and reason, and what is remarkable about rows that are used."""
        return self._records.warnings()

    def __repr__(self) -> str:
        return f"<earlyhelp.Records: {self.people:,} people, {self.read:,} rows read, {self.rejected:,} rejected>"


class ReleasedModel:
    """A model that somebody has signed for, for one purpose, until a day."""

    __slots__ = ("_model",)

    def __init__(self, model: _core.Released) -> None:
        self._model = model

    @classmethod
    def load(cls, file: StrPath) -> ReleasedModel:
        """Reads a released model. One that was changed since it was written is refused."""
        return cls(_core.Released.load(path(file, "file")))

    @property
    def digest(self) -> str:
        """The digest of model, evidence and sign-off, by which lists and ledgers name it."""
        return self._model.digest

    @property
    def sign_off(self) -> dict[str, str]:
        """Who signed, in which role, for which purpose, on which day, and until when it may score."""
        held: dict[str, str] = json.loads(self._model.sign_off())
        return held

    @property
    def html(self) -> str:
        """The page of the model, complete in itself."""
        return self._model.html()

    def save(self, file: StrPath, *, force: bool = False) -> None:
        """Writes the model, over nothing but what was written there before unless ``force`` is set."""
        self._model.save(path(file, "file"), flag(force, "force"))

    def __repr__(self) -> str:
        return f"<earlyhelp.ReleasedModel {self.digest[:12]}: {self._model.outcome}>"

    def _repr_html_(self) -> str:
        return apart(self.html)


class Model:
    """A model that was trained, tested on later dates and checked for fairness. It cannot score: nobody has signed for it."""

    __slots__ = ("_model",)

    def __init__(self, model: _core.Model) -> None:
        self._model = model

    @classmethod
    def load(cls, file: StrPath) -> Model:
        """Reads a model that is not released. One that was changed since it was written is refused."""
        return cls(_core.Model.load(path(file, "file")))

    @property
    def digest(self) -> str:
        """The digest of the model with its evidence."""
        return self._model.digest

    @property
    def card(self) -> str:
        """The model card, as Markdown."""
        return self._model.card()

    @property
    def text(self) -> str:
        """The evidence, as ``earlyhelp train`` prints it: the backtest beside simple rules, the fairness check, a scorecard's card."""
        return self._model.text()

    @property
    def html(self) -> str:
        """The page of the model, complete in itself."""
        return self._model.html()

    def metrics(self) -> Table:
        """Every figure of the backtest with its interval, over all tests and date by date, beside simple rules."""
        return Table(self._model.metrics())

    def to_json(self) -> str:
        """What :meth:`save` writes."""
        return self._model.json()

    def save(self, file: StrPath, *, force: bool = False) -> None:
        """Writes the model, over nothing but what was written there before unless ``force`` is set."""
        self._model.save(path(file, "file"), flag(force, "force"))

    def release(
        self,
        *,
        by: str,
        role: str,
        purpose: str,
        review_by: Date,
        signed_on: Date | None = None,
        ledger: StrPath | None = None,
        because: str | None = None,
    ) -> ReleasedModel:
        """Signs for the model, so that it may score for one purpose until it has to be reviewed.

        :param by: who signs.
        :param role: their role.
        :param purpose: what scores may be used for; anything else is refused.
        :param review_by: the last day on which it may score without having been reviewed.
        :param signed_on: the day of signing; today, if not said.
        :param ledger: put model and release on record here; a ledger is started where there is none.
        :param because: why the day lies before that of the ledger's last entry. It stays on record, so it must not name a person.
        """
        signature = {
            "by": text(by, "by"),
            "role": text(role, "role"),
            "purpose": text(purpose, "purpose"),
            "review_by": day(review_by, "review_by"),
            "signed_on": None if signed_on is None else day(signed_on, "signed_on"),
            "because": None if because is None else text(because, "because"),
        }
        return ReleasedModel(self._model.release(json.dumps(signature), optional_path(ledger, "ledger")))

    def __repr__(self) -> str:
        return f"<earlyhelp.Model {self.digest[:12]}: {self._model.outcome}; not released>"

    def _repr_html_(self) -> str:
        return apart(self.html)


class ReviewList:
    """A short ranked list for people to review: each case with the reasons for its place. It is no decision about anybody."""

    __slots__ = ("_list",)

    def __init__(self, review_list: _core.ReviewList) -> None:
        self._list = review_list

    def __len__(self) -> int:
        return len(self._list)

    def __bool__(self) -> bool:
        return True

    @property
    def run(self) -> str:
        """The run that the list is of, by which a ledger knows it."""
        return self._list.run

    @property
    def expires(self) -> str:
        """The last day on which it may be used."""
        return self._list.expires

    def tables(self) -> dict[str, Table]:
        """All that the list says, by the names of the workbook's sheets."""
        return {name: Table(frame) for name, frame in self._list.tables()}

    def cases(self) -> Table:
        """A row for each place."""
        return self.tables()["Cases"]

    def reasons(self) -> Table:
        """A row for each reason of each case."""
        return self.tables()["Reasons"]

    @property
    def text(self) -> str:
        """The short form, for a terminal."""
        return self._list.text()

    @property
    def html(self) -> str:
        """The page, complete in itself."""
        return self._list.html()

    def to_dict(self) -> dict[str, Any]:
        """Everything: what ``list.json`` holds."""
        held: dict[str, Any] = json.loads(self._list.json())
        return held

    def save(self, folder: StrPath, *, force: bool = False) -> None:
        """Writes list.json, list.csv, list.xlsx and list.html, whole or not at all.

        Files that were not written there by this program are left alone unless ``force`` is set.
        """
        self._list.save(path(folder, "folder"), flag(force, "force"))

    def __repr__(self) -> str:
        return (
            f"<earlyhelp.ReviewList of {self._list.as_of}: {len(self)} places, to be used until {self.expires}, run {self.run}>"
        )

    def _repr_html_(self) -> str:
        return apart(self.html)


class Project:
    """A project file: extracts, cohort, features, outcome and dates.

    :param file: the project file.
    :param extracts: the folder of the extracts, if not where the project file stands: this month's files.
    :param may_read: further folders whose files the project may read.
    """

    __slots__ = ("_project",)

    def __init__(self, file: StrPath, *, extracts: StrPath | None = None, may_read: Iterable[StrPath] = ()) -> None:
        self._project = _core.Project(path(file, "file"), optional_path(extracts, "extracts"), _paths(may_read))

    @property
    def name(self) -> str:
        """What it is called in reports."""
        return self._project.name

    @property
    def purpose(self) -> str:
        """What scores are for."""
        return self._project.purpose

    @property
    def features(self) -> list[str]:
        """The names of its features."""
        return self._project.features()

    def records(self, tables: Mapping[str, ArrowFrame] | None = None) -> Records:
        """Reads and links the project's extracts. Rows that cannot be used are kept as rejects, and told by a warning.

        :param tables: frames in place of files, by the names that the project has: a source's, ``people``, ``households``,
            ``identities``, ``protected``. What is not given is read from its file.
        """
        if tables is not None and not isinstance(tables, Mapping):
            raise TypeError(f"tables: a mapping from names to frames is needed, not {type(tables).__name__}")
        found = Records(self._project.records(None if tables is None else dict(tables)))
        warn(found.warnings, stacklevel=2, result=found)
        return found

    def train(self, records: Records | None = None, *, trainer: str | Sequence[str] | None = None) -> Model:
        """Trains a model, tests the same training on later dates and on families it never saw, and checks it for fairness.

        :param records: records that were read; the project's extracts are read if not given.
        :param trainer: ``additive``, ``scorecard`` or ``logistic`` in place of the project's; several, or ``"all"``, are compared
            on the same cases, and one is chosen by the project's rule.
        """
        trainers = None
        if trainer is not None:
            trainers = [name.strip() for names in texts(trainer, "trainer") for name in names.split(",")]
        model, told = self._project.train(_held(records), trainers)
        trained = Model(model)
        warn(told, stacklevel=2, result=trained)
        return trained

    def backtest(self, model: Model | ReleasedModel, records: Records | None = None) -> dict[str, Any]:
        """Runs a model's backtest again, and gives its report."""
        if not isinstance(model, (Model, ReleasedModel)):
            raise TypeError(f"model: a Model or a ReleasedModel is needed, not {type(model).__name__}")
        report: dict[str, Any] = json.loads(self._project.backtest(model._model, _held(records)))
        return report

    def score(
        self,
        model: ReleasedModel,
        as_of: Date,
        *,
        capacity: int,
        requested_by: str,
        purpose: str,
        records: Records | None = None,
        at_random: int = 0,
        not_known: bool = False,
        accept: Iterable[Acceptance] = (),
        ledger: StrPath | None = None,
        on: Date | None = None,
        because: str | None = None,
    ) -> ReviewList:
        """Scores the cohort of a date, and draws the list for review.

        With a ledger the run is on record before the list is given; one that fails is there as begun.

        :param model: the released model.
        :param as_of: the date of the list: nothing that became known on it or later is used.
        :param capacity: how many places the list has: as many as the team can look at with care.
        :param requested_by: who asks.
        :param purpose: for what; it must be the purpose that the model was released for.
        :param records: records that were read; the project's extracts are read if not given.
        :param at_random: so many cases drawn at random beside them, marked as such.
        :param not_known: give places only to those whom no service knows already.
        :param accept: sources to be used though they are not what they were when the model was trained, each with who accepts that
            and why: ``("contacts", "B. Lead", "a new system since March")``.
        :param ledger: put the run on record here; a ledger is started where there is none.
        :param on: the day of the request; today, if not said.
        :param because: why the day lies before that of the ledger's last entry. It stays on record, so it must not name a person.
        """
        if not isinstance(model, ReleasedModel):
            raise TypeError(f"model: a ReleasedModel is needed, not {type(model).__name__}: nothing scores before somebody has signed")
        asked = {
            "as_of": day(as_of, "as_of"),
            "capacity": whole(capacity, "capacity", 1, _U32),
            "requested_by": text(requested_by, "requested_by"),
            "purpose": text(purpose, "purpose"),
            "at_random": whole(at_random, "at_random", 0, _U32),
            "not_known": flag(not_known, "not_known"),
            "accept": [_acceptance(each) for each in accept],
            "on": None if on is None else day(on, "on"),
            "because": None if because is None else text(because, "because"),
        }
        drawn, told = self._project.score(
            model._model, json.dumps(asked), _held(records), optional_path(ledger, "ledger")
        )
        review = ReviewList(drawn)
        warn(told, stacklevel=2, result=review)
        return review

    def __repr__(self) -> str:
        return f"<earlyhelp.Project: {self.name}>"


def _paths(paths: object) -> list[str]:
    if isinstance(paths, (str, bytes)) or not isinstance(paths, Iterable):
        raise TypeError("may_read: several paths are needed")
    return [path(each, "may_read") for each in paths]


def _held(records: object) -> _core.Records | None:
    if records is None:
        return None
    if isinstance(records, Records):
        return records._records
    raise TypeError(f"records: Records are needed (Project.records), not {type(records).__name__}")


def _acceptance(given: object) -> tuple[str, str, str]:
    if isinstance(given, Mapping):
        if set(given) != {"source", "by", "reason"}:
            raise BadInput("accept: each has a source, by whom it is accepted (by), and why (reason)")
        given = (given["source"], given["by"], given["reason"])
    if isinstance(given, str) or not isinstance(given, Iterable):
        raise TypeError("accept: each is a source, by whom it is accepted, and why")
    said = texts(given, "accept")
    if len(said) != 3:
        raise BadInput("accept: each is a source, by whom it is accepted, and why")
    return said[0], said[1], said[2]
