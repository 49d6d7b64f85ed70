//! Files as they arrive: what they are by name, unpacked, decoded, and whole.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Cursor, Read};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Component, Path, PathBuf};
use std::time::SystemTime;

use encoding_rs::DecoderResult;
use hashbrown::{HashMap, HashSet};

use super::walk::Walk;
use crate::error::RecordsError;
use crate::limits;
use crate::records::options::{Encoding, ReadOptions};

/// What a file holds, by its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::records) enum Holds {
    Text,
    Workbook,
    Parquet,
    Arrow,
}

/// How a file is packed, by its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Packed {
    Not,
    Gzip,
    Zip,
    Zstd,
}

fn ending(name: &Path) -> String {
    name.extension().map(|ending| ending.to_string_lossy().to_ascii_lowercase()).unwrap_or_default()
}

fn holds(name: &Path) -> Option<Holds> {
    match ending(name).as_str() {
        "csv" | "txt" | "tsv" | "psv" => Some(Holds::Text),
        "xlsx" | "xlsm" | "xls" | "ods" => Some(Holds::Workbook),
        "parquet" => Some(Holds::Parquet),
        "arrow" | "ipc" | "feather" => Some(Holds::Arrow),
        _ => None,
    }
}

fn packed(name: &Path) -> Packed {
    match ending(name).as_str() {
        "gz" => Packed::Gzip,
        "zip" => Packed::Zip,
        "zst" => Packed::Zstd,
        _ => Packed::Not,
    }
}

/// A file, and what it was when it was opened.
pub(in crate::records) struct Opened<'a> {
    source: &'a str,
    path: &'a Path,
    stamp: (u64, Option<SystemTime>),
    /// What it holds; of a zip archive, what the one table in it is.
    pub(in crate::records) holds: Holds,
    packed: Packed,
}

impl<'a> Opened<'a> {
    /// Looks at a file's name and state.
    pub(in crate::records) fn new(source: &'a str, path: &'a Path) -> Result<Self, RecordsError> {
        let packed = packed(path);
        let inner = if packed == Packed::Not { path.to_owned() } else { path.with_extension("") };
        let held = match (packed, holds(&inner)) {
            (Packed::Not, None) => {
                return Err(RecordsError::Format { extract: source.to_owned(), path: path.to_owned() });
            }
            (_, held) => held.unwrap_or(Holds::Text),
        };
        let mut opened = Self { source, path, stamp: (0, None), holds: held, packed };
        opened.stamp = opened.state()?;
        if packed == Packed::Zip {
            // What is in an archive the name there says.
            opened.holds = holds(&opened.archived()?.0).unwrap_or(Holds::Text);
        }
        Ok(opened)
    }

    #[allow(clippy::needless_pass_by_value, reason = "so that an error can be handed over as it comes")]
    pub(in crate::records) fn failed(&self, why: impl ToString) -> RecordsError {
        RecordsError::Read {
            extract: self.source.to_owned(),
            path: self.path.to_owned(),
            why: why.to_string(),
        }
    }

    fn state(&self) -> Result<(u64, Option<SystemTime>), RecordsError> {
        let held = std::fs::metadata(self.path).map_err(|error| self.failed(error))?;
        // A pipe would be waited for without end.
        if !held.is_file() {
            return Err(self.failed("it is no file that holds anything, but a pipe, a device or a folder"));
        }
        Ok((held.len(), held.modified().ok()))
    }

    /// That nobody wrote to the file since it was opened: half an old and half a new extract is neither.
    pub(in crate::records) fn check_unchanged(&self) -> Result<(), RecordsError> {
        let gone = |_| RecordsError::Changed { extract: self.source.to_owned(), path: self.path.to_owned() };
        if self.state().map_err(gone)? == self.stamp { Ok(()) } else { Err(gone(self.failed(""))) }
    }

    /// What a decoder makes of the content. Decoders of other people panic on some damaged files; that ends the reading of
    /// this file, and not the program.
    pub(in crate::records) fn decoded<T, E: ToString>(
        &self,
        decode: impl FnOnce() -> Result<T, E>,
    ) -> Result<T, RecordsError> {
        match catch_unwind(AssertUnwindSafe(decode)) {
            Ok(decoded) => decoded.map_err(|error| self.failed(error.to_string())),
            Err(_) => Err(self.failed(
                "its decoder gave up; the file is damaged, or not what its name says: export it again",
            )),
        }
    }

    /// The whole content. A file that others can write to is not mapped into memory: cut short by them, it would end
    /// the program.
    pub(in crate::records) fn bytes(&self) -> Result<Vec<u8>, RecordsError> {
        let bytes = match self.packed {
            Packed::Zip => self.archived()?.1,
            Packed::Not => {
                let mut bytes = Vec::new();
                self.unpacked()?.read_to_end(&mut bytes).map_err(|error| self.failed(error))?;
                bytes
            }
            Packed::Gzip | Packed::Zstd => self.within(self.unpacked()?)?,
        };
        self.check_unchanged()?;
        Ok(bytes)
    }

