//! `chat-proto` and `chat-core` do no input or output, read no clock, take no lock, start no thread and
//! write no log.

use super::source::{Token, sources, tokens, without_tests};

/// What may not be in their sources outside of comments, strings and tests.
const FORBIDDEN: [&str; 22] = [
    "std::net",
    "std::io",
    "std::fs",
    "std::os",
    "std::env",
    "std::process",
    "std::thread",
    // The modules above would hide in it.
    "std::{",
    "log::",
    "thread_local",
    "Instant",
    "SystemTime",
    "Mutex",
    "RwLock",
    "Condvar",
    "mio",
    "print",
    "println",
    "eprint",
    "eprintln",
    "dbg",
    "tracing",
];

/// `LINE: WORD` for each forbidden word in `source`.
fn faults(source: &str) -> Vec<String> {
    let tokens = without_tests(&tokens(source));
    let is_at = |at: usize, word: &str| {
        let expected = super::source::tokens(word);
        let found = tokens.iter().skip(at).map(|token| token.text);
        found.take(expected.len()).eq(expected.iter().map(|token| token.text))
    };
    let at = |(at, token): (usize, &Token<'_>)| {
        let found = FORBIDDEN.iter().filter(move |word| is_at(at, word));
        let line = token.line;
        found.map(move |word| format!("{line}: {word}")).collect::<Vec<_>>()
    };
    tokens.iter().enumerate().flat_map(at).collect()
}

#[test]
fn the_library_crates_are_pure() {
    let mut found = Vec::new();
    for crate_name in ["chat-proto", "chat-core"] {
        let sources = sources(&format!("{crate_name}/src"));
        assert!(sources.contains_key(&format!("{crate_name}/src/lib.rs")));
        for (path, text) in sources.iter().filter(|(path, _)| !path.ends_with("/tests.rs")) {
            found.extend(faults(text).into_iter().map(|fault| format!("{path}:{fault}")));
        }
    }
    assert!(found.is_empty(), "{}", found.join("\n"));
}

#[test]
fn each_forbidden_word_is_found_and_others_are_not() {
    for word in FORBIDDEN {
        assert_eq!(faults(&format!("\n x({word}")), [format!("2: {word}")]);
    }
    let harmless = "#[cfg(test)] use std::io; struct Instantiated; catalog::new(); dialog::open();";
    assert_eq!(faults(harmless), [""; 0]);
}
