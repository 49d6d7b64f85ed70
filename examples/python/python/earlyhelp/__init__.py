"""Interpretable, auditable risk models over linked service records, for people to review. It never acts on a score.

Audit any program's scores::

    import earlyhelp

    found = earlyhelp.audit(frame, score="risk", outcome="excluded", groups=["sex", "ethnicity"], capacity="20%")
    print(found.text)
    found.save("audit")

Train, release and score by a project file::

    project = earlyhelp.Project("council/project.toml")
    model = project.train()
    released = model.release(by="A. Manager", role="Head of Early Help", purpose=project.purpose, review_by="2026-03-31")
    review = project.score(released, "2025-04-01", capacity=20, requested_by="B. Lead", purpose=project.purpose)

Frames come in from pandas, polars, pyarrow, DuckDB and whatever else has the Arrow PyCapsule interface, and go out as a
:class:`Table`, which they all can take.
"""

from __future__ import annotations

from ._audit import Audit, audit
from ._core import __version__
from ._errors import BadInput, EarlyhelpWarning, Error, NotFound, Ours, Refused, Retry
from ._project import Model, Project, Records, ReleasedModel, ReviewList
from ._service import Service
from ._table import Table

__all__ = [
    "Audit",
    "BadInput",
    "EarlyhelpWarning",
    "Error",
    "Model",
    "NotFound",
    "Ours",
    "Project",
    "Records",
    "Refused",
    "ReleasedModel",
    "Retry",
    "ReviewList",
    "Service",
    "Table",
    "__version__",
    "audit",
]

# Errors and help name them where they are met, and not where they are written down.
for _public in [held for held in list(globals().values()) if isinstance(held, type)]:
    _public.__module__ = __name__
del _public
