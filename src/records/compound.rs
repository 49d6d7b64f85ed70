//! The container of an `.xls`: sectors that name the sector behind them. calamine follows these chains to their end, so one
//! that leads back into itself would be followed for ever, and fill the memory.

/// Whether no chain of a container leads back into itself. Of what is no such container, or cut off, nothing is said: calamine
/// refuses that itself.
pub(super) fn chains_end(bytes: &[u8]) -> bool {
    chains(bytes).is_none_or(|chains| chains.iter().all(|chain| ends(chain)))
}

/// The first number that names no sector: ends of chains, free sectors and the like are above.
const NO_SECTOR: u32 = 0xffff_fffa;
/// Places of sectors of the table that the header itself holds.
const IN_HEADER: std::ops::Range<usize> = 76..512;

/// The two tables of chains: of sectors, and of the small ones.
fn chains(bytes: &[u8]) -> Option<[Vec<u32>; 2]> {
    bytes.starts_with(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1").then_some(())?;
    let size = match bytes.get(30..32)? {
        [9, 0] => 512,
        [12, 0] => 4096,
        _ => return None,
    };
    let word = |at: usize| Some(u32::from_le_bytes(bytes.get(at..at + 4)?.try_into().ok()?));
    let sector = |id: u32| {
        let start = (id as usize + 1).checked_mul(size)?;
        bytes.get(start..(start + size).min(bytes.len()))
    };
    let most = bytes.len() / size + 1;
    let mut table: Vec<u32> = words(bytes.get(IN_HEADER)?).collect();
    let mut more = word(68)?;
    for _ in 0..most {
        let Some(held) = (more < NO_SECTOR).then(|| sector(more)).flatten() else { break };
        table.extend(words(held));
        more = table.pop()?;
    }
    let all = table.into_iter().filter(|id| *id < NO_SECTOR).take(most);
    let sectors: Vec<u32> = all.filter_map(sector).flat_map(words).collect();
    let (mut small, mut next) = (Vec::new(), word(60)?);
    for _ in 0..most {
        let Some(held) = (next < NO_SECTOR).then(|| sector(next)).flatten() else { break };
        small.extend(words(held));
        next = sectors.get(next as usize).copied()?;
    }
    Some([sectors, small])
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

    const OLD: &[u8] = include_bytes!("../../tests/fixtures/twins/old.xls");

    #[test]
    fn a_chain_that_leads_back_is_told_from_one_that_ends() {
        const END: u32 = 0xffff_fffe;
        assert!(ends(&[1, 2, END]) && ends(&[]) && ends(&[2, 2, END]) && ends(&[7]));
        assert!(!ends(&[0]) && !ends(&[1, 0]) && !ends(&[END, 2, 3, 1]));
    }

    #[test]
    fn a_real_workbook_ends_and_one_whose_directory_follows_itself_does_not() {
        assert!(chains_end(OLD) && chains_end(b"no container") && chains_end(&OLD[..40]));
        let [sectors, _] = chains(OLD).unwrap();
        assert!(sectors.len() >= OLD.len() / 512 - 1);
        // The first sector of the table of chains, and in it the place of the directory.
        let at = |place: usize| u32::from_le_bytes(OLD[place..place + 4].try_into().unwrap()) as usize;
        let (table, directory) = (at(76), at(48));
        let place = (table + 1) * 512 + 4 * directory;
        let mut looped = OLD.to_vec();
        looped[place..place + 4].copy_from_slice(&(directory as u32).to_le_bytes());
        assert!(!chains_end(&looped));
    }
}
