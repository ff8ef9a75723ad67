//! The languages of the texts that people read.

use std::fmt;
use std::str::FromStr;

/// A language of the texts that people read. `Display` and `FromStr` use its ISO 639-1 code.
///
/// Exhaustive on purpose: a language that some text lacks must not compile.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub enum Lang {
    /// English, `en`.
    #[default]
    En,
    /// Korean, `ko`.
    Ko,
}

impl Lang {
    /// Every language.
    pub const ALL: [Self; 2] = [Self::En, Self::Ko];
}

impl fmt::Display for Lang {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::En => "en",
            Self::Ko => "ko",
        })
    }
}

impl FromStr for Lang {
    type Err = UnknownLang;

    fn from_str(code: &str) -> Result<Self, UnknownLang> {
        match code {
            "en" => Ok(Self::En),
            "ko" => Ok(Self::Ko),
            _ => Err(UnknownLang),
        }
    }
}

/// A string is not the code of a [`Lang`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct UnknownLang;

impl fmt::Display for UnknownLang {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("neither en nor ko")
    }
}

impl std::error::Error for UnknownLang {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_language_is_known_by_its_code_alone() {
        for lang in Lang::ALL {
            assert_eq!(lang.to_string().parse(), Ok(lang));
        }
        for code in ["", "EN", "kr", "en_GB", "ko_KR.UTF-8", " ko"] {
            let unknown = code.parse::<Lang>().expect_err(code).to_string();
            for lang in Lang::ALL {
                assert!(unknown.contains(&lang.to_string()), "{unknown}");
            }
        }
    }
}
