//! Writes the corpus files that were written by hand, not found by the fuzzer: the cases of the catalogue of
//! bad inputs, each named after what it shows.
//!
//! ```text
//! cargo run -p chat-fuzz-entries --example corpus
//! ```

mod command;
mod connection;
mod frame;
mod hub;

use std::fs;
use std::path::Path;

/// A file: its name and contents.
struct Case(&'static str, Vec<u8>);

fn main() {
    let corpora = [
        ("frame", frame::cases()),
        ("command", command::cases()),
        ("connection", connection::cases()),
        ("hub", hub::cases()),
    ];
    for (target, cases) in corpora {
        let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("../corpus").join(target);
        fs::create_dir_all(&directory).expect("a directory beside this crate");
        for Case(name, input) in &cases {
            fs::write(directory.join(name), input).expect("a file of the corpus");
        }
        println!("{target}: {} files", cases.len());
    }
}

/// One frame.
fn framed(payload: impl AsRef<[u8]>) -> Vec<u8> {
    let payload = payload.as_ref();
    let len = u16::try_from(payload.len()).expect("it fits a frame");
    [&len.to_be_bytes(), payload].concat()
}
