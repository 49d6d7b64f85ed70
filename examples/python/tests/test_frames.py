"""Frames as they really are: every trap that a table has sprung on somebody."""

from __future__ import annotations

import datetime
import decimal
import json
import warnings
from collections.abc import Callable, Iterator
from typing import Any

import duckdb
import numpy
import pandas
import polars
import pyarrow
import pyarrow.compute
import pytest

import earlyhelp
from earlyhelp import _core

from .conftest import Columns, Frame

ROWS = 400

PLAIN: Columns = {
    "risk": [row % 97 / 97 for row in range(ROWS)],
    "excluded": [row % 5 == 0 for row in range(ROWS)],
    "sex": [["F", "M"][row % 2] for row in range(ROWS)],
}


def arrow() -> Any:
    return pyarrow.table(PLAIN)


def with_sex(sex: Any) -> Any:
    return arrow().set_column(2, "sex", sex)


def beside(column: Any) -> Any:
    return arrow().append_column("x", column)


def audited(frame: Any, **keywords: Any) -> dict[str, Any]:
    asked: dict[str, Any] = {"score": "risk", "outcome": "excluded", "groups": ["sex"], "capacity": "20%", "resamples": 99} | keywords
    return earlyhelp.audit(frame, **asked).to_dict()


EXPECTED = audited(arrow())


def of_binary(bytes_of_row: bytes, kind: Any) -> Any:
    """A column of text that nobody has looked at."""
    offsets = numpy.arange(ROWS + 1, dtype=numpy.int32) * len(bytes_of_row)
    buffers = [None, pyarrow.py_buffer(offsets), pyarrow.py_buffer(bytes_of_row * ROWS)]
    return pyarrow.Array.from_buffers(pyarrow.binary(), ROWS, buffers).view(kind)


SAME: dict[str, Callable[[], Any]] = {
    "large strings": lambda: with_sex(arrow()["sex"].cast(pyarrow.large_string())),
    "string views": lambda: with_sex(arrow()["sex"].cast(pyarrow.string_view())),
    "a dictionary": lambda: with_sex(arrow()["sex"].dictionary_encode()),
    "a dictionary of large strings, in 64 bits": lambda: with_sex(
        arrow()["sex"].cast(pyarrow.dictionary(pyarrow.uint64(), pyarrow.large_string()))
    ),
    "another dictionary in each batch": lambda: pyarrow.concat_tables(
        [
            with_sex(arrow()["sex"].dictionary_encode()).slice(0, 10),
            with_sex(
                pyarrow.DictionaryArray.from_arrays(pyarrow.array([(row + 1) % 2 for row in range(ROWS)], "int32"), ["M", "F"])
            ).slice(10),
        ]
    ),
    "a dictionary with null among its values": lambda: with_sex(
        pyarrow.DictionaryArray.from_arrays([row % 2 + 1 for row in range(ROWS)], [None, "F", "M"])
    ),
    "several batches, one of them empty": lambda: pyarrow.concat_tables(
        [arrow().slice(0, 7), arrow().slice(7, 100), arrow().slice(0, 0), arrow().slice(107)]
    ),
    "a slice": lambda: pyarrow.concat_tables([arrow(), arrow()]).slice(ROWS),
    "slices of batches": lambda: pyarrow.Table.from_batches(
        [pyarrow.record_batch(PLAIN).slice(0, 13), pyarrow.record_batch(PLAIN).slice(13)]
    ),
    "a reader": lambda: pyarrow.RecordBatchReader.from_batches(arrow().schema, arrow().to_batches(max_chunksize=33)),
    "a batch": lambda: pyarrow.record_batch(PLAIN),
    "outcomes of 0 and 1": lambda: arrow().set_column(1, "excluded", arrow()["excluded"].cast(pyarrow.int8())),
    "outcomes in words": lambda: arrow().set_column(1, "excluded", pyarrow.array(["Yes" if x else "no" for x in PLAIN["excluded"]])),
    "scores as text": lambda: arrow().set_column(0, "risk", pyarrow.array([repr(risk) for risk in PLAIN["risk"]])),
    "pandas": lambda: pandas.DataFrame(PLAIN),
    "pandas, with an index": lambda: pandas.DataFrame(PLAIN, index=[f"r{row}" for row in range(ROWS)]),
    "pandas, categorical": lambda: pandas.DataFrame(PLAIN).astype({"sex": "category"}),
    "pandas, objects": lambda: pandas.DataFrame(PLAIN).astype({"sex": object, "excluded": object}),
    "pandas, nullable types": lambda: pandas.DataFrame(PLAIN).astype({"risk": "Float64", "excluded": "boolean", "sex": "string"}),
    "pandas, by pyarrow": lambda: pandas.DataFrame(PLAIN).convert_dtypes(dtype_backend="pyarrow"),
    "pandas, every other row": lambda: pandas.DataFrame(
        {name: [value for value in values for _ in range(2)] for name, values in PLAIN.items()}
    )[::2],
    "polars, categorical": lambda: polars.DataFrame(PLAIN).with_columns(polars.col("sex").cast(polars.Categorical)),
    "polars, enum": lambda: polars.DataFrame(PLAIN).with_columns(polars.col("sex").cast(polars.Enum(["F", "M", "X"]))),
    "polars, in chunks": lambda: polars.concat(
        [polars.DataFrame(PLAIN)[:50], polars.DataFrame(PLAIN)[50:]], rechunk=False
    ),
    "DuckDB, a query over pandas": lambda: _queried("SELECT * FROM held", pandas.DataFrame(PLAIN)),
    "DuckDB, an enum": lambda: _queried("SELECT * REPLACE (sex::ENUM('M', 'F') AS sex) FROM held", arrow()),
    "a column that nobody asks for, of tables": lambda: beside(pyarrow.array([[1]] * ROWS)),
    "one of bytes": lambda: beside(pyarrow.array([b"\xff"] * ROWS)),
    "one of intervals": lambda: beside(pyarrow.array([(1, 2, 3)] * ROWS, pyarrow.month_day_nano_interval())),
    "one of half floats": lambda: beside(pyarrow.array(numpy.zeros(ROWS, dtype=numpy.float16))),
    "one of text that is none": lambda: beside(of_binary(b"\xff", pyarrow.string())),
    "one of nothing": lambda: beside(pyarrow.nulls(ROWS)),
    "one twice": lambda: beside(pyarrow.nulls(ROWS)).append_column("x", pyarrow.nulls(ROWS)),
}


