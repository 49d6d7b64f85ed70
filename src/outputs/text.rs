//! Text from data and from people, on its way to where signs have powers: a terminal, a spreadsheet.

use std::borrow::Cow;

use serde::Serialize;

/// Whether a sign is not seen, but does something: control and escape characters, those that turn the direction of reading,
/// those without width.
fn is_unseen(c: char) -> bool {
    c.is_control()
        || matches!(
            c,
            '\u{ad}'
                | '\u{34f}'
                | '\u{115f}'
                | '\u{1160}'
                | '\u{17b4}'
                | '\u{17b5}'
                | '\u{3164}'
                | '\u{ffa0}'
        )
        || matches!(c, '\u{180b}'..='\u{180f}' | '\u{fe00}'..='\u{fe0f}')
        || matches!(c, '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}')
        || matches!(c, '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}

/// Text on one line, whose unseen signs are written out: an escape character as `\u{1b}`. Unseen are control and escape
/// characters, those that turn the direction of reading, and those without width.
///
/// # Examples
/// ```
/// use earlyhelp::outputs::on_one_line;
///
/// assert_eq!(on_one_line("Referrals\u{1b}[2J"), "Referrals\\u{1b}[2J");
/// assert_eq!(on_one_line("two\nlines"), "two\\u{a}lines");
/// assert_eq!(on_one_line("Zoë's, and nothing to hide"), "Zoë's, and nothing to hide");
/// ```
#[must_use]
pub fn on_one_line(text: &str) -> Cow<'_, str> {
    written_out(text, is_unseen)
}

/// As [`on_one_line`], but line breaks and tabs stay: for text of several lines on its way to a terminal.
///
/// # Examples
/// ```
/// use earlyhelp::outputs::printable;
///
/// assert_eq!(printable("a table\nof \u{202e}two lines\n"), "a table\nof \\u{202e}two lines\n");
/// ```
#[must_use]
pub fn printable(text: &str) -> Cow<'_, str> {
    written_out(text, |c| is_unseen(c) && !matches!(c, '\n' | '\t'))
}

/// JSON whose texts hold no unseen sign: each is escaped as JSON escapes signs, so what is read back is the same.
///
/// # Examples
/// ```
/// use earlyhelp::outputs::printable_json;
///
/// let json = printable_json("{\"title\": \"\u{202e}x\"}\n");
/// assert_eq!(json, "{\"title\": \"\\u202ex\"}\n");
/// ```
#[must_use]
pub fn printable_json(json: &str) -> Cow<'_, str> {
    // Outside its texts JSON has line breaks, tabs and nothing else that is not seen.
    let stays = |c: char| !is_unseen(c) || matches!(c, '\n' | '\r' | '\t');
    if json.chars().all(stays) {
        return Cow::Borrowed(json);
    }
    let mut made = String::with_capacity(json.len() + 64);
    for c in json.chars() {
        if stays(c) {
            made.push(c);
        } else {
            let mut units = [0; 2];
            c.encode_utf16(&mut units).iter().for_each(|unit| made.push_str(&format!("\\u{unit:04x}")));
        }
    }
    Cow::Owned(made)
}

/// A value as JSON for people and other programs: several lines, ending in one newline, without unseen signs as by
/// [`printable_json`], so that an editor shows a text in the order in which it is.
///
/// # Errors
/// As [`serde_json::to_string_pretty`].
///
/// # Examples
/// ```
/// use earlyhelp::outputs::json_text;
///
/// assert_eq!(json_text(&["\u{202e}x"])?, "[\n  \"\\u202ex\"\n]\n");
/// # Ok::<(), serde_json::Error>(())
/// ```
pub fn json_text(value: &impl Serialize) -> serde_json::Result<String> {
    let mut text = serde_json::to_string_pretty(value)?;
    text.push('\n');
    Ok(match printable_json(&text) {
        Cow::Borrowed(_) => text,
        Cow::Owned(text) => text,
    })
}

/// A cell of a table that no spreadsheet runs and that hides nothing. Excel and others take a cell for a formula by its first
/// character, also behind spaces, and also where the file quotes the cell: such a text gets an apostrophe before it, and so
/// does one that begins with an apostrophe. Unseen signs are written out as by [`on_one_line`], and so is a backslash that would
/// read as the beginning of such a writing (`\u{5c}`).
///
/// So different texts stay different: two ids never become alike. To have the text back, take one apostrophe from the beginning, if there is one, and
/// put each sign for its `\u{...}`.
///
/// # References
/// OWASP, *CSV Injection*.
///
/// # Examples
/// ```
/// use earlyhelp::outputs::cell;
///
/// assert_eq!(cell("=1+1"), "'=1+1");
/// assert_eq!(cell("'=1+1"), "''=1+1");
/// assert_eq!(cell("p00017"), "p00017");
/// ```
#[must_use]
pub fn cell(text: &str) -> Cow<'_, str> {
    let starts_formula = |c: char| matches!(c, '=' | '+' | '-' | '@' | '＝' | '＋' | '－' | '＠' | '\'');
    let written = written(text, |at, c| is_unseen(c) || reads_as_written(&text[at..]));
    if written.trim_start().starts_with(starts_formula) { Cow::Owned(format!("'{written}")) } else { written }
}

