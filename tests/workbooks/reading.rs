//! Reading a workbook back, by a reader that is not its writer.

use std::io::{Cursor, Read};

use calamine::{Data, Range, Reader, Xlsx};
use serde_json::Value;

/// The text of which a cell is the writing.
pub fn undone(cell: &str) -> String {
    let mut rest = cell;
    let mut text = String::new();
    while let Some(at) = rest.find("\\u{") {
        let (before, behind) = rest.split_at(at);
        let (digits, after) = behind[3..].split_once('}').unwrap();
        text.push_str(before);
        text.push(char::from_u32(u32::from_str_radix(digits, 16).unwrap()).unwrap());
        rest = after;
    }
    text + rest
}

pub fn book(bytes: &[u8]) -> Xlsx<Cursor<Vec<u8>>> {
    calamine::open_workbook_from_rs(Cursor::new(bytes.to_vec())).unwrap()
}

/// A sheet by its headings.
pub struct Sheet {
    pub head: Vec<String>,
    pub rows: Vec<Vec<Data>>,
}

impl Sheet {
    pub fn of(bytes: &[u8], name: &str) -> Self {
        let range: Range<Data> = book(bytes).worksheet_range(name).unwrap();
        let mut rows = range.rows().map(<[Data]>::to_vec);
        let head = rows.next().unwrap().iter().map(ToString::to_string).collect();
        Self { head, rows: rows.collect() }
    }

    pub fn column(&self, heading: &str) -> impl Iterator<Item = &Data> {
        let at = self.head.iter().position(|held| held == heading);
        let at = at.unwrap_or_else(|| panic!("no {heading} in {:?}", self.head));
        self.rows.iter().map(move |row| &row[at])
    }

    pub fn numbers(&self, heading: &str) -> Vec<Option<u64>> {
        let number = |cell: &Data| match cell {
            Data::Float(number) => Some(number.to_bits()),
            Data::Int(number) => Some((*number as f64).to_bits()),
            _ => None,
        };
        self.column(heading).map(number).collect()
    }

    pub fn texts(&self, heading: &str) -> Vec<String> {
        self.column(heading).map(ToString::to_string).collect()
    }
}

/// A number of a JSON, to the bit.
pub fn bits(value: &Value) -> Option<u64> {
    value.as_f64().map(f64::to_bits)
}

/// The parts of a workbook, by name.
pub fn parts(bytes: &[u8]) -> Vec<(String, String)> {
    let mut archive = zip::ZipArchive::new(Cursor::new(bytes)).unwrap();
    (0..archive.len())
        .map(|nth| {
            let mut part = archive.by_index(nth).unwrap();
            let time = part.last_modified().unwrap();
            assert_eq!((time.year(), time.month(), time.day()), (1980, 1, 1), "a part says when it was made");
            let mut text = String::new();
            part.read_to_string(&mut text).unwrap();
            (part.name().unwrap().into_owned(), text)
        })
        .collect()
}

/// Nothing in it runs, leads elsewhere or is hidden.
pub fn is_inert(bytes: &[u8]) {
    let mut held = book(bytes);
    let mut texts = 0;
    for name in held.sheet_names() {
        assert!(held.worksheet_formula(&name).unwrap().is_empty(), "a formula on {name}");
        for cell in held.worksheet_range(&name).unwrap().rows().flatten() {
            if let Data::String(text) = cell {
                texts += 1;
                let unseen = |c: char| {
                    c.is_control() || matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}')
                };
                assert!(!text.chars().any(unseen), "{text:?}");
            }
        }
    }
    assert!(texts > 10, "{texts} texts");
    for (name, text) in parts(bytes) {
        for leads in ["<f>", "<f ", "<hyperlink", "<dde", "<externalReference", "TargetMode=\"External\""] {
            assert!(!text.contains(leads), "{leads} in {name}");
        }
        let known =
            ["[Content", "_rels/", "docProps/", "xl/workbook", "xl/worksheets/", "xl/styles", "xl/theme/"];
        let known = known.iter().chain(&["xl/sharedStrings", "xl/_rels/"]);
        assert!(known.into_iter().any(|start| name.starts_with(start)), "{name}");
    }
}
