//! [`Fingerprint`]: a short identifier of a certificate that people can compare.

use std::fmt;
use std::str::FromStr;

use rustls::crypto::ring;
use rustls::pki_types::CertificateDer;

/// The SHA-256 of a certificate in DER. Displayed in openssl's format, `AB:CD:…`.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct Fingerprint([u8; LEN]);

/// The length of a SHA-256, in bytes.
const LEN: usize = 32;

/// The text is not a SHA-256 in hexadecimal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct InvalidFingerprint;

impl Fingerprint {
    pub(crate) fn of(certificate: &CertificateDer<'_>) -> Self {
        let suite = ring::cipher_suite::TLS13_AES_128_GCM_SHA256.tls13();
        let sha256 = suite.expect("it is a suite of TLS 1.3").common.hash_provider;
        Self(sha256.hash(certificate).as_ref().try_into().expect("SHA-256 has that many bytes"))
    }
}

/// Parses the formats of servers, browsers and openssl: in either case, with or without a colon after each byte, with
/// or without `sha256:` in front.
impl FromStr for Fingerprint {
    type Err = InvalidFingerprint;

    fn from_str(text: &str) -> Result<Self, InvalidFingerprint> {
        const PREFIX: &str = "sha256:";
        let digits = match text.split_at_checked(PREFIX.len()) {
            Some((prefix, rest)) if prefix.eq_ignore_ascii_case(PREFIX) => rest,
            _ => text,
        };
        let step = if digits.contains(':') { "ab:".len() } else { "ab".len() };
        let mut bytes = [0; LEN];
        if digits.len() != step * bytes.len() - (step - "ab".len()) {
            return Err(InvalidFingerprint);
        }
        for (byte, group) in bytes.iter_mut().zip(digits.as_bytes().chunks(step)) {
            *byte = match *group {
                [high, low] | [high, low, b':'] => digit(high)? << 4 | digit(low)?,
                _ => return Err(InvalidFingerprint),
            };
        }
        Ok(Self(bytes))
    }
}

fn digit(byte: u8) -> Result<u8, InvalidFingerprint> {
    let value = char::from(byte).to_digit(16).and_then(|value| u8::try_from(value).ok());
    value.ok_or(InvalidFingerprint)
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, byte) in self.0.iter().enumerate() {
            let colon = if at == 0 { "" } else { ":" };
            write!(f, "{colon}{byte:02X}")?;
        }
        Ok(())
    }
}

impl fmt::Debug for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// RFC 6234, 8.5: the SHA-256 of "abc".
    const ABC: &str = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";

    fn with_colons(digits: &str) -> String {
        let bytes: Vec<&str> = (0..digits.len()).step_by(2).map(|at| &digits[at..at + 2]).collect();
        bytes.join(":")
    }

    #[test]
    fn a_fingerprint_is_the_sha_256_of_the_certificate() {
        let shown = Fingerprint::of(&b"abc"[..].into()).to_string();
        assert_eq!(shown, with_colons(ABC).to_uppercase());
    }

    #[test]
    fn a_fingerprint_is_taken_as_it_is_shown_anywhere() {
        let expected = Fingerprint::of(&b"abc"[..].into());
        for digits in [ABC.to_owned(), with_colons(ABC)] {
            for text in [digits.clone(), digits.to_uppercase()] {
                for prefix in ["", "sha256:", "SHA256:"] {
                    assert_eq!(format!("{prefix}{text}").parse(), Ok(expected), "{prefix}{text}");
                }
            }
        }
    }

    #[test]
    fn an_invalid_fingerprint_is_refused() {
        let colons = with_colons(ABC);
        for text in [
            "",
            "sha256:",
            &ABC[2..],
            &format!("{ABC}00"),
            &format!("{ABC}:"),
            &format!("sha1:{ABC}"),
            &colons[3..],
            &format!(":{}", &colons[..94]),
            &colons.replace(':', "-"),
            &format!("b:a7{}", &colons[4..]),
            &format!("b {}", &colons[2..]),
            &format!("g{}", &ABC[1..]),
            &format!("+{}", &ABC[1..]),
            &format!("가{}", &ABC[3..]),
        ] {
            assert_eq!(text.parse::<Fingerprint>(), Err(InvalidFingerprint), "{text:?}");
        }
    }

    proptest! {
        #[test]
        fn a_fingerprint_is_taken_as_it_is_shown_here(bytes: [u8; 32]) {
            prop_assert_eq!(Fingerprint(bytes).to_string().parse(), Ok(Fingerprint(bytes)));
        }

        #[test]
        fn no_text_makes_a_panic(text in "(sha256:)?[0-9a-fA-F:\\PC]{0,99}") {
            let _ = text.parse::<Fingerprint>();
        }
    }
}
