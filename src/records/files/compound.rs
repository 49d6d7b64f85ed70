//! The container of an `.xls`: sectors that name the sector behind them. calamine follows these chains to their end, so one
//! that leads back into itself would be followed for ever, and fill the memory.
//!
//! The form is that of \[MS-CFB\], *Compound File Binary File Format*.

/// The first number that names no sector: ends of chains, free sectors and the like are above.
const NO_SECTOR: u32 = 0xffff_fffa;
/// Places of sectors of the table that the header itself holds.
const IN_HEADER: std::ops::Range<usize> = 76..512;
/// Bytes of an entry of the directory.
const ENTRY: usize = 128;
/// Streams shorter than this lie in small sectors, which are parts of a stream of their own.
const SHORT: usize = 4096;
/// Bytes of a small sector.
const SMALL: usize = 64;

/// A container.
pub(in crate::records) struct Compound<'a> {
    bytes: &'a [u8],
    /// Bytes of a sector.
    size: usize,
    /// For each sector the one behind it.
    sectors: Vec<u32>,
    /// For each small sector the one behind it.
    small: Vec<u32>,
}

impl<'a> Compound<'a> {
    /// `None` for what is no container, or cut off: calamine refuses that itself.
    pub(in crate::records) fn of(bytes: &'a [u8]) -> Option<Self> {
        bytes.starts_with(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1").then_some(())?;
        let size = match bytes.get(30..32)? {
            [9, 0] => 512,
            [12, 0] => 4096,
            _ => return None,
        };
        let mut compound = Self { bytes, size, sectors: Vec::new(), small: Vec::new() };
        let most = bytes.len() / size + 1;
        let mut table: Vec<u32> = words(bytes.get(IN_HEADER)?).collect();
        let mut more = compound.word(68)?;
        for _ in 0..most {
            let Some(held) = compound.sector(more) else { break };
            table.extend(words(held));
            more = table.pop()?;
        }
        // Free places may stand between those that name a sector.
        let all = table.into_iter().filter(|id| *id < NO_SECTOR).take(most);
        let all = all.filter_map(|id| compound.sector(id));
        compound.sectors = all.flat_map(words).collect();
        let mut next = compound.word(60)?;
        for _ in 0..most {
            let Some(held) = compound.sector(next) else { break };
            compound.small.extend(words(held));
            next = compound.sectors.get(next as usize).copied()?;
        }
        Some(compound)
    }

    /// Whether no chain leads back into itself.
    pub(in crate::records) fn chains_end(&self) -> bool {
        ends(&self.sectors) && ends(&self.small)
    }

    /// The streams of this name, in capitals or not. Chains have to end.
    pub(in crate::records) fn streams(&self, name: &str) -> Vec<Vec<u8>> {
        let Some(directory) = self.word(48).map(|start| self.chain(start, usize::MAX)) else {
            return Vec::new();
        };
        let named = |entry: &&[u8]| {
            let letters = entry[..64].chunks_exact(2).map(|pair| u16::from_le_bytes([pair[0], pair[1]]));
            let held: Vec<u16> = letters.take_while(|&letter| letter != 0).collect();
            String::from_utf16_lossy(&held).eq_ignore_ascii_case(name)
        };
        // Where its chain begins, and how long it is: of two words where sectors are large.
        let place = |entry: &[u8]| {
            let words: Vec<u32> = words(&entry[116..128]).collect();
            let more = if self.size == 512 { 0 } else { u64::from(words[2]) << 32 };
            (words[0], usize::try_from(u64::from(words[1]) | more).unwrap_or(usize::MAX))
        };
        let root = directory.get(..ENTRY).map(place);
        let stream = |entry: &[u8]| match place(entry) {
            (start, length) if length < SHORT => {
                let held = root.map(|(start, length)| self.chain(start, length)).unwrap_or_default();
                follow(start, &self.small, length, |id| held.chunks(SMALL).nth(id as usize))
            }
            (start, length) => self.chain(start, length),
        };
        directory.chunks_exact(ENTRY).filter(named).map(stream).collect()
    }

    fn chain(&self, start: u32, length: usize) -> Vec<u8> {
        follow(start, &self.sectors, length, |id| self.sector(id))
    }

    fn word(&self, at: usize) -> Option<u32> {
        words(self.bytes.get(at..at + 4)?).next()
    }

    fn sector(&self, id: u32) -> Option<&'a [u8]> {
        let start = ((id < NO_SECTOR).then_some(id)? as usize + 1).checked_mul(self.size)?;
        self.bytes.get(start..(start + self.size).min(self.bytes.len()))
    }
}

/// What a chain holds, up to so many bytes or to where it breaks off.
fn follow<'s>(start: u32, chain: &[u32], length: usize, sector: impl Fn(u32) -> Option<&'s [u8]>) -> Vec<u8> {
    let (mut held, mut next) = (Vec::new(), Some(start));
    while let Some(part) = next.filter(|_| held.len() < length).and_then(&sector) {
        held.extend_from_slice(part);
        next = next.and_then(|id| chain.get(id as usize).copied());
    }
    held.truncate(length);
    held
}

fn words(bytes: &[u8]) -> impl Iterator<Item = u32> {
    bytes.chunks_exact(4).map(|word| u32::from_le_bytes([word[0], word[1], word[2], word[3]]))
}

/// Whether every walk along a table comes to an end: each place is walked over once.
fn ends(chain: &[u32]) -> bool {
    // The walk on which a place was met; 0 for none yet.
    let mut met = vec![0_usize; chain.len()];
    for start in 0..chain.len() {
        let (walk, mut at) = (start + 1, start);
        while at < chain.len() && met[at] == 0 {
            met[at] = walk;
            at = chain[at] as usize;
        }
        if met.get(at) == Some(&walk) {
            return false;
        }
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    const OLD: &[u8] = include_bytes!("../../../tests/fixtures/twins/old.xls");

    #[test]
    fn a_chain_that_leads_back_is_told_from_one_that_ends() {
        const END: u32 = 0xffff_fffe;
        assert!(ends(&[1, 2, END]) && ends(&[]) && ends(&[2, 2, END]) && ends(&[7]));
        assert!(!ends(&[0]) && !ends(&[1, 0]) && !ends(&[END, 2, 3, 1]));
    }

    #[test]
    fn a_real_workbook_ends_and_one_whose_directory_follows_itself_does_not() {
        assert!(Compound::of(b"no container").is_none() && Compound::of(&OLD[..40]).is_none());
        let whole = Compound::of(OLD).unwrap();
        assert!(whole.chains_end() && whole.sectors.len() >= OLD.len() / 512 - 1);
        // The stream begins with the beginning of a workbook.
        let streams = whole.streams("WORKBOOK");
        assert_eq!(streams.len(), 1);
        assert_eq!(streams[0][..2], [0x09, 0x08]);
        assert!(whole.streams("Letter").is_empty());
        // The first sector of the table of chains, and in it the place of the directory.
        let at = |place: usize| u32::from_le_bytes(OLD[place..place + 4].try_into().unwrap()) as usize;
        let (table, directory) = (at(76), at(48));
        let place = (table + 1) * 512 + 4 * directory;
        let mut looped = OLD.to_vec();
        looped[place..place + 4].copy_from_slice(&(directory as u32).to_le_bytes());
        assert!(!Compound::of(&looped).unwrap().chains_end());
        // The same where the table of chains is named behind free places.
        let mut behind = looped.clone();
        behind[76..80].fill(0xff);
        behind[508..512].copy_from_slice(&(table as u32).to_le_bytes());
        assert!(!Compound::of(&behind).unwrap().chains_end());
    }
}
