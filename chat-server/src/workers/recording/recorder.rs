//! The end of a recording that is under the hub's lock: it writes down inputs, and never waits.

use std::io::{self, Write};
use std::time::Duration;

use chat_core::{Hub, Input};

use super::line::{Header, VERSION, Written, show_hash};
use super::writer::Writer;

/// Inputs between two hashes, unless the hub is large: then so many as there are sessions and rooms, four times, so that
/// an input costs the same, however large the hub is.
const HASH_EVERY: u64 = 1024;

/// Bytes written down before they are handed over in the middle of a turn.
const FULL: usize = 256 * 1024;

/// How long the end of a recording may take.
const END: Duration = Duration::from_secs(5);

/// Writes down the inputs of a hub.
#[derive(Debug)]
pub(crate) struct Recorder {
    /// Lines that have not been handed over.
    lines: Vec<u8>,
    writer: Writer,
    inputs: u64,
    /// The number of inputs after which the hub is hashed next.
    next_hash: u64,
}

impl Recorder {
    /// Begins a recording with the present state of a hub.
    ///
    /// # Errors
    /// If the first line cannot be written, or the system is out of threads.
    pub(crate) fn start(mut to: impl Write + Send + 'static, hub: &Hub) -> io::Result<Self> {
        let limits = hub.limits();
        let program = concat!("chat-server ", env!("CARGO_PKG_VERSION")).to_owned();
        let header = Header { recording: VERSION, program, limits, snapshot: hub.snapshot() };
        let mut first = serde_json::to_vec(&header)?;
        first.push(b'\n');
        to.write_all(&first)?;
        let writer = Writer::start(to)?;
        Ok(Self { lines: Vec::new(), writer, inputs: 0, next_hash: HASH_EVERY })
    }

    /// Writes an input down, before it is applied: one that makes the hub panic is the one to have.
    pub(crate) fn record(&mut self, now: u64, input: &Input) {
        self.inputs += 1;
        self.write(&Written::Input { now, input });
    }

    /// Writes the hash of the hub down if it is time, between two inputs.
    pub(crate) fn check(&mut self, hub: &Hub) {
        if self.inputs >= self.next_hash {
            let size = hub.session_count() + hub.room_count();
            self.next_hash = self.inputs + HASH_EVERY.max(4 * size as u64);
            self.hash(hub, false);
        }
        if self.lines.len() >= FULL {
            self.hand_over();
        }
    }

    /// Hands over what has been written down. Returns false once the recording has ended, because the file cannot be
    /// written, or takes too long; the log says so.
    pub(crate) fn hand_over(&mut self) -> bool {
        self.writer.write(&mut self.lines)
    }

    /// Writes the last hash down, and hands everything over.
    pub(crate) fn finish(&mut self, hub: &Hub) {
        self.hash(hub, true);
        self.hand_over();
    }

    /// Waits until everything is in the file, but not for long.
    pub(crate) fn end(self) {
        self.writer.end(END);
    }

    fn hash(&mut self, hub: &Hub, last: bool) {
        let hash = show_hash(hub.hash());
        self.write(&Written::Hash { inputs: self.inputs, hash: &hash, last });
    }

    fn write(&mut self, line: &Written<'_>) {
        if self.writer.is_writing() {
            serde_json::to_writer(&mut self.lines, line).expect("inputs can always be serialized");
            self.lines.push(b'\n');
        }
    }
}
