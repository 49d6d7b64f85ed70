"""What goes wrong, by what can be done about it."""

from __future__ import annotations


class Error(Exception):
    """Anything that ``earlyhelp`` says no to.

    Messages name columns, rows, sources and features; never a person's value or id.
    """

    kind: str = "ours"


class Refused(Error):
    """A rule says no: somebody has to decide, and the same again is refused again."""

    kind = "refused"


class BadInput(Error, ValueError):
    """What was given cannot be used: a frame, a file, a date, a name that is none."""

    kind = "bad_input"


class NotFound(Error, LookupError):
    """What was asked for by its name is not there."""

    kind = "not_found"


class Retry(Error):
    """Somebody else was in the way; the same again may succeed."""

    kind = "retry"


class Ours(Error):
    """Neither the request nor a rule, but the machine or the library."""

    kind = "ours"


class EarlyhelpWarning(UserWarning):
    """Something that was done all the same, and that whoever reads the result has to know.

    Where warnings are errors, ``result`` is what was made: a list that is on record is not lost.
    """

    result: object = None


BY_KIND: dict[str, type[Error]] = {error.kind: error for error in (Refused, BadInput, NotFound, Retry, Ours)}
