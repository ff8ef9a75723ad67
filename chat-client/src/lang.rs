//! Which language the client speaks.

use std::str::FromStr;

/// A language of the client's own texts; see the table in [`crate::texts`].
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum Lang {
    #[default]
    English,
    Korean,
}

impl Lang {
    /// The language of the locale: of these variables the first that is set and not empty decides
    /// (POSIX, "Environment Variables").
    pub(crate) fn of_environment(variable: impl Fn(&str) -> Option<String>) -> Self {
        let locale = ["LC_ALL", "LC_MESSAGES", "LANG"]
            .into_iter()
            .find_map(|name| variable(name).filter(|value| !value.is_empty()));
        Self::of_locale(&locale.unwrap_or_default())
    }

    /// `ko`, `ko_KR.UTF-8` and the like are Korean, everything else is English.
    fn of_locale(locale: &str) -> Self {
        let language = locale.split(['_', '.', '@', '-']).next().unwrap_or_default();
        if language.eq_ignore_ascii_case("ko") { Self::Korean } else { Self::English }
    }
}

impl FromStr for Lang {
    type Err = String;

    fn from_str(word: &str) -> Result<Self, String> {
        match word {
            "en" => Ok(Self::English),
            "ko" => Ok(Self::Korean),
            _ => Err("neither ko nor en".to_owned()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lang(set: &[(&str, &str)]) -> Lang {
        Lang::of_environment(|name| {
            set.iter().find(|(set, _)| *set == name).map(|(_, value)| (*value).to_owned())
        })
    }

    #[test]
    fn the_first_variable_that_says_something_decides() {
        assert_eq!(lang(&[]), Lang::English);
        assert_eq!(lang(&[("LANG", "ko_KR.UTF-8")]), Lang::Korean);
        assert_eq!(lang(&[("LC_ALL", ""), ("LANG", "ko")]), Lang::Korean);
        assert_eq!(lang(&[("LC_MESSAGES", "C"), ("LANG", "ko_KR")]), Lang::English);
        assert_eq!(lang(&[("LC_ALL", "ko_KR"), ("LC_MESSAGES", "en_GB")]), Lang::Korean);
    }

    #[test]
    fn only_korean_is_korean() {
        for locale in ["kok_IN", "C", "POSIX", "en_KO", "", "k"] {
            assert_eq!(Lang::of_locale(locale), Lang::English, "{locale}");
        }
    }
}
