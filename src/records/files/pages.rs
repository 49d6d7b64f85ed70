//! What a Parquet file says of itself, held against the file before a decoder believes it.
//!
//! A decoder asks for as much memory as headers say. A damaged one can ask for more than there is, and a program that is
//! refused memory ends at once: there is nothing to catch. So the headers are walked first; what is between them is not read.

use std::io::Cursor;

use polars::io::SerReader as _;
use polars::prelude::ParquetReader;
use polars_parquet_format::thrift::protocol::TCompactInputProtocol;
use polars_parquet_format::{FileMetaData, PageHeader, PageType, SchemaElement};

use super::open::Opened;
use crate::error::RecordsError;
use crate::limits;

/// What stands behind a footer: its length and the mark of the format.
const TAIL: usize = 8;

/// A reader of a Parquet file whose footer can be what it says.
pub(in crate::records) fn reader<'a>(
    file: &Opened<'_>,
    bytes: &'a [u8],
) -> Result<ParquetReader<Cursor<&'a [u8]>>, RecordsError> {
    file.decoded(|| footer(bytes))?;
    Ok(ParquetReader::new(Cursor::new(bytes)))
}

/// That the lists of a footer are no longer than the footer, and that its columns are not nested beyond all measure.
fn footer(bytes: &[u8]) -> Result<(), String> {
    let damaged = |why: &str| format!("{why}; the file is damaged, or cut short: export it again");
    let end = bytes.len().checked_sub(TAIL).ok_or_else(|| damaged("it has no footer"))?;
    let length: [u8; 4] = bytes[end..end + 4].try_into().map_err(|_| damaged("it has no footer"))?;
    let start = end.checked_sub(u32::from_le_bytes(length) as usize);
    let footer = &bytes[start.ok_or_else(|| damaged("its footer is said to be longer than the file"))?..end];
    // An item of a list takes a byte at least, and is counted as eight.
    let mut input = TCompactInputProtocol::new(footer, footer.len().saturating_mul(8));
    let held = FileMetaData::read_from_in_protocol(&mut input)
        .map_err(|_| damaged("its footer is not that of a Parquet file"))?;
    if deepest(&held.schema) > limits::DEPTH {
        return Err(format!("its columns are nested more than {} deep", limits::DEPTH));
    }
    Ok(())
}

/// How deep the columns of a schema are nested. They stand in the order in which a tree is walked.
fn deepest(schema: &[SchemaElement]) -> usize {
    let mut open: Vec<i32> = Vec::new();
    let mut deepest = 0;
    for element in schema {
        while open.last().is_some_and(|left| *left <= 0) {
            open.pop();
        }
        if let Some(left) = open.last_mut() {
            *left -= 1;
        }
        if let Some(children) = element.num_children.filter(|children| *children > 0) {
            open.push(children);
            deepest = deepest.max(open.len());
        }
    }
    deepest
}

/// That the pages of the `held` columns can be what their headers say: inside of their part of the file, no larger than
/// a page may be, and with no more values than there are rows.
pub(in crate::records) fn check(
    file: &Opened<'_>,
    reader: &mut ParquetReader<Cursor<&[u8]>>,
    bytes: &[u8],
    held: &[String],
) -> Result<(), RecordsError> {
    file.decoded(|| {
        let metadata = reader.get_metadata().map_err(|error| error.to_string())?;
        let mut rows = 0_usize;
        for group in &metadata.row_groups {
            rows = rows.saturating_add(group.num_rows());
            for column in group.parquet_columns() {
                let path = &column.descriptor().path_in_schema;
                let Some(name) = path.first().filter(|name| held.iter().any(|held| held == name.as_str()))
                else {
                    continue;
                };
                let chunk = Chunk {
                    start: column.dictionary_page_offset().unwrap_or(column.data_page_offset()),
                    size: column.compressed_size(),
                    values: column.num_values(),
                    rows: group.num_rows(),
                };
                chunk.walk(bytes).map_err(|why| {
                    format!("its column {name} cannot be read: {why}; the file is damaged: export it again")
                })?;
            }
        }
        if rows == metadata.num_rows {
            Ok(())
        } else {
            Err("its parts have another number of rows than the whole; the file is damaged: export it again"
                .to_owned())
        }
    })
}

/// One column of one group of rows, as the footer has it.
struct Chunk {
    start: i64,
    size: i64,
    values: i64,
    rows: usize,
}

impl Chunk {
    fn walk(&self, bytes: &[u8]) -> Result<(), &'static str> {
        let outside = "it is said to lie outside of the file";
        let start = usize::try_from(self.start).map_err(|_| outside)?;
        let size = usize::try_from(self.size).map_err(|_| outside)?;
        let end = start.checked_add(size).ok_or(outside)?;
        let mut rest = bytes.get(start..end).ok_or(outside)?;
        let mut left = usize::try_from(self.values).map_err(|_| "its number of values is negative")?;
        if left > self.rows {
            return Err("it has more values than there are rows");
        }
        while left > 0 {
            let mut input = rest;
            let most = input.len();
            let header = PageHeader::read_from_in_protocol(&mut TCompactInputProtocol::new(&mut input, most))
                .map_err(|_| "the header of a page is none, or there are fewer pages than it says")?;
            let page = Page::new(&header, input.len())?;
            left = left.checked_sub(page.values).ok_or("its pages have more values than it says")?;
            rest = &input[page.packed..];
        }
        Ok(())
    }
}

/// A page that can be what its header says.
struct Page {
    /// Bytes in the file.
    packed: usize,
    /// Values of rows, absent ones included.
    values: usize,
}

impl Page {
    /// The page of a header, which has `behind` bytes behind it.
    fn new(header: &PageHeader, behind: usize) -> Result<Self, &'static str> {
        let negative = "a number in the header of a page is negative";
        let counted = |number: i32| usize::try_from(number).map_err(|_| negative);
        let packed = counted(header.compressed_page_size)?;
        let unpacked = counted(header.uncompressed_page_size)?;
        if packed > behind {
            return Err("a page is said to be longer than what is left of its part of the file");
        }
        if unpacked as u64 > limits::UNPACKED_BYTES {
            return Err("a page is said to unpack to more than a page may have");
        }
        let values = match header.type_ {
            PageType::DICTIONARY_PAGE => {
                let dictionary = header.dictionary_page_header.as_ref().ok_or("a page lacks its header")?;
                if counted(dictionary.num_values)? > unpacked {
                    return Err("a dictionary is said to have more values than bytes");
                }
                0
            }
            PageType::DATA_PAGE => {
                counted(header.data_page_header.as_ref().ok_or("a page lacks its header")?.num_values)?
            }
            PageType::DATA_PAGE_V2 => {
                let page = header.data_page_header_v2.as_ref().ok_or("a page lacks its header")?;
                let values = counted(page.num_values)?;
                let levels = counted(page.definition_levels_byte_length)?
                    .saturating_add(counted(page.repetition_levels_byte_length)?);
                if levels > packed.min(unpacked) {
                    return Err("the levels of a page are said to be longer than the page");
                }
                if counted(page.num_nulls)?.max(counted(page.num_rows)?) > values {
                    return Err("a page is said to have more rows than values");
                }
                values
            }
            _ => 0,
        };
        Ok(Self { packed, values })
    }
}
