//! The entries without a fuzzer: every file of the corpora, and then mutations of them.
//!
//! `FUZZ_ROUNDS=1000000` tries that many mutations of each corpus instead of 200. They differ each time, unless
//! `FUZZ_SEED` is set to the seed that a failure prints. The failing input is saved beside the test program; add it to
//! the corpus, and it is tried first from then on.

mod mutation;

use std::env;
use std::fs;
use std::hash::{BuildHasher, RandomState};
use std::path::{Path, PathBuf};
use std::thread;

use chat_fuzz_entries::{ENTRIES, Entry};
use mutation::Mutator;

#[test]
fn frame() {
    replay("frame");
}

#[test]
fn command() {
    replay("command");
}

#[test]
fn connection() {
    replay("connection");
}

#[test]
fn hub() {
    replay("hub");
}

#[test]
fn names() {
    replay("names");
}

#[test]
fn proxy() {
    replay("proxy");
}

#[test]
fn recording() {
    replay("recording");
}

#[test]
fn websocket() {
    replay("websocket");
}

/// A corpus without an entry would never be tried, nor would an entry without a corpus.
#[test]
fn every_corpus_has_an_entry() {
    let mut corpora: Vec<_> = fs::read_dir(corpora())
        .expect("the corpora are committed")
        .map(|entry| entry.expect("an entry of that directory").file_name())
        .collect();
    corpora.sort();
    let mut names = ENTRIES.map(|entry| entry.name);
    names.sort_unstable();
    assert_eq!(corpora, names);
}

fn replay(name: &str) {
    let entry = ENTRIES.into_iter().find(|entry| entry.name == name).expect("it has this name");
    let corpus = corpus(name);
    assert!(corpus.len() >= 10, "the corpus of {name} is gone");
    for (file, input) in &corpus {
        attempt(entry, &file.display().to_string(), input);
    }
    let rounds = number("FUZZ_ROUNDS").unwrap_or(200);
    let seed = number("FUZZ_SEED").unwrap_or_else(|| RandomState::new().hash_one(name));
    let mut mutator = Mutator::new(seed, corpus.into_iter().map(|(_, input)| input).collect());
    for round in 0..rounds {
        attempt(entry, &format!("FUZZ_SEED={seed}, round {round}"), &mutator.input());
    }
}

/// Runs an entry. If it panics, prints the input's origin, and saves the input.
fn attempt(entry: Entry, what: &str, input: &[u8]) {
    let _told = Told { entry, what, input };
    (entry.run)(input);
}

struct Told<'a> {
    entry: Entry,
    what: &'a str,
    input: &'a [u8],
}

impl Drop for Told<'_> {
    fn drop(&mut self) {
        if !thread::panicking() {
            return;
        }
        let file = Path::new(env!("CARGO_TARGET_TMPDIR")).join(self.entry.name);
        let kept = fs::write(&file, self.input);
        eprintln!("{} failed at {}", self.entry.name, self.what);
        eprintln!("its input is in {}: {kept:?}", file.display());
    }
}

/// The files of a corpus in the order of their names.
fn corpus(name: &str) -> Vec<(PathBuf, Vec<u8>)> {
    let entries = fs::read_dir(corpora().join(name)).expect("the corpora are committed");
    let mut files: Vec<_> =
        entries.map(|entry| entry.expect("an entry of that directory").path()).collect();
    files.sort();
    let read = |file: PathBuf| {
        let input = fs::read(&file).expect("a file of the corpus");
        (file, input)
    };
    files.into_iter().map(read).collect()
}

fn corpora() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../corpus")
}

fn number(variable: &str) -> Option<u64> {
    let value = env::var(variable).ok()?;
    Some(value.parse().unwrap_or_else(|_| panic!("{variable} has to be a number")))
}
