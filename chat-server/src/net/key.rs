//! Keys of connections.

/// Identifies one connection of a server. A key may outlive its connection: the slot's next occupant has
/// another generation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct ConnKey {
    slot: u32,
    generation: u32,
}

// A key must fit a token.
const _: () = assert!(usize::BITS >= 64, "this server needs a 64-bit machine");

impl ConnKey {
    /// Bits of a generation. They keep tokens below those that the reactor reserves for itself.
    const GENERATION_BITS: u32 = 31;

    /// Converts the key to a token below 2⁶³.
    pub(crate) const fn to_token(self) -> mio::Token {
        mio::Token(((self.generation as usize) << 32) | self.slot as usize)
    }

    /// The inverse of [`ConnKey::to_token`].
    pub(crate) const fn from_token(token: mio::Token) -> Self {
        Self { slot: token.0 as u32, generation: (token.0 >> 32) as u32 }
    }

    /// The number of the connection, counted from the server's first; it restarts after 2³¹.
    pub(crate) const fn number(self) -> u32 {
        self.generation
    }

    /// The key of the connection in `slot` of that `generation`, which is below 2³¹.
    pub(crate) const fn new(slot: u32, generation: u32) -> Self {
        Self { slot, generation }
    }

    pub(crate) const fn slot(self) -> usize {
        self.slot as usize
    }

    pub(crate) const fn generation(self) -> u32 {
        self.generation
    }

    /// The generation that follows `generation`.
    pub(crate) const fn next_generation(generation: u32) -> u32 {
        (generation + 1) % (1 << Self::GENERATION_BITS)
    }

    #[cfg(test)]
    pub(crate) const fn for_test(slot: u32) -> Self {
        Self { slot, generation: 0 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_survives_the_way_through_a_token() {
        let key = ConnKey { slot: 12_345, generation: (1 << ConnKey::GENERATION_BITS) - 1 };
        assert_eq!(ConnKey::from_token(key.to_token()), key);
        assert!(key.to_token().0 < usize::MAX >> 1);
    }
}
