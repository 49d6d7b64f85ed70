//! Frames from and to other libraries by the Arrow `PyCapsule` interface. All `unsafe` of the package is here.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::CStr;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, PoisonError};

use earlyhelp::polars::error::{PolarsError, PolarsResult};
use earlyhelp::polars::prelude::{
    ArrowField, Column, CompatLevel, DataFrame, DataType, Field, PlSmallStr, Series,
};
use earlyhelp::records::Extract;
use polars_arrow::array::{Array, DictionaryArray, DictionaryKey, StructArray, Utf8Array, Utf8ViewArray};

use polars_arrow::datatypes::ArrowDataType as Kind;
use polars_arrow::ffi::{ArrowArrayStream, ArrowArrayStreamReader, export_iterator};
use pyo3::exceptions::PyException;
use pyo3::prelude::*;
use pyo3::types::{PyCapsule, PyString, PyTuple};

use crate::errors::Fault;

const STREAM: &CStr = c"arrow_array_stream";
const METHOD: &str = "__arrow_c_stream__";

/// A frame that another library hands over, to be read once, a batch at a time.
pub struct Given {
    batches: Batches,
    /// Columns that cannot be read, with why.
    pub unusable: Unusable,
}

/// Columns that cannot be read, with why. It fills up while batches are read.
#[derive(Clone, Default)]
pub struct Unusable(Arc<Mutex<BTreeMap<String, String>>>);

impl Unusable {
    fn note(&self, column: &str, why: impl Into<String>) {
        let mut held = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        held.entry(column.to_owned()).or_insert_with(|| why.into());
    }

    /// Why a column cannot be read, by its name as the library compares names.
    pub fn why(&self, column: &str) -> Option<String> {
        let held = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let is = |name: &str| name.trim().to_lowercase() == column.trim().to_lowercase();
        held.iter().find(|(name, _)| is(name)).map(|(name, why)| format!("column \"{name}\" {why}"))
    }
}

/// Reads what an object hands over; nothing of its rows is read yet.
pub fn given(object: &Bound<'_, PyAny>) -> Result<Given, Fault> {
    let of = object.get_type().name().map_or_else(|_| "object".to_owned(), |name| name.to_string());
    if !object.hasattr(METHOD).unwrap_or(false) {
        return Err(Fault::Type(format!(
            "a frame is needed (pandas 2.2 or later, polars, pyarrow, DuckDB, or another that has {METHOD}), not {of}"
        )));
    }
    let capsule = object.call_method0(METHOD).map_err(|error| not_handed_over(object.py(), error))?;
    let capsule = capsule
        .cast_into::<PyCapsule>()
        .map_err(|_| Fault::Type(format!("{METHOD} of {of} gives no capsule, so it is no frame")))?;
    let stream = taken(&capsule)?;
    let unusable = Unusable::default();
    // Reading may ask the other library, and that one other threads: none of them may wait for this one.
    object.py().detach(|| {
        let batches = Batches::begin(stream, unusable.clone())?;
        Ok(Given { batches, unusable })
    })
}

impl Given {
    /// As an extract, which asks for a batch when the one before has been read.
    pub fn extract(self) -> Extract {
        Extract::frames(self.batches)
    }

    /// As one frame.
    pub fn frame(self) -> Result<DataFrame, Fault> {
        let mut whole: Option<DataFrame> = None;
        for frame in self.batches {
            let frame = frame.map_err(|error| Fault::input(error.to_string()))?;
            match &mut whole {
                None => whole = Some(frame),
                Some(whole) => {
                    whole.vstack_mut(&frame).map_err(|error| Fault::input(error.to_string()))?;
                }
            }
        }
        Ok(whole.unwrap_or_default())
    }
}

