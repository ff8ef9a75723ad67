//! The tables of the document agree with the code.

use std::collections::BTreeSet;

use chat_proto::{MAX_LISTED_MEMBERS, MAX_NAME_CHARS, MAX_PAYLOAD, MAX_TITLE_CHARS};
use chat_server::Config;

use super::document::{quoted, table};
use super::transcript::Transcript;

/// Codes that no transcript can produce: transcripts meet no bugs, always read, and have neither an operator nor
/// proxies nor certificates.
const NOT_PLAYED: [&str; 6] = [
    "announcement",
    "internal",
    "proxy-header-expected",
    "removed",
    "slow-consumer",
    "tls-required",
];

/// Every code, extracted from the sources, since no value lists all variants.
fn codes_of_the_code() -> BTreeSet<&'static str> {
    let sources = [
        include_str!("../../../../chat-proto/src/notice.rs"),
        include_str!("../../../../chat-proto/src/command/rejection.rs"),
    ];
    let codes_in = |source: &'static str| {
        let (_, body) = source
            .split_once("pub const fn code(&self) -> &'static str {")
            .expect("it has the function that gives the code");
        let (body, _) = body.split_once("\n    }\n").expect("the function ends");
        body.split('"').skip(1).step_by(2)
    };
    sources.into_iter().flat_map(codes_in).collect()
}

fn codes_of_the_document() -> BTreeSet<&'static str> {
    let rows = table("Codes");
    let codes: BTreeSet<_> = rows.iter().filter_map(|row| quoted(row[0])).collect();
    assert_eq!(codes.len(), rows.len(), "each row has a code, and none has two");
    codes
}

#[test]
fn the_document_has_every_code_and_no_other() {
    let (expected, found) = (codes_of_the_code(), codes_of_the_document());
    let missing: Vec<_> = expected.difference(&found).collect();
    let invented: Vec<_> = found.difference(&expected).collect();
    assert!(missing.is_empty(), "docs/PROTOCOL.md has no row for {missing:?}");
    assert!(invented.is_empty(), "docs/PROTOCOL.md has codes that there are not: {invented:?}");
}

#[test]
fn every_code_is_in_a_transcript() {
    let transcripts = Transcript::all();
    let payloads: Vec<_> = transcripts.iter().flat_map(Transcript::received).collect();
    for code in codes_of_the_document() {
        let field = format!(r#","code":"{code}""#);
        let is_played = payloads.iter().any(|payload| payload.contains(&field));
        assert_ne!(is_played, NOT_PLAYED.contains(&code), "{code}");
    }
}

#[test]
fn the_document_has_the_defaults_of_the_limits() {
    let limits = format!("{:?}", Config::default().limits);
    for row in table("Limits") {
        let numbers = numbers_of_the_document(row[1]);
        let Some(name) = quoted(row[0]) else {
            assert_eq!(numbers, [constant(row[0])], "{}", row[0]);
            continue;
        };
        assert_eq!(Some(numbers), numbers_of(&limits, name), "{name}");
    }
}

fn constant(name: &str) -> usize {
    match name {
        "bytes of a payload" => MAX_PAYLOAD,
        "characters of a name" => MAX_NAME_CHARS,
        "characters of a title" => MAX_TITLE_CHARS,
        "names listed of a room" => MAX_LISTED_MEMBERS,
        _ => panic!("{name} is in the table, but unknown here"),
    }
}

/// The numbers of one limit in the `Debug` form of all limits: one number, or a burst and a rate.
fn numbers_of(limits: &str, name: &str) -> Option<Vec<usize>> {
    let (_, value) = limits.split_once(&format!(" {name}: "))?;
    let end = if value.starts_with("RateLimit") { "}" } else { "," };
    let value = value.split_once(end).map_or(value, |(value, _)| value);
    Some(numbers(value).map(|(number, _)| number).collect())
}

/// The numbers of a cell of the document, which writes `1 KiB` for 1024 and `1,000` for 1000.
fn numbers_of_the_document(cell: &str) -> Vec<usize> {
    let cell = cell.replace(',', "");
    let scaled = |(number, rest): (usize, &str)| match rest.get(..4) {
        Some(" KiB") => number << 10,
        Some(" MiB") => number << 20,
        _ => number,
    };
    numbers(&cell).map(scaled).collect()
}

/// Each number in a text, and the text after it.
fn numbers(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let mut rest = text;
    std::iter::from_fn(move || {
        let begin = rest.find(|c: char| c.is_ascii_digit())?;
        let digits = &rest[begin..];
        let end = digits.find(|c: char| !c.is_ascii_digit()).unwrap_or(digits.len());
        rest = &digits[end..];
        Some((digits[..end].parse().expect("they are digits, and few"), rest))
    })
}
