//! Inputs like those of a corpus, from a seed.

/// Makes inputs out of those it has been given.
pub(crate) struct Mutator {
    random: Random,
    corpus: Vec<Vec<u8>>,
}

/// What a byte is most likely to go wrong at: ends of ranges, JSON, quotes, controls, bytes of UTF-8.
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
        Self { random: Random(seed), corpus }
    }

    /// One of the inputs, changed in one place or some.
    pub(crate) fn input(&mut self) -> Vec<u8> {
        let mut input = self.any().to_vec();
        for _ in 0..=self.random.below(4) {
            self.change(&mut input);
        }
        input.truncate(Self::LONGEST);
        input
    }

    fn any(&mut self) -> &[u8] {
        let which = self.random.below(self.corpus.len());
        &self.corpus[which]
    }

    fn change(&mut self, input: &mut Vec<u8>) {
        let at = self.random.below(input.len() + 1);
        let end = (at + self.random.below(16)).min(input.len());
        match self.random.below(8) {
            0 if at < end => input[at] ^= 1 << self.random.below(8),
            1 if at < end => input[at] = self.random.next() as u8,
            2 => {
                input.drain(at..end);
            }
            3 => {
                let token = TOKENS[self.random.below(TOKENS.len())];
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

/// SplitMix64.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// 0 to `end` − 1; `end` is at least 1.
    fn below(&mut self, end: usize) -> usize {
        (self.next() % end as u64) as usize
    }
}
