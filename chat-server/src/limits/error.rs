//! Errors in the values of limits.

use std::fmt;

use chat_core::Lang;
use chat_proto::{Localize, localize};

use super::quantity::{Bounds, Unit};

/// An invalid value of a limit, with the allowed values. `Display` writes the English text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LimitError(Reason);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reason {
    /// The text is not such a quantity, or it is out of bounds.
    Text(Bounds),
    /// The value is out of bounds.
    Value { name: &'static str, value: u64, bounds: Bounds },
    /// The size must be at least as large as another.
    TooSmall { name: &'static str, bytes: u64, floor: Floor, least: u64 },
}

/// The lower bound of a size.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Floor {
    LongestFrame,
    /// The limit with this name.
    Limit(&'static str),
}

impl LimitError {
    pub(super) const fn new(reason: Reason) -> Self {
        Self(reason)
    }
}

impl fmt::Display for LimitError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.fmt_in(Lang::En, f)
    }
}

impl std::error::Error for LimitError {}

impl Localize for LimitError {
    fn fmt_in(&self, lang: Lang, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Reason::Text(bounds) => {
                let (example, range) = (bounds.unit.example(lang), bounds.text(lang));
                localize!(f, lang,
                    en: "must be {example}, from {range}",
                    ko: "{example} 써 주세요 ({range})")
            }
            Reason::Value { name, value, bounds } => {
                let (value, range) = (bounds.unit.show(value), bounds.text(lang));
                localize!(f, lang,
                    en: "{name} is {value}: must be from {range}",
                    ko: "{name} = {value}: {range} 사이여야 해요")
            }
            Reason::TooSmall { name, bytes, floor, least } => {
                let [bytes, least] = [bytes, least].map(|bytes| Unit::Bytes.show(bytes));
                match floor {
                    Floor::LongestFrame => localize!(f, lang,
                        en: "{name} is {bytes}: must be at least {least}, the longest frame",
                        ko: "{name} = {bytes}: 가장 긴 프레임의 길이인 {least} 이상이어야 해요"),
                    Floor::Limit(other) => localize!(f, lang,
                        en: "{name} is {bytes}: must be at least {least}, the value of {other}",
                        ko: "{name} = {bytes}: {other} 값인 {least} 이상이어야 해요"),
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::limits::{Limit, Limits};

    #[test]
    fn errors_are_told_in_every_language() {
        let mut limits = Limits::default();
        let linger = Limit::named("linger").expect("there is one");
        let error = linger.set(&mut limits, "5").expect_err("it has no unit");
        assert_eq!(error.to_string(), error.localized(Lang::En).to_string());
        assert_eq!(
            error.localized(Lang::Ko).to_string(),
            "500ms, 30s, 5m 같은 시간으로 써 주세요 (0ms~24h)"
        );
        limits.accepts_per_turn = 0;
        limits.slow_backlog = 1_000;
        limits.total_backlog = 1_024;
        let korean =
            limits.errors().iter().map(|e| e.localized(Lang::Ko).to_string()).collect::<Vec<_>>();
        assert_eq!(
            korean,
            [
                "accepts-per-turn = 0: 1~1000000000 사이여야 해요",
                "slow-backlog = 1000B: 가장 긴 프레임의 길이인 65537B 이상이어야 해요",
                "total-backlog = 1KiB: backlog 값인 1MiB 이상이어야 해요",
            ]
        );
    }
}
