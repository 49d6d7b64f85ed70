//! What binary files say of themselves is held against the files: no byte of one, whatever stands in its place, ends the
//! program or makes it panic.

use std::path::Path;
use std::process::Command;

use earlyhelp::project::Project;
use polars::df;
use polars::prelude::{
    DataFrame, IpcCompression, IpcWriter, ParquetCompression, ParquetWriter, SerWriter as _,
    StatisticsOptions,
};
use polars_parquet_format::thrift::protocol::{TCompactInputProtocol, TCompactOutputProtocol};
use polars_parquet_format::{
    DataPageHeaderV2, FieldRepetitionType, FileMetaData, PageHeader, PageType, SchemaElement, Type,
};

use super::fuzz::targets;

/// Where the process that reads finds the files.
const FOLDER: &str = "EARLYHELP_CLAIMS";
const MARK: &[u8] = b"PAR1";

/// Events of nobody: texts that repeat, so that they are kept in a dictionary, and texts that do not.
fn events() -> DataFrame {
    df!(
        "id" => &["p1", "p2", "p1", "p3", "p2", "p1", "p4", "p1"],
        "kind" => &[Some("visit"), Some("call"), None, Some("visit"), Some("visit"), None, Some("call"), Some("visit")],
        "on" => &["2023-05-01", "2023-05-02", "2023-05-01", "2023-06-30", "2023-05-01", "2023-05-04", "2023-05-05", "x"],
        "value" => &[Some(1.5), None, Some(2.0), Some(1.5), Some(4.0), None, Some(1e9), Some(-1.0)],
    )
    .unwrap()
}

fn parquet(packed: ParquetCompression) -> Vec<u8> {
    let mut bytes = Vec::new();
    let writer = ParquetWriter::new(&mut bytes).with_compression(packed);
    writer.with_statistics(StatisticsOptions::empty()).finish(&mut events()).unwrap();
    bytes
}

fn arrow(packed: Option<IpcCompression>) -> Vec<u8> {
    let mut bytes = Vec::new();
    IpcWriter::new(&mut bytes).with_compression(packed).finish(&mut events()).unwrap();
    bytes
}

fn footer(bytes: &[u8]) -> FileMetaData {
    let end = bytes.len() - 8;
    let length = u32::from_le_bytes(bytes[end..end + 4].try_into().unwrap()) as usize;
    let mut input = TCompactInputProtocol::new(&bytes[end - length..end], usize::MAX);
    FileMetaData::read_from_in_protocol(&mut input).unwrap()
}

/// A file of these pages and this footer.
fn with_footer(mut bytes: Vec<u8>, footer: &FileMetaData) -> Vec<u8> {
    let mut tail = Vec::new();
    footer.write_to_out_protocol(&mut TCompactOutputProtocol::new(&mut tail)).unwrap();
    bytes.extend(&tail);
    bytes.extend((tail.len() as u32).to_le_bytes());
    bytes.extend(MARK);
    bytes
}

/// A file that is not packed, with its data pages in the second form: levels first, their length in the header.
fn second_form(bytes: &[u8]) -> Vec<u8> {
    let mut footer = footer(bytes);
    let mut out = MARK.to_vec();
    for column in footer.row_groups.iter_mut().flat_map(|group| &mut group.columns) {
        let chunk = column.meta_data.as_mut().unwrap();
        let start = chunk.dictionary_page_offset.unwrap_or(chunk.data_page_offset) as usize;
        let mut rest = &bytes[start..start + chunk.total_compressed_size as usize];
        let nulls = events().column(&chunk.path_in_schema[0]).unwrap().null_count();
        let begun = out.len();
        if chunk.dictionary_page_offset.is_some() {
            chunk.dictionary_page_offset = Some(begun as i64);
        }
        while !rest.is_empty() {
            let mut header =
                PageHeader::read_from_in_protocol(&mut TCompactInputProtocol::new(&mut rest, usize::MAX))
                    .unwrap();
            let (body, behind) = rest.split_at(header.compressed_page_size as usize);
            rest = behind;
            let mut body = body.to_vec();
            if let Some(page) = header.data_page_header.take() {
                let levels = i32::from_le_bytes(body[..4].try_into().unwrap());
                body.drain(..4);
                header.type_ = PageType::DATA_PAGE_V2;
                header.data_page_header_v2 = Some(DataPageHeaderV2 {
                    num_values: page.num_values,
                    num_nulls: nulls as i32,
                    num_rows: page.num_values,
                    encoding: page.encoding,
                    definition_levels_byte_length: levels,
                    repetition_levels_byte_length: 0,
                    is_compressed: Some(false),
                    statistics: None,
                });
                chunk.data_page_offset = out.len() as i64;
            }
            header.compressed_page_size = body.len() as i32;
            header.uncompressed_page_size = body.len() as i32;
            header.write_to_out_protocol(&mut TCompactOutputProtocol::new(&mut out)).unwrap();
            out.extend(body);
        }
        chunk.total_compressed_size = (out.len() - begun) as i64;
        chunk.total_uncompressed_size = chunk.total_compressed_size;
    }
    with_footer(out, &footer)
}

