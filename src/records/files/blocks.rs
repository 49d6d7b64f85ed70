//! What an Arrow file says of itself, held against the file before a decoder believes it: as [`pages`](super::pages), for
//! the same reason.

use std::io::Cursor;

use polars::io::SerReader as _;
use polars::prelude::IpcReader;
use polars_arrow_format::ipc::planus::{self, ReadAsRoot as _, Vector};
use polars_arrow_format::ipc::{
    BlockRef, FieldRef, FooterRef, KeyValueRef, MessageHeaderRef, MessageRef, RecordBatchRef,
};

use super::open::Opened;
use crate::error::RecordsError;
use crate::limits;

/// What stands behind a footer: its length and the mark of the format.
const TAIL: usize = 10;
/// What a message may begin with, in front of its length.
const MARK: [u8; 4] = [0xff; 4];
/// A buffer that is packed begins with the bytes that it unpacks to; this in their place says that it is not packed.
const NOT_PACKED: i64 = -1;

const NO_FOOTER: &str = "it has no footer";
const OUTSIDE: &str = "a part of it is said to lie outside of the file";
const NO_MESSAGE: &str = "a part of it does not begin as one";

/// A reader of an Arrow file whose footer, and every part, can be what it says.
pub(in crate::records) fn reader<'a>(
    file: &Opened<'_>,
    bytes: &'a [u8],
) -> Result<IpcReader<Cursor<&'a [u8]>>, RecordsError> {
    file.decoded(|| {
        check(bytes).map_err(|why| format!("{why}; the file is damaged, or cut short: export it again"))
    })?;
    Ok(IpcReader::new(Cursor::new(bytes)))
}

fn check(bytes: &[u8]) -> Result<(), &'static str> {
    let end = bytes.len().checked_sub(TAIL).ok_or(NO_FOOTER)?;
    let length = number(&bytes[end..]).ok_or(NO_FOOTER)?;
    let start = end.checked_sub(length).ok_or("its footer is said to be longer than the file")?;
    let unreadable = |_| NO_FOOTER;
    let footer = FooterRef::read_as_root(&bytes[start..end]).map_err(unreadable)?;
    let mut said = Said { bytes, texts: bytes.len(), fields: limits::COLUMNS, unpacked: 0 };
    said.texts(footer.custom_metadata().map_err(unreadable)?)?;
    if let Some(schema) = footer.schema().map_err(unreadable)? {
        said.texts(schema.custom_metadata().map_err(unreadable)?)?;
        said.fields(schema.fields().map_err(unreadable)?, 0)?;
    }
    let dictionaries = footer.dictionaries().map_err(unreadable)?;
    let batches = footer.record_batches().map_err(unreadable)?;
    for blocks in [dictionaries, batches].into_iter().flatten() {
        blocks.iter().try_for_each(|block| said.block(block))?;
    }
    Ok(())
}

/// A length that four bytes hold.
fn number(bytes: &[u8]) -> Option<usize> {
    let held = bytes.first_chunk::<4>()?;
    usize::try_from(i32::from_le_bytes(*held)).ok()
}

/// What a file has been found to say, so far.
struct Said<'a> {
    bytes: &'a [u8],
    /// How many bytes of names and remarks there may still be: texts that many fields share would be copied for each.
    texts: usize,
    /// How many fields there may still be.
    fields: usize,
    /// How many bytes its buffers unpack to.
    unpacked: u64,
}

type Texts<'a> = Vector<'a, planus::Result<KeyValueRef<'a>>>;
type Fields<'a> = Vector<'a, planus::Result<FieldRef<'a>>>;