def _queried(query: str, held: Any) -> Any:
    connection = duckdb.connect()
    connection.register("held", held)
    return connection.sql(query)


@pytest.mark.parametrize("kind", SAME)
def test_the_same_table_in_other_types(kind: str) -> None:
    assert audited(SAME[kind]()) == EXPECTED


def test_texts_that_a_view_has_no_room_for() -> None:
    texts = ["a text that is longer than a view has room for: " + sex for sex in PLAIN["sex"]]
    plain = audited(with_sex(pyarrow.array(texts)))
    assert plain != EXPECTED
    assert audited(with_sex(pyarrow.array(texts, pyarrow.string_view()))) == plain
    assert audited(polars.DataFrame(PLAIN | {"sex": texts})) == plain


def test_what_is_missing_is_null_whatever_says_so(frame: Callable[[Columns], Frame]) -> None:
    columns = {name: list(values) for name, values in PLAIN.items()}
    columns["risk"][3] = columns["sex"][5] = columns["excluded"][7] = None
    with pytest.warns(earlyhelp.EarlyhelpWarning, match="2 of 400 rows"):
        found = audited(frame(columns))
    assert [(each["row"], each["column"], each["reason"]) for each in found["rejected"]] == [
        (4, "risk", "value_missing"),
        (8, "excluded", "value_missing"),
    ]
    assert '"known": false' in json.dumps(found["audit"])


def test_a_number_that_is_none_is_null() -> None:
    risks = [float("nan") if row in (3, 4) else risk for row, risk in enumerate(PLAIN["risk"])]
    kinds = {
        "numpy": pandas.DataFrame(PLAIN | {"risk": risks}),
        "nullable": pandas.DataFrame(PLAIN | {"risk": pandas.array(risks, dtype="Float64")}),
        "polars": polars.DataFrame(PLAIN | {"risk": risks}),
        "arrow": pyarrow.table(PLAIN | {"risk": risks}),
    }
    for kind, frame in kinds.items():
        with pytest.warns(earlyhelp.EarlyhelpWarning, match="2 of 400 rows could not be audited"):
            found = audited(frame)
        assert [each["row"] for each in found["rejected"]] == [4, 5], kind
        assert found["audited"] == 398, kind


