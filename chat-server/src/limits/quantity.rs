//! Quantities as people write them, with their units: `64KiB`, `30s`, `200/s`.

use chat_core::Lang;
use chat_proto::PerLang;

/// The kind of a quantity. Quantities are stored in the smallest unit: one, a byte, a millisecond, or one or a byte
/// per second.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Unit {
    Count,
    Bytes,
    Time,
    PerSecond,
    BytesPerSecond,
}

impl Unit {
    /// The units, in rising order, each with its size in the smallest one.
    const fn names(self) -> &'static [(&'static str, u64)] {
        match self {
            Self::Count => &[("", 1)],
            Self::Bytes => {
                &[("", 1), ("B", 1), ("KiB", 1 << 10), ("MiB", 1 << 20), ("GiB", 1 << 30)]
            }
            Self::Time => &[("ms", 1), ("s", 1_000), ("m", 60_000), ("h", 3_600_000)],
            Self::PerSecond => &[("", 1), ("/s", 1)],
            Self::BytesPerSecond => &[
                ("", 1),
                ("B", 1),
                ("B/s", 1),
                ("KiB", 1 << 10),
                ("KiB/s", 1 << 10),
                ("MiB", 1 << 20),
                ("MiB/s", 1 << 20),
                ("GiB", 1 << 30),
                ("GiB/s", 1 << 30),
            ],
        }
    }

    /// An example, for error messages. The Korean text ends in the particle that goes with 써 주세요.
    pub(crate) const fn example(self, lang: Lang) -> &'static str {
        let example = match self {
            Self::Count => PerLang { en: "a whole number", ko: "정수로" },
            Self::Bytes => PerLang {
                en: "a size like 65536, 64KiB or 4MiB",
                ko: "65536, 64KiB, 4MiB 같은 크기로",
            },
            Self::Time => PerLang {
                en: "a time like 500ms, 30s or 5m",
                ko: "500ms, 30s, 5m 같은 시간으로",
            },
            Self::PerSecond => PerLang { en: "a rate like 200/s", ko: "200/s 같은 속도로" },
            Self::BytesPerSecond => PerLang {
                en: "a rate like 64KiB/s or 1MiB/s",
                ko: "64KiB/s, 1MiB/s 같은 속도로",
            },
        };
        example.get(lang)
    }

    /// Parses a quantity: digits, optionally separated by `_`, and a unit.
    pub(crate) fn parse(self, text: &str) -> Option<u64> {
        let end = text.find(|c: char| !c.is_ascii_digit() && c != '_').unwrap_or(text.len());
        let (digits, unit) = text.split_at(end);
        if !digits.starts_with(|c: char| c.is_ascii_digit()) {
            return None;
        }
        let number: u64 = digits.replace('_', "").parse().ok()?;
        let is_meant = |(name, _): &&(&str, u64)| name.eq_ignore_ascii_case(unit.trim());
        let (_, size) = self.names().iter().find(is_meant)?;
        number.checked_mul(*size)
    }

    /// Formats a quantity in the largest unit that divides it.
    pub(crate) fn show(self, quantity: u64) -> String {
        let fits = |(_, size): &&(&str, u64)| {
            quantity.is_multiple_of(*size) && quantity >= *size || *size == 1
        };
        let smallest = &self.names()[0];
        let (name, size) = self.names().iter().rev().find(fits).unwrap_or(smallest);
        format!("{}{name}", quantity / size)
    }
}

/// The range of a quantity, in the smallest unit, including both bounds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Bounds {
    pub(crate) unit: Unit,
    pub(crate) least: u64,
    pub(crate) most: u64,
}

impl Bounds {
    pub(crate) fn allow(self, quantity: u64) -> bool {
        (self.least..=self.most).contains(&quantity)
    }

    /// Formats the range, like `1KiB to 1GiB`.
    pub(crate) fn text(self, lang: Lang) -> String {
        let [least, most] = [self.least, self.most].map(|quantity| self.unit.show(quantity));
        match lang {
            Lang::En => format!("{least} to {most}"),
            Lang::Ko => format!("{least}~{most}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const ALL: [Unit; 5] =
        [Unit::Count, Unit::Bytes, Unit::Time, Unit::PerSecond, Unit::BytesPerSecond];

    proptest! {
        #[test]
        fn what_is_shown_is_read_as_the_same(quantity: u64, shift in 0..64_u32) {
            for unit in ALL {
                let quantity = quantity >> shift;
                prop_assert_eq!(unit.parse(&unit.show(quantity)), Some(quantity));
            }
        }

        #[test]
        fn anything_is_read_or_refused(text: String) {
            for unit in ALL {
                let _ = unit.parse(&text);
            }
        }
    }

    #[test]
    fn units_are_read_and_shown() {
        for (unit, text, quantity, shown) in [
            (Unit::Count, "100_000", 100_000, "100000"),
            (Unit::Bytes, "65536", 65_536, "64KiB"),
            (Unit::Bytes, "64 kib", 65_536, "64KiB"),
            (Unit::Bytes, "1000B", 1_000, "1000B"),
            (Unit::Bytes, "2GiB", 2 << 30, "2GiB"),
            (Unit::Time, "500ms", 500, "500ms"),
            (Unit::Time, "90s", 90_000, "90s"),
            (Unit::Time, "24h", 86_400_000, "24h"),
            (Unit::Time, "0s", 0, "0ms"),
            (Unit::PerSecond, "200", 200, "200/s"),
            (Unit::BytesPerSecond, "1MiB", 1 << 20, "1MiB/s"),
            (Unit::BytesPerSecond, "1000B/s", 1_000, "1000B/s"),
            (Unit::BytesPerSecond, "0", 0, "0B/s"),
        ] {
            assert_eq!(unit.parse(text), Some(quantity), "{text}");
            assert_eq!(unit.show(quantity), shown);
        }
    }

    #[test]
    fn an_invalid_quantity_is_refused() {
        for (unit, text) in [
            (Unit::Count, ""),
            (Unit::Count, "-1"),
            (Unit::Count, "_1"),
            (Unit::Count, "1.5"),
            (Unit::Count, "1k"),
            (Unit::Bytes, "KiB"),
            (Unit::Bytes, "1KB"),
            (Unit::Bytes, "99999999999GiB"),
            (Unit::Time, "30"),
            (Unit::Time, "1d"),
            (Unit::PerSecond, "1/m"),
        ] {
            assert_eq!(unit.parse(text), None, "{text}");
        }
    }
}
