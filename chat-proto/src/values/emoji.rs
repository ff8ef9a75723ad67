//! Emoji. An emoji may consist of several characters, some of which are invisible anywhere else.

use unicode_properties::{GeneralCategoryGroup, UnicodeEmoji, UnicodeGeneralCategory};

use super::characters::ZWJ;

/// VARIATION SELECTOR-15 and -16: shown as text, shown as emoji.
const STYLES: [char; 2] = ['\u{FE0E}', '\u{FE0F}'];
const KEYCAP: char = '\u{20E3}';

/// The flags of England, Scotland and Wales, as spelled in tags after a black flag. No other tags are displayed.
const TAGGED_FLAGS: [&str; 3] = ["gbeng", "gbsct", "gbwls"];

/// The number of characters in the emoji at the start of `chars` (UTS 51, section 1.4.9); `None` if there is
/// none. A digit is no emoji, unless it is a keycap.
pub(super) fn emoji_len(chars: &[char]) -> Option<usize> {
    if let [a, b, ..] = chars
        && is_flag_letter(*a)
        && is_flag_letter(*b)
    {
        return Some(2);
    }
    let mut len = element_len(chars)?;
    while chars.get(len) == Some(&ZWJ)
        && let Some(next) = element_len(&chars[len + 1..])
    {
        len += 1 + next;
    }
    Some(len)
}

/// One emoji with its skin tone, style, or tags.
fn element_len(chars: &[char]) -> Option<usize> {
    let (&base, rest) = chars.split_first()?;
    if matches!(base, '0'..='9' | '#' | '*') {
        return match rest {
            [style, KEYCAP, ..] if STYLES.contains(style) => Some(3),
            [KEYCAP, ..] => Some(2),
            _ => None,
        };
    }
    if !is_emoji(base) {
        return None;
    }
    match rest {
        [next, ..] if STYLES.contains(next) || is_skin_tone(*next) => Some(2),
        _ if base == '\u{1F3F4}' => Some(1 + tags_len(rest)),
        _ => Some(1),
    }
}

fn tags_len(chars: &[char]) -> usize {
    let tagged = TAGGED_FLAGS.iter().find(|flag| {
        let tags = flag.bytes().map(|b| 0xE0000 + u32::from(b)).chain([0xE007F]);
        chars.iter().take(flag.len() + 1).map(|&c| u32::from(c)).eq(tags)
    });
    tagged.map_or(0, |flag| flag.len() + 1)
}

fn is_emoji(c: char) -> bool {
    (c >= '\u{2000}' || matches!(c, '©' | '®'))
        && c.is_emoji_char()
        && !is_flag_letter(c)
        && c.general_category_group() != GeneralCategoryGroup::Punctuation
}

fn is_skin_tone(c: char) -> bool {
    matches!(c, '\u{1F3FB}'..='\u{1F3FF}')
}

fn is_flag_letter(c: char) -> bool {
    matches!(c, '\u{1F1E6}'..='\u{1F1FF}')
}
