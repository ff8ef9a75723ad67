//! Checks that every test named in `docs/catalogue.md` and `docs/RELIABILITY.md` exists, and that the catalogue has
//! tests for every case and every limit, and lists every test named after a case.

use std::collections::{BTreeMap, BTreeSet};

use chat_server::Config;

use super::source::{sources, tokens};

const CATALOGUE: &str = include_str!("../../../docs/catalogue.md");
const RELIABILITY: &str = include_str!("../../../docs/RELIABILITY.md");

/// The letters of the cases, and the highest number of each.
const CASES: [(char, usize); 11] = [
    ('P', 11),
    ('W', 10),
    ('J', 12),
    ('S', 10),
    ('R', 11),
    ('T', 4),
    ('C', 10),
    ('O', 17),
    ('A', 13),
    ('B', 9),
    ('V', 8),
];

/// Numbers that are not assigned.
#[rustfmt::skip]
const NOT_GIVEN: &[&str] = &[
    "P7", "S3", "R8", "R10", "T3",
];

fn cases() -> BTreeSet<String> {
    let numbers = CASES
        .into_iter()
        .flat_map(|(letter, last)| (1..=last).map(move |number| format!("{letter}{number}")));
    numbers.filter(|case| !NOT_GIVEN.contains(&case.as_str())).collect()
}

/// The cases at the beginning of a test's name, and the rest of the name.
fn cases_of(name: &str) -> (Vec<String>, &str) {
    let (mut cases, mut plain) = (Vec::new(), name);
    while let Some((first, rest)) = plain.split_once('_') {
        let case = first.to_uppercase();
        let number = case.strip_prefix(|c| CASES.iter().any(|case| case.0 == c));
        if number.is_none_or(|number| number.parse::<usize>().is_err()) {
            break;
        }
        cases.push(case);
        plain = rest;
    }
    (cases, plain)
}

/// The names of all tests of the workspace.
fn tests() -> BTreeSet<String> {
    sources("").values().flat_map(|source| tests_in(source)).collect()
}

fn tests_in(source: &str) -> BTreeSet<String> {
    let words: Vec<_> = tokens(source).iter().map(|token| token.text).collect();
    let marks = words.windows(4).zip(0..).filter(|(window, _)| *window == ["#", "[", "test", "]"]);
    let functions = marks.filter_map(|(_, at)| {
        let keyword = words[at..].iter().position(|word| *word == "fn")?;
        words.get(at + keyword + 1)
    });
    functions.map(|&name| name.to_owned()).collect()
}

/// The texts between backticks.
fn quoted(text: &str) -> impl Iterator<Item = &str> {
    text.split('`').skip(1).step_by(2)
}

/// The rows of the catalogue's tables that have this many columns: the first cell, and the names in the last.
fn rows(columns: usize) -> BTreeMap<&'static str, BTreeSet<&'static str>> {
    let lines = CATALOGUE.lines().filter(|line| line.starts_with("| ") && !line.contains("---"));
    let cells = lines.map(|line| line.trim_matches(['|', ' ']).split(" | ").collect::<Vec<_>>());
    let rows = cells.filter(|cells| cells.len() == columns && cells[columns - 1].contains('`'));
    rows.map(|cells| (cells[0].trim_matches('`'), quoted(cells[columns - 1]).collect())).collect()
}

/// The server's limits, by their names in [`Config`].
fn limits() -> BTreeSet<String> {
    let limits = format!("{:#?}", Config::default().limits);
    let fields = limits.lines().filter_map(|line| line.strip_prefix("    ")?.split_once(':'));
    let fields = fields.filter(|(field, _)| !field.starts_with(' '));
    fields.map(|(field, _)| field.to_owned()).collect()
}

#[test]
fn every_case_has_tests_and_every_test_is_listed_with_its_cases() {
    let (rows, tests) = (rows(3), tests());
    assert_eq!(rows.keys().map(|&case| case.to_owned()).collect::<BTreeSet<_>>(), cases());
    for (case, names) in &rows {
        assert!(!names.is_empty(), "{case} has no test");
        for &name in names {
            assert!(tests.contains(name), "{case}: there is no {name}");
            let (cases, _) = cases_of(name);
            assert!(cases.is_empty() || cases.iter().any(|own| own == case), "{case}: {name}");
        }
    }
    for name in &tests {
        for case in cases_of(name).0 {
            let names = rows.get(case.as_str()).unwrap_or_else(|| panic!("{name}: no such case"));
            assert!(names.contains(name.as_str()), "{case} does not name {name}");
        }
    }
}

#[test]
fn every_limit_has_tests() {
    let (rows, tests) = (rows(2), tests());
    let listed: BTreeSet<_> = rows.keys().map(|&limit| limit.to_owned()).collect();
    assert_eq!(listed, limits());
    for name in rows.values().flatten() {
        assert!(tests.contains(*name), "there is no {name}");
    }
}

#[test]
fn every_test_that_a_document_names_is_there() {
    let (tests, limits) = (tests(), limits());
    let known: BTreeSet<_> = tests.iter().map(|name| cases_of(name).1).collect();
    let is_name = |name: &&str| {
        name.contains('_')
            && name.chars().all(|c| c == '_' || c.is_ascii_lowercase() || c.is_ascii_digit())
    };
    let named: BTreeSet<_> = quoted(RELIABILITY).filter(is_name).collect();
    let is_missing = |name: &&&str| !known.contains(cases_of(name).1) && !limits.contains(**name);
    let missing: Vec<_> = named.iter().filter(is_missing).collect();
    assert!(missing.is_empty(), "docs/RELIABILITY.md names what is no test: {missing:#?}");
    assert!(named.len() > 50, "{} names were found: are they written otherwise now?", named.len());
}
