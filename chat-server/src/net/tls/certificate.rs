//! The end of a certificate's validity (RFC 5280, 4.1), which rustls does not expose.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

const INTEGER: u8 = 0x02;
const UTC_TIME: u8 = 0x17;
const GENERALIZED_TIME: u8 = 0x18;
const SEQUENCE: u8 = 0x30;
const VERSION: u8 = 0xa0;

/// The end of the validity of a certificate in DER; `None` if it is malformed up to there.
pub(super) fn not_after(certificate: &[u8]) -> Option<SystemTime> {
    let (certificate, _) = element(certificate, SEQUENCE)?;
    let (mut fields, _) = element(certificate, SEQUENCE)?;
    if let Some((_, rest)) = element(fields, VERSION) {
        fields = rest;
    }
    // The serial number, the signature algorithm, and the issuer.
    for tag in [INTEGER, SEQUENCE, SEQUENCE] {
        (_, fields) = element(fields, tag)?;
    }
    let (validity, _) = element(fields, SEQUENCE)?;
    let (_, rest) = time(validity)?;
    time(rest).map(|(time, _)| time)
}

/// The content of the element with this tag at the start of `der`, and the bytes after it.
fn element(der: &[u8], tag: u8) -> Option<(&[u8], &[u8])> {
    let (&[found, len], rest) = der.split_first_chunk::<2>()?;
    if found != tag {
        return None;
    }
    if len < 0x80 {
        return rest.split_at_checked(len.into());
    }
    let (len, rest) =
        rest.split_at_checked(usize::from(len & 0x7f)).filter(|(len, _)| len.len() <= 4)?;
    let len = len.iter().fold(0, |len, &byte| len << 8 | usize::from(byte));
    rest.split_at_checked(len)
}

/// The time at the start of `der`, in UTC, to the second, and the bytes after it.
fn time(der: &[u8]) -> Option<(SystemTime, &[u8])> {
    let (digits, century, rest) = match element(der, UTC_TIME) {
        Some((digits, rest)) => (digits, None, rest),
        None => {
            let (digits, rest) = element(der, GENERALIZED_TIME)?;
            let (century, digits) = digits.split_at_checked(2)?;
            (digits, Some(number(century)?), rest)
        }
    };
    let digits = digits.strip_suffix(b"Z").filter(|digits| digits.len() == 12)?;
    let mut fields = digits.chunks(2).map(number);
    let mut next = || fields.next().flatten();
    let year = next()?;
    let year = 100 * century.unwrap_or(if year < 50 { 20 } else { 19 }) + year;
    let (month, day, hour, minute, second) = (next()?, next()?, next()?, next()?, next()?);
    let days = days_since_1970(year, month, day)?;
    let seconds = ((days * 24 + hour) * 60 + minute) * 60 + second;
    Some((UNIX_EPOCH + Duration::from_secs(seconds), rest))
}

fn number(digits: &[u8]) -> Option<u64> {
    std::str::from_utf8(digits).ok()?.parse().ok()
}

/// The days from 1 January 1970 to a day of the Gregorian calendar; `None` for earlier days.
fn days_since_1970(year: u64, month: u64, day: u64) -> Option<u64> {
    // A year that begins in March has its leap day at the end.
    let (year, month) =
        if month > 2 { (year, month - 3) } else { (year.checked_sub(1)?, month + 9) };
    let days = 365 * year + year / 4 - year / 100 + year / 400 + (153 * month + 2) / 5 + day;
    // The days from 1 March of the year 0 to the day before 1 January 1970.
    days.checked_sub(719_469)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn not_after_of(year: i32, month: u8, day: u8) -> Option<SystemTime> {
        let mut params = rcgen::CertificateParams::new(["a".to_owned()]).expect("a name");
        params.not_after = rcgen::date_time_ymd(year, month, day);
        let key = rcgen::KeyPair::generate().expect("a key");
        not_after(params.self_signed(&key).expect("a certificate").der())
    }

    #[test]
    fn the_end_of_a_certificates_validity_is_read() {
        let days = |days: u64| Some(UNIX_EPOCH + Duration::from_secs(days * 24 * 60 * 60));
        for ((year, month, day), since) in [
            ((1970, 1, 1), 0),
            ((1999, 12, 31), 10_956),
            ((2000, 2, 29), 11_016),
            ((2027, 3, 1), 20_878),
            ((2049, 12, 31), 29_219),
            ((2050, 1, 1), 29_220),
            ((2100, 3, 1), 47_541),
        ] {
            assert_eq!(not_after_of(year, month, day), days(since), "{year}-{month}-{day}");
        }
    }

    proptest! {
        #[test]
        fn arbitrary_bytes_are_no_panic(bytes in prop::collection::vec(any::<u8>(), 0..40)) {
            not_after(&bytes);
            time(&bytes);
            for tag in [UTC_TIME, GENERALIZED_TIME] {
                time(&[&[tag, bytes.len() as u8], &*bytes].concat());
            }
        }

        #[test]
        fn arbitrary_digits_are_no_panic(digits in "[0-9]{12}([0-9]{2})?") {
            for tag in [UTC_TIME, GENERALIZED_TIME] {
                let text = format!("{digits}Z");
                time(&[&[tag, text.len() as u8], text.as_bytes()].concat());
            }
        }
    }
}
