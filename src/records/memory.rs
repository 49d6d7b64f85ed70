//! How much memory a run may take: as it is asked to, and as the system lets it.

use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use crate::error::RecordsError;

/// How much memory a run may take, and the folder in which tables of events wait that do not fit.
///
/// Sources are then read one after the other, and those that do not find room are put away as files that have no name, are
/// their owner's alone, and are gone when the run ends, however it ends. Nothing that comes out depends on it. What a run
/// holds besides (people, households, features and labels) has to fit, and so has each source by itself while its records are
/// sorted.
///
/// # Examples
/// ```
/// use earlyhelp::records::MemoryLimit;
///
/// let limit = MemoryLimit::new("2GB".parse()?, std::env::temp_dir());
/// assert_eq!((limit.bytes(), limit.to_string()), (2_000_000_000, "2 GB".to_owned()));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MemoryLimit {
    size: MemorySize,
    folder: PathBuf,
}

/// A size of memory in bytes; as text a number with `MB`, `GB` or `TB` (of a thousand each), or `MiB`, `GiB` or `TiB` (of 1,024).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct MemorySize(u64);

const UNITS: [(&str, u64); 6] = [
    ("mib", 1 << 20),
    ("gib", 1 << 30),
    ("tib", 1 << 40),
    ("mb", 1_000_000),
    ("gb", 1_000_000_000),
    ("tb", 1_000_000_000_000),
];

impl MemorySize {
    /// So many bytes.
    pub const fn bytes(bytes: u64) -> Self {
        Self(bytes)
    }
}

impl FromStr for MemorySize {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || "write a number and its unit: 500MB, 2GB or 2GiB".to_owned();
        let text = text.trim().to_ascii_lowercase();
        let (number, unit) = UNITS
            .iter()
            .find_map(|(name, unit)| Some((text.strip_suffix(name)?, *unit)))
            .ok_or_else(wrong)?;
        let number: f64 = number.trim().parse().map_err(|_| wrong())?;
        let bytes = number * unit as f64;
        if bytes.is_finite() && (1e6..1e18).contains(&bytes) { Ok(Self(bytes as u64)) } else { Err(wrong()) }
    }
}

impl fmt::Display for MemorySize {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let bytes = self.0 as f64;
        if self.0 < 1_000_000 {
            write!(f, "{:.0} kB", bytes / 1e3)
        } else if self.0 < 10_000_000 {
            write!(f, "{:.1} MB", bytes / 1e6)
        } else if self.0 < 1_000_000_000 {
            write!(f, "{:.0} MB", bytes / 1e6)
        } else {
            let text = format!("{:.1}", bytes / 1e9);
            write!(f, "{} GB", text.strip_suffix(".0").unwrap_or(&text))
        }
    }
}

impl fmt::Display for MemoryLimit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.size.fmt(f)
    }
}

impl MemoryLimit {
    /// So much memory, and a folder for what waits. On many systems `/tmp` is memory itself: then it is the wrong folder.
    pub fn new(size: MemorySize, folder: impl Into<PathBuf>) -> Self {
        Self { size, folder: folder.into() }
    }

    /// How many bytes.
    pub fn bytes(&self) -> u64 {
        self.size.0
    }

    /// The folder in which tables wait.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// How many bytes of events may stay at hand, and how many more of those that were fetched: a fifth each. The rest is for
    /// one table while it is read and sorted, or fetched beside these.
    pub(super) fn room(&self) -> u64 {
        self.size.0 / 5
    }
}

/// Address space that is left for other threads and for decoders, whose buffers nobody counts here.
const RESERVE: u64 = 96 << 20;

/// Looks out for the end of the memory, so that a run ends with an error that says what to do; a system that has none left
/// ends it without a word.
pub(super) struct Guard {
    asked: Option<u64>,
    /// What the process may map at most (`ulimit -v`).
    address_space: Option<u64>,
    /// What its control group may hold, or the whole machine has.
    held: Option<u64>,
}

