//! The pieces in which a stream arrives or is read, taken from the fuzzer's input.

/// Lengths of pieces, repeated forever.
#[derive(Debug, Clone)]
pub(crate) struct Chunks {
    /// Each length is at least 1; none if the stream is in one piece.
    lens: Vec<usize>,
}

impl Chunks {
    /// The most lengths that an input can specify.
    const MOST: u8 = 16;

    /// The longest piece.
    const LONGEST: usize = 64 * 1024;

    /// Takes, from the front of `data`, a byte that counts lengths, and a byte for each of them.
    pub(crate) fn take_from(data: &mut &[u8]) -> Self {
        let Some((&count, rest)) = data.split_first() else { return Self { lens: Vec::new() } };
        let count = usize::from(count % (Self::MOST + 1)).min(rest.len());
        let (lens, rest) = rest.split_at(count);
        *data = rest;
        Self { lens: lens.iter().map(|&len| Self::len_of(len)).collect() }
    }

    /// The length that a byte stands for: 1 to 64 directly, then up to 64 KiB.
    fn len_of(byte: u8) -> usize {
        let byte = usize::from(byte);
        match byte.checked_sub(64) {
            None => byte + 1,
            Some(over) => (64 + 2 * over * over).min(Self::LONGEST),
        }
    }

    /// The lengths, repeated forever; nothing if none was specified.
    pub(crate) fn lens(self) -> impl Iterator<Item = usize> {
        self.lens.into_iter().cycle()
    }

    /// Cuts `stream` into pieces of these lengths; one piece if none was specified.
    pub(crate) fn cut<'a>(&self, stream: &'a [u8]) -> impl Iterator<Item = &'a [u8]> + use<'a> {
        let mut rest = stream;
        let whole = self.lens.is_empty().then_some(stream.len());
        let lens = self.lens.clone().into_iter().chain(whole);
        lens.cycle().map_while(move |len| {
            let (chunk, after) = rest.split_at(len.min(rest.len()));
            rest = after;
            (!chunk.is_empty()).then_some(chunk)
        })
    }
}
