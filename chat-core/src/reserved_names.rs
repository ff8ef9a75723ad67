//! Names that nobody may hold, because people would take them for the server or its operator.

use std::collections::BTreeSet;

use chat_proto::{Name, NameKeys, ValueError};
use serde::{Deserialize, Serialize};

/// Names that no session may hold, nor any name that people would take for one of them: in another case, with signs,
/// spaces or marks in between, followed by digits, or spelled with lookalike letters.
///
/// ```
/// use chat_core::ReservedNames;
///
/// let reserved = ReservedNames::new(["server", "the boss"])?;
/// assert_eq!(reserved.names().count(), 2);
/// assert!(ReservedNames::new(["a:b"]).is_err(), "no session could hold this one anyway");
/// # Ok::<(), chat_core::ValueError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "Vec<Name>", into = "Vec<Name>")]
pub struct ReservedNames {
    names: Vec<Name>,
    /// The letters and digits of their keys.
    letters: BTreeSet<String>,
}

/// The names reserved by default: those of the people who run a server, and words for everybody and for the reader.
const DEFAULT: &str = "server, system, system message, admin, administrator, moderator, operator, owner, root, \
    staff, support, official, announcement, notice, everyone, everybody, all, here, nobody, you, me, \
    서버, 시스템, 시스템 메시지, 관리자, 관리자님, 운영자, 운영자님, 운영진, 매니저, 공지, 공지사항, 알림, 모두, 전체, 나";

impl ReservedNames {
    /// Reserves these names, and no others.
    ///
    /// # Errors
    /// The rule that one of them breaks: nobody could hold such a name.
    pub fn new<'a>(names: impl IntoIterator<Item = &'a str>) -> Result<Self, ValueError> {
        let names = names.into_iter().map(Name::new).collect::<Result<Vec<_>, _>>()?;
        Ok(names.into())
    }

    /// Reserves no name.
    pub const fn none() -> Self {
        Self { names: Vec::new(), letters: BTreeSet::new() }
    }

    /// The names as they were given.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.names.iter().map(Name::as_str)
    }

    pub(crate) fn contains(&self, name: &Name, keys: &NameKeys) -> bool {
        let name = name.as_str();
        let word = name.trim_end_matches(char::is_numeric);
        let word_keys = (word != name).then(|| Name::new(word).ok()).flatten();
        let word_keys = word_keys.map(|word| word.keys());
        let mut candidates = [keys].into_iter().chain(&word_keys).flat_map(letters_of);
        candidates.any(|letters| self.letters.contains(&letters))
    }
}

/// Reserves the names of the people who run a server, in English and Korean: see [`names`](Self::names).
impl Default for ReservedNames {
    fn default() -> Self {
        DEFAULT.parse().expect("a test checks that each is a name")
    }
}

impl From<Vec<Name>> for ReservedNames {
    fn from(names: Vec<Name>) -> Self {
        let letters = names
            .iter()
            .map(Name::keys)
            .flat_map(|keys| letters_of(&keys).collect::<Vec<_>>())
            .collect();
        Self { names, letters }
    }
}

impl From<ReservedNames> for Vec<Name> {
    fn from(reserved: ReservedNames) -> Self {
        reserved.names
    }
}

/// Reads names between commas.
impl std::str::FromStr for ReservedNames {
    type Err = ValueError;

    fn from_str(names: &str) -> Result<Self, ValueError> {
        Self::new(names.split(',').map(str::trim).filter(|name| !name.is_empty()))
    }
}

/// The keys without their signs, spaces and marks, unless there is nothing else.
fn letters_of(keys: &NameKeys) -> impl Iterator<Item = String> {
    keys.iter().map(|key| key.letters().unwrap_or_else(|| key.as_str().to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_reserved(reserved: &ReservedNames, name: &str) -> bool {
        let name = Name::new(name).expect("a name");
        reserved.contains(&name, &name.keys())
    }

    #[test]
    fn v7_the_server_and_its_operator_are_reserved_however_they_are_spelled() {
        let reserved = ReservedNames::default();
        for name in [
            "server",
            "admin",
            "system",
            "관리자",
            "서버",
            "운영자",
            "Admin",
            "ADMIN",
            "\u{ff21}dmin",
            "adrnin",
            "adm1n",
            "admIn",
            "ad-min",
            "ad min",
            "_admin_",
            "★admin★",
            "ádmin",
            "sérver",
            "System Message",
            "system-message",
            "s.y.s.t.e.m",
            "admin1",
            "Admin-2",
            "서버 3",
            "관리자~",
            "관 리 자",
            "ꓢꓬꓢꓔꓰꓟ",
            "\u{1100}\u{1169}\u{11bc}\u{110c}\u{1175}",
        ] {
            assert!(is_reserved(&reserved, name), "{name}");
        }
        for name in ["serverus", "Adam", "sysop", "관리", "나나", "meg", "callie", "Al"] {
            assert!(!is_reserved(&reserved, name), "{name}");
        }
    }

    #[test]
    fn v7_the_list_is_the_operators() {
        let reserved: ReservedNames = " the boss, 사장 ,, ".parse().expect("names");
        assert!(reserved.names().eq(["the boss", "사장"]));
        assert!(is_reserved(&reserved, "The-Boss") && !is_reserved(&reserved, "admin"));
        assert!(!is_reserved(&ReservedNames::none(), "server"));
        let star: ReservedNames = "★".parse().expect("a name");
        assert!(is_reserved(&star, "★") && !is_reserved(&star, "☆") && !is_reserved(&star, "😀"));
        assert_eq!("a:b".parse::<ReservedNames>(), Err(ValueError::Forbidden(':')));
    }
}