    /// All that something packed holds, where that is no more than the file may unpack to. What it says of its own size is not
    /// asked: that can be wrong.
    fn within(&self, packed: impl Read) -> Result<Vec<u8>, RecordsError> {
        let most = limits::unpacked(self.stamp.0);
        let mut bytes = Vec::new();
        packed.take(most + 1).read_to_end(&mut bytes).map_err(|error| self.failed(error))?;
        if bytes.len() as u64 > most { Err(self.unpacks_to_more(most)) } else { Ok(bytes) }
    }

    fn unpacks_to_more(&self, most: u64) -> RecordsError {
        self.failed(format!(
            "it unpacks to more than the {most} bytes that a file of its size may; export it again, as plain text"
        ))
    }

    /// That what `bytes`, a zip archive, holds is no more than the file may unpack to. A decoder of workbooks unpacks into
    /// memory, so this is found out before, by unpacking into nothing.
    pub(in crate::records) fn check_unpacked(&self, bytes: &[u8]) -> Result<(), RecordsError> {
        let most = limits::unpacked(bytes.len() as u64);
        let mut archive = zip::ZipArchive::new(Cursor::new(bytes)).map_err(|error| self.failed(error))?;
        let mut left = most + 1;
        for nth in 0..archive.len() {
            let member = archive.by_index(nth).map_err(|error| self.failed(error))?;
            left -= io::copy(&mut member.take(left), &mut io::sink()).map_err(|error| self.failed(error))?;
            if left == 0 {
                return Err(self.unpacks_to_more(most));
            }
        }
        Ok(())
    }

    fn unpacked(&self) -> Result<Box<dyn Read>, RecordsError> {
        let file = File::open(self.path).map_err(|error| self.failed(error))?;
        Ok(match self.packed {
            Packed::Not => Box::new(file),
            Packed::Gzip => Box::new(flate2::read::MultiGzDecoder::new(BufReader::new(file))),
            Packed::Zstd => Box::new(zstd::Decoder::new(file).map_err(|error| self.failed(error))?),
            Packed::Zip => Box::new(Cursor::new(self.archived()?.1)),
        })
    }

    /// The one table of a zip archive: its name, and its content.
    fn archived(&self) -> Result<(PathBuf, Vec<u8>), RecordsError> {
        let file = File::open(self.path).map_err(|error| self.failed(error))?;
        let mut archive = zip::ZipArchive::new(BufReader::new(file)).map_err(|error| self.failed(error))?;
        let names: Vec<String> = archive
            .file_names()
            .filter_map(Result::ok)
            .filter(|name| !name.starts_with("__MACOSX/") && holds(Path::new(&**name)).is_some())
            .map(std::borrow::Cow::into_owned)
            .collect();
        let [name] = &names[..] else {
            return Err(self.failed(format!(
                "the archive holds {} tables; one is needed: unpack it, and name the file",
                names.len()
            )));
        };
        let member = archive.by_name(name).map_err(|error| self.failed(error))?;
        Ok((PathBuf::from(name), self.within(member)?))
    }

    /// The text, in UTF-8 or whatever 8-bit encoding it is in, and what it was in.
    pub(in crate::records) fn text(
        &self,
        options: &ReadOptions,
    ) -> Result<(Box<dyn BufRead>, &'static str), RecordsError> {
        let mut input = BufReader::with_capacity(1 << 20, self.unpacked()?);
        let start = input.fill_buf().map_err(|error| self.failed(error))?;
        let wide = match (options.encoding, start) {
            (Some(Encoding::Windows1252), _) => None,
            (_, [0xfe, 0xff, ..]) => Some(encoding_rs::UTF_16BE),
            (Some(Encoding::Utf16), _) | (_, [0xff, 0xfe, ..]) => Some(encoding_rs::UTF_16LE),
            // Without a mark: a letter of the header is a byte of it and a byte of nothing.
            (None, [letter, 0, ..]) if *letter != 0 => Some(encoding_rs::UTF_16LE),
            (None, [0, letter, ..]) if *letter != 0 => Some(encoding_rs::UTF_16BE),
            _ => None,
        };
        let Some(encoding) = wide else {
            let is_old = options.encoding == Some(Encoding::Windows1252);
            return Ok((Box::new(input), if is_old { "Windows-1252" } else { "UTF-8" }));
        };
        let decoded = Decoded { input, decoder: encoding.new_decoder_with_bom_removal(), is_over: false };
        Ok((Box::new(BufReader::with_capacity(1 << 20, decoded)), "UTF-16"))
    }
}

/// A text of another encoding, decoded as it is read: it is never in memory as a whole.
struct Decoded<R> {
    input: R,
    decoder: encoding_rs::Decoder,
    is_over: bool,
}

impl<R: BufRead> Read for Decoded<R> {
    /// `into` is never shorter than a letter: its only reader asks for a buffer at a time.
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        loop {
            if self.is_over {
                return Ok(0);
            }
            let held = self.input.fill_buf()?;
            let last = held.is_empty();
            let (result, read, written) = self.decoder.decode_to_utf8_without_replacement(held, into, last);
            self.input.consume(read);
            match result {
                DecoderResult::Malformed(..) => {
                    return Err(io::Error::other(
                        "it is not the UTF-16 text that it begins as; export it again, as UTF-8",
                    ));
                }
                DecoderResult::InputEmpty => self.is_over = last,
                DecoderResult::OutputFull => {}
            }
            if written > 0 {
                return Ok(written);
            }
        }
    }
}

