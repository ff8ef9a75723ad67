//! Errors in the flags.

use std::fmt;

use chat_proto::{Lang, Localize, Rejection, ValueError, localize};

/// An error in the flags. Flags include their hyphens; values are as given.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum UsageError {
    NotUtf8,
    UnknownFlag(String),
    /// A word that is neither a flag nor the value of one.
    StrayWord(String),
    /// The flag lacks its value.
    NoValue(String),
    /// The flag was given more than once.
    Repeated(String),
    BadValue {
        flag: &'static str,
        value: String,
        rule: ValueRule,
    },
    NoPort,
    /// Both `--tls-ca` and `--tls-fingerprint` were given.
    TwoTrusts,
    /// Anything else, in the words of argh.
    Other(String),
}

/// The rule that a value breaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ValueRule {
    Host,
    /// It must be a valid `Host`, and one that a certificate can name.
    NameInCertificate,
    Port,
    File,
    Fingerprint,
    Name(ValueError),
    Room,
    Lang,
}

impl UsageError {
    /// Parses the text that argh reports.
    pub(crate) fn of_argh(output: &str) -> Self {
        let output = output.strip_suffix('\n').unwrap_or(output);
        if let Some(word) = output.strip_prefix("Unrecognized argument: ") {
            let is_flag = word.starts_with('-');
            return if is_flag {
                Self::UnknownFlag(word.into())
            } else {
                Self::StrayWord(word.into())
            };
        }
        let between = |start: &str, end: &str| output.strip_prefix(start)?.strip_suffix(end);
        if let Some(flag) = between("No value provided for option '", "'.") {
            return Self::NoValue(flag.into());
        }
        let repeated = between("Error parsing option '", "': duplicate values provided");
        match repeated.and_then(|text| text.split_once("' with value '")) {
            Some((flag, _)) => Self::Repeated(flag.into()),
            None => Self::Other(output.split_whitespace().collect::<Vec<_>>().join(" ")),
        }
    }
}

/// Writes a sentence without its full stop.
impl Localize for UsageError {
    fn fmt_in(&self, lang: Lang, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotUtf8 => localize!(f, lang,
                en: "an argument is not UTF-8",
                ko: "UTF-8이 아닌 인자가 있어요"),
            Self::UnknownFlag(flag) => {
                localize!(f, lang, en: "there is no flag {flag}", ko: "{flag} 옵션은 없어요")
            }
            // Most likely the second word of a name, which the shell has split.
            Self::StrayWord(word) => localize!(f, lang,
                en: "no flag takes \"{word}\" (put a value with spaces in quotes)",
                ko: "어느 옵션의 값인지 알 수 없어요: \"{word}\" (띄어 쓴 값은 따옴표로 묶어 주세요)"),
            Self::NoValue(flag) => localize!(f, lang,
                en: "{flag} needs a value",
                ko: "{flag} 뒤에 값을 써 주세요"),
            Self::Repeated(flag) => localize!(f, lang,
                en: "{flag} is given more than once",
                ko: "{flag} 옵션은 한 번만 써 주세요"),
            Self::BadValue { flag, value, rule } => {
                let rule = rule.localized(lang);
                localize!(f, lang,
                    en: "bad value \"{value}\" for {flag}: {rule}",
                    ko: "{flag} 옵션에 \"{value}\" 값은 쓸 수 없어요. {rule}")
            }
            Self::NoPort => localize!(f, lang,
                en: "--port is required",
                ko: "꼭 필요한 옵션이 빠졌어요: --port"),
            Self::TwoTrusts => localize!(f, lang,
                en: "give either --tls-ca or --tls-fingerprint",
                ko: "--tls-ca와 --tls-fingerprint 중 하나만 써 주세요"),
            Self::Other(text) => {
                let text = text.trim_end_matches('.');
                localize!(f, lang, en: "{text}", ko: "명령줄을 알아들을 수 없어요: {text}")
            }
        }
    }
}

impl Localize for ValueRule {
    fn fmt_in(&self, lang: Lang, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Host => localize!(f, lang,
                en: "it takes a host name or an address, without a port",
                ko: "호스트 이름이나 주소만, 포트 없이 써 주세요"),
            Self::NameInCertificate => localize!(f, lang,
                en: "no certificate has such a name. Give its address, or --tls-fingerprint",
                ko: "인증서에 쓸 수 없는 이름이에요. 주소나 --tls-fingerprint를 써 주세요"),
            Self::File => localize!(f, lang,
                en: "it takes the name of a file",
                ko: "파일 이름을 써 주세요"),
            Self::Fingerprint => localize!(f, lang,
                en: "it takes a SHA-256 fingerprint, 64 hexadecimal digits",
                ko: "SHA-256 지문을 16진수 64자로 써 주세요"),
            Self::Port => localize!(f, lang,
                en: "it takes a number from 1 to 65535",
                ko: "1부터 65535까지의 수를 써 주세요"),
            Self::Name(error) => Rejection::BadName(*error).fmt_in(lang, f),
            Self::Room => localize!(f, lang,
                en: "it takes a whole number greater than 0",
                ko: "0보다 큰 정수를 써 주세요"),
            Self::Lang => localize!(f, lang, en: "it takes ko or en", ko: "ko나 en을 써 주세요"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn other_words_of_argh_are_kept_on_one_line() {
        for text in ["Something new:\n  of argh\n", "Error parsing option '--x' with value '1': 2"]
        {
            let one_line = text.split_whitespace().collect::<Vec<_>>().join(" ");
            assert_eq!(UsageError::of_argh(text), UsageError::Other(one_line));
        }
    }
}
