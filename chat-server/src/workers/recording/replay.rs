//! Applies the inputs of a recording to a fresh hub, and compares hashes.

use std::fmt;
use std::io::{self, BufRead};
use std::panic::{self, AssertUnwindSafe};

use chat_core::{Hub, RestoreError};
use chat_proto::{Lang, Localize, localize};

use super::line::{AnyHeader, Header, Line, VERSION};

/// The result of a replay in which all hashes were equal.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Replay {
    /// The inputs applied.
    pub inputs: u64,
    /// The hashes compared.
    pub hashes: u64,
    /// Whether the recording has its last hash. It has not if the program was killed, or gave the recording up.
    pub is_complete: bool,
    /// Whether its last line is cut off, and was left out.
    pub is_cut: bool,
    /// The numbers of the inputs that made the hub panic, as they did in the server.
    pub panics: Vec<u64>,
}

/// The reason why a replay failed.
#[derive(Debug)]
#[non_exhaustive]
pub enum ReplayError {
    /// The recording cannot be read.
    Read(io::Error),
    /// The recording has another version of the format.
    Version(u32),
    /// The hub in the first line cannot be restored.
    Restore(RestoreError),
    /// A line is not one of a recording.
    Line {
        /// The number of the line, from 1.
        line: u64,
        /// What is wrong with it, in English.
        error: String,
    },
    /// The hub is another one than it was in the server.
    Differs {
        /// The number of inputs after which it was still the same.
        equal: u64,
        /// The number of inputs after which it is not.
        inputs: u64,
        /// The hash in the recording, and that of the replay.
        hashes: (u64, u64),
        /// The program that recorded it, with its version.
        program: String,
    },
}

/// Applies the inputs of a recording to a fresh hub, in their order, and compares the hub with each hash in the
/// recording.
///
/// # Errors
/// If the recording cannot be read, or a hash differs.
pub fn replay(recording: impl BufRead) -> Result<Replay, ReplayError> {
    let mut lines = Lines { recording, number: 0, text: Vec::new() };
    let (program, mut hub) = match lines.next()? {
        Next::Line => begin(&lines.text)?,
        Next::Cut | Next::End => return Err(lines.error(&"there is no whole line")),
    };
    let (mut inputs, mut hashes, mut equal) = (0, 0, 0);
    let (mut is_complete, mut panics) = (false, Vec::new());
    let mut outputs = Vec::new();
    let is_cut = loop {
        match lines.next()? {
            Next::Line if is_complete => return Err(lines.error(&"it follows the last hash")),
            Next::Line => {}
            Next::Cut => break true,
            Next::End => break false,
        }
        match serde_json::from_slice(&lines.text).map_err(|error| lines.error(&error))? {
            Line::Input(now, input) => {
                inputs += 1;
                // The server catches panics, and goes on.
                let apply = AssertUnwindSafe(|| hub.apply(now, *input, &mut outputs));
                if panic::catch_unwind(apply).is_err() {
                    panics.push(inputs);
                }
                outputs.clear();
            }
            Line::Hash { inputs: counted, .. } if counted != inputs => {
                return Err(lines.error(&format_args!("it follows {inputs} inputs, not {counted}")));
            }
            Line::Hash { hash: recorded, is_last, .. } => {
                let hash = hub.hash();
                if hash != recorded {
                    let hashes = (recorded, hash);
                    return Err(ReplayError::Differs { equal, inputs, hashes, program });
                }
                (hashes, equal, is_complete) = (hashes + 1, inputs, is_last);
            }
        }
    };
    Ok(Replay { inputs, hashes, is_complete, is_cut, panics })
}

/// Reads the first line. Returns the program that wrote it, and the hub.
fn begin(line: &[u8]) -> Result<(String, Hub), ReplayError> {
    let error = |error: serde_json::Error| ReplayError::Line { line: 1, error: error.to_string() };
    let AnyHeader { recording } = serde_json::from_slice(line).map_err(error)?;
    if recording != VERSION {
        return Err(ReplayError::Version(recording));
    }
    let header: Header = serde_json::from_slice(line).map_err(error)?;
    let hub = Hub::restore(header.limits, header.snapshot).map_err(ReplayError::Restore)?;
    Ok((header.program, hub))
}

struct Lines<R> {
    recording: R,
    /// The number of the line in `text`.
    number: u64,
    text: Vec<u8>,
}

enum Next {
    Line,
    /// A line without its end, the last one.
    Cut,
    End,
}

impl<R: BufRead> Lines<R> {
    fn next(&mut self) -> Result<Next, ReplayError> {
        self.text.clear();
        self.number += 1;
        self.recording.read_until(b'\n', &mut self.text).map_err(ReplayError::Read)?;
        Ok(match self.text.last() {
            Some(b'\n') => Next::Line,
            Some(_) => Next::Cut,
            None => Next::End,
        })
    }

    fn error(&self, error: &dyn fmt::Display) -> ReplayError {
        ReplayError::Line { line: self.number, error: error.to_string() }
    }
}

/// In English.
impl fmt::Display for Replay {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.fmt_in(Lang::En, f)
    }
}

/// A few lines.
impl Localize for Replay {
    fn fmt_in(&self, lang: Lang, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { inputs, hashes, is_complete, is_cut, panics } = self;
        localize!(f, lang,
            en: "{inputs} inputs, {hashes} hashes equal",
            ko: "입력 {inputs}개, 같은 해시 {hashes}개")?;
        if *is_cut {
            localize!(f, lang,
                en: "\nThe last line is cut off, and was left out.",
                ko: "\n마지막 줄이 잘려서 뺐어요.")?;
        }
        if !is_complete {
            localize!(f, lang,
                en: "\nThe recording has no last hash: the server was killed, or gave the recording up.",
                ko: "\n마지막 해시가 없어요. 서버가 강제로 끝났거나 기록을 그만뒀어요.")?;
        }
        for input in panics {
            localize!(f, lang,
                en: "\nInput {input} made the server panic.",
                ko: "\n입력 {input}번에서 서버가 패닉했어요.")?;
        }
        Ok(())
    }
}

/// In English.
impl fmt::Display for ReplayError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.fmt_in(Lang::En, f)
    }
}

impl Localize for ReplayError {
    fn fmt_in(&self, lang: Lang, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Read(error) => localize!(f, lang,
                en: "cannot read the recording: {error}",
                ko: "기록을 읽을 수 없어요: {error}"),
            Self::Version(version) => localize!(f, lang,
                en: "the recording has version {version}, and this program reads {VERSION}",
                ko: "기록 버전이 {version}인데, 이 프로그램은 {VERSION}만 읽어요"),
            Self::Restore(error) => localize!(f, lang,
                en: "line 1: {error}",
                ko: "1번째 줄: {error}"),
            Self::Line { line, error } => localize!(f, lang,
                en: "line {line}: {error}",
                ko: "{line}번째 줄: {error}"),
            Self::Differs { equal, inputs, hashes: (recorded, hash), program } => {
                let first = equal + 1;
                localize!(f, lang,
                    en: "the hash after {inputs} inputs is {hash:016x}, not {recorded:016x}: the hub \
                         differs from that of {program} by an input from {first} to {inputs}",
                    ko: "입력 {inputs}개 뒤의 해시가 {recorded:016x} 아닌 {hash:016x}: {first}~{inputs}번 \
                         입력 중 하나에서 {program} 때와 달라졌어요")
            }
        }
    }
}

impl std::error::Error for ReplayError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Read(error) => Some(error),
            Self::Restore(error) => Some(error),
            Self::Version(_) | Self::Line { .. } | Self::Differs { .. } => None,
        }
    }
}
