//! Bad input: payloads that are not commands, and streams of other protocols.

use std::fs;
use std::path::Path;

use chat_proto::{Command, HEADER_LEN, MAX_PAYLOAD};
use chat_testing::Rng;

use crate::error::Error;

/// The first bytes of other protocols, which are answered with a frame. The second never begins an object.
pub(super) const STRANGERS: [&[u8]; 3] = [
    b"SSH-2.0-OpenSSH_9.6\r\n",
    b"PROXY TCP4 127.0.0.1 127.0.0.1 56324 443\r\n",
    b"\x12\x00{\"type\":\"CSRooms\"}",
];

/// The beginnings of protocols that the server also speaks, each with the beginning of its response: HTTP requests,
/// and an invalid TLS handshake.
pub(super) const REQUESTS: [(&[u8], &[u8]); 8] = [
    (b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n", b"HTTP/1.1 200 "),
    (b"HEAD /app.js HTTP/1.1\r\nHost: localhost\r\nAccept-Encoding: gzip\r\n\r\n", b"HTTP/1.1 200 "),
    (b"GET /nowhere HTTP/1.1\r\nHost: localhost\r\n\r\n", b"HTTP/1.1 404 "),
    (b"GET /ws HTTP/1.1\r\nHost: localhost\r\n\r\n", b"HTTP/1.1 426 "),
    (b"GET / HTTP/1.1\r\nHost: elsewhere.example\r\n\r\n", b"HTTP/1.1 421 "),
    (
        b"POST /chat HTTP/1.1\r\nHost: localhost\r\nContent-Length: 20\r\n\r\n\0\x12{\"type\":\"CSRooms\"}",
        b"HTTP/1.1 405 ",
    ),
    (b"GET / HTTP/1.1\r\n\r\n", b"HTTP/1.1 400 "),
    (b"\x16\x03\x01\0\x06\x01\0\0\x02\xff\xff", b"\x15\x03"),
];

/// The most bytes in a payload that a connection sends beyond its budget.
const SHORT: usize = 1_000;

/// Bad payloads, each with the code of its answer.
#[derive(Debug)]
pub(super) struct BadPayloads(Vec<(Vec<u8>, &'static str)>);

impl BadPayloads {
    /// Loads the bad payloads among the files of `corpus`, such as the corpus of the fuzz target `command`.
    ///
    /// # Errors
    /// If `corpus` cannot be read, or has no short bad payload.
    pub(super) fn load(corpus: &Path) -> Result<Self, Error> {
        let reading = || Error::io("reading the corpus");
        let mut bad = Vec::new();
        for file in fs::read_dir(corpus).map_err(reading())? {
            let payload = fs::read(file.map_err(reading())?.path()).map_err(reading())?;
            bad.extend(code(&payload).map(|code| (payload, code)));
        }
        if bad.iter().all(|(payload, _)| payload.len() > SHORT) {
            return Err(Error::Config(format!("no short bad payload in {}", corpus.display())));
        }
        Ok(Self(bad))
    }

    /// Picks any of them as a frame, with the code of its answer.
    pub(super) fn pick(&self, rng: &mut Rng) -> (Vec<u8>, &'static str) {
        let (payload, code) = &self.0[rng.below(self.0.len())];
        (chat_testing::frame(payload), code)
    }

    /// Picks any short one, likewise.
    pub(super) fn pick_short(&self, rng: &mut Rng) -> (Vec<u8>, &'static str) {
        loop {
            let (frame, code) = self.pick(rng);
            if frame.len() <= HEADER_LEN + SHORT {
                return (frame, code);
            }
        }
    }
}

/// The code of the answer to a bad payload; `None` for others.
fn code(payload: &[u8]) -> Option<&'static str> {
    if payload.len() > MAX_PAYLOAD {
        return None;
    }
    let rejection = Command::parse(payload).err()?;
    rejection.is_bad().then(|| rejection.code())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_corpus_has_bad_payloads() {
        let corpus = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../fuzz/corpus/command"));
        assert!(BadPayloads::load(corpus).expect("it is there").0.len() > 30);
        assert!(BadPayloads::load(Path::new("/nowhere")).is_err());
    }
}