def test_a_missing_category_is_unknown_and_no_code_of_another() -> None:
    sexes = [None if row < 40 else sex for row, sex in enumerate(PLAIN["sex"])]
    plain = audited(pyarrow.table(PLAIN | {"sex": sexes}))
    for frame in (
        pandas.DataFrame(PLAIN | {"sex": pandas.Categorical(sexes)}),
        pandas.DataFrame(PLAIN | {"sex": sexes}),
        polars.DataFrame(PLAIN | {"sex": polars.Series(sexes, dtype=polars.Categorical)}),
    ):
        assert audited(frame) == plain


def test_numbers_as_groups_are_the_same_of_any_width() -> None:
    years = [7 + row % 3 for row in range(ROWS)]
    plain = audited(pyarrow.table(PLAIN | {"sex": years}))
    for kind in ("int8", "int16", "uint32", "uint64", "float32", "float64"):
        assert audited(pyarrow.table(PLAIN | {"sex": pyarrow.array(years, kind)})) == plain, kind
    assert audited(pandas.DataFrame(PLAIN | {"sex": pandas.Categorical(years)})) == plain


def test_days_and_times_with_a_zone_are_days_of_that_zone() -> None:
    days = [datetime.date(2022, 6, 1) + datetime.timedelta(days=row) for row in range(ROWS)]
    # Half an hour past midnight in London, which in summer is the day before in universal time.
    zone = "Europe/London"
    local = pandas.to_datetime(pandas.Series(days)).dt.tz_localize(zone) + pandas.Timedelta(minutes=30)
    asked = {"scored_on": "on", "followed_to": "2022-09-01", "horizon": "60 days"}

    def found(on: Any) -> dict[str, Any]:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", earlyhelp.EarlyhelpWarning)
            return audited(pandas.DataFrame(PLAIN | {"on": on}), **asked)

    plain = found([day.isoformat() for day in days])
    assert 0 < plain["not_followed"] < ROWS
    assert found(days) == plain
    assert found(pandas.to_datetime(pandas.Series(days))) == plain
    assert found(local) == plain
    assert found(local.dt.as_unit("ms")) == plain
    assert found(local.dt.tz_convert("UTC"))["not_followed"] != plain["not_followed"]


def test_decimals_are_numbers() -> None:
    risks = [decimal.Decimal(row % 97).scaleb(-2) for row in range(ROWS)]
    plain = audited(pyarrow.table(PLAIN | {"risk": [float(risk) for risk in risks]}))
    for kind in (pyarrow.decimal128(20, 4), pyarrow.decimal64(10, 3), pyarrow.decimal32(6, 2)):
        assert audited(pyarrow.table(PLAIN | {"risk": pyarrow.array(risks, kind)})) == plain, kind
    assert audited(pandas.DataFrame(PLAIN | {"risk": risks})) == plain


@pytest.mark.parametrize(
    "empty",
    [
        arrow().slice(0, 0),
        pyarrow.table({name: pyarrow.chunked_array([], kind) for name, kind in zip(arrow().column_names, arrow().schema.types)}),
        with_sex(arrow()["sex"].dictionary_encode()).slice(0, 0),
        pyarrow.RecordBatchReader.from_batches(arrow().schema, []),
        pandas.DataFrame(PLAIN)[:0],
        polars.DataFrame(PLAIN).clear(),
    ],
)
def test_an_empty_frame_has_columns_and_no_row(empty: Any) -> None:
    with pytest.raises(earlyhelp.BadInput, match="none of the 0 rows"):
        audited(empty)


def test_an_empty_frame_still_lacks_what_it_lacks() -> None:
    with pytest.raises(earlyhelp.BadInput, match="rsik"):
        audited(arrow().slice(0, 0), score="rsik")


def test_a_frame_of_no_column() -> None:
    for nothing in (pandas.DataFrame(), polars.DataFrame(), pyarrow.table({})):
        with pytest.raises(earlyhelp.BadInput, match="risk"):
            audited(nothing)


