//! [`Visible`]: text that only leaves ink on a terminal, and cannot pass for anything else.
//!
//! A name, a title or a text must not look like another speaker, the server or the client, whatever its author puts
//! into it. A line takes only `Visible` text and the client's own constants, and only this file makes `Visible` text;
//! so its rules hold for everything that is shown.

use std::fmt::{self, Write as _};

use unicode_properties::{GeneralCategory as Category, UnicodeGeneralCategory as _};
use unicode_segmentation::UnicodeSegmentation as _;
use unicode_width::UnicodeWidthStr as _;

/// The most consecutive marks and joiners that are shown unchanged. The flag of a region takes 6, and no orthography
/// takes as many.
const MAX_MARKS: usize = 8;

/// The flag that the tags after it turn into the flag of a region.
const FLAG: char = '\u{1F3F4}';

/// A text in which harmful characters are replaced by their numbers, such as `\u{1b}`.
///
/// Contains no controls, no line separators, no bidi controls except marks (U+200E, U+200F, U+061C), nothing invisible
/// that does not shape its neighbours, nothing unassigned or of private use, no mark without a base of its own, and at
/// most [`MAX_MARKS`] on one base.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Visible(String);

impl Visible {
    /// Returns a text for a place where nothing follows it.
    pub(crate) fn text(text: &str) -> Self {
        Self(shown(text, is_harmful, |_| false))
    }

    /// Returns a name or a title, in quotes unless it [is plain](is_plain).
    pub(crate) fn name(name: &str) -> Self {
        if is_plain(name) { Self(name.to_owned()) } else { Self::quoted(name) }
    }

    /// Returns a name within a sentence, in quotes unless it is one plain word.
    pub(crate) fn word(name: &str) -> Self {
        if name.contains(' ') { Self::quoted(name) } else { Self::name(name) }
    }

    /// Returns a text in quotes that nothing in it can close: quotes and backslashes get a backslash, and characters
    /// that look like a quote or a space, or only have a direction, are shown by number.
    pub(crate) fn quoted(text: &str) -> Self {
        let by_number = |c| is_harmful(c) || is_quote_or_space(c);
        Self(format!("\"{}\"", shown(text, by_number, |c| matches!(c, '"' | '\'' | '\\'))))
    }

