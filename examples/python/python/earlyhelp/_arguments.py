"""Arguments as the library takes them. A wrong type is a TypeError, a value that cannot be a BadInput; both name the keyword."""

from __future__ import annotations

import datetime
import html
import math
import operator
import os
import warnings
from collections.abc import Iterable
from typing import Any, Protocol, Union

from ._errors import BadInput, EarlyhelpWarning

StrPath = Union[str, "os.PathLike[str]"]
Date = Union[str, datetime.date]


class ArrowFrame(Protocol):
    """A frame of any library that has the Arrow PyCapsule interface: pandas 2.2 and later, polars, pyarrow, DuckDB."""

    def __arrow_c_stream__(self, requested_schema: Any = None) -> Any: ...


def text(value: object, keyword: str) -> str:
    if isinstance(value, str):
        return value
    raise TypeError(f"{keyword}: a text is needed, not {type(value).__name__}")


def texts(value: object, keyword: str) -> list[str]:
    """Several texts; one by itself is meant as one, and not as its letters."""
    if isinstance(value, str):
        return [value]
    if isinstance(value, bytes) or not isinstance(value, Iterable):
        raise TypeError(f"{keyword}: texts are needed, not {type(value).__name__}")
    return [text(item, keyword) for item in value]


def whole(value: object, keyword: str, least: int, most: int) -> int:
    if isinstance(value, bool) or not hasattr(value, "__index__"):
        raise TypeError(f"{keyword}: a whole number is needed, not {type(value).__name__}")
    number = operator.index(value)
    if least <= number <= most:
        return number
    raise BadInput(f"{keyword}: a whole number from {least} to {most} is needed")


def number(value: object, keyword: str) -> float:
    if isinstance(value, (bool, str)) or not hasattr(value, "__float__"):
        raise TypeError(f"{keyword}: a number is needed, not {type(value).__name__}")
    given = float(value)
    if math.isfinite(given):
        return given
    raise BadInput(f"{keyword}: a finite number is needed")


def day(value: object, keyword: str) -> str:
    held = value.date() if isinstance(value, datetime.datetime) else value
    said = held.isoformat() if isinstance(held, datetime.date) else text(held, keyword)
    try:
        # Also of what calls itself a date: a missing one of pandas does.
        return datetime.date.fromisoformat(said.strip()).isoformat()
    except ValueError:
        raise BadInput(f"{keyword}: not a date that exists; write it as year-month-day") from None


def flag(value: object, keyword: str) -> bool:
    if isinstance(value, bool):
        return value
    raise TypeError(f"{keyword}: True or False is needed, not {type(value).__name__}")


def path(value: object, keyword: str) -> str:
    """As it is now, wherever the process goes."""
    if isinstance(value, (str, os.PathLike)):
        found = os.fspath(value)
        if isinstance(found, str):
            return os.path.abspath(found)
    raise TypeError(f"{keyword}: a path is needed, not {type(value).__name__}")


def optional_path(value: object, keyword: str) -> str | None:
    return None if value is None else path(value, keyword)


def warn(messages: Iterable[str], stacklevel: int = 3, result: object = None) -> None:
    """Gives each message as a warning of whoever called the package. Where warnings are errors, the error has what was made."""
    for message in messages:
        try:
            warnings.warn(message, EarlyhelpWarning, stacklevel=stacklevel + 1)
        except EarlyhelpWarning as warning:
            warning.result = result
            raise


def apart(page: str) -> str:
    """A page within a notebook, where it can neither read the notebook nor be styled by it."""
    return (
        f'<iframe srcdoc="{html.escape(page, quote=True)}" sandbox '
        'style="width: 100%; height: 40em; border: 1px solid #aaa; background: white"></iframe>'
    )
