//! The rules that a name keeps.

use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::decompose_compatible;
use unicode_properties::{GeneralCategory, GeneralCategoryGroup, UnicodeGeneralCategory};
use unicode_script::Script;
use unicode_security::GeneralSecurityProfile;
use unicode_security::general_security_profile::IdentifierType;
use unicode_security::mixed_script::AugmentedScriptSet;

use super::key::{NameKeys, decompose, is_hangul};
use crate::values::ValueError;
use crate::values::characters::{INNER_SIGNS, MAX_MARKS, is_invisible, is_mark, joins, looks_like};
use crate::values::emoji::emoji_len;

/// The longest [`Name`](super::Name), in characters (Unicode scalar values).
pub const MAX_NAME_CHARS: usize = 32;

/// The most characters after decomposition. One character may become 18, and each costs several table look-ups.
const MAX_DECOMPOSED_CHARS: usize = 2 * MAX_NAME_CHARS;

/// The role of a character in a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Class {
    /// A letter, a digit, or a symbol that is seen by itself.
    Ink,
    /// A mark on the letter before it.
    Mark,
    /// A sign within a word: between two letters, digits or marks.
    Inner,
    /// A sign of a word that also has ink.
    Sign,
    Space,
    Refused,
}

/// # Errors
/// The rule that a name, in words with single spaces, breaks.
pub(super) fn check(name: &str) -> Result<(), ValueError> {
    if name.is_empty() {
        return Err(ValueError::Blank);
    }
    let is_ascii = name.is_ascii();
    if !is_ascii && decompose(name).chars().nth(MAX_DECOMPOSED_CHARS).is_some() {
        return Err(ValueError::TooLongNormalized { max: MAX_DECOMPOSED_CHARS });
    }
    // Some keyboards send decomposed characters; the rules are about composed ones.
    let chars: Vec<char> = if is_ascii { name.chars().collect() } else { name.nfc().collect() };
    let ink = check_characters(&chars)?;
    check_words(&chars, &ink)?;
    if !is_ascii {
        check_scripts(&chars)?;
    }
    let may_imitate = name.contains(' ');
    if may_imitate && reads_like_notice(NameKeys::of(name).read().as_str()) {
        return Err(ValueError::LikeNotice);
    }
    Ok(())
}

/// Checks each character in its place. Returns for each whether it leaves ink.
fn check_characters(chars: &[char]) -> Result<Vec<bool>, ValueError> {
    let mut ink = vec![false; chars.len()];
    let mut at = 0;
    // How many marks the character before carries; `None` if it may not carry any.
    let mut carried = None;
    while let Some(&c) = chars.get(at) {
        if let Some(len) = emoji_len(&chars[at..]) {
            ink[at..at + len].fill(true);
            carried = None;
            at += len;
            continue;
        }
        let class = class(c);
        ink[at] = class == Class::Ink;
        carried = match (class, carried) {
            (Class::Ink, _) => Some(0),
            (Class::Mark, Some(MAX_MARKS)) => {
                return Err(ValueError::TooManyMarks { max: MAX_MARKS });
            }
            (Class::Mark, Some(marks)) => Some(marks + 1),
            (Class::Mark, None) => return Err(ValueError::Misplaced(c)),
            (Class::Inner, Some(_)) if chars.get(at + 1).is_some_and(|c| class_of_ink(*c)) => None,
            (Class::Inner, _) => return Err(ValueError::Misplaced(c)),
            (Class::Sign | Class::Space, _) => None,
            (Class::Refused, carried) if joins(chars, at) => carried,
            (Class::Refused, _) => return Err(ValueError::Forbidden(c)),
        };
        at += 1;
    }
    Ok(ink)
}

fn class_of_ink(c: char) -> bool {
    class(c) == Class::Ink
}

/// Checks that no word consists of signs alone, except `&` between two others, and a name of a single word, such as
/// `^^`.
fn check_words(chars: &[char], ink: &[bool]) -> Result<(), ValueError> {
    if chars.len() > 1 && !chars.contains(&' ') {
        return Ok(());
    }
    let mut start = 0;
    for word in chars.split(|c| *c == ' ') {
        let has_ink = ink[start..start + word.len()].contains(&true);
        if !has_ink && (word != ['&'] || start == 0 || start + 1 == chars.len()) {
            return Err(ValueError::Misplaced(word[0]));
        }
        start += word.len() + 1;
    }
    Ok(())
}

fn class(c: char) -> Class {
    match c {
        'a'..='z' | 'A'..='Z' | '0'..='9' => Class::Ink,
        ' ' => Class::Space,
        _ if INNER_SIGNS.contains(&c) => Class::Inner,
        '-' | '_' | '~' | '^' | '+' | '&' | '#' => Class::Sign,
        _ if c.is_ascii() => Class::Refused,
        // Most of Han: in use, and unlike any sign.
        '一'..='鿿' => Class::Ink,
        _ if is_hangul(c) => Class::Ink,
        _ => class_by_category(c),
    }
}