/// Text of a cell of a workbook, which says itself that it is text. As [`cell`], but without an apostrophe; and an underscore that
/// begins what Excel reads as another sign (`_x0041_` as `A`) is written out, so that different texts stay different.
#[cfg(feature = "excel")]
pub(crate) fn workbook_text(text: &str) -> Cow<'_, str> {
    let reads_as_sign = |text: &str| {
        let Some([b'x' | b'X', digits @ .., b'_']) = text.as_bytes().get(1..7) else { return false };
        digits.iter().all(u8::is_ascii_hexdigit)
    };
    written(text, |at, c| {
        is_unseen(c) || reads_as_written(&text[at..]) || (c == '_' && reads_as_sign(&text[at..]))
    })
}

/// Whether a text begins as a sign that was written out does.
fn reads_as_written(text: &str) -> bool {
    text.starts_with("\\u{")
}

fn written_out(text: &str, is_out: impl Fn(char) -> bool) -> Cow<'_, str> {
    written(text, |_, c| is_out(c))
}

/// Text of which some signs, by their place and themselves, are written out.
fn written(text: &str, is_out: impl Fn(usize, char) -> bool) -> Cow<'_, str> {
    if !text.char_indices().any(|(at, c)| is_out(at, c)) {
        return Cow::Borrowed(text);
    }
    let mut made = String::with_capacity(text.len() + 16);
    for (at, c) in text.char_indices() {
        if is_out(at, c) {
            made.extend(c.escape_unicode());
        } else {
            made.push(c);
        }
    }
    Cow::Owned(made)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn what_could_be_a_formula_is_made_text() {
        for formula in ["=1+1", "+1", "-1", "@SUM(A1)", "  =1", "＝1", "\u{a0}=1", "'x", " 'x"] {
            assert_eq!(cell(formula), format!("'{formula}"));
        }
        for text in ["p1", "1=1", "a-b", "", "Ünit", "it's", "DOMAIN\\user"] {
            assert_eq!(cell(text), text);
        }
        for (text, written) in [("\t=1", "\\u{9}=1"), ("\r=1", "\\u{d}=1"), ("a\u{9b}2J", "a\\u{9b}2J")] {
            assert_eq!(cell(text), written);
        }
    }

    /// Takes back what `cell` did.
    fn undone(cell: &str) -> String {
        let mut rest = cell.strip_prefix('\'').unwrap_or(cell);
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

    #[test]
    fn texts_that_differ_stay_different_and_can_be_had_back() {
        // All texts of up to five of these signs.
        let signs = ['\'', '=', '\\', 'u', '{', '1', 'b', '}', '\u{1b}', ' '];
        let mut texts = vec![String::new()];
        let mut longest = texts.clone();
        for _ in 0..5 {
            longest =
                longest.iter().flat_map(|text| signs.iter().map(move |c| format!("{text}{c}"))).collect();
            texts.extend(longest.iter().cloned());
        }
        let cells: BTreeSet<String> = texts.iter().map(|text| cell(text).into_owned()).collect();
        assert_eq!(cells.len(), texts.len());
        for text in &texts {
            assert_eq!(&undone(&cell(text)), text);
        }
    }

    #[cfg(feature = "excel")]
    #[test]
    fn no_text_of_a_workbook_is_read_as_another() {
        for (text, written) in [
            ("=1+1", "=1+1"),
            ("_x0041_", "\\u{5f}x0041_"),
            ("a_x0a1B_x0041_", "a\\u{5f}x0a1B\\u{5f}x0041_"),
            ("_x004_", "_x004_"),
            ("_x00é_", "_x00é_"),
            ("\\u{1b}\u{1b}\u{202e}", "\\u{5c}u{1b}\\u{1b}\\u{202e}"),
        ] {
            assert_eq!(workbook_text(text), written);
        }
    }

    #[test]
    fn json_says_the_same_when_it_is_printable() {
        for text in ["plain", "\u{7f}\u{9b}\u{202e}\u{200b}", "\u{e0041}\\u{1b}\"\u{1b}"] {
            let json = serde_json::to_string_pretty(&[text]).unwrap();
            let made = printable_json(&json);
            assert!(made.chars().all(|c| c == '\n' || !is_unseen(c)), "{made:?}");
            assert_eq!(serde_json::from_str::<[String; 1]>(&made).unwrap(), [text]);
        }
    }
}
