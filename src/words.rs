//! Numbers, dates and rates as people write them.

use crate::calendar::Day;
use crate::features::Cell;
use crate::stats::Estimate;

const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];

/// Whether nothing of a text can be seen: blanks, controls, and what Unicode leaves out where it cannot be shown
/// (`Default_Ignorable_Code_Point`), with the Braille pattern and the fillers that are drawn as blanks. A name of zero-width
/// spaces names nobody.
pub(crate) fn is_blank(text: &str) -> bool {
    text.chars().all(|c| {
        c.is_whitespace()
            || c.is_control()
            || matches!(c,
                '\u{AD}' | '\u{34F}' | '\u{61C}' | '\u{115F}' | '\u{1160}' | '\u{17B4}' | '\u{17B5}'
                | '\u{180B}'..='\u{180F}' | '\u{200B}'..='\u{200F}' | '\u{202A}'..='\u{202E}'
                | '\u{2060}'..='\u{206F}' | '\u{2800}' | '\u{3164}' | '\u{FE00}'..='\u{FE0F}' | '\u{FEFF}'
                | '\u{FFA0}' | '\u{FFF0}'..='\u{FFF8}' | '\u{1BCA0}'..='\u{1BCA3}' | '\u{1D173}'..='\u{1D17A}'
                | '\u{E0000}'..='\u{E0FFF}')
    })
}

/// `3 March 2025`.
pub(crate) fn date(day: Day) -> String {
    let (year, month, of_month) = day.ymd();
    let name = usize::try_from(month - 1).ok().and_then(|place| MONTHS.get(place)).copied();
    format!("{of_month} {} {year}", name.unwrap_or_default())
}

/// `3 Mar 25`, where there is little room.
pub(crate) fn short_date(day: Day) -> String {
    let (year, month, of_month) = day.ymd();
    let name =
        usize::try_from(month - 1).ok().and_then(|place| MONTHS.get(place)).copied().unwrap_or_default();
    format!("{of_month} {} {:02}", &name[..name.len().min(3)], year % 100)
}

/// `3 March 2025`, or that nobody said.
pub(crate) fn date_if_stated(day: Option<Day>) -> String {
    day.map_or_else(|| "not stated".to_owned(), date)
}

/// `1,204`.
pub(crate) fn count(number: u64) -> String {
    grouped(&number.to_string())
}

/// `1 case`, `1,204 cases`.
pub(crate) fn counted(number: usize, one: &str, many: &str) -> String {
    format!("{} {}", count(number as u64), if number == 1 { one } else { many })
}

/// `1234567` as `1,234,567`.
fn grouped(digits: &str) -> String {
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// Points to two decimals with a sign: `+0.82`, `−0.31`, `0.00`. The minus is a real one, which a
/// screen reader speaks and a hyphen may not be.
pub(crate) fn points(points: f64) -> String {
    let text = format!("{:.2}", points.abs());
    match rounds_to(points) {
        Move::Up => format!("+{text}"),
        Move::Down => format!("−{text}"),
        Move::None => text,
    }
}

/// Which way points move a score, once rounded to what is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Move {
    Up,
    Down,
    None,
}

/// The direction of points as they are shown: what is shown as 0.00 moves nothing.
pub(crate) fn rounds_to(points: f64) -> Move {
    if points >= 0.005 {
        Move::Up
    } else if points <= -0.005 {
        Move::Down
    } else {
        Move::None
    }
}

/// A feature's value in words: `2 records`, `38%`, `yes`, `no value`, `not covered`.
pub(crate) fn value(cell: Cell, unit: &str) -> String {
    match (cell, unit) {
        (Cell::Missing, _) => "no value".to_owned(),
        (Cell::NotCovered, _) => "not covered".to_owned(),
        (Cell::Value(value), "yes or no") => (if value > 0.0 { "yes" } else { "no" }).to_owned(),
        (Cell::Value(value), "value") => number(value),
        (Cell::Value(value), unit) => with_unit(&number(value), (value - 1.0).abs() < 0.005, unit),
    }
}

/// The same with no more digits than say something.
pub(crate) fn sensible(cell: Cell, unit: &str) -> String {
    match cell {
        Cell::Value(number) => value(Cell::Value(sensibly(number)), unit),
        absent => value(absent, unit),
    }
}

/// A number with no more digits than say something.
pub(crate) fn rounded(value: f32) -> String {
    number(sensibly(value))
}

/// Whole from 20, with one decimal from 2, with two below.
fn sensibly(number: f32) -> f32 {
    let to = |factor: f32| (number * factor).round() / factor;
    match number.abs() {
        size if size >= 20.0 => to(1.0),
        size if size >= 2.0 => to(10.0),
        _ => to(100.0),
    }
}