REFUSED: dict[str, tuple[Callable[[], Any], str]] = {
    "twice": (lambda: beside(pyarrow.nulls(ROWS)).append_column("x", pyarrow.nulls(ROWS)), 'column "x" stands in the frame twice'),
    "twice but for capitals": (
        lambda: beside(pyarrow.nulls(ROWS)).append_column(" X", pyarrow.nulls(ROWS)),
        'column "x" more than once',
    ),
    "twice in pandas": (
        lambda: pandas.concat([pandas.DataFrame(PLAIN | {"x": 1}), pandas.DataFrame({"x": [1] * ROWS})], axis=1),
        "two columns of the frame have one name",
    ),
    "several types": (lambda: pandas.DataFrame(PLAIN | {"x": [1, "secret"] * 200}), 'column "x" of the frame holds values of several'),
    "tables": (lambda: beside(pyarrow.array([["secret"]] * ROWS)), 'column "x" is of type List, which is not read'),
    "records": (lambda: beside(pyarrow.array([{"a": "secret"}] * ROWS)), 'column "x" is of type Struct, which is not read'),
    "maps": (
        lambda: beside(pyarrow.array([[("secret", 1)]] * ROWS, pyarrow.map_(pyarrow.string(), pyarrow.int8()))),
        'column "x"',
    ),
    "bytes": (lambda: beside(pyarrow.array([b"secret"] * ROWS)), 'column "x" is of type binary'),
    "times of day": (lambda: beside(pyarrow.array([datetime.time(1)] * ROWS)), 'column "x" is of type time'),
    "intervals": (lambda: beside(pyarrow.array([(1, 2, 3)] * ROWS, pyarrow.month_day_nano_interval())), 'column "x" is of type Interval'),
    "half floats": (lambda: beside(pyarrow.array(numpy.zeros(ROWS, dtype=numpy.float16))), 'column "x" is of type Float16'),
    "decimals of 256 bits": (
        lambda: beside(pyarrow.array([decimal.Decimal(1)] * ROWS, pyarrow.decimal256(40, 2))),
        'column "x" is of type Decimal256',
    ),
    "unions": (
        lambda: beside(pyarrow.UnionArray.from_sparse(pyarrow.array([0] * ROWS, "int8"), [pyarrow.array(["secret"] * ROWS)])),
        'column "x" is of type Union',
    ),
    "an extension": (
        lambda: beside(pyarrow.ExtensionArray.from_storage(pyarrow.uuid(), pyarrow.array([b"secret" * 2 + b"1234"] * ROWS, pyarrow.binary(16)))),
        'column "x" is of type Extension',
    ),
    "no text": (lambda: beside(of_binary(b"secret\xff", pyarrow.string())), 'column "x" holds text that is not UTF-8'),
    "no large text": (
        lambda: beside(pyarrow.chunked_array([of_binary(b"\xc3\x28", pyarrow.string())]).cast(pyarrow.large_string())),
        'column "x" holds text that is not UTF-8',
    ),
    "no text in a dictionary": (
        lambda: beside(pyarrow.DictionaryArray.from_arrays(pyarrow.array([0] * ROWS, "int8"), of_binary(b"secret\xff", pyarrow.string()))),
        'column "x" holds text that is not UTF-8',
    ),
    "runs": (
        lambda: beside(pyarrow.compute.run_end_encode(pyarrow.array(["secret"] * ROWS))),
        "a column of the frame is of a type that is not read",
    ),
}


@pytest.mark.parametrize("kind", REFUSED)
def test_what_cannot_be_read_is_refused_by_its_column_and_no_value(kind: str) -> None:
    make, says = REFUSED[kind]
    with pytest.raises(earlyhelp.BadInput) as refused:
        audited(make(), groups=["x"])
    assert says in str(refused.value)
    assert "secret" not in _all_that_is_shown(refused.value)


def _all_that_is_shown(error: BaseException) -> str:
    import traceback

    return "".join(traceback.format_exception(error)).split("earlyhelp.BadInput:")[-1] + str(error.__cause__ or "")


class Gives:
    """What hands over whatever it was made with."""

    def __init__(self, given: Any) -> None:
        self.given = given

    def __arrow_c_stream__(self, requested_schema: Any = None) -> Any:
        if isinstance(self.given, BaseException):
            raise self.given
        return self.given


