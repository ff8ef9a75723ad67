//! A hash of values that is the same on every platform and in every version of the program.

/// Hashes a sequence of numbers and texts. Recordings hold the results, so what it computes never changes.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Digest(u64);

impl Digest {
    /// Begins a sequence. Different kinds of things have different tags.
    pub(crate) const fn new(tag: u64) -> Self {
        Self(mix(tag))
    }

    #[must_use]
    pub(crate) const fn number(self, number: u64) -> Self {
        Self(mix(self.0.wrapping_add(0x9e37_79b9_7f4a_7c15) ^ number))
    }

    /// `None` differs from every number.
    #[must_use]
    pub(crate) fn maybe(self, number: Option<u64>) -> Self {
        match number {
            Some(number) => self.number(1).number(number),
            None => self.number(0),
        }
    }

    #[must_use]
    pub(crate) fn text(self, text: &str) -> Self {
        let mut words = text.as_bytes().chunks_exact(8);
        let whole = words.by_ref().fold(self.number(text.len() as u64), |digest, word| {
            digest.number(u64::from_le_bytes(word.try_into().expect("chunks of 8")))
        });
        let mut last = [0; 8];
        last[..words.remainder().len()].copy_from_slice(words.remainder());
        whole.number(u64::from_le_bytes(last))
    }

    pub(crate) const fn value(self) -> u64 {
        self.0
    }
}

/// Spreads every bit over all: the last step of `SplitMix64`.
const fn mix(mut bits: u64) -> u64 {
    bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    bits ^ (bits >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A recording of one version is compared by another.
    #[test]
    fn the_hash_of_the_same_values_never_changes() {
        assert_eq!(Digest::new(1).value(), 6_238_072_747_940_578_789);
        assert_eq!(
            Digest::new(1).number(2).text("안녕, hello").maybe(None).value(),
            14_733_290_815_438_212_772
        );
    }

    #[test]
    fn different_sequences_have_different_hashes() {
        let of = |texts: &[&str]| {
            texts.iter().fold(Digest::new(0), |digest, text| digest.text(text)).value()
        };
        assert_ne!(of(&["ab", "c"]), of(&["a", "bc"]));
        assert_ne!(of(&["a"]), of(&["a\0"]));
        assert_ne!(of(&[""]), of(&[]));
        assert_ne!(Digest::new(0).maybe(None).value(), Digest::new(0).maybe(Some(0)).value());
    }
}