/// `2 records`, `38% of sessions`.
pub(crate) fn with_unit(number: &str, is_one: bool, unit: &str) -> String {
    let space = if unit.starts_with('%') { "" } else { " " };
    format!("{number}{space}{}", unit_of(is_one, unit))
}

/// At most two decimals, no needless zeros, thousands apart.
fn number(value: f32) -> String {
    let text = format!("{:.2}", value.abs());
    let text = text.trim_end_matches('0').trim_end_matches('.');
    let (whole, decimals) = text.split_once('.').unwrap_or((text, ""));
    let sign = if value < 0.0 && text != "0" { "−" } else { "" };
    let point = if decimals.is_empty() { "" } else { "." };
    format!("{sign}{}{point}{decimals}", grouped(whole))
}

/// The unit, in the singular for one. A unit that the project named itself is left as it is.
fn unit_of(is_one: bool, unit: &str) -> &str {
    match unit {
        "records" | "kinds" | "days" | "years" | "different values" | "incidents" | "moves" if is_one => {
            &unit[..unit.len() - 1]
        }
        "people" if is_one => "person",
        _ => unit,
    }
}

/// Abbreviations of children's services, which are written in capitals and explained in the glossary.
const ABBREVIATIONS: [&str; 4] = ["cin", "cp", "fsm", "sen"];

/// A name that a project chose, in plain words: `cp_plan` as `CP plan`.
pub(crate) fn plain(name: &str) -> String {
    let word = |word: &str| {
        if ABBREVIATIONS.contains(&word) { word.to_uppercase() } else { word.to_owned() }
    };
    name.split(['_', ' ']).map(word).collect::<Vec<_>>().join(" ")
}

