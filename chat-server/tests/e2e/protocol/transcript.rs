//! Transcripts as data. `mod.rs` explains the notation.

use std::collections::BTreeMap;

use super::document::{Line, blocks};
use crate::support::frame;

/// One conversation with a server of its own.
#[derive(Debug)]
pub(crate) struct Transcript {
    /// Names and values of the configuration.
    pub(crate) settings: Vec<(&'static str, &'static str)>,
    pub(crate) steps: Vec<Step>,
}

/// The next step: what happens, and on which connection.
#[derive(Debug)]
pub(crate) struct Step {
    /// The line of the document.
    pub(crate) line: usize,
    pub(crate) who: &'static str,
    pub(crate) act: Act,
}

#[derive(Debug)]
pub(crate) enum Act {
    /// Sends the bytes of this text, see [`bytes_of`], in one write.
    Send(&'static str),
    EndSending,
    /// Receives this payload, so many times.
    Receive {
        payload: &'static str,
        times: usize,
    },
    ReceiveEnd,
}

impl Transcript {
    /// All transcripts of the document.
    pub(crate) fn all() -> Vec<Self> {
        blocks("transcript").iter().map(|lines| Self::parse(lines)).collect()
    }

    fn parse(lines: &[Line]) -> Self {
        let is_setting = |line: &&Line| line.text.starts_with("server: ");
        let settings = lines.iter().take_while(is_setting).map(Line::parse_setting).collect();
        let steps: Vec<_> = lines.iter().skip_while(is_setting).map(Line::parse_step).collect();
        for pair in steps.windows(2) {
            let [before, step] = pair else { continue };
            assert!(
                before.who == step.who || !(before.act.is_sent() && step.act.is_sent()),
                "line {}: nothing says that {} sends before {}",
                step.line,
                before.who,
                step.who
            );
        }
        Self { settings, steps }
    }

    /// Every payload that the transcript receives.
    pub(crate) fn received(&self) -> impl Iterator<Item = &'static str> {
        self.steps.iter().filter_map(|step| match step.act {
            Act::Receive { payload, .. } => Some(payload),
            _ => None,
        })
    }
}

impl Act {
    const fn is_sent(&self) -> bool {
        matches!(self, Self::Send(_) | Self::EndSending)
    }

    fn sent(text: &'static str) -> Self {
        if text == "end" {
            return Self::EndSending;
        }
        Self::Send(text)
    }

    fn received(text: &'static str) -> Self {
        if text == "end" {
            return Self::ReceiveEnd;
        }
        let (times, payload) = times(text).unwrap_or((1, text));
        Self::Receive { payload, times }
    }
}

impl Line {
    fn parse_setting(&self) -> (&'static str, &'static str) {
        let setting = self.text.strip_prefix("server: ").and_then(|text| text.split_once(" = "));
        setting.unwrap_or_else(|| self.reject())
    }

    fn parse_step(&self) -> Step {
        let mut words = self.text.splitn(3, ' ');
        let (Some(who), Some(direction), Some(what)) = (words.next(), words.next(), words.next())
        else {
            self.reject()
        };
        let act = match direction {
            ">" => Act::sent(what),
            "<" => Act::received(what),
            _ => self.reject(),
        };
        Step { line: self.number, who, act }
    }

    fn reject(&self) -> ! {
        panic!("docs/PROTOCOL.md, line {}: not a line of a transcript: {}", self.number, self.text)
    }
}

/// Parses `9 × ab` into 9 and `ab`.
fn times(text: &str) -> Option<(usize, &str)> {
    let (times, what) = text.split_once(" × ")?;
    Some((times.parse().ok()?, what))
}

/// The values that differ each time, by the words that stand for them, as last received.
pub(crate) type Values = BTreeMap<&'static str, String>;

/// The bytes that a line to send stands for.
pub(crate) fn bytes_of(text: &str, values: &Values) -> Vec<u8> {
    if let Some(raw) = text.strip_prefix("raw ") {
        return expand(raw, values);
    }
    let (times, payload) = times(text).unwrap_or((1, text));
    frame(expand(payload, values)).repeat(times)
}

/// The bytes that a text with `⟨…⟩` stands for.
fn expand(text: &str, values: &Values) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut rest = text;
    while let Some((before, inside)) = rest.split_once('⟨') {
        let (inside, behind) = inside.split_once('⟩').expect("a ⟨ has its ⟩");
        bytes.extend_from_slice(before.as_bytes());
        if let Some(hex) = inside.strip_prefix("hex ") {
            let byte = |digits| u8::from_str_radix(digits, 16).expect("two digits for a byte");
            bytes.extend(hex.split(' ').map(byte));
        } else if let Some(value) = values.get(inside) {
            bytes.extend_from_slice(value.as_bytes());
        } else {
            let (times, what) = times(inside).expect("⟨hex …⟩, ⟨… × …⟩, or a word received before");
            bytes.extend_from_slice(what.repeat(times).as_bytes());
        }
        rest = behind;
    }
    bytes.extend_from_slice(rest.as_bytes());
    bytes
}
