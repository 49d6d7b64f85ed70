//! Rows that other programs wrote: text, workbooks, Parquet and Arrow files, polars frames, and results of queries, each brought to
//! the same columns. Only [`Extract`](super::Extract) reads through here; without the feature `files` rows come from a program's own
//! structs alone.

pub(super) mod blocks;
mod compound;
pub(super) mod folders;
pub(super) mod frame;
mod gather;
pub(super) mod lines;
mod old_sheets;
pub(super) mod open;
pub(super) mod pages;
#[cfg(feature = "postgres")]
pub(super) mod queried;
mod text;
pub(super) mod walk;
pub(super) mod workbook;

use std::path::PathBuf;

use sha2::Sha256;

use self::open::{Holds, Listed, Opened};
use super::column::Batch;
use super::fingerprint::{add, digest_of};
use super::header::Name;
use super::options::ReadOptions;
use crate::error::RecordsError;

/// The files that paths name, each that is found by a pattern or in a folder; one that is not there as it is named.
pub(super) fn named(paths: &[PathBuf]) -> Vec<PathBuf> {
    let named = |path: &PathBuf| match open::list("", std::slice::from_ref(path)) {
        Ok(listed) => listed.into_iter().map(|file| file.path).collect(),
        Err(_) => vec![path.clone()],
    };
    paths.iter().flat_map(named).collect()
}

/// Is shown the names of files before any is read.
type ToldFiles<'t> = &'t mut dyn FnMut(&[String]) -> Result<(), RecordsError>;

/// Hands over the `wanted` columns of files in batches, each with the name of its file, which `files` is told; `told` is shown
/// their names before any is read. `ids`: the columns of people's ids.
pub(super) fn read(
    (source, paths): (&str, &[PathBuf]),
    (wanted, ids, options): (&[Name<'_>], &[String], &ReadOptions),
    (files, told): (&mut Vec<String>, ToldFiles<'_>),
    sink: &mut dyn FnMut(&str, Batch) -> Result<(), RecordsError>,
) -> Result<(), RecordsError> {
    let listed = open::list(source, paths)?;
    refuse_ids_in_folders(source, ids, &listed, options)?;
    told(&listed.iter().map(|file| file.name.clone()).collect::<Vec<_>>())?;
    for file in &listed {
        let number = files.len() as u32;
        files.push(file.name.clone());
        let numbered = &mut |mut batch: Batch| {
            batch.file = Some(number);
            sink(&file.name, batch)
        };
        let opened = Opened::new(source, &file.path)?;
        // Of several files an error has to say which.
        let label =
            if listed.len() > 1 { format!("{source}, file {}", file.name) } else { source.to_owned() };
        let label = label.as_str();
        let folders = folders::above(&file.root, &file.path, options);
        let at = (label, &opened);
        if opened.holds == Holds::Parquet {
            frame::read_parquet((label, &opened, &folders), wanted, options, numbered)?;
            continue;
        }
        folders::read((&folders, wanted), &|why| opened.failed(why), numbered, &|asked, sink| match opened
            .holds
        {
            Holds::Workbook => workbook::read(at, asked, options, sink),
            Holds::Arrow => frame::read_ipc(at, asked, options, sink),
            Holds::Text | Holds::Parquet => text::read(at, asked, options, sink),
        })?;
    }
    Ok(())
}

/// Adds all that the rows of files come from: names, contents and folders.
pub(super) fn fingerprint(
    (source, paths): (&str, &[PathBuf]),
    options: &ReadOptions,
    hash: &mut Sha256,
) -> Result<(), RecordsError> {
    for file in open::list(source, paths)? {
        let failed = |error: std::io::Error| RecordsError::Read {
            extract: source.to_owned(),
            path: file.path.clone(),
            why: error.to_string(),
        };
        add(hash, &file.name);
        for folder in folders::above(&file.root, &file.path, options) {
            add(hash, &folder.name);
            add(hash, &folder.value);
        }
        // A pipe would be waited for without end.
        if !std::fs::metadata(&file.path).map_err(failed)?.is_file() {
            return Err(failed(std::io::Error::other("it is no file that holds anything")));
        }
        let opened = std::fs::File::open(&file.path).map_err(failed)?;
        add(hash, &digest_of(&opened).map_err(failed)?);
    }
    Ok(())
}

/// Refuses people whose ids are names of folders: a reject and an error name the file that a row is in.
fn refuse_ids_in_folders(
    source: &str,
    ids: &[String],
    listed: &[Listed],
    options: &ReadOptions,
) -> Result<(), RecordsError> {
    let gives = |file: &Listed| {
        let folders = folders::above(&file.root, &file.path, options);
        let name = |column: &String| {
            let aliases = options.aliases.get(column).map_or(&[][..], Vec::as_slice);
            folders.iter().any(|folder| Name { column, aliases }.is(&folder.name))
        };
        ids.iter().all(name)
    };
    if ids.is_empty() || !listed.iter().any(gives) {
        return Ok(());
    }
    let why = "the ids of people are names of folders, which messages and pages tell; put them into a column of the files";
    Err(RecordsError::Mapping { extract: source.to_owned(), why: why.to_owned() })
}