/// The rows that a project reads of a file, or what it complains of.
fn rows(bytes: &[u8], ending: &str) -> Result<u64, String> {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join(format!("x.{ending}")), bytes).unwrap();
    let project = Project::from_toml(&targets::project_of(ending), folder.path()).unwrap();
    let records = project.records().map_err(|error| error.to_string())?;
    Ok(records.intake().iter().map(|intake| intake.read).sum())
}

/// Runs `each_byte_overwritten` over files in a process of its own that has four gigabytes, where the system can hold it to that.
fn overwritten(files: &[(&str, Vec<u8>)]) {
    let folder = tempfile::tempdir().unwrap();
    for (name, bytes) in files {
        let ending = name.rsplit('.').next().unwrap();
        assert_eq!(rows(bytes, ending).as_ref(), Ok(&8), "{name} is not a file that can be read");
        std::fs::write(folder.path().join(name), bytes).unwrap();
    }
    let program = std::env::current_exe().unwrap();
    let asked = ["claims::each_byte_overwritten", "--exact", "--ignored", "--nocapture"];
    let mut command = if cfg!(target_os = "linux") {
        let mut shell = Command::new("sh");
        shell.args(["-c", "ulimit -v 4000000; exec \"$0\" \"$@\""]).arg(program);
        shell
    } else {
        Command::new(program)
    };
    let output = command.args(asked).env(FOLDER, folder.path()).output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    let tail = said.len().saturating_sub(2_000);
    let last = std::fs::read_to_string(folder.path().join("last")).unwrap_or_default();
    assert!(
        output.status.success(),
        "{}, at {last}: {}",
        output.status,
        said.get(tail..).unwrap_or_default()
    );
    assert!(last.ends_with("tried"), "{last}");
}

#[test]
#[ignore = "the tests of this file run it in a process of its own"]
fn each_byte_overwritten() {
    let Some(folder) = std::env::var_os(FOLDER) else { return };
    let folder = Path::new(&folder);
    let last = folder.join("last");
    let (mut tried, mut found) = (0, Vec::new());
    // What the decoder says while it panics is no matter here: the reader makes an error of it.
    std::panic::set_hook(Box::new(|_| ()));
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let Some(ending) = path.extension() else { continue };
        let whole = std::fs::read(&path).unwrap();
        for at in 0..whole.len() {
            for value in [0x00, 0xff, whole[at] ^ 0x11] {
                let mut bytes = whole.clone();
                bytes[at] = value;
                std::fs::write(&last, format!("{} byte {at} = {value}", path.display())).unwrap();
                let outcome = std::panic::catch_unwind(|| rows(&bytes, &ending.to_string_lossy()));
                let wrong = match outcome {
                    Err(panic) => panic.downcast_ref::<String>().cloned().or(Some("a panic".to_owned())),
                    Ok(Ok(read)) if read > 1_000_000 => Some(format!("{read} rows of a file of eight")),
                    Ok(_) => None,
                };
                if let Some(wrong) = wrong {
                    found.push(format!("{} byte {at} = {value}: {wrong}", path.display()));
                }
                tried += 1;
            }
        }
    }
    let said = if found.is_empty() { format!("{tried} tried") } else { found.join("\n") };
    std::fs::write(&last, said).unwrap();
}

