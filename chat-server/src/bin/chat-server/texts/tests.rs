//! Every text exists in every language, belongs to it, and states the same facts in all of them. The texts of errors
//! are extracted from the sources, so that none is forgotten.

use chat_server::Lang;

use super::*;

/// The sources of error texts.
const SOURCES: [&str; 8] = [
    include_str!("../commands/history.rs"),
    include_str!("../exit_error.rs"),
    include_str!("../settings/error.rs"),
    include_str!("../../../limits/error.rs"),
    include_str!("../../../server/mod.rs"),
    include_str!("../../../net/tls/error.rs"),
    include_str!("../../../room_log/store/sqlite/archive.rs"),
    include_str!("../../../room_log/store/sqlite/error.rs"),
];

/// The first string literal of a source.
fn literal(source: &str) -> String {
    let mut text = String::new();
    let mut chars = source.chars().skip_while(|c| *c != '"').skip(1).peekable();
    while let Some(c) = chars.next() {
        match c {
            '"' => break,
            '\\' if chars.next_if_eq(&'\n').is_some() => {
                while chars.next_if(|c| c.is_whitespace()).is_some() {}
            }
            '\\' => text.extend(chars.next()),
            c => text.push(c),
        }
    }
    text
}

/// Every error text in English and Korean, with its placeholders. Parts of a sentence are separate texts.
fn errors() -> Vec<[String; 2]> {
    let pairs = SOURCES.iter().flat_map(|source| source.split("en: \"").skip(1));
    let pair = |rest: &str| {
        let (_, korean) = rest.split_once("ko: ").expect("localize! wants every language");
        [literal(&format!("\"{rest}")), literal(korean)]
    };
    pairs.map(pair).collect()
}

/// The texts of the help in English and Korean.
fn notes() -> Vec<[String; 2]> {
    let both = [Lang::En, Lang::Ko];
    let flags = FLAGS.iter().map(|flag| both.map(|lang| flag.get(lang).about.to_owned()));
    let fixed = FIXED.iter().map(|text| both.map(|lang| text.get(lang).to_owned()));
    flags.chain(fixed).collect()
}

fn is_korean(text: &str) -> bool {
    text.contains(|c| ('가'..='힣').contains(&c))
}

/// The placeholders, numbers, addresses, flags and values, which both languages have to state.
fn facts(text: &str) -> Vec<&str> {
    let is_end = |c: char| !(c.is_ascii_alphanumeric() || "-.:{}_".contains(c));
    let is_fact = |word: &&str| {
        word.starts_with("--")
            || word.starts_with('{')
            || word.starts_with(|c: char| c.is_ascii_digit())
    };
    let words = text.split(is_end).map(|word| word.trim_end_matches(['.', ':', '-']));
    let mut facts: Vec<&str> = words.filter(is_fact).collect();
    facts.sort_unstable();
    facts
}

#[test]
fn every_text_is_in_its_language() {
    assert!(errors().len() > 40, "are they written otherwise now?");
    for [english, korean] in errors().into_iter().chain(notes()) {
        assert!(!english.is_empty() && !is_korean(&english), "{english}");
        let is_fact_alone = facts(&korean) == [korean.trim_start_matches([':', ' '])];
        assert!(is_korean(&korean) || is_fact_alone, "{korean}");
    }
}

#[test]
fn every_language_states_the_same_facts() {
    for [english, korean] in errors().into_iter().chain(notes()) {
        // The Korean text also says how to ask for the help in Korean.
        let korean = korean.replace(" --lang=ko", "");
        assert_eq!(facts(&english), facts(&korean), "{english} / {korean}");
    }
}

#[test]
fn korean_is_polite_throughout() {
    for [_, korean] in errors() {
        let parts = korean.split(". ").flat_map(|part| part.split(": "));
        let parts = parts.map(|part| part.split(" (").next().unwrap_or(part));
        for part in parts.filter(|part| is_korean(part)) {
            assert!(part.trim_end_matches('?').ends_with('요'), "{part:?} of {korean}");
        }
    }
}

/// Whether 은 or 는, 이 or 가 is right depends on how the word before it ends.
#[test]
fn no_korean_particle_depends_on_the_end_of_a_value() {
    const DEPENDENT: [&str; 12] =
        ["은", "는", "이", "가", "을", "를", "과", "와", "로", "으로", "예", "여"];
    for [_, korean] in errors() {
        // This placeholder stands for the name of one of two flags.
        let korean = korean.replace("{list}로", "");
        for after in korean.split('}').skip(1) {
            let after = after.trim_start_matches(['"', ')', '/', 's']);
            assert!(!DEPENDENT.iter().any(|particle| after.starts_with(particle)), "{korean}");
        }
    }
}

#[test]
fn a_flag_has_a_value_in_every_language_or_in_none() {
    for flag in FLAGS {
        let values = Lang::ALL.map(|lang| flag.get(lang).value);
        assert!(values.iter().all(|value| value.is_empty() == values[0].is_empty()), "{values:?}");
    }
}

#[test]
fn the_korean_hint_leads_to_the_korean_help() {
    assert!(SEE_HELP.get(Lang::Ko).contains("--help --lang=ko"));
}
