"""An audit of any program's scores."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Literal

from . import _core
from ._arguments import ArrowFrame, Date, StrPath, apart, day, flag, number, path, text, texts, warn, whole
from ._errors import BadInput
from ._table import Table

_U32 = 2**32 - 1
_U64 = 2**64 - 1


class Audit:
    """What an audit found, as a page, a text, a table and data."""

    __slots__ = ("_audit",)

    def __init__(self, audit: _core.Audit) -> None:
        self._audit = audit

    @property
    def title(self) -> str:
        """The heading of the page."""
        return self._audit.title

    @property
    def text(self) -> str:
        """The short form, as the command prints it."""
        return self._audit.text()

    @property
    def html(self) -> str:
        """The page, complete in itself."""
        return self._audit.html()

    @property
    def csv(self) -> str:
        """Every figure as CSV, with a byte-order mark, for a spreadsheet."""
        return self._audit.csv()

    def figures(self) -> Table:
        """Every figure as a frame: the columns of :attr:`csv`, with numbers whole."""
        return Table(self._audit.figures())

    @property
    def rejected(self) -> Table:
        """Rows that could not be audited: where each stands (from 1; in a CSV the line), the column at fault, and why.

        Refused where counts are rounded, since the number of rows would be exact.
        """
        return Table(self._audit.rejected())

    @property
    def warnings(self) -> list[str]:
        """Rows that were set apart or rejected, and what is doubtful of the others. For whoever runs the audit: counts are exact."""
        return self._audit.warnings()

    @property
    def read(self) -> int:
        """Rows read; rounded where counts are."""
        return int(self.to_dict()["read"])

    @property
    def audited(self) -> int:
        """Rows in the audit; rounded where counts are."""
        return int(self.to_dict()["audited"])

    def to_dict(self) -> dict[str, Any]:
        """Everything that may be published: what ``audit.json`` holds."""
        held: dict[str, Any] = json.loads(self._audit.json())
        return held

    def save(self, folder: StrPath, *, force: bool = False) -> None:
        """Writes audit.html, audit.csv, audit.xlsx and audit.json, whole or not at all.

        Files that were not written there by this program are left alone unless ``force`` is set.
        """
        self._audit.save(path(folder, "folder"), flag(force, "force"))

    def __repr__(self) -> str:
        held = self.to_dict()
        return f"<earlyhelp.Audit: {held['audited']:,} of {held['read']:,} rows audited>"

    def _repr_html_(self) -> str:
        return apart(self.html)


def audit(
    scores: ArrowFrame | StrPath,
    *,
    groups: Sequence[str],
    score: str | None = None,
    outcome: str | None = None,
    capacity: int | str | None = None,
    threshold: float | None = None,
    predicted: str | None = None,
    cluster: str | None = None,
    person: str | None = None,
    weight: str | None = None,
    count: str | None = None,
    confusion: Sequence[str] | None = None,
    against: str | None = None,
    score_order: Sequence[str] = (),
    outcome_true: Sequence[str] = (),
    outcome_unresolved: Sequence[str] = (),
    not_held: Sequence[str] = (),
    references: Mapping[str, str] | Iterable[tuple[str, str]] = (),
    minimum: int | None = None,
    round_to: int | None = None,
    intersections: int = 1,
    margin: float | None = None,
    scale: Literal["chances", "ranks", "points"] | None = None,
    arm: str | None = None,
    random_arm: Sequence[str] = (),
    scored_on: str | None = None,
    followed_to: Date | None = None,
    horizon: str | None = None,
    resamples: int | None = None,
    seed: int | None = None,
    title: str | None = None,
) -> Audit:
    """Audits a table of scores for fairness, a row a case: what the command ``earlyhelp audit`` does, with the same figures.

    Who is selected is said by exactly one of ``capacity``, ``threshold``, ``predicted`` and ``confusion``. What is doubtful of the
    table, and every row that is not in the audit, is told by :class:`earlyhelp.EarlyhelpWarning` and stands in
    :attr:`Audit.warnings`.

    :param scores: a frame (pandas, polars, pyarrow, DuckDB), or the path of a file (CSV, Parquet, Arrow).
    :param groups: columns of groups, one for each characteristic.
    :param score: the column of the score; higher is more at risk.
    :param outcome: the column of the outcome: true or false, 1 or 0, yes or no. Without it only who is selected is compared.
    :param capacity: selected are the highest scores: so many (``20``), or such a share (``"20%"``).
    :param threshold: selected are those with this score or more.
    :param predicted: the column that says who was selected.
    :param cluster: the column of the family. Without it rows are taken for independent, and intervals can be too narrow.
    :param person: whom a row is about, where people have several rows; what is held back is then counted in people.
    :param weight: how many people of the population a row stands for.
    :param count: how many cases of exactly this kind a row stands for.
    :param confusion: the columns of true positives, false positives, false negatives and true negatives, in place of the others.
    :param against: who would have been selected otherwise, such as the usual way: compared row by row.
    :param score_order: the texts of the score column from the lowest risk to the highest.
    :param outcome_true: texts by which the outcome column says that the outcome followed.
    :param outcome_unresolved: texts by which it says that it is not resolved yet; such rows are set apart.
    :param not_held: characteristics that the table does not hold, to be reported as not measurable.
    :param references: for a column of groups, the group that others are compared with.
    :param minimum: groups of fewer rows (people) are held back; 1 shows everything, which is never for publication. 10 if not said.
    :param round_to: round published counts to a multiple of this.
    :param intersections: how many characteristics to combine: 1 for none, 2 for every pair.
    :param margin: differences wholly within plus and minus this are called absent. 0.05 if not said.
    :param scale: what the scores are, if not what they look like.
    :param arm: the column that says how a row came to be looked at.
    :param random_arm: texts by which that column says "drawn at random".
    :param scored_on: the column of the day of scoring.
    :param followed_to: outcomes were recorded before this day; rows whose horizon had not passed are set apart.
    :param horizon: the time in which an outcome counts (``"12 months"``).
    :param resamples: resamples of the bootstrap. 999 if not said.
    :param seed: the seed of the bootstrap. 0 if not said; the same table and seed give the same audit.
    :param title: the heading of the page; the name of the file if not said.
    """
    selecting = {"threshold": threshold, "capacity": capacity, "predicted": predicted, "confusion": confusion}
    given = [keyword for keyword, value in selecting.items() if value is not None]
    if len(given) != 1:
        also = f", not {' and '.join(given)}" if given else ""
        raise BadInput(f"give exactly one of threshold, capacity, predicted and confusion{also}: it says who is selected")
    if against is not None and round_to is not None:
        raise BadInput("against compares row by row, so it does not go with round_to")
    columns: dict[str, Any] = {"groups": texts(groups, "groups")}
    if not columns["groups"]:
        raise BadInput("groups: give at least one column of groups")
    named = {
        "score": score,
        "outcome": outcome,
        "predicted": predicted,
        "against": against,
        "weight": weight,
        "cluster": cluster,
        "person": person,
        "count": count,
        "scored_on": scored_on,
    }
    columns |= {keyword: text(name, keyword) for keyword, name in named.items() if name is not None}
    listed = {
        "score_order": score_order,
        "outcome_true": outcome_true,
        "outcome_unresolved": outcome_unresolved,
        "not_held": not_held,
    }
    columns |= {keyword: texts(values, keyword) for keyword, values in listed.items()}
    if confusion is not None:
        columns["confusion"] = texts(confusion, "confusion")
        if len(columns["confusion"]) != 4:
            raise BadInput("confusion: give four columns (true positives, false positives, false negatives, true negatives)")
    _needs("score_order", columns["score_order"], score=score)
    _needs("outcome_true", columns["outcome_true"], outcome=outcome)
    _needs("outcome_unresolved", columns["outcome_unresolved"], outcome=outcome)
    _needs("against", against, outcome=outcome)
    random = texts(random_arm, "random_arm")
    _needs("random_arm", random, arm=arm)
    _needs("arm", arm, random_arm=random or None)
    _needs("followed_to", followed_to, scored_on=scored_on, horizon=horizon, outcome=outcome)
    _needs("horizon", horizon, followed_to=followed_to)
    if arm is not None:
        columns["arm"] = {"column": text(arm, "arm"), "random": random}
    if followed_to is not None:
        columns["follow_up"] = {"to": day(followed_to, "followed_to"), "horizon": text(horizon, "horizon")}
    asked = {
        "threshold": None if threshold is None else number(threshold, "threshold"),
        "capacity": None if capacity is None else _capacity(capacity),
        "references": _pairs(references),
        "minimum": None if minimum is None else whole(minimum, "minimum", 1, _U32),
        "round_to": None if round_to is None else whole(round_to, "round_to", 1, _U32),
        "intersections": whole(intersections, "intersections", 1, 2),
        "margin": None if margin is None else number(margin, "margin"),
        "scale": None if scale is None else _scale(scale),
        "resamples": None if resamples is None else whole(resamples, "resamples", 1, _U32),
        "seed": None if seed is None else whole(seed, "seed", 0, _U64),
    }
    heading = None if title is None else text(title, "title")
    is_frame = hasattr(scores, "__arrow_c_stream__")
    frame, file = (scores, None) if is_frame else (None, _file(scores))
    found = Audit(_core.audit(frame, file, json.dumps(columns), json.dumps(asked), heading))
    warn(found.warnings, stacklevel=2, result=found)
    return found


def _needs(keyword: str, value: object, **others: object) -> None:
    """Refuses a keyword that means nothing without others."""
    if value is None or isinstance(value, list) and not value:
        return
    missing = [other for other, given in others.items() if given is None]
    if missing:
        raise BadInput(f"{keyword} needs {' and '.join(missing)}")


def _capacity(capacity: object) -> str:
    if isinstance(capacity, str):
        return capacity
    if isinstance(capacity, bool) or not hasattr(capacity, "__index__"):
        raise TypeError(f'capacity: so many (20), or a share as text ("20%"), not {type(capacity).__name__}')
    return str(whole(capacity, "capacity", 1, _U32))


def _scale(scale: object) -> str:
    if scale in ("chances", "ranks", "points"):
        return str(scale)
    raise BadInput("scale: write chances, ranks or points")


def _pairs(references: object) -> list[tuple[str, str]]:
    pairs = references.items() if isinstance(references, Mapping) else references
    if isinstance(pairs, str) or not isinstance(pairs, Iterable):
        raise TypeError("references: a mapping from columns to groups is needed, or pairs")
    found = []
    for pair in pairs:
        both = texts(pair, "references")
        if len(both) != 2:
            raise BadInput("references: each is a column and its group")
        found.append((both[0], both[1]))
    return found


def _file(scores: object) -> str:
    try:
        return path(scores, "scores")
    except TypeError:
        raise TypeError(
            f"scores: a frame (pandas 2.2 or later, polars, pyarrow, DuckDB) or a path is needed, not {type(scores).__name__}"
        ) from None