#[test]
fn no_byte_of_a_parquet_file_ends_the_program() {
    let plain = parquet(ParquetCompression::Uncompressed);
    overwritten(&[
        ("second.parquet", second_form(&plain)),
        ("plain.parquet", plain),
        ("snappy.parquet", parquet(ParquetCompression::Snappy)),
        ("zstd.parquet", parquet(ParquetCompression::Zstd(None))),
        ("lz4.parquet", parquet(ParquetCompression::Lz4Raw)),
    ]);
}

#[test]
#[expect(clippy::default_trait_access, reason = "the level has no name that is public here")]
fn no_byte_of_an_arrow_file_ends_the_program() {
    overwritten(&[
        ("plain.arrow", arrow(None)),
        ("lz4.arrow", arrow(Some(IpcCompression::LZ4))),
        ("zstd.arrow", arrow(Some(IpcCompression::ZSTD(Default::default())))),
    ]);
}

#[test]
fn a_header_that_asks_for_more_than_there_is_is_refused() {
    let plain = parquet(ParquetCompression::Uncompressed);
    let changed = |change: &dyn Fn(&mut FileMetaData)| {
        let mut footer = footer(&plain);
        change(&mut footer);
        let end = plain.len() - 8;
        let length = u32::from_le_bytes(plain[end..end + 4].try_into().unwrap()) as usize;
        rows(&with_footer(plain[..end - length].to_vec(), &footer), "parquet")
    };
    assert_eq!(changed(&|_| ()), Ok(8));
    let column = |footer: &mut FileMetaData, change: &dyn Fn(&mut polars_parquet_format::ColumnMetaData)| {
        change(footer.row_groups[0].columns[0].meta_data.as_mut().unwrap());
    };
    for (why, said) in [
        (
            "outside of the file",
            changed(&|held| column(held, &|chunk| chunk.total_compressed_size = i64::MAX)),
        ),
        // The decoder finds this one itself, while it looks at the footer.
        ("its decoder gave up", changed(&|held| column(held, &|chunk| chunk.total_compressed_size = -1))),
        (
            "outside of the file",
            changed(&|held| {
                column(held, &|chunk| {
                    (chunk.dictionary_page_offset, chunk.data_page_offset) = (None, 1 << 60);
                });
            }),
        ),
        (
            "more values than there are rows",
            changed(&|held| column(held, &|chunk| chunk.num_values = 1 << 60)),
        ),
        ("values is negative", changed(&|held| column(held, &|chunk| chunk.num_values = -1))),
        ("another number of rows", changed(&|held| held.num_rows = 1 << 60)),
        (
            "fewer pages than it says",
            changed(&|held| {
                held.num_rows = 1 << 60;
                held.row_groups[0].num_rows = 1 << 60;
                held.row_groups[0]
                    .columns
                    .iter_mut()
                    .for_each(|held| held.meta_data.as_mut().unwrap().num_values = 1 << 60);
            }),
        ),
    ] {
        let said = said.unwrap_err();
        assert!(said.contains(why), "{why}: {said}");
    }
    // Where a column has a dictionary, its part of the file begins with that: nothing reads where its other pages begin.
    assert_eq!(changed(&|held| column(held, &|chunk| chunk.data_page_offset = 1 << 60)), Ok(8));

    // A decoder of columns within columns calls itself for each.
    let mut deep = footer(&plain);
    let group = |name: String| SchemaElement {
        type_: None,
        type_length: None,
        repetition_type: Some(FieldRepetitionType::OPTIONAL),
        name,
        num_children: Some(1),
        converted_type: None,
        scale: None,
        precision: None,
        field_id: None,
        logical_type: None,
    };
    deep.schema = (0..200_000).map(|nth| group(nth.to_string())).collect();
    deep.schema.push(SchemaElement {
        type_: Some(Type::INT32),
        num_children: None,
        ..group("last".to_owned())
    });
    let said = rows(&with_footer(MARK.to_vec(), &deep), "parquet").unwrap_err();
    assert!(said.contains("nested more than 64 deep"), "{said}");
}
