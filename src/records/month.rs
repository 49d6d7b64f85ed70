//! Months by their names.

/// In full, the first one first.
pub(super) const MONTHS: [&str; 12] = [
    "january",
    "february",
    "march",
    "april",
    "may",
    "june",
    "july",
    "august",
    "september",
    "october",
    "november",
    "december",
];

/// The number of a month, from its name in full or its first three letters.
pub(super) fn month_named(text: &str) -> Option<i8> {
    if text.len() < 3 || !text.is_ascii() {
        return None;
    }
    let lower = text.to_ascii_lowercase();
    let is_named =
        |month: &str| lower == month || lower == month[..3] || lower == "sept" && month == "september";
    MONTHS.iter().position(|month| is_named(month)).map(|place| place as i8 + 1)
}
