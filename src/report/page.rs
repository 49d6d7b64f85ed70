//! Text from data and from people on a page.

use std::fmt::{self, Write};

use askama::filters::{Escaper, Html};

use crate::outputs::printable;

/// Text that cannot become markup, and whose unseen signs are written out as on a terminal: one that turns the direction of
/// reading would turn what stands beside it, too, and make another name of a name.
#[derive(Clone, Copy)]
pub(super) struct PageText;

impl Escaper for PageText {
    fn write_escaped_str<W: Write>(&self, dest: W, string: &str) -> fmt::Result {
        Html.write_escaped_str(dest, &printable(string))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_shows_what_would_turn_it_around() {
        let mut made = String::new();
        PageText.write_escaped_str(&mut made, "<b>\u{202e}Zoë\u{200b}\u{2066}\n'\"&").unwrap();
        let mut markup = String::new();
        Html.write_escaped_str(&mut markup, "<b>\\u{202e}Zoë\\u{200b}\\u{2066}\n'\"&").unwrap();
        assert_eq!(made, markup);
        assert!(made.contains("\\u{202e}Zoë\\u{200b}\\u{2066}") && !made.contains('<'), "{made}");
    }
}