impl Said<'_> {
    fn text(&mut self, text: Option<&str>) -> Result<(), &'static str> {
        let left = self.texts.checked_sub(text.map_or(0, str::len));
        self.texts = left.ok_or("its remarks are said to be longer than the file")?;
        Ok(())
    }

    fn texts(&mut self, texts: Option<Texts<'_>>) -> Result<(), &'static str> {
        for pair in texts.into_iter().flatten() {
            let pair = pair.map_err(|_| NO_FOOTER)?;
            self.text(pair.key().map_err(|_| NO_FOOTER)?)?;
            self.text(pair.value().map_err(|_| NO_FOOTER)?)?;
        }
        Ok(())
    }

    fn fields(&mut self, fields: Option<Fields<'_>>, depth: usize) -> Result<(), &'static str> {
        if depth > limits::DEPTH {
            return Err("its columns are nested beyond all measure");
        }
        for field in fields.into_iter().flatten() {
            self.fields = self.fields.checked_sub(1).ok_or("it has more columns than a table may have")?;
            let field = field.map_err(|_| NO_FOOTER)?;
            self.text(field.name().map_err(|_| NO_FOOTER)?)?;
            self.texts(field.custom_metadata().map_err(|_| NO_FOOTER)?)?;
            self.fields(field.children().map_err(|_| NO_FOOTER)?, depth + 1)?;
        }
        Ok(())
    }

    fn block(&mut self, block: BlockRef<'_>) -> Result<(), &'static str> {
        let at = usize::try_from(block.offset()).map_err(|_| OUTSIDE)?;
        let head = usize::try_from(block.meta_data_length()).map_err(|_| OUTSIDE)?;
        let body = usize::try_from(block.body_length()).map_err(|_| OUTSIDE)?;
        let rest = self.bytes.get(at..).ok_or(OUTSIDE)?;
        let body = head.checked_add(body).and_then(|end| rest.get(head..end)).ok_or(OUTSIDE)?;
        let rest = rest.strip_prefix(&MARK).unwrap_or(rest);
        let length = number(rest).ok_or(NO_MESSAGE)?;
        let message = rest.get(4..).and_then(|rest| rest.get(..length)).ok_or(OUTSIDE)?;
        let message = MessageRef::read_as_root(message).map_err(|_| NO_MESSAGE)?;
        let batch = match message.header().map_err(|_| NO_MESSAGE)? {
            Some(MessageHeaderRef::RecordBatch(batch)) => batch,
            Some(MessageHeaderRef::DictionaryBatch(batch)) => {
                batch.data().map_err(|_| NO_MESSAGE)?.ok_or(NO_MESSAGE)?
            }
            _ => return Err(NO_MESSAGE),
        };
        self.batch(batch, body)
    }

    fn batch(&mut self, batch: RecordBatchRef<'_>, body: &[u8]) -> Result<(), &'static str> {
        let counted =
            |number: i64| u32::try_from(number).map_err(|_| "its number of rows is none that can be");
        counted(batch.length().map_err(|_| NO_MESSAGE)?)?;
        for node in batch.nodes().map_err(|_| NO_MESSAGE)?.into_iter().flatten() {
            counted(node.length())?;
            counted(node.null_count())?;
        }
        let is_packed = batch.compression().map_err(|_| NO_MESSAGE)?.is_some();
        for buffer in batch.buffers().map_err(|_| NO_MESSAGE)?.into_iter().flatten() {
            let start = usize::try_from(buffer.offset()).map_err(|_| OUTSIDE)?;
            let length = usize::try_from(buffer.length()).map_err(|_| OUTSIDE)?;
            let end = start.checked_add(length).ok_or(OUTSIDE)?;
            let held = body.get(start..end).ok_or(OUTSIDE)?;
            if let Some(said) = held.first_chunk::<8>().filter(|_| is_packed) {
                let said = i64::from_le_bytes(*said);
                if said != NOT_PACKED {
                    self.unpacks_to(said)?;
                }
            }
        }
        Ok(())
    }

    fn unpacks_to(&mut self, bytes: i64) -> Result<(), &'static str> {
        let bytes = u64::try_from(bytes).map_err(|_| "a length in it is negative")?;
        self.unpacked = self.unpacked.saturating_add(bytes);
        if self.unpacked > limits::unpacked(self.bytes.len() as u64) {
            return Err("it is said to unpack to more than a file may");
        }
        Ok(())
    }
}
