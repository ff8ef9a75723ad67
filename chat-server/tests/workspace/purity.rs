//! `chat-proto` and `chat-core` do no input or output, read no clock, take no lock, start no thread and
//! write no log.

use super::source::{sources, tokens, without_tests};

/// Words that must not occur in their sources outside of comments, strings and tests.
const FORBIDDEN: [&str; 22] = [
    "std::net",
    "std::io",
    "std::fs",
    "std::os",
    "std::env",
    "std::process",
    "std::thread",
    // The modules above could hide in it.
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
    let tokens = tokens(source);
    let tokens = without_tests(&tokens);
    let begins = |at: usize, word: &str| {
        let mut rest = Some(word);
        let mut texts = tokens[at..].iter().map(|token| token.text);
        while let Some(left) = rest.filter(|rest| !rest.is_empty()) {
            rest = texts.next().and_then(|text| left.strip_prefix(text));
        }
        rest.is_some()
    };
    let found = (0..tokens.len()).flat_map(|at| {
        let words = FORBIDDEN.iter().filter(|word| begins(at, word));
        words.map(|word| format!("{}: {word}", tokens[at].line)).collect::<Vec<_>>()
    });
    found.collect()
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
fn a_forbidden_word_is_found_and_others_are_not() {
    assert_eq!(faults("\n x(std::net::A, std::{io})"), ["2: std::net", "2: std::{"]);
    let harmless = "#[cfg(test)] use std::io; struct Instantiated; catalog::new(); dialog::open();";
    assert_eq!(faults(harmless), [""; 0]);
}
