"""Frames that the package gives out."""

from __future__ import annotations

import html
from typing import TYPE_CHECKING, Any

from . import _core

if TYPE_CHECKING:
    import pandas
    import polars
    import pyarrow

_SHOWN = 20


class Table:
    """A frame that any library with the Arrow PyCapsule interface can take: ``polars.DataFrame(table)``, ``pyarrow.table(table)``.

    It needs none of them itself; the conversions below import what they are named after.
    """

    __slots__ = ("_frame",)

    def __init__(self, frame: _core.Frame) -> None:
        self._frame = frame

    @property
    def columns(self) -> list[str]:
        """The names of the columns."""
        return self._frame.columns

    def to_polars(self) -> polars.DataFrame:
        """As a polars frame."""
        import polars

        return polars.DataFrame(self)

    def to_pyarrow(self) -> pyarrow.Table:
        """As a pyarrow table."""
        import pyarrow

        return pyarrow.table(self)

    def to_pandas(self) -> pandas.DataFrame:
        """As a pandas frame, by way of pyarrow."""
        return self.to_pyarrow().to_pandas()

    def __arrow_c_stream__(self, requested_schema: Any = None) -> Any:
        return self._frame.__arrow_c_stream__(requested_schema)

    def __len__(self) -> int:
        return len(self._frame)

    def __bool__(self) -> bool:
        return True

    def _about(self) -> str:
        rows, columns = len(self), len(self.columns)
        return f"{rows:,} {'row' if rows == 1 else 'rows'}, {columns} {'column' if columns == 1 else 'columns'}"

    def __repr__(self) -> str:
        head = [["" if cell is None else _one_line(cell) for cell in row] for row in self._frame.head(10)]
        columns = [_one_line(name) for name in self.columns]
        widths = [max(len(cell) for cell in column) for column in zip(columns, *head)]
        lines = [
            "  ".join(cell.ljust(width) for cell, width in zip(row, widths)).rstrip() for row in [columns, *head]
        ]
        if len(self) > len(head):
            lines.append("...")
        return "\n".join([f"<earlyhelp.Table: {self._about()}>", *lines])

    def _repr_html_(self) -> str:
        def row(cells: list[str], tag: str) -> str:
            return "<tr>" + "".join(f"<{tag}>{html.escape(cell)}</{tag}>" for cell in cells) + "</tr>"

        head = [["" if cell is None else cell for cell in cells] for cells in self._frame.head(_SHOWN)]
        body = "".join(row(cells, "td") for cells in head)
        more = f", of which the first {len(head)} are shown" if len(self) > len(head) else ""
        return (
            f"<table><thead>{row(self.columns, 'th')}</thead><tbody>{body}</tbody></table>"
            f"<p>{self._about()}{more}</p>"
        )


def _one_line(cell: str) -> str:
    """A cell without what a terminal would obey, and no longer than is read at a glance."""
    plain = "".join(sign if sign.isprintable() else " " for sign in cell)
    return plain if len(plain) <= 40 else plain[:37] + "..."
