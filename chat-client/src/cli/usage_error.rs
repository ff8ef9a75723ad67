//! What can be wrong with the flags. argh tells it as text, in English: here it becomes a type again,
//! so that it can be told in every language.

use std::fmt;

use chat_proto::ValueError;

use crate::app::texts::english_value_rule;
use crate::cli::args::broken_rule;

/// See the head of this file. Flags are with their dashes, values as they were given.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Misuse {
    NotUtf8,
    UnknownFlag(String),
    /// No flag takes this word.
    Stray(String),
    /// Nothing stands behind this flag.
    NoValue(String),
    /// The flag has more than one value.
    Twice(String),
    BadValue {
        flag: String,
        value: String,
        rule: Rule,
    },
    Missing(Vec<String>),
    /// Anything else, as argh says it.
    Other(String),
}

/// What a value has to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Rule {
    Host,
    Port,
    /// A name, which this one is not.
    Name(ValueError),
    Room,
    Lang,
}

/// argh wants to be told in words.
impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&english_value_rule(*self))
    }
}

impl Misuse {
    /// Reads what argh says.
    pub(crate) fn of(told: &str) -> Self {
        let told = told.strip_suffix('\n').unwrap_or(told);
        unrecognized(told)
            .or_else(|| no_value(told))
            .or_else(|| bad_value(told))
            .or_else(|| missing(told))
            .unwrap_or_else(|| Self::Other(told.split_whitespace().collect::<Vec<_>>().join(" ")))
    }
}

fn unrecognized(told: &str) -> Option<Misuse> {
    let word = told.strip_prefix("Unrecognized argument: ")?.to_owned();
    Some(if word.starts_with('-') { Misuse::UnknownFlag(word) } else { Misuse::Stray(word) })
}

fn no_value(told: &str) -> Option<Misuse> {
    let flag = told.strip_prefix("No value provided for option '")?.strip_suffix("'.")?;
    Some(Misuse::NoValue(flag.to_owned()))
}

/// A value may hold quotes and colons itself: what stands around it is looked for from the ends.
fn bad_value(told: &str) -> Option<Misuse> {
    let told = told.strip_prefix("Error parsing option '")?;
    let (flag, told) = told.split_once("' with value '")?;
    let (value, why) = told.rsplit_once("': ")?;
    let flag = flag.to_owned();
    if why == "duplicate values provided" {
        return Some(Misuse::Twice(flag));
    }
    if value.starts_with("--") {
        // The next flag was taken for it.
        return Some(Misuse::NoValue(flag));
    }
    let rule = broken_rule(&flag, value)?;
    Some(Misuse::BadValue { flag, value: value.to_owned(), rule })
}

fn missing(told: &str) -> Option<Misuse> {
    let flags = told.strip_prefix("Required options not provided:")?;
    Some(Misuse::Missing(flags.split_whitespace().map(str::to_owned).collect()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::args::Args;
    use proptest::prelude::*;

    /// What argh says of these words today.
    fn misuse(words: &[&str]) -> Misuse {
        Args::read(words).expect_err("something is wrong with them")
    }

    fn bad(flag: &str, value: &str, rule: Rule) -> Misuse {
        Misuse::BadValue { flag: flag.to_owned(), value: value.to_owned(), rule }
    }

    #[test]
    fn all_that_argh_says_is_understood() {
        let flag = || "--port".to_owned();
        assert_eq!(misuse(&[]), Misuse::Missing(vec![flag()]));
        assert_eq!(misuse(&["--port"]), Misuse::NoValue(flag()));
        assert_eq!(misuse(&["--port", "--plain"]), Misuse::NoValue(flag()));
        assert_eq!(misuse(&["--port", "1", "--port", "2"]), Misuse::Twice(flag()));
        assert_eq!(misuse(&["--prot", "1"]), Misuse::UnknownFlag("--prot".to_owned()));
        assert_eq!(misuse(&["-x"]), Misuse::UnknownFlag("-x".to_owned()));
        for word in ["9000", "help", "", "a\nb"] {
            assert_eq!(misuse(&["--port", "1", word]), Misuse::Stray(word.to_owned()));
        }
    }

    #[test]
    fn every_rule_for_a_value_is_known() {
        for (flag, value, rule) in [
            ("--port", "0", Rule::Port),
            ("--port", "", Rule::Port),
            ("--ip", "a b", Rule::Host),
            ("--join", "+1", Rule::Room),
            ("--lang", "fr", Rule::Lang),
            ("--name", "", Rule::Name(ValueError::Empty)),
            ("--name", "a\u{7}", Rule::Name(ValueError::Forbidden('\u{7}'))),
        ] {
            assert_eq!(misuse(&[flag, value]), bad(flag, value, rule));
        }
    }

    #[test]
    fn a_value_that_looks_like_an_answer_of_argh_is_a_value() {
        for value in ["x': duplicate values provided", "' with value '1", "': ", "1': no"] {
            assert_eq!(misuse(&["--port", value]), bad("--port", value, Rule::Port));
        }
    }

    #[test]
    fn what_is_not_understood_is_handed_on_in_one_line() {
        for told in ["Something new:\n  of argh\n", "Error parsing option '--x' with value '1': 2"]
        {
            let handed_on = told.split_whitespace().collect::<Vec<_>>().join(" ");
            assert_eq!(Misuse::of(told), Misuse::Other(handed_on));
        }
    }

    fn words() -> impl Strategy<Value = Vec<String>> {
        let flags =
            ["--ip", "--port", "--name", "--join", "--plain", "--lang", "--reconnect", "--"];
        let word = prop_oneof![
            3 => prop::sample::select(flags.map(str::to_owned).to_vec()),
            1 => prop::sample::select(vec!["1", "ko", "a", "help"]).prop_map(str::to_owned),
            1 => any::<String>(),
            1 => "[-': \n\\PC]{0,9}",
        ];
        prop::collection::vec(word, 0..6)
    }

    proptest! {
        #[test]
        fn nothing_that_argh_says_is_handed_on(words in words()) {
            let words: Vec<&str> = words.iter().map(String::as_str).collect();
            prop_assume!(!words.iter().any(|word| ["-h", "--help"].contains(word)));
            match Args::read(&words) {
                Err(Misuse::Other(told)) => prop_assert!(false, "{told}"),
                Err(Misuse::BadValue { flag, value, .. }) => {
                    let given = words.windows(2).any(|pair| pair == [flag.as_str(), value.as_str()]);
                    prop_assert!(given, "{flag} {value}");
                }
                Err(Misuse::UnknownFlag(word) | Misuse::Stray(word)) => {
                    prop_assert!(words.contains(&word.as_str()), "{word}");
                }
                _ => {}
            }
        }
    }
}