/// Why an object did not hand itself over. What it says may hold a value, and is not told on.
fn not_handed_over(py: Python<'_>, error: PyErr) -> Fault {
    // An interrupt, or no memory.
    if !error.is_instance_of::<PyException>(py) {
        return Fault::Python(error);
    }
    let name = error.get_type(py).name().map_or_else(|_| "an error".to_owned(), |name| name.to_string());
    let args = error.value(py).getattr("args").ok().and_then(|args| args.cast_into::<PyTuple>().ok());
    let texts: Vec<String> = args.map_or_else(Vec::new, |args| {
        args.iter().filter_map(|said| said.cast::<PyString>().ok().map(ToString::to_string)).collect()
    });
    let column = texts.iter().find_map(|text| {
        let (_, behind) = text.split_once("Conversion failed for column ")?;
        Some(behind.rsplit_once(" with type ").map_or(behind, |(column, _)| column).to_owned())
    });
    let twice = texts.iter().any(|text| text.starts_with("Duplicate column names"));
    Fault::input(match column {
        Some(column) => format!(
            "column \"{column}\" of the frame holds values of several types, or of one that Arrow does not have ({name}); make them all text, \
             numbers, dates or booleans, or leave the column out"
        ),
        None if twice => "two columns of the frame have one name; give each its own".to_owned(),
        None => format!(
            "the frame cannot be handed over ({name}); to see why, ask it for {METHOD}() yourself: what it says may hold values of a row, and \
             is not repeated here"
        ),
    })
}

/// Takes the stream out of a capsule, which is empty from then on.
fn taken(capsule: &Bound<'_, PyCapsule>) -> Result<Box<ArrowArrayStream>, Fault> {
    let place = capsule
        .pointer_checked(Some(STREAM))
        .map_err(|_| Fault::Type(format!("{METHOD} gives a capsule of another kind, so it is no frame")))?
        .cast::<ArrowArrayStream>();
    // SAFETY: a capsule of this name points to a stream that is its consumer's to move out, by the interface; what is left there is an
    // empty one, which is released already. The interpreter is held, so that nobody else takes it meanwhile.
    let stream = unsafe { place.replace(ArrowArrayStream::empty()) };
    Ok(Box::new(stream))
}

/// Batches of a stream as frames. There is always one, so that the columns of an empty frame are known.
struct Batches {
    reader: ArrowArrayStreamReader<Box<ArrowArrayStream>>,
    fields: Vec<ArrowField>,
    unusable: Unusable,
    begun: bool,
    ended: bool,
}

/// Columns that stand there twice are not told apart by anybody who asks for one of them.
fn note_twice(fields: &[ArrowField], unusable: &Unusable) {
    let mut seen = BTreeSet::new();
    for field in fields {
        if !seen.insert(field.name.as_str()) {
            unusable.note(&field.name, "stands in the frame twice; give each its own name");
        }
    }
}

const NOT_A_FRAME: &str = "what was handed over is one column and not a frame";

impl Batches {
    fn begin(stream: Box<ArrowArrayStream>, unusable: Unusable) -> Result<Self, Fault> {
        let begun = catch_unwind(AssertUnwindSafe(|| {
            // SAFETY: the stream was handed over by the interface, which promises that it and its schema are valid.
            unsafe { ArrowArrayStreamReader::try_new(stream) }
        }));
        let reader = match begun {
            Ok(Ok(reader)) => reader,
            Ok(Err(error)) => return Err(Fault::input(unread(&error))),
            Err(_) => return Err(Fault::input("the columns of the frame cannot be read".to_owned())),
        };
        let Kind::Struct(fields) = &reader.field().dtype else {
            return Err(Fault::Type(NOT_A_FRAME.to_owned()));
        };
        let fields = fields.clone();
        // With such a column no other is read, either.
        if let Some(field) = fields.iter().find(|field| matches!(field.dtype, Kind::Decimal256(..))) {
            let why =
                "is of type Decimal256, which is not read; cast it to decimals of 128 bits, or leave it out";
            return Err(Fault::input(format!("the frame: column \"{}\" {why}", field.name)));
        }
        note_twice(&fields, &unusable);
        Ok(Self { reader, fields, unusable, begun: false, ended: false })
    }

