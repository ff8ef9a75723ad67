//! Bad input: payloads that are no commands, and streams of other protocols.

use std::fs;
use std::path::Path;

use chat_proto::{Command, MAX_PAYLOAD};
use chat_testing::Rng;

use crate::error::Error;

/// The first bytes of other protocols. The third of them never begins an object.
pub(super) const STRANGERS: [&[u8]; 6] = [
    b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n",
    b"POST /chat HTTP/1.1\r\nContent-Length: 20\r\n\r\n\0\x12{\"type\":\"CSRooms\"}",
    b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
    b"SSH-2.0-OpenSSH_9.6\r\n",
    b"PROXY TCP4 127.0.0.1 127.0.0.1 56324 443\r\n",
    b"\x12\x00{\"type\":\"CSRooms\"}",
];

const BAD: [&[u8]; 26] = [
    b"",
    b" ",
    b"null",
    b"{}",
    b"[]",
    b"true",
    b"{\"type\":1}",
    b"{\"type\":\"csrooms\"}",
    b"{\"type\":\"SCChat\",\"text\":\"x\"}",
    b"[\"CSChat\",\"x\"]",
    b"{\"type\":\"CSChat\"}",
    b"{\"type\":\"CSChat\",\"text\":1}",
    b"{\"type\":\"CSChat\",\"text\":\"\\ud800\"}",
    b"{\"type\":\"CSChat\",\"text\":\"\xff\"}",
    b"{\"type\":\"CSRooms\",\"other\":\"\xc0\x80\"}",
    b"{\"type\":\"CSRooms\",\"type\":\"CSRooms\"}",
    b"{\"type\":\"CSRooms\"}{\"type\":\"CSRooms\"}",
    b"\xef\xbb\xbf{\"type\":\"CSRooms\"}",
    b"{\"type\":\"CSJoinRoom\",\"roomId\":1.0}",
    b"{\"type\":\"CSJoinRoom\",\"roomId\":-1}",
    b"{\"type\":\"CSJoinRoom\",\"roomId\":1e400}",
    b"{\"type\":\"CSJoinRoom\",\"roomId\":18446744073709551616}",
    b"{\"type\":\"CSJoinRoom\",\"roomId\":null}",
    b"{\"type\":\"CSRooms\"",
    b"{\"type\":\"CSRooms\"} x",
    b"\0\0\0\0",
];

/// Bad payloads, each with the code of its answer.
#[derive(Debug)]
pub(super) struct BadPayloads(Vec<(Vec<u8>, &'static str)>);

impl BadPayloads {
    /// The built-in ones, and the files of `corpus`; the corpus of the fuzz target `command` holds payloads.
    ///
    /// # Errors
    /// When `corpus` cannot be read.
    pub(super) fn load(corpus: Option<&Path>) -> Result<Self, Error> {
        let mut all: Vec<Vec<u8>> = BAD.iter().map(|payload| payload.to_vec()).collect();
        // Deep, long, and with much to unescape.
        all.push([b"{\"type\":\"CSRooms\",\"x\":".as_slice(), &[b'['; 32_000]].concat());
        all.push(
            [b"{\"type\":\"CSName\",\"name\":\"".as_slice(), &b"\\u0000".repeat(10_000)].concat(),
        );
        all.push(
            [b"{\"type\":\"CSJoinRoom\",\"roomId\":".as_slice(), &[b'9'; 60_000], b"}"].concat(),
        );
        if let Some(corpus) = corpus {
            for file in fs::read_dir(corpus).map_err(Error::io("reading the corpus"))? {
                let file = file.map_err(Error::io("reading the corpus"))?;
                all.push(fs::read(file.path()).map_err(Error::io("reading the corpus"))?);
            }
        }
        let coded = all.into_iter().map(|payload| (code(&payload), payload));
        Ok(Self(coded.filter_map(|(code, payload)| Some((payload, code?))).collect()))
    }

    /// Any of them as a frame, with the code of its answer.
    pub(super) fn pick(&self, rng: &mut Rng) -> (Vec<u8>, &'static str) {
        let (payload, code) = &self.0[rng.below(self.0.len())];
        let mut frame = (payload.len() as u16).to_be_bytes().to_vec();
        frame.extend_from_slice(payload);
        (frame, code)
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
    fn every_payload_is_bad_and_the_corpus_is_read() {
        let known = BadPayloads::load(None).expect("nothing is read");
        assert_eq!(known.0.len(), BAD.len() + 3);
        let corpus = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../fuzz/corpus/command"));
        assert!(BadPayloads::load(Some(corpus)).expect("it is there").0.len() > known.0.len() + 20);
        assert!(BadPayloads::load(Some(Path::new("/nowhere"))).is_err());
    }
}
