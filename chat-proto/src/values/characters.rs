//! Kinds of characters. The rules about names and titles build on them, and so do the words in which a refusal names a
//! character.

use unicode_normalization::char::canonical_combining_class;
use unicode_properties::{GeneralCategory, GeneralCategoryGroup, UnicodeGeneralCategory};
use unicode_script::{Script, UnicodeScript};
use unicode_security::general_security_profile::IdentifierType;
use unicode_security::{GeneralSecurityProfile, skeleton};

/// The most marks on one letter (UTS 39, section 5.4).
pub(crate) const MAX_MARKS: usize = 4;

/// Signs that a name may hold between two letters or digits: `J.R`, `O'Brien`, `ジョン・スミス`.
pub(crate) const INNER_SIGNS: [char; 5] = ['.', '\'', '’', '·', '・'];

/// ZERO WIDTH NON-JOINER.
const ZWNJ: char = '\u{200C}';
/// ZERO WIDTH JOINER.
pub(super) const ZWJ: char = '\u{200D}';

/// The kind of a character, as precisely as a refusal names it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Control,
    BidiControl,
    Space,
    Invisible,
    Unassigned,
    Mark,
    ColonLike,
    Letter,
    Digit,
    Punctuation,
    Symbol,
}

impl Kind {
    pub(crate) fn of(c: char) -> Self {
        use GeneralCategory::{LineSeparator, ParagraphSeparator};
        match c.general_category_group() {
            _ if is_bidi_control(c) => Self::BidiControl,
            _ if c.is_control() => Self::Control,
            _ if matches!(c.general_category(), LineSeparator | ParagraphSeparator) => {
                Self::Control
            }
            GeneralCategoryGroup::Separator => Self::Space,
            _ if is_unassigned(c) => Self::Unassigned,
            _ if is_invisible(c) => Self::Invisible,
            _ if looks_like(c, &[':']) => Self::ColonLike,
            GeneralCategoryGroup::Mark => Self::Mark,
            GeneralCategoryGroup::Letter => Self::Letter,
            GeneralCategoryGroup::Number => Self::Digit,
            GeneralCategoryGroup::Punctuation => Self::Punctuation,
            GeneralCategoryGroup::Symbol | GeneralCategoryGroup::Other => Self::Symbol,
        }
    }
}

/// Whether `c` changes the direction of the text after it: embeddings, overrides and isolates (UAX #9,
/// section 2). The marks U+200E and U+200F do not reach that far, and are merely invisible.
pub(crate) fn is_bidi_control(c: char) -> bool {
    matches!(c, '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}')
}

/// Whether `c` is a character that nobody has agreed on: unassigned, private, or no character at all.
pub(super) fn is_unassigned(c: char) -> bool {
    matches!(c.general_category(), GeneralCategory::Unassigned | GeneralCategory::PrivateUse)
}

/// Whether `c`, not being a space, is drawn as nothing: code points that Unicode says to ignore if they cannot be
/// shown, format characters, fillers, and blank letters and symbols.
pub(super) fn is_invisible(c: char) -> bool {
    const BLANKS: [char; 6] =
        ['\u{2800}', '\u{13441}', '\u{13442}', '\u{16FE4}', '\u{1D159}', '\u{FFFC}'];
    c.general_category() == GeneralCategory::Format
        || c.identifier_type() == Some(IdentifierType::Default_Ignorable)
        || BLANKS.contains(&c)
}

/// Whether people can see `c` when it stands alone.
pub(super) fn has_ink(c: char) -> bool {
    !matches!(Kind::of(c), Kind::Mark)
        && !c.is_whitespace()
        && !c.is_control()
        && !is_invisible(c)
        && !is_unassigned(c)
}

pub(super) fn is_mark(c: char) -> bool {
    c.general_category_group() == GeneralCategoryGroup::Mark
}

/// Whether `c` looks like any of `targets`, or contains one that does (UTS 39, section 4).
pub(super) fn looks_like(c: char, targets: &[char]) -> bool {
    targets.contains(&c) || skeleton(c.encode_utf8(&mut [0; 4])).any(|p| targets.contains(&p))
}

/// The number of strokes of a mark that looks like a quotation mark: 2 for `"`. 0 for letters, and for everything that
/// looks different.
pub(crate) fn quote_strokes(c: char) -> usize {
    use GeneralCategoryGroup::{Punctuation, Symbol};
    let is_mark = matches!(c.general_category_group(), Punctuation | Symbol)
        || matches!(c, '\u{2B9}'..='\u{2FF}' | '❛'..='❞');
    if !is_mark {
        return 0;
    }
    match c {
        '❝' | '❞' => 2,
        '❛' | '❜' => 1,
        _ => skeleton(c.encode_utf8(&mut [0; 4])).filter(|p| *p == '\'').count(),
    }
}

/// Whether the invisible `chars[at]` affects how its neighbours are drawn: a joiner after a virama, or a non-joiner
/// between two letters of a script whose letters join (after RFC 5892, appendices A.1 and A.2).
pub(super) fn joins(chars: &[char], at: usize) -> bool {
    let [before, joiner] = [at.checked_sub(1).map(|i| chars[i]), Some(chars[at])];
    let is_virama = |c| canonical_combining_class(c) == 9;
    let is_cursive = |c: Option<&char>| c.is_some_and(|c| is_cursive(*c));
    match joiner {
        Some(ZWJ | ZWNJ) if before.is_some_and(is_virama) => true,
        Some(ZWNJ) => is_cursive(before.as_ref()) && is_cursive(chars.get(at + 1)),
        _ => false,
    }
}

fn is_cursive(c: char) -> bool {
    use Script::{Adlam, Arabic, Hanifi_Rohingya, Mandaic, Mongolian, Nko, Syriac};
    c.general_category_group() == GeneralCategoryGroup::Letter
        && matches!(
            c.script(),
            Adlam | Arabic | Hanifi_Rohingya | Mandaic | Mongolian | Nko | Syriac
        )
}

#[cfg(test)]
pub(super) mod tests {
    /// Every character, except that the big blocks of Han and Hangul contribute only one in a hundred.
    pub(in crate::values) fn characters() -> impl Iterator<Item = char> {
        let is_in_big_block = |c| {
            matches!(c, '㐀'..='䶿' | '一'..='鿿' | '가'..='힣' | '\u{17000}'..='\u{18DFF}' | '\u{20000}'..)
                && !matches!(c, '\u{2F800}'..='\u{2FA1F}' | '\u{E0000}'..='\u{E0FFF}')
        };
        ('\0'..=char::MAX).filter(move |&c| !is_in_big_block(c) || u32::from(c) % 100 == 0)
    }
}