fn class_by_category(c: char) -> Class {
    use GeneralCategory::{
        DecimalNumber, EnclosingMark, LowercaseLetter, OtherLetter, TitlecaseLetter,
        UppercaseLetter,
    };
    let category = c.general_category();
    let looks_like_a_sign = match category {
        // None of these look like a sign, as a test checks.
        UppercaseLetter | LowercaseLetter | TitlecaseLetter | OtherLetter | DecimalNumber => false,
        // Signs that surround names in a chat.
        _ => looks_like(c, &[':', ';', '(', ')', '[', ']', '{', '}', '"', ' ']),
    };
    if looks_like_a_sign || category == EnclosingMark || is_invisible(c) {
        return Class::Refused;
    }
    match (is_mark(c), is_in_use(c)) {
        (true, true) => Class::Mark,
        (false, true) => Class::Ink,
        (false, false) if is_ornament(c) => Class::Ink,
        _ => Class::Refused,
    }
}

/// Whether `c` stands for nothing but letters, digits and marks that people write today (UTS 39, section 3.1).
fn is_in_use(c: char) -> bool {
    use GeneralCategoryGroup::{Letter, Mark, Number};
    let mut are_in_use = true;
    decompose_compatible(c, |c| {
        are_in_use &= c.is_ascii_alphanumeric()
            || (matches!(c.general_category_group(), Letter | Mark | Number)
                && matches!(
                    c.identifier_type(),
                    Some(
                        IdentifierType::Recommended
                            | IdentifierType::Inclusion
                            | IdentifierType::Uncommon_Use
                            | IdentifierType::Limited_Use
                    )
                ));
    });
    are_in_use
}

/// Whether `c` is one of the shapes, stars, hearts and notes that people put around their names. Quotation marks, bars
/// and brackets are not.
fn is_ornament(c: char) -> bool {
    c.general_category() == GeneralCategory::OtherSymbol
        && matches!(c, '\u{25A0}'..='\u{2757}' | '\u{2761}'..='\u{27BF}')
}

/// Checks that the letters are of one script, or of those that Chinese, Japanese and Korean combine, with
/// Latin (UTS 39, section 5.2: highly restrictive).
fn check_scripts(chars: &[char]) -> Result<(), ValueError> {
    let mut all = AugmentedScriptSet::default();
    let mut but_latin = AugmentedScriptSet::default();
    for &c in chars {
        let scripts = AugmentedScriptSet::for_char(c);
        all.intersect_with(scripts);
        if !scripts.base.contains_script(Script::Latin) {
            but_latin.intersect_with(scripts);
        }
        if all.is_empty() && !(but_latin.kore || but_latin.hanb || but_latin.jpan) {
            return Err(ValueError::MixedScripts(c));
        }
    }
    Ok(())
}

/// What notices say after a name, as keys. A name that says this after its first word reads like a notice.
const NOTICES: [&[&str]; 7] = [
    &["left"],
    &["carne", "ln"],
    &["ls", "now", "called"],
    &["님이"],
    &["들어왔어요"],
    &["나갔어요"],
    &["바꿨어요"],
];

/// Whether `key` reads like the beginning of a notice of the server, such as `alice left`.
fn reads_like_notice(key: &str) -> bool {
    let words: Vec<String> =
        key.split(' ').map(|word| word.chars().filter(|c| c.is_alphanumeric()).collect()).collect();
    let mut ends = (1..words.len()).map(|start| &words[start..]);
    ends.any(|end| {
        NOTICES
            .iter()
            .any(|notice| end.len() >= notice.len() && end.iter().zip(*notice).all(|(a, b)| a == b))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Localize;
    use crate::{Lang, Name, Notice};

    /// Whatever a notice says after the name of a member is refused in a name.
    #[test]
    fn v1_no_name_reads_like_a_notice_about_somebody() {
        let name = Name::new("alice").expect("a name");
        let (from, to) = (name.clone(), name.clone());
        for notice in [
            Notice::MemberEntered { name: name.clone() },
            Notice::MemberLeft { name },
            Notice::Renamed { from, to },
        ] {
            for lang in Lang::ALL {
                let text = notice.localized(lang).to_string();
                let said = text.split('.').next().expect("a sentence").trim_end();
                for imitation in [said.to_owned(), format!("{said} bob"), said.to_uppercase()] {
                    assert_eq!(Name::new(&imitation), Err(ValueError::LikeNotice), "{imitation}");
                }
            }
        }
        for name in ["Left", "Leftover Pizza", "Guido van Rossum", "님이"] {
            assert!(Name::new(name).is_ok(), "{name}");
        }
    }
}