/// A file of a source.
pub(in crate::records) struct Listed {
    /// The path that named it: the folder it was found below, or itself.
    pub(in crate::records) root: PathBuf,
    pub(in crate::records) path: PathBuf,
    /// The name that a reject shows.
    pub(in crate::records) name: String,
}

/// The files of one source: those that each path names, in the order of the paths. A file that two paths name would be
/// read twice, so that is refused.
pub(in crate::records) fn list(source: &str, paths: &[PathBuf]) -> Result<Vec<Listed>, RecordsError> {
    let mut listed: Vec<Listed> = Vec::new();
    let mut seen: HashSet<PathBuf> = HashSet::new();
    let mut names: HashMap<String, u32> = HashMap::new();
    for root in paths {
        for (path, name) in below_path(source, root)? {
            *names.entry(name.clone()).or_default() += 1;
            // One path names a file once; of several the same file may be named in two ways.
            if paths.len() > 1 && !seen.insert(path.canonicalize().unwrap_or_else(|_| path.clone())) {
                let why = format!("the file {name} is named twice in its `path`, and would be read twice");
                return Err(RecordsError::Mapping { extract: source.to_owned(), why });
            }
            listed.push(Listed { root: root.clone(), path, name });
        }
    }
    // Files of one name in several folders are told apart by the folder.
    for file in &mut listed {
        let folder = file.path.parent().and_then(Path::file_name);
        if names.get(&file.name).is_some_and(|&files| files > 1)
            && let Some(folder) = folder
        {
            file.name = format!("{}/{}", folder.to_string_lossy(), file.name);
        }
    }
    Ok(listed)
}

/// The files that one path names, in the order of their names: the path itself, all that a pattern in it finds, or the
/// Parquet files below a folder; each with the name that a reject shows.
fn below_path(source: &str, path: &Path) -> Result<Vec<(PathBuf, String)>, RecordsError> {
    let unreadable = |path: &Path, why: String| RecordsError::Read {
        extract: source.to_owned(),
        path: path.to_owned(),
        why,
    };
    let path = as_here(path);
    let name = |path: &Path| path.file_name().unwrap_or(path.as_os_str()).to_string_lossy().into_owned();
    if path.is_dir() {
        let mut found = Walk::files(&path).map_err(|error| unreadable(&path, error.to_string()))?;
        found.retain(|file| ending(file) == "parquet");
        if found.is_empty() {
            let why =
                "the folder holds no .parquet file; for other files give a pattern such as folder/*.csv";
            return Err(unreadable(&path, why.to_owned()));
        }
        found.sort();
        let named = |file: PathBuf| {
            let name = file.strip_prefix(&path).unwrap_or(&file).to_string_lossy().into_owned();
            (file, name)
        };
        return Ok(found.into_iter().map(named).collect());
    }
    let pattern = path.to_string_lossy();
    if path.exists() || !pattern.contains(['*', '?']) {
        return Ok(vec![(path.clone(), name(&path))]);
    }
    let mut files = matching(&pattern).map_err(|why| unreadable(&path, why))?;
    files.retain(|file| file.is_file());
    files.sort();
    if files.is_empty() {
        return Err(unreadable(&path, "no file has a name of this pattern".to_owned()));
    }
    Ok(files.into_iter().map(|file| (file.clone(), name(&file))).collect())
}

/// A path as it is written on Windows, where this is another system.
fn as_here(path: &Path) -> PathBuf {
    let written = path.to_string_lossy();
    if !path.exists() && std::path::MAIN_SEPARATOR == '/' && written.contains('\\') {
        return PathBuf::from(written.replace('\\', "/"));
    }
    path.to_owned()
}

/// What a pattern finds.
fn matching(pattern: &str) -> Result<Vec<PathBuf>, String> {
    if !pattern.contains("**") {
        let found = glob::glob(pattern).map_err(|error| error.to_string())?;
        return found.collect::<Result<_, _>>().map_err(|error| error.to_string());
    }
    // Through any number of folders the pattern's own search would follow links round in circles.
    let wanted = glob::Pattern::new(pattern).map_err(|error| error.to_string())?;
    let is_plain = |part: &Component<'_>| !part.as_os_str().to_string_lossy().contains(['*', '?']);
    let mut root: PathBuf = Path::new(pattern).components().take_while(is_plain).collect();
    if root.as_os_str().is_empty() {
        root.push(".");
    }
    if !root.is_dir() {
        return Ok(Vec::new());
    }
    let how = glob::MatchOptions { require_literal_separator: true, ..glob::MatchOptions::default() };
    let files = Walk::files(&root).map_err(|error| error.to_string())?.into_iter();
    let files = files.map(|file| file.strip_prefix(".").map(Path::to_path_buf).unwrap_or(file));
    Ok(files.filter(|file| wanted.matches_path_with(file, how)).collect())
}
