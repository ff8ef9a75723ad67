//! The catalogue itself: every case and every limit has tests, every test that it names is there, and
//! every test that is named after a case stands with it.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use chat_server::Config;

const CATALOGUE: &str = include_str!("../../../docs/catalogue.md");

/// The letters of the cases, and the highest number of each.
const CASES: [(char, usize); 8] =
    [('P', 11), ('J', 12), ('S', 10), ('R', 11), ('T', 4), ('C', 10), ('O', 13), ('A', 8)];

/// Numbers that no case has.
const NOT_GIVEN: [&str; 5] = ["P7", "S3", "R8", "R10", "T3"];

fn cases() -> BTreeSet<String> {
    let numbers = CASES
        .into_iter()
        .flat_map(|(letter, last)| (1..=last).map(move |number| format!("{letter}{number}")));
    numbers.filter(|case| !NOT_GIVEN.contains(&case.as_str())).collect()
}

/// The rows of the tables with so many columns: the first cell, and the names in the last.
fn rows(columns: usize) -> BTreeMap<&'static str, BTreeSet<&'static str>> {
    let lines = CATALOGUE.lines().filter(|line| line.starts_with("| ") && !line.contains("---"));
    let cells = lines.map(|line| line.trim_matches(['|', ' ']).split(" | ").collect::<Vec<_>>());
    let rows = cells.filter(|cells| cells.len() == columns && cells[columns - 1].contains('`'));
    rows.map(|cells| {
        let names = cells[columns - 1].split('`').skip(1).step_by(2).collect();
        (cells[0].trim_matches('`'), names)
    })
    .collect()
}

/// The names of all functions of the workspace.
fn functions() -> BTreeSet<String> {
    fn read(directory: &Path, names: &mut BTreeSet<String>) {
        for entry in fs::read_dir(directory).expect("it is a directory").flatten() {
            let path = entry.path();
            if path.is_dir() {
                read(&path, names);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let source = fs::read_to_string(&path).expect("sources are UTF-8");
                let functions = source.split("fn ").skip(1).filter_map(|rest| rest.split_once('('));
                names.extend(functions.map(|(name, _)| name.to_owned()));
            }
        }
    }
    let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let mut names = BTreeSet::new();
    for directory in ["chat-proto", "chat-core", "chat-server", "chat-client"] {
        for part in ["src", "tests"] {
            let directory = workspace.join(directory).join(part);
            if directory.exists() {
                read(&directory, &mut names);
            }
        }
    }
    names
}

/// The cases that a name begins with.
fn cases_of(name: &str) -> Vec<String> {
    let parts = name.split('_').map(str::to_uppercase);
    let is_case = |part: &String| {
        part.strip_prefix(|c| CASES.iter().any(|case| case.0 == c))
            .is_some_and(|number| !number.is_empty() && number.bytes().all(|b| b.is_ascii_digit()))
    };
    parts.take_while(is_case).collect()
}

#[test]
fn every_case_has_tests_and_every_test_stands_with_its_cases() {
    let (rows, functions) = (rows(3), functions());
    assert_eq!(rows.keys().map(|&case| case.to_owned()).collect::<BTreeSet<_>>(), cases());
    for (case, names) in &rows {
        assert!(!names.is_empty(), "{case} has no test");
        for &name in names {
            assert!(functions.contains(name), "{case}: there is no {name}");
            let cases = cases_of(name);
            assert!(cases.is_empty() || cases.iter().any(|own| own == case), "{case}: {name}");
        }
    }
    for name in &functions {
        for case in cases_of(name) {
            let names = rows.get(case.as_str()).unwrap_or_else(|| panic!("{name}: no such case"));
            assert!(names.contains(name.as_str()), "{case} does not name {name}");
        }
    }
}

#[test]
fn every_limit_has_tests() {
    let (rows, functions) = (rows(2), functions());
    let limits = format!("{:#?}", Config::default().limits);
    let fields = limits.lines().filter_map(|line| line.strip_prefix("    ")?.split_once(':'));
    let fields: BTreeSet<_> =
        fields.map(|(field, _)| field).filter(|field| !field.starts_with(' ')).collect();
    assert!(fields.contains("linger"), "{fields:?}");
    assert_eq!(rows.keys().copied().collect::<BTreeSet<_>>(), fields);
    for name in rows.values().flatten() {
        assert!(functions.contains(*name), "there is no {name}");
    }
}
