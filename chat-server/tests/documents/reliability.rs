//! `docs/RELIABILITY.md` names tests that there are.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// The root of the workspace.
const ROOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/..");

/// The document.
const RELIABILITY: &str = include_str!("../../../docs/RELIABILITY.md");

/// Where fields stand that documents may name as well.
const FIELDS: [&str; 2] = ["chat-server/src/limits/mod.rs", "chat-core/src/limits.rs"];

/// All sources of the workspace.
fn sources(directory: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(directory).expect("a directory of the workspace") {
        let path = entry.expect("an entry of it").path();
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        if path.is_dir() && name != "target" && !name.starts_with('.') {
            sources(&path, found);
        } else if name.ends_with(".rs") {
            found.push(path);
        }
    }
}

/// The word at the beginning of `text`.
fn word(text: &str) -> &str {
    let end = text.find(|c: char| c != '_' && !c.is_ascii_alphanumeric());
    &text[..end.unwrap_or(text.len())]
}

/// A name without the numbers of faults before it, which documents may leave out.
fn plain(name: &str) -> &str {
    let Some((first, rest)) = name.split_once('_') else { return name };
    let mut chars = first.chars();
    let is_letter = chars.next().is_some_and(|c| c.is_ascii_lowercase());
    let number = chars.as_str();
    let is_number = number.starts_with(|c: char| c.is_ascii_digit());
    if is_letter && is_number { plain(rest) } else { name }
}

/// The functions of a source that are marked as tests.
fn tests(source: &str) -> impl Iterator<Item = &str> {
    source.split("#[test]").skip(1).filter_map(|behind| {
        let at = behind.find("fn ")? + 3;
        Some(word(&behind[at..]))
    })
}

/// What stands between backticks and could be a test: several words with `_` between them.
fn named(document: &str) -> BTreeSet<&str> {
    let spans = document.split('`').skip(1).step_by(2);
    spans
        .filter(|span| span.contains('_') && word(span) == *span && *span == span.to_lowercase())
        .collect()
}

#[test]
fn every_test_that_a_document_names_is_there() {
    let mut paths = Vec::new();
    sources(Path::new(ROOT), &mut paths);
    let texts: Vec<String> =
        paths.iter().filter_map(|path| fs::read_to_string(path).ok()).collect();
    let mut known: BTreeSet<&str> = texts.iter().flat_map(|text| tests(text)).map(plain).collect();
    let fields = FIELDS.map(|path| fs::read_to_string(Path::new(ROOT).join(path)).expect(path));
    for line in fields.iter().flat_map(|text| text.lines()) {
        known.extend(line.trim().strip_prefix("pub ").map(word));
    }
    let named = named(RELIABILITY);
    let missing: Vec<_> = named.iter().filter(|name| !known.contains(plain(name))).collect();
    assert!(missing.is_empty(), "docs/RELIABILITY.md names what is no test: {missing:#?}");
    assert!(named.len() > 50, "{} names were found: are they written otherwise now?", named.len());
}

#[test]
fn tests_and_names_are_found_where_they_stand() {
    let source =
        "#[test]\n#[cfg(unix)]\nfn one_is_one() {}\nfn helper_of_it() {}\n#[test] fn two(\n";
    assert_eq!(tests(source).collect::<Vec<_>>(), ["one_is_one", "two"]);
    assert_eq!(["c4_r11_a_b", "p4_a", "a_b", "utf8_a"].map(plain), ["a_b", "a", "a_b", "utf8_a"]);
    let text = "`one_is_one` and `frame`, `SO_SNDBUF`, `a_b c`, `two_is_two`";
    assert_eq!(named(text), ["one_is_one", "two_is_two"].into());
}
