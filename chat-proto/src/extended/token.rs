//! Tokens by which sessions are resumed.

use std::borrow::Cow;
use std::fmt;

use serde::de::{self, Deserialize, Deserializer};
use serde::ser::{Serialize, Serializer};

/// The secret of a session, by which its client takes it over on another connection: 128 random bits. It is used
/// once: it works until the server knows that the client has the next one.
/// On the wire it has 32 hexadecimal digits, in lower case.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct ResumeToken([u8; 16]);

impl ResumeToken {
    /// A token of these bits, which have to be random.
    pub const fn new(random: [u8; 16]) -> Self {
        Self(random)
    }

    /// The secret, as one number.
    pub const fn to_bits(self) -> u128 {
        u128::from_be_bytes(self.0)
    }
}

/// Without the secret.
impl fmt::Debug for ResumeToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ResumeToken(..)")
    }
}

impl ResumeToken {
    /// Reads what the token is on the wire; `None` if it cannot be one.
    pub fn parse(digits: &str) -> Option<Self> {
        let is_lower_hex = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
        let is_token = digits.len() == 32 && digits.bytes().all(is_lower_hex);
        let bits = u128::from_str_radix(digits, 16).ok().filter(|_| is_token)?;
        Some(Self(bits.to_be_bytes()))
    }
}

impl Serialize for ResumeToken {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&format_args!("{:032x}", self.to_bits()))
    }
}

impl<'de> Deserialize<'de> for ResumeToken {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let digits = <Cow<'de, str>>::deserialize(from)?;
        Self::parse(&digits).ok_or_else(|| de::Error::custom("not 32 hexadecimal digits"))
    }
}