    /// Cuts the text to `width` cells, the last of them `…`, if it is wider. A quote stays closed.
    pub(crate) fn shortened(self, width: usize) -> Self {
        if self.0.width() <= width {
            return self;
        }
        let is_quoted = self.0.starts_with('"');
        let inner = if is_quoted { &self.0[1..self.0.len() - 1] } else { &self.0 };
        let mut used = "…".width() + 2 * usize::from(is_quoted);
        let fits = |cluster: &&str| {
            used += cluster.width();
            used <= width
        };
        let kept: usize = inner.graphemes(true).take_while(fits).map(str::len).sum();
        let kept = inner[..kept].trim_end();
        Self(if is_quoted { format!("\"{kept}…\"") } else { format!("{kept}…") })
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Visible {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Shows by number the characters that `by_number` selects, and marks that have no base or are too many. Puts a
/// backslash before the characters that `escaped` selects.
fn shown(text: &str, by_number: impl Fn(char) -> bool, escaped: impl Fn(char) -> bool) -> String {
    let mut out = String::with_capacity(text.len());
    // Marks that may still follow; none at the start.
    let mut marks = 0;
    let mut before = ' ';
    for c in text.chars() {
        let attaches = is_attached(c);
        let is_lost = attaches && marks == 0 || is_tag(c) && before != FLAG && !is_tag(before);
        if is_lost || by_number(c) {
            write!(out, "{}", c.escape_unicode())
                .expect("a String takes all that is written to it");
            marks = 0;
            continue;
        }
        marks = if attaches { marks - 1 } else { MAX_MARKS };
        if escaped(c) {
            out.push('\\');
        }
        out.push(c);
        before = c;
    }
    out
}

fn is_tag(c: char) -> bool {
    matches!(c, '\u{E0020}'..='\u{E007F}')
}

/// Whether a character takes no place of its own, but shapes the one before it.
pub(crate) fn is_attached(c: char) -> bool {
    use Category::{EnclosingMark, NonspacingMark, SpacingMark};
    !c.is_ascii()
        && (matches!(c, '\u{200C}' | '\u{200D}')
            || is_tag(c)
            || matches!(c.general_category(), EnclosingMark | NonspacingMark | SpacingMark))
}

/// Whether a character must never reach a terminal: it moves the cursor, directs the text after it, leaves no ink, or
/// is not treated alike by fonts and terminals.
pub(crate) fn is_harmful(c: char) -> bool {
    use Category::{Control, Format, LineSeparator, ParagraphSeparator, PrivateUse, Unassigned};
    if c.is_ascii() {
        return c.is_ascii_control();
    }
    match c.general_category() {
        Control | LineSeparator | ParagraphSeparator | PrivateUse | Unassigned => true,
        // Directional marks have no effect beyond the isolate around them.
        Format => !is_attached(c) && !matches!(c, '\u{200E}' | '\u{200F}' | '\u{061C}'),
        // Fillers of Hangul, blanks of Braille and music, marks that select or join nothing, and characters that stand
        // for something else.
        _ => matches!(
            c,
            '\u{034F}' | '\u{115F}' | '\u{1160}' | '\u{17B4}' | '\u{17B5}' | '\u{180B}'
                ..='\u{180F}'
                    | '\u{2800}'
                    | '\u{3164}'
                    | '\u{FFA0}'
                    | '\u{FFFC}'
                    | '\u{FFFD}'
                    | '\u{1D159}'
        ),
    }
}

/// Whether a character looks like a quote or a space other than ASCII's, or marks a direction.
pub(crate) fn is_quote_or_space(c: char) -> bool {
    use Category::{
        FinalPunctuation, InitialPunctuation, ModifierLetter, ModifierSymbol, SpaceSeparator,
    };
    if c.is_ascii() || is_lengthened(c) {
        return false;
    }
    match c.general_category() {
        SpaceSeparator | InitialPunctuation | FinalPunctuation | ModifierLetter
        | ModifierSymbol => true,
        _ => matches!(c,
            '\u{061C}' | '\u{200E}' | '\u{200F}' | '\u{055A}'..='\u{055D}' | '\u{05F0}'..='\u{05F4}' | '\u{16CC}' | '\u{1CD3}' | '\u{201A}'
            | '\u{201E}' | '\u{2032}'..='\u{2037}' | '\u{2057}' | '\u{275B}'..='\u{2760}' | '\u{2E42}'
            | '\u{3003}' | '\u{301D}'..='\u{301F}' | '\u{A78C}' | '\u{FF02}' | '\u{FF07}'
            | '\u{1F676}'..='\u{1F678}'),
    }
}

/// The two modifier letters of ordinary Japanese: 々 and ー.
fn is_lengthened(c: char) -> bool {
    matches!(c, '\u{3005}' | '\u{30FC}')
}

/// Whether a name or a title can stand between the client's own marks without quotes: words with single spaces between
/// them, of letters, ASCII digits, and a few signs that are not used as marks here and end no sentence. It contains no
/// colon, comma, quote or bracket, nor anything like them.
pub(crate) fn is_plain(name: &str) -> bool {
    // The program's name begins error lines, so nothing that looks like it is plain; and of all hyphens, a plain name
    // can contain only one.
    let program = env!("CARGO_PKG_NAME");
    let is_program = name.chars().count() == program.len()
        && name.chars().zip(program.chars()).all(|pair| (pair.0 == '-') == (pair.1 == '-'));
    !is_program && name.split(' ').all(is_plain_word)
}

fn is_plain_word(word: &str) -> bool {
    let is_part = |c: char| c.is_ascii_alphanumeric() || is_letter(c);
    let (mut before, mut marks) = (None, 0);
    let mut chars = word.chars().peekable();
    while let Some(c) = chars.next() {
        let is_mark = is_attached(c);
        marks = if is_mark { marks + 1 } else { 0 };
        let fits = match c {
            '_' => true,
            '#' | '&' | '+' | '/' | '@' | '!' | '?' => before.is_some(),
            '-' | '.' | '\'' => {
                before.is_some_and(is_part) && chars.peek().copied().is_some_and(is_part)
            }
            _ if is_mark => {
                let is_accent = c.general_category() == Category::NonspacingMark && !is_harmful(c);
                is_accent
                    && marks <= MAX_MARKS / 2
                    && before.is_some_and(|c| is_part(c) || is_attached(c))
            }
            _ => is_part(c),
        };
        if !fits {
            return false;
        }
        before = Some(c);
    }
    before.is_some()
}

/// Whether a character is a letter in use today that nobody takes for punctuation.
fn is_letter(c: char) -> bool {
    use Category::{LowercaseLetter, OtherLetter, TitlecaseLetter, UppercaseLetter};
    let is_letter = matches!(
        c.general_category(),
        LowercaseLetter | OtherLetter | TitlecaseLetter | UppercaseLetter
    );
    // Clicks, glottal stops, gershayim, Canadian syllabics, Ogham, runes, Tifinagh, Lisu tones, saltillo, and
    // everything historic.
    let is_deceptive = matches!(c,
        '\u{01C0}'..='\u{01C3}' | '\u{0294}'..='\u{02AF}' | '\u{05F0}'..='\u{05F2}'
        | '\u{1400}'..='\u{16FF}' | '\u{18B0}'..='\u{18FF}' | '\u{2D30}'..='\u{2D7F}'
        | '\u{A4D0}'..='\u{A4FF}' | '\u{A78B}'..='\u{A78F}' | '\u{10000}'..='\u{1FFFF}');
    is_lengthened(c) || is_letter && !is_deceptive && !is_harmful(c)
}

#[cfg(test)]
pub(crate) mod tests;
