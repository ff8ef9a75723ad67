//! Commands typed on a Korean keyboard that was not switched to Latin: `/ㅓㅐㅑㅜ 1` is `/join 1`.

/// The keys of the two-set layout (KS X 5002) for the letters U+3131 to U+3163. Shift gives capitals.
const LETTERS: [&str; 51] = [
    "r", "R", "rt", "s", "sw", "sg", "e", "E", "f", "fr", "fa", "fq", "ft", "fx", "fv", "fg", "a",
    "q", "Q", "qt", "t", "T", "d", "w", "W", "c", "z", "x", "v", "g", "k", "o", "i", "O", "j", "p",
    "u", "P", "h", "hk", "ho", "hl", "y", "n", "nj", "np", "nl", "b", "m", "ml", "l",
];

/// The initial consonants of syllables, as indices into [`LETTERS`].
const INITIALS: [usize; 19] =
    [0, 1, 3, 6, 7, 8, 16, 17, 18, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29];

/// The final consonants of syllables, likewise.
const FINALS: [usize; 27] = [
    0, 1, 2, 3, 4, 5, 6, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 19, 20, 21, 22, 23, 25, 26, 27, 28,
    29,
];

/// The vowels follow the consonants.
const FIRST_VOWEL: usize = 30;
const VOWELS: usize = 21;

/// The keys, in lower case, that were pressed for `word`, even if an input method has composed it into syllables.
/// Full-width letters become ASCII, others stay as they are.
pub(crate) fn keys_of(word: &str) -> String {
    let mut keys = String::with_capacity(word.len());
    for c in word.chars() {
        push_keys(c, &mut keys);
    }
    keys.make_ascii_lowercase();
    keys
}

fn push_keys(c: char, keys: &mut String) {
    let offset = |first: char| (u32::from(c) - u32::from(first)) as usize;
    match c {
        'ㄱ'..='ㅣ' => keys.push_str(LETTERS[offset('ㄱ')]),
        '가'..='힣' => {
            let (syllable, last) = (offset('가') / 28, offset('가') % 28);
            keys.push_str(LETTERS[INITIALS[syllable / VOWELS]]);
            keys.push_str(LETTERS[FIRST_VOWEL + syllable % VOWELS]);
            if last > 0 {
                keys.push_str(LETTERS[FINALS[last - 1]]);
            }
        }
        // Uncomposed letters, as some systems produce them (NFD).
        '\u{1100}'..='\u{1112}' => keys.push_str(LETTERS[INITIALS[offset('\u{1100}')]]),
        '\u{1161}'..='\u{1175}' => keys.push_str(LETTERS[FIRST_VOWEL + offset('\u{1161}')]),
        '\u{11A8}'..='\u{11C2}' => keys.push_str(LETTERS[FINALS[offset('\u{11A8}')]]),
        '！'..='～' => {
            keys.extend(char::from_u32(u32::from(c) - u32::from('！') + u32::from('!')));
        }
        _ => keys.push(c),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn v8_letters_and_syllables_are_the_keys_that_typed_them() {
        for (typed, keys) in [
            ("ㅓㅐㅑㅜ", "join"),
            ("ㅜ믇", "name"),
            ("ㅜㅁㅡㄷ", "name"),
            ("개ㅐㅡㄴ", "rooms"),
            ("ㄱㅐㅐㅡㄴ", "rooms"),
            ("ㅊㄱㄷㅁㅅㄷ", "create"),
            ("ㅊㄱㅁㅅㄷ", "crate"),
            ("ㅣㄷㅁㅍㄷ", "leave"),
            ("ㅗ디ㅔ", "help"),
            ("노ㅕㅅ애주", "shutdown"),
            ("벼ㅑㅅ", "quit"),
            ("ㅃㅕㅑㅅ", "quit"),
            ("넒", "sjfa"),
            ("과ㄳㅖ", "rhkrtp"),
            ("ㅈㅗㅐ", "who"),
            ("\u{1102}\u{1169}\u{1167}\u{1109}\u{110b}\u{1162}\u{110c}\u{116e}", "shutdown"),
            ("ｊｏＩｎ", "join"),
            ("jㅐㅑㅜ", "join"),
            ("é!", "é!"),
        ] {
            assert_eq!(keys_of(typed), keys, "{typed}");
        }
    }

    /// Checks every syllable against the composition algorithm (Unicode, 3.12).
    #[test]
    fn v8_every_syllable_is_its_letters() {
        let compatible = |c: char| match u32::from(c) {
            n @ 0x1100..=0x1112 => LETTERS[INITIALS[(n - 0x1100) as usize]],
            n @ 0x1161..=0x1175 => LETTERS[FIRST_VOWEL + (n - 0x1161) as usize],
            n => LETTERS[FINALS[(n - 0x11A8) as usize]],
        };
        for syllable in '가'..='힣' {
            let n = u32::from(syllable) - 0xAC00;
            let parts = [0x1100 + n / 588, 0x1161 + n % 588 / 28, 0x11A7 + n % 28];
            let letters =
                parts.into_iter().filter(|part| *part != 0x11A7).filter_map(char::from_u32);
            let keys: String = letters.map(compatible).collect();
            assert_eq!(keys_of(&syllable.to_string()), keys.to_ascii_lowercase(), "{syllable}");
        }
    }
}