impl Guard {
    pub(super) fn new(asked: Option<&MemoryLimit>) -> Self {
        let of_groups = ["/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes"];
        let own_group = read("/proc/self/cgroup").and_then(|text| {
            let path = text.lines().find_map(|line| line.strip_prefix("0::"))?.to_owned();
            number(&read(&format!("/sys/fs/cgroup{path}/memory.max"))?)
        });
        let groups = of_groups.iter().filter_map(|path| number(&read(path)?)).chain(own_group);
        let machine = read("/proc/meminfo").and_then(|text| kilobytes(&text, "MemTotal:"));
        Self {
            asked: asked.map(MemoryLimit::bytes),
            address_space: read("/proc/self/limits").and_then(|text| {
                let line = text.lines().find_map(|line| line.strip_prefix("Max address space"))?;
                line.split_whitespace().next()?.parse().ok()
            }),
            held: groups.chain(machine).min(),
        }
    }

    /// Refuses to go on where `more` bytes would not fit. `own` bytes are what the reading of records holds by its own count,
    /// which is held against what was asked for: what the system counts has freed memory in it.
    pub(super) fn check(&self, source: &str, own: u64, more: u64) -> Result<(), RecordsError> {
        let status = || read("/proc/self/status");
        let over = |limit: Option<u64>, used: Option<u64>, what: &'static str| {
            let (limit, used) = limit.zip(used)?;
            (used.saturating_add(more) > limit).then(|| (used + more, limit, what))
        };
        let asked = over(self.asked, Some(own), "is all that was asked for");
        let system = || {
            let text = status()?;
            let mapped = kilobytes(&text, "VmSize:").map(|used| used + RESERVE);
            let mapped = over(self.address_space, mapped, "is all that its address space may be");
            mapped.or_else(|| over(self.held, kilobytes(&text, "VmRSS:"), "is all that this system gives it"))
        };
        let Some((needed, limit, what)) = asked.or_else(system) else { return Ok(()) };
        Err(RecordsError::Memory {
            extract: source.to_owned(),
            needed: MemorySize(needed).to_string(),
            limit: MemorySize(limit).to_string(),
            what,
            advice: if cfg!(not(feature = "files")) {
                "give it more, or read fewer rows"
            } else if self.asked.is_some() {
                "give it more, or split the source into several; with a list of people sources are read one after the other"
            } else {
                "limit the memory of records (`--memory` with somewhat less than there is), so that what does not fit waits on \
                 disk, or give it more"
            },
        })
    }
}

fn read(path: &str) -> Option<String> {
    std::fs::read_to_string(path).ok()
}

/// A number alone; `max` is none.
fn number(text: &str) -> Option<u64> {
    text.trim().parse().ok()
}

/// The entry of this name, in bytes.
fn kilobytes(text: &str, name: &str) -> Option<u64> {
    let line = text.lines().find_map(|line| line.strip_prefix(name))?;
    Some(line.split_whitespace().next()?.parse::<u64>().ok()? * 1024)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_read_and_written() {
        let read = |text: &str| text.parse::<MemorySize>().map(|size| size.0);
        assert_eq!(read("2GB"), Ok(2_000_000_000));
        assert_eq!(read(" 1.5 gb "), Ok(1_500_000_000));
        assert_eq!(read("512MiB"), Ok(512 << 20));
        for wrong in ["", "2", "GB", "-1GB", "nanGB", "1e30GB", "0MB", "2 kB"] {
            assert!(read(wrong).is_err(), "{wrong}");
        }
        assert_eq!(MemorySize(1_500_000_000).to_string(), "1.5 GB");
        assert_eq!(MemorySize(12_345_678).to_string(), "12 MB");
    }

    #[test]
    fn what_would_not_fit_is_refused() {
        let guard = Guard { asked: Some(1_000_000), address_space: None, held: None };
        assert_eq!(guard.check("calls", 400_000, 600_000), Ok(()));
        let error = guard.check("calls", 400_000, 600_001).unwrap_err().to_string();
        assert!(error.starts_with("source calls: ") && error.contains("1.0 MB"), "{error}");
        let guard = Guard { asked: None, address_space: None, held: None };
        assert_eq!(guard.check("calls", u64::MAX, u64::MAX), Ok(()));
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn the_system_is_asked() {
        let guard = Guard::new(None);
        assert!(guard.held.is_some_and(|bytes| bytes > 1 << 20));
        let tight = Guard { asked: None, address_space: Some(1 << 20), held: None };
        assert!(tight.check("calls", 0, 0).unwrap_err().to_string().contains("--memory"));
        let tight = Guard { asked: None, address_space: None, held: Some(1 << 10) };
        assert!(tight.check("calls", 0, 0).is_err());
    }
}
