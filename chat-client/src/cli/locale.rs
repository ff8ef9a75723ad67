//! The language of the environment, used unless a flag sets it.

use chat_proto::Lang;

/// Returns the language of the locale, which is in the first of these variables that is set and not empty (POSIX,
/// "Environment Variables").
pub(crate) fn of_environment(variable: impl Fn(&str) -> Option<String>) -> Lang {
    let locale = ["LC_ALL", "LC_MESSAGES", "LANG"]
        .into_iter()
        .find_map(|name| variable(name).filter(|value| !value.is_empty()));
    of_locale(&locale.unwrap_or_default())
}

/// `ko`, `ko_KR.UTF-8` and the like mean Korean, everything else English.
fn of_locale(locale: &str) -> Lang {
    let language = locale.split(['_', '.', '@', '-']).next().unwrap_or_default();
    if language.eq_ignore_ascii_case("ko") { Lang::Ko } else { Lang::En }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lang(set: &[(&str, &str)]) -> Lang {
        of_environment(|name| {
            set.iter().find(|(set, _)| *set == name).map(|(_, value)| (*value).to_owned())
        })
    }

    #[test]
    fn the_first_variable_that_is_not_empty_decides() {
        assert_eq!(lang(&[]), Lang::En);
        assert_eq!(lang(&[("LANG", "ko_KR.UTF-8")]), Lang::Ko);
        assert_eq!(lang(&[("LC_ALL", ""), ("LANG", "ko")]), Lang::Ko);
        assert_eq!(lang(&[("LC_MESSAGES", "C"), ("LANG", "ko_KR")]), Lang::En);
        assert_eq!(lang(&[("LC_ALL", "ko_KR"), ("LC_MESSAGES", "en_GB")]), Lang::Ko);
    }

    #[test]
    fn only_korean_is_korean() {
        for locale in ["kok_IN", "C", "POSIX", "en_KO", "", "k"] {
            assert_eq!(of_locale(locale), Lang::En, "{locale}");
        }
    }
}