/// With a capital first letter.
pub(crate) fn capitalised(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

/// With a full stop at its end, and with a capital letter at its beginning.
pub(crate) fn sentence(text: &str) -> String {
    let text = capitalised(text.trim());
    let ended = text.ends_with(['.', '!', '?']);
    if ended || text.is_empty() { text } else { format!("{text}.") }
}

/// `a`, `a and b`, `a, b and c`.
pub(crate) fn listed<S: AsRef<str>>(items: &[S]) -> String {
    match items {
        [] => String::new(),
        [only] => only.as_ref().to_owned(),
        [most @ .., last] => {
            let most: Vec<&str> = most.iter().map(AsRef::as_ref).collect();
            format!("{} and {}", most.join(", "), last.as_ref())
        }
    }
}

/// A share that is known to within a tenth.
pub(crate) fn about(share: f64) -> String {
    if share < 0.1 { "under a tenth".to_owned() } else { format!("about {:.0}%", 100.0 * share) }
}

/// A share of people: `12%`, `0.4%`.
pub(crate) fn percent(share: f64) -> String {
    let hundredths = 100.0 * share;
    if share == 0.0 {
        "none".to_owned()
    } else if hundredths < 0.1 {
        "under 0.1%".to_owned()
    } else if hundredths < 9.95 {
        format!("{hundredths:.1}%")
    } else {
        format!("{hundredths:.0}%")
    }
}

/// The number of cases that rates are told out of, one for a whole page: rates told "of 100" and "of
/// 1,000" side by side are misread.
///
/// # References
/// Gigerenzer, Gaissmaier, Kurz-Milcke, Schwartz and Woloshin, *Helping doctors and patients make sense
/// of health statistics*, Psychological Science in the Public Interest 8(2), 2007: natural frequencies
/// with one common denominator.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct OutOf(u32);

impl OutOf {
    /// The smallest of 100, 1,000 and 10,000 in which every rate above zero makes at least 2 cases:
    /// then rounding to whole cases changes no rate by more than a quarter.
    pub(crate) fn fitting(rates: impl Iterator<Item = f64>) -> Self {
        let least = rates.filter(|rate| *rate > 0.0).fold(1.0, f64::min);
        let fits = [100, 1_000].into_iter().find(|&of| least * f64::from(of) >= 2.0);
        Self(fits.unwrap_or(10_000))
    }

    /// `about 14 of 100`.
    pub(crate) fn rate(self, estimate: &Estimate) -> String {
        let of = count(u64::from(self.0));
        let cases = self.cases(estimate.value);
        if !estimate.value.is_finite() {
            "not measured".to_owned()
        } else if cases == 0 && estimate.value > 0.0 {
            format!("fewer than 1 of {of}")
        } else if cases == 0 {
            "none".to_owned()
        } else {
            format!("about {} of {of}", count(cases))
        }
    }

    /// `11 to 17`.
    pub(crate) fn interval(self, estimate: &Estimate) -> String {
        let (low, high) = (estimate.interval.low, estimate.interval.high);
        if low.is_finite() && high.is_finite() {
            format!("{} to {}", count(self.cases(low)), count(self.cases(high)))
        } else {
            "not known".to_owned()
        }
    }

    fn cases(self, rate: f64) -> u64 {
        (rate * f64::from(self.0)).round() as u64
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stats::Interval;

    fn estimate(value: f64, low: f64, high: f64) -> Estimate {
        Estimate { value, interval: Interval { low, high }, n: 400 }
    }

    #[test]
    fn what_cannot_be_seen_is_blank() {
        for blank in ["", " \t\n", "\u{200B}\u{FEFF}", "\u{3164}", "\u{2800} \u{AD}", "\u{E0041}\u{0}"] {
            assert!(is_blank(blank), "{blank:?}");
        }
        for seen in ["x", " .", "\u{200B}é", "漢", "\u{301}"] {
            assert!(!is_blank(seen), "{seen:?}");
        }
    }

    #[test]
    fn dates_and_counts_read_as_people_write_them() {
        assert_eq!(date("2025-03-03".parse().unwrap()), "3 March 2025");
        assert_eq!(date("2024-12-31".parse().unwrap()), "31 December 2024");
        assert_eq!(short_date("2005-09-30".parse().unwrap()), "30 Sep 05");
        assert_eq!(date_if_stated(None), "not stated");
        let counts = [0, 12, 123, 1_234, 123_456, 1_234_567].map(count);
        assert_eq!(counts, ["0", "12", "123", "1,234", "123,456", "1,234,567"]);
    }

    #[test]
    fn names_and_sentences_are_put_into_plain_words() {
        assert_eq!(plain("cp_plan"), "CP plan");
        assert_eq!(plain("recipe_for_scp"), "recipe for scp");
        assert_eq!(sentence(" an hour"), "An hour.");
        assert_eq!((sentence("Why?"), sentence("")), ("Why?".to_owned(), String::new()));
        assert_eq!([listed::<&str>(&[]), listed(&["a"]), listed(&["a", "b", "c"])], ["", "a", "a, b and c"]);
    }

    #[test]
    fn points_carry_their_sign_unless_they_round_to_nothing() {
        let shown = [0.824, -0.306, 0.004, -0.004, 0.005].map(points);
        assert_eq!(shown, ["+0.82", "−0.31", "0.00", "0.00", "+0.01"]);
    }

    #[test]
    fn values_have_their_unit() {
        assert_eq!(value(Cell::Value(1.0), "records"), "1 record");
        assert_eq!(value(Cell::Value(2.0), "records"), "2 records");
        assert_eq!(value(Cell::Value(1204.5), "pounds"), "1,204.5 pounds");
        assert_eq!(value(Cell::Value(1.0), "pounds of status"), "1 pounds of status");
        assert_eq!(value(Cell::Value(-3.0), "records"), "−3 records");
        assert_eq!(value(Cell::Value(1.0), "yes or no"), "yes");
        assert_eq!(value(Cell::Value(0.0), "yes or no"), "no");
        assert_eq!(value(Cell::Value(-0.001), "value"), "0");
        assert_eq!(value(Cell::Missing, "records"), "no value");
        assert_eq!(value(Cell::NotCovered, "days"), "not covered");
    }

    #[test]
    fn a_page_has_one_denominator_that_fits_its_smallest_rate() {
        assert_eq!(OutOf::fitting([0.14, 0.03].into_iter()), OutOf(100));
        assert_eq!(OutOf::fitting([0.14, 0.014].into_iter()), OutOf(1_000));
        assert_eq!(OutOf::fitting([0.14, 0.0004, 0.0].into_iter()), OutOf(10_000));
        assert_eq!(OutOf::fitting([0.0, f64::NAN].into_iter()), OutOf(100));
    }

    #[test]
    fn rates_are_told_as_cases() {
        let of = OutOf(100);
        let rate = estimate(0.142, 0.109, 0.171);
        assert_eq!((of.rate(&rate).as_str(), of.interval(&rate).as_str()), ("about 14 of 100", "11 to 17"));
        assert_eq!(of.rate(&estimate(0.0, 0.0, 0.01)), "none");
        assert_eq!(OutOf(10_000).rate(&estimate(0.000_01, 0.0, 0.01)), "fewer than 1 of 10,000");
        let unknown = estimate(f64::NAN, f64::NAN, f64::NAN);
        assert_eq!(
            (of.rate(&unknown).as_str(), of.interval(&unknown).as_str()),
            ("not measured", "not known")
        );
    }
}