    fn read(&mut self) -> PolarsResult<Option<DataFrame>> {
        let read = catch_unwind(AssertUnwindSafe(|| {
            // SAFETY: as above, of its arrays.
            unsafe { self.reader.next() }
        }));
        match read {
            Ok(Some(Ok(array))) => self.frame(&*array).map(Some),
            Ok(Some(Err(error))) => Err(failed(unread(&error))),
            Ok(None) if self.begun => Ok(None),
            Ok(None) => self.empty().map(Some),
            Err(_) => Err(failed("a batch of the frame cannot be read".to_owned())),
        }
    }

    fn frame(&self, array: &dyn Array) -> PolarsResult<DataFrame> {
        let Some(rows) = array.as_any().downcast_ref::<StructArray>() else {
            return Err(failed(NOT_A_FRAME.to_owned()));
        };
        if rows.null_count() > 0 {
            return Err(failed("the frame has rows that are null as a whole; leave them out".to_owned()));
        }
        let columns = self
            .fields
            .iter()
            .zip(rows.values())
            .map(|(field, values)| self.column(field, Some(&**values), rows.len()));
        Self::framed(rows.len(), columns)
    }

    /// A frame of no row.
    fn empty(&self) -> PolarsResult<DataFrame> {
        Self::framed(0, self.fields.iter().map(|field| self.column(field, None, 0)))
    }

    fn framed(rows: usize, columns: impl Iterator<Item = Column>) -> PolarsResult<DataFrame> {
        let mut seen = BTreeSet::new();
        DataFrame::new(rows, columns.filter(|column| seen.insert(column.name().clone())).collect())
    }

    /// A column. One that cannot be read is a column of nothing, of a type that nobody reads: whoever asks for it is refused by its name,
    /// and nobody else.
    fn column(&self, field: &ArrowField, values: Option<&dyn Array>, rows: usize) -> Column {
        let why = match self.unusable.why(&field.name) {
            Some(_) => None,
            None => match series(field, values) {
                Ok(series) => return series.into(),
                Err(why) => Some(why),
            },
        };
        if let Some(why) = why {
            self.unusable.note(&field.name, why);
        }
        Column::full_null(field.name.clone(), rows, &DataType::Binary)
    }
}

impl Iterator for Batches {
    type Item = PolarsResult<DataFrame>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.ended {
            return None;
        }
        let read = self.read().transpose();
        self.begun = true;
        self.ended = !matches!(read, Some(Ok(_)));
        read
    }
}

/// An error that says what is wrong and nothing else.
fn failed(why: String) -> PolarsError {
    PolarsError::ComputeError(why.into())
}

/// What is told of an error while a frame is read: what the other library says may hold somebody's values.
fn unread(error: &PolarsError) -> String {
    let said = error.to_string();
    if said.contains("already released") {
        "the frame was handed over before and is used up; hand over a new one".to_owned()
    } else if said.contains("external error") {
        "what holds the frame failed while its rows were read; to see why, read them there: what it says may hold values of a row, and is \
         not repeated here"
            .to_owned()
    } else if said.contains("still not supported") {
        "a column of the frame is of a type that is not read (such as run-end encoded, or views of lists); cast it, or leave it out"
            .to_owned()
    } else {
        "the frame cannot be read: what was handed over is not as the Arrow interface says".to_owned()
    }
}

