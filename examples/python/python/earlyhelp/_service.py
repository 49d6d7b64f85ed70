"""The service: questions about people, each answer on record before it is given."""

from __future__ import annotations

import datetime
import json
from collections.abc import Iterable
from typing import Any

from . import _core
from ._arguments import StrPath, optional_path, path, text
from ._errors import BY_KIND, BadInput, Ours
from ._project import _paths


class Service:
    """A project's records, a released model and a ledger. Any number of threads may ask it at once.

    It answers what ``earlyhelp serve`` answers, without a process of its own. Opening takes as long as reading the extracts does.
    """

    __slots__ = ("_service",)

    def __init__(
        self,
        project: StrPath,
        model: StrPath,
        ledger: StrPath,
        *,
        extracts: StrPath | None = None,
        may_read: Iterable[StrPath] = (),
    ) -> None:
        setup = {
            "project": path(project, "project"),
            "model": path(model, "model"),
            "ledger": path(ledger, "ledger"),
            "extracts": optional_path(extracts, "extracts"),
            "may_read": _paths(may_read),
        }
        self._service = _core.Service(json.dumps(setup))

    def ask(self, do: str, /, **fields: Any) -> dict[str, Any]:
        """Asks one question and gives what was answered; an answer that is an error is raised.

        ``service.ask("explain", by="C. Worker", purpose="Offer early help", person="P0000017")``
        """
        if "v" in fields or "do" in fields:
            raise TypeError("v and do are no fields: they are said already")
        question = {"v": 1, "do": text(do, "do")} | {name: value for name, value in fields.items() if value is not None}
        try:
            line = json.dumps(question, default=_plain, allow_nan=False)
        except ValueError:
            raise BadInput("a number of the question is not finite, or it holds itself") from None
        answer: dict[str, Any] = json.loads(self.answer(line))
        if "error" in answer:
            error = answer["error"]
            raise BY_KIND.get(error["class"], Ours)(error["says"])
        answered: dict[str, Any] = answer["ok"]
        return answered

    def answer(self, line: str | bytes) -> str:
        """Answers one line of JSON by one line of JSON; errors are data."""
        if isinstance(line, str):
            # A text that is no text (half of a pair) is for the service to refuse.
            line = line.encode("utf-8", "surrogatepass")
        if not isinstance(line, bytes):
            raise TypeError(f"line: a text or bytes are needed, not {type(line).__name__}")
        return self._service.answer(line)

    def __repr__(self) -> str:
        return "<earlyhelp.Service>"


def _plain(value: object) -> object:
    """Dates as they are written, and the numbers of other libraries as numbers."""
    if isinstance(value, datetime.datetime):
        return value.date().isoformat()
    if isinstance(value, datetime.date):
        return value.isoformat()
    item = getattr(value, "item", None)
    if callable(item) and getattr(value, "shape", None) == ():
        return item()
    raise TypeError(f"a question cannot hold {type(value).__name__}")