def test_a_capsule_is_used_once() -> None:
    once = Gives(arrow().__arrow_c_stream__())
    assert audited(once) == EXPECTED
    with pytest.raises(earlyhelp.BadInput, match="used up"):
        audited(once)
    reader = pyarrow.RecordBatchReader.from_batches(arrow().schema, arrow().to_batches())
    assert audited(reader) == EXPECTED
    with pytest.raises(earlyhelp.BadInput):
        audited(reader)


def test_what_is_no_frame_is_a_type_error() -> None:
    no_frames: list[Any] = [None, 3, PLAIN, [1, 2], b"scores.csv", Gives(3), Gives(arrow().schema.__arrow_c_schema__()), object]
    no_frames += [polars.Series([1.0]), pyarrow.chunked_array([[1.0]]), pyarrow.array([1.0])]
    for no_frame in no_frames:
        with pytest.raises(TypeError):
            audited(no_frame)


def test_what_a_frame_fails_with_is_not_told_on() -> None:
    with pytest.raises(earlyhelp.BadInput, match="RuntimeError") as refused:
        audited(Gives(RuntimeError("secret")))
    assert "secret" not in str(refused.value) and refused.value.__cause__ is None
    with pytest.raises(KeyboardInterrupt):
        audited(Gives(KeyboardInterrupt()))

    def batches() -> Iterator[Any]:
        yield from arrow().to_batches(max_chunksize=10)[:3]
        raise ValueError("secret")

    with pytest.raises(earlyhelp.BadInput, match="what holds the frame failed") as refused:
        audited(pyarrow.RecordBatchReader.from_batches(arrow().schema, batches()))
    assert "secret" not in str(refused.value)
    with pytest.raises(earlyhelp.BadInput) as refused:
        audited(_queried("SELECT *, CASE WHEN sex = 'M' THEN 'secret' ELSE '1' END::INT AS q FROM held", arrow()))
    assert "secret" not in str(refused.value)


def test_a_batch_of_python_may_be_made_while_it_is_read() -> None:
    """The interpreter is not held while rows are read, or this would wait for itself."""

    def batches() -> Iterator[Any]:
        for batch in arrow().to_batches(max_chunksize=50):
            yield pyarrow.RecordBatch.from_pylist(batch.to_pylist(), schema=arrow().schema)

    assert audited(pyarrow.RecordBatchReader.from_batches(arrow().schema, batches())) == EXPECTED


def addresses(column: Any) -> list[int]:
    return [buffer.address for buffer in column.chunk(0).buffers() if buffer is not None]


def test_numbers_and_days_come_in_without_a_copy() -> None:
    held = pyarrow.table(
        {
            "number": pyarrow.array([1.5, None, 2.5] * 1000),
            "whole": pyarrow.array(range(3000), "int64"),
            "small": pyarrow.array([1, 2, None] * 1000, "int16"),
            "day": pyarrow.array([datetime.date(2024, 1, 1)] * 3000),
            "flag": pyarrow.array([True, False, None] * 1000),
        }
    )
    # Taken in and handed out again, they are where they were: nothing was copied on the way.
    again = pyarrow.table(_core.Frame.of(held))
    assert again.equals(held)
    for name in held.column_names:
        assert addresses(again[name]) == addresses(held[name]), name


def test_what_was_taken_in_stays_when_its_owner_is_gone() -> None:
    held = _core.Frame.of(pyarrow.table({"x": pyarrow.array(range(100_000))}))
    for _ in range(20):
        pyarrow.array(range(100_000))
    assert pyarrow.table(held)["x"].to_pylist() == list(range(100_000))


def test_text_comes_back_as_it_was() -> None:
    texts = ["", "a", "é" * 5, "a text that is longer than a view has room for", None, "\u0000"] * 50
    for kind in (pyarrow.string(), pyarrow.large_string(), pyarrow.string_view(), pyarrow.dictionary(pyarrow.int8(), pyarrow.string())):
        column = pyarrow.array(texts, pyarrow.string()).cast(kind) if "dict" not in str(kind) else pyarrow.array(texts).dictionary_encode()
        for held in (pyarrow.table({"x": column}), pyarrow.table({"x": column}).slice(3, 200)):
            back = pyarrow.table(_core.Frame.of(held))["x"]
            assert back.to_pylist() == held["x"].to_pylist(), kind