/// A column as the library reads it, or why not. Numbers, days and views of texts are not copied.
fn series(field: &ArrowField, values: Option<&dyn Array>) -> Result<Series, String> {
    let kind = format!("{:?}", field.dtype);
    let kind = kind.split(['(', ' ', '{']).next().unwrap_or_default().to_owned();
    let unknown = || {
        format!(
            "is of type {kind}, which is not read; cast it to text, to numbers of 32 or 64 bits, to dates or to booleans"
        )
    };
    // Tables within cells, which nobody reads: their texts are not looked at, either.
    let is_nested = matches!(
        field.dtype,
        Kind::List(_) | Kind::LargeList(_) | Kind::FixedSizeList(..) | Kind::Struct(_) | Kind::Map(..)
    );
    if is_nested {
        return Err(unknown());
    }
    // Its metadata is another library's, and says nothing that is needed.
    let plain = ArrowField::new(field.name.clone(), field.dtype.clone(), true);
    let read = catch_unwind(AssertUnwindSafe(|| match values {
        None => Ok(Series::new_empty(field.name.clone(), &DataType::from_arrow_field(&plain))),
        Some(values) => {
            checked(values)?;
            Series::try_from((&plain, values.to_boxed())).map_err(|_| unknown())
        }
    }));
    // Types that it was built without make polars panic.
    read.unwrap_or_else(|_| Err(unknown()))
}

/// Text is UTF-8: here nobody has looked at it yet.
fn checked(values: &dyn Array) -> Result<(), String> {
    let no_text = |_| "holds text that is not UTF-8; decode it".to_owned();
    let any = values.as_any();
    if let Some(texts) = any.downcast_ref::<Utf8Array<i32>>() {
        let (offsets, bytes) = (texts.offsets().clone(), texts.values().clone());
        Utf8Array::try_new(texts.dtype().clone(), offsets, bytes, None).map(drop).map_err(no_text)
    } else if let Some(texts) = any.downcast_ref::<Utf8Array<i64>>() {
        let (offsets, bytes) = (texts.offsets().clone(), texts.values().clone());
        Utf8Array::try_new(texts.dtype().clone(), offsets, bytes, None).map(drop).map_err(no_text)
    } else if let Some(texts) = any.downcast_ref::<Utf8ViewArray>() {
        let (views, buffers) = (texts.views().clone(), texts.data_buffers().clone());
        Utf8ViewArray::try_new(texts.dtype().clone(), views, buffers, None).map(drop).map_err(no_text)
    } else {
        dictionary(values).map_or(Ok(()), checked)
    }
}

/// The values of a dictionary.
fn dictionary(values: &dyn Array) -> Option<&dyn Array> {
    fn of<K: DictionaryKey>(values: &dyn Array) -> Option<&dyn Array> {
        values.as_any().downcast_ref::<DictionaryArray<K>>().map(|held| &**held.values())
    }
    let of_each = [of::<i8>, of::<u8>, of::<i16>, of::<u16>, of::<i32>, of::<u32>, of::<i64>, of::<u64>];
    of_each.into_iter().find_map(|of| of(values))
}

/// A frame as a capsule, of types that every reader of Arrow knows.
pub fn handed_over<'py>(py: Python<'py>, frame: &DataFrame) -> PyResult<Bound<'py, PyCapsule>> {
    let mut frame = frame.clone();
    frame.align_chunks();
    let level = CompatLevel::oldest();
    let fields: Vec<ArrowField> = frame
        .columns()
        .iter()
        .map(|column| Field::new(column.name().clone(), column.dtype().clone()).to_arrow(level))
        .collect();
    let dtype = Kind::Struct(fields);
    let of = dtype.clone();
    let batches: Vec<PolarsResult<Box<dyn Array>>> = frame
        .iter_chunks(level, false)
        .map(|batch| {
            let rows = batch.len();
            StructArray::try_new(of.clone(), rows, batch.into_arrays(), None)
                .map(|rows| Box::new(rows) as Box<dyn Array>)
        })
        .collect();
    let stream =
        export_iterator(Box::new(batches.into_iter()), ArrowField::new(PlSmallStr::EMPTY, dtype, false));
    PyCapsule::new_with_value(py, stream, STREAM)
}
