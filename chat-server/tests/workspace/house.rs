//! The house rules that a program can check.

use std::fs;
use std::path::Path;

use super::source::{ROOT, Token, group_len, sources, tokens};

/// The most lines in a file.
const FILE: usize = 500;

/// The most lines in a function.
const FUNCTION: usize = 70;

/// The most files and folders at the top of a crate's sources.
const ENTRIES: usize = 15;

/// The model checks, which compile sources of the server over other primitives.
const MODEL: &str = "chat-server/tests/model/";

/// The faults of one file.
fn faults(path: &str, text: &str) -> Vec<String> {
    let mut faults = Vec::new();
    if !text.starts_with("//!") && !text.starts_with("#![no_main]") {
        faults.push("does not say what it is for (`//!`)".to_owned());
    }
    let lines = text.lines().count();
    if lines > FILE {
        faults.push(format!("has {lines} lines"));
    }
    if path.ends_with("_tests.rs") {
        faults
            .push("holds tests, which belong in the file, or in x/tests.rs beside x.rs".to_owned());
    }
    let tokens = tokens(text);
    for (at, token) in tokens.iter().enumerate() {
        let text = |ahead: usize| tokens.get(at + ahead).map_or("", |token| token.text);
        match token.text {
            "#" if text(1) == "[" && text(2) == "path" && !path.starts_with(MODEL) => {
                faults.push(format!("{}: names the path of a module", token.line));
            }
            "fn" if text(1) != "(" => {
                let lines = function_lines(&tokens[at..]);
                if lines > FUNCTION {
                    faults.push(format!("{}: {} has {lines} lines", token.line, text(1)));
                }
            }
            _ => {}
        }
    }
    faults.into_iter().map(|fault| format!("{path}: {fault}")).collect()
}

/// The number of lines of the function that `tokens` begin with.
fn function_lines(tokens: &[Token<'_>]) -> usize {
    let mut at = 0;
    while let Some(token) = tokens.get(at) {
        match token.text {
            ";" => break,
            "{" => return tokens[at + group_len(&tokens[at..]) - 1].line - tokens[0].line + 1,
            "(" | "[" => at += group_len(&tokens[at..]),
            _ => at += 1,
        }
    }
    // A declaration.
    0
}

#[test]
fn every_file_keeps_the_rules_of_the_house() {
    let sources = sources("");
    assert!(sources.len() > 200, "{} sources", sources.len());
    let faults: Vec<_> = sources.iter().flat_map(|(path, text)| faults(path, text)).collect();
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

#[test]
fn a_folder_shows_the_parts_of_a_crate() {
    for crate_name in ["chat-proto", "chat-core", "chat-server", "chat-client", "benches"] {
        let path = Path::new(ROOT).join(crate_name).join("src");
        let entries = fs::read_dir(path).expect("every crate has sources").count();
        assert!(entries <= ENTRIES, "{crate_name}/src has {entries} entries");
    }
}

#[test]
fn a_fault_is_found_and_named() {
    assert_eq!(faults("a.rs", "//! A.\nfn f() {}\ntrait T { fn g(); }"), [""; 0]);
    let long =
        format!("//! A.\nstruct S(fn());\nfn f() -> [u8; 2] {{\n{}}}\n", "g();\n".repeat(FUNCTION));
    assert_eq!(faults("a.rs", &long), ["a.rs: 3: f has 72 lines"]);
    let tests = "//! A.\n#[path = \"b.rs\"]\nmod a;\n";
    assert_eq!(faults(&format!("{MODEL}a.rs"), tests), [""; 0]);
    assert_eq!(faults("a_tests.rs", tests).len(), 2);
    assert_eq!(faults("a.rs", &"\n".repeat(FILE + 1)).len(), 2);
}
