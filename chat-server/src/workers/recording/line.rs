//! The lines of a recording: JSON objects, one a line.
//!
//! The first is a [`Header`]; the others are inputs, and hashes of the hub after so many of them.

use chat_core::{HubLimits, Input, Snapshot};
use serde::{Deserialize, Serialize};

/// The version of the format.
pub(super) const VERSION: u32 = 1;

/// The first line: the hub in which the inputs begin.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Header {
    /// The version of the format.
    pub(super) recording: u32,
    /// The program that recorded it, with its version.
    pub(super) program: String,
    pub(super) limits: HubLimits,
    pub(super) snapshot: Snapshot,
}

/// The part of a header that every version has.
#[derive(Debug, Deserialize)]
pub(super) struct AnyHeader {
    pub(super) recording: u32,
}

/// A line that is being written.
#[derive(Debug, Serialize)]
#[serde(untagged)]
pub(super) enum Written<'a> {
    Input { now: u64, input: &'a Input },
    Hash { inputs: u64, hash: &'a str, last: bool },
}

/// A line that has been read.
#[derive(Debug, Deserialize)]
#[serde(try_from = "Fields")]
pub(super) enum Line {
    /// The input, and its time.
    Input(u64, Box<Input>),
    /// The hash after so many inputs.
    Hash { inputs: u64, hash: u64, is_last: bool },
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Fields {
    now: Option<u64>,
    input: Option<Box<Input>>,
    inputs: Option<u64>,
    hash: Option<String>,
    #[serde(default)]
    last: bool,
}

impl TryFrom<Fields> for Line {
    type Error = &'static str;

    fn try_from(fields: Fields) -> Result<Self, &'static str> {
        match fields {
            Fields {
                now: Some(now),
                input: Some(input),
                inputs: None,
                hash: None,
                last: false,
            } => Ok(Self::Input(now, input)),
            Fields { now: None, input: None, inputs: Some(inputs), hash: Some(hash), last } => {
                let hash = parse_hash(&hash).ok_or("`hash` is not 16 hexadecimal digits")?;
                Ok(Self::Hash { inputs, hash, is_last: last })
            }
            _ => Err("neither `now` and `input`, nor `inputs` and `hash`"),
        }
    }
}

/// A hash as it is written: JSON numbers of 64 bits are not exact everywhere.
pub(super) fn show_hash(hash: u64) -> String {
    format!("{hash:016x}")
}

fn parse_hash(digits: &str) -> Option<u64> {
    let is_hash = digits.len() == 16 && digits.bytes().all(|byte| byte.is_ascii_hexdigit());
    u64::from_str_radix(digits, 16).ok().filter(|_| is_hash)
}
