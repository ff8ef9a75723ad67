//! `docs/PROTOCOL.md`, held against the server: its transcripts are played, its tables compared with
//! the code, and its client in Python chats.
//!
//! A transcript is a fenced block `transcript`. Each line is about one connection, which begins where
//! its name first stands:
//!
//! ```text
//! server: rooms = 1           first of all, if at all: a setting that is not the default one
//! alice > {"type":"CSRooms"}  alice sends this payload in a frame
//! alice > 9 × {}              nine such frames in one write
//! alice > raw ⟨hex 00 00⟩     these bytes, without a length before them
//! alice > end                 the end of the stream from alice
//! alice < {}                  the next frame to alice has this payload, byte for byte
//! alice < 9 × {}              so have the next nine
//! alice < end                 the end of the stream to alice, without a reset
//! ```
//!
//! In what is sent `⟨hex 0a ff⟩` stands for bytes, and `⟨9 × ab⟩` for a text nine times. Whoever has
//! not had the end when the transcript is over gets nothing that is not in it. A transcript in which
//! two connections send, one behind the other, with nothing received between them, is refused: it
//! would not say which came first.

mod document;
mod python;
mod stage;
mod tables;
mod transcript;

use transcript::Transcript;

#[test]
fn the_transcripts_of_the_document_are_what_happens() {
    let transcripts = Transcript::all();
    assert!(transcripts.len() >= 10, "the document has its transcripts");
    let differences: Vec<_> = transcripts.iter().flat_map(stage::play).collect();
    assert!(differences.is_empty(), "docs/PROTOCOL.md\n{}", differences.join("\n"));
}
