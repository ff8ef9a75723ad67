//! Inputs similar to those of a corpus, from a seed.

use chat_testing::Rng;

/// Mutates the inputs of a corpus.
pub(crate) struct Mutator {
    rng: Rng,
    corpus: Vec<Vec<u8>>,
}

/// Tokens likely to cause trouble: ends of ranges, JSON, quotes, controls, parts of UTF-8.
const TOKENS: &[&[u8]] = &[
    b"\0",
    b"\x01",
    b"\x7f",
    b"\x80",
    b"\xff",
    b"{",
    b"}",
    b"[",
    b"\"",
    b"\\",
    b"\\u0000",
    b"\\ud800",
    b"\\n",
    b"\xc2\x9b",
    b"\xed\xa0\x80",
    b"\0\0",
    b"\xff\xff",
    b"null",
    b"-0",
    b"1e400",
    b"\"type\":",
    b"\"text\":\"",
    b"\"roomId\":1",
    "안녕".as_bytes(),
    "\u{202e}".as_bytes(),
];

impl Mutator {
    /// The longest input.
    const LONGEST: usize = 80_000;

    pub(crate) fn new(seed: u64, corpus: Vec<Vec<u8>>) -> Self {
        Self { rng: Rng::new(seed), corpus }
    }

    /// Returns one of the inputs, changed in one or several places.
    pub(crate) fn input(&mut self) -> Vec<u8> {
        let mut input = self.any().to_vec();
        for _ in 0..=self.rng.below(4) {
            self.change(&mut input);
        }
        input.truncate(Self::LONGEST);
        input
    }

    fn any(&mut self) -> &[u8] {
        let which = self.rng.below(self.corpus.len());
        &self.corpus[which]
    }

    fn change(&mut self, input: &mut Vec<u8>) {
        let at = self.rng.below(input.len() + 1);
        let end = (at + self.rng.below(16)).min(input.len());
        match self.rng.below(8) {
            0 if at < end => input[at] ^= 1 << self.rng.below(8),
            1 if at < end => input[at] = self.rng.next() as u8,
            2 => {
                input.drain(at..end);
            }
            3 => {
                let token = TOKENS[self.rng.below(TOKENS.len())];
                input.splice(at..at, token.iter().copied());
            }
            4 => input.extend_from_within(at..end),
            5 => input.truncate(at),
            6 => {
                let other = self.any().to_vec();
                input.extend_from_slice(&other);
            }
            _ => {
                let other = self.any();
                let other = other[at.min(other.len())..].to_vec();
                input.truncate(at);
                input.extend_from_slice(&other);
            }
        }
    }
}
