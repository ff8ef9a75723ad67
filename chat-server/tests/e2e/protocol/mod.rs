//! Checks `docs/PROTOCOL.md` against the server: its transcripts replay, its tables agree with the code, and its
//! Python client works.
//!
//! A transcript is a fenced block marked `transcript`. Each line is about one connection, which begins when its name
//! is first mentioned:
//!
//! ```text
//! server: rooms = 1           in the first lines: a setting other than the default
//! alice > {"type":"CSRooms"}  alice sends this payload in a frame
//! alice > 9 × {}              nine such frames in one write
//! alice > raw ⟨hex 00 00⟩     these bytes, without a length before them
//! alice > end                 the end of the stream from alice
//! alice < {}                  the next frame to alice has exactly this payload
//! alice < 9 × {}              so have the next nine
//! alice < end                 the end of the stream to alice, without a reset
//! ```
//!
//! In what is received, `⟨a word⟩` stands for what differs each time; in what is sent, for what that was last. There,
//! `⟨hex 0a ff⟩` stands for bytes, and `⟨9 × ab⟩` for a text repeated nine times. At the end of a transcript, connections that are still open must have received nothing else. A transcript in which two connections
//! send one after the other, with nothing received in between, is refused: it would not determine which came first.

mod document;
mod python;
mod stage;
mod tables;
mod transcript;

use transcript::Transcript;

#[test]
fn the_transcripts_of_the_document_replay() {
    let transcripts = Transcript::all();
    assert!(transcripts.len() >= 10, "the document has its transcripts");
    let differences: Vec<_> = transcripts.iter().flat_map(stage::play).collect();
    assert!(differences.is_empty(), "docs/PROTOCOL.md\n{}", differences.join("\n"));
}
