//! Every text exists in every language, is in that language, and says the same in all of them.

use super::*;
use crate::values::{Name, OperatorText, RoomId, Title};

/// Not a letter of any language, so that tests find it in a text.
const MARK: &str = "☆";

/// One of each kind. [`number`] does not compile for a kind that is missing here.
fn notices() -> Vec<Notice> {
    let (room, title) = (RoomId::new(7).expect("above 0"), Title::new(MARK).expect("a title"));
    let name = Name::new(MARK).expect("a name");
    let (from, to) = (name.clone(), name.clone());
    let text = OperatorText::new(MARK).expect("a text");
    let notices = vec![
        Notice::Renamed { from, to },
        Notice::RoomCreated { room, title: title.clone() },
        Notice::RoomEntered { room, title: title.clone() },
        Notice::RoomLeft { room, title },
        Notice::MemberEntered { name: name.clone() },
        Notice::MemberLeft { name },
        Notice::NameTaken,
        Notice::NotInRoom,
        Notice::AlreadyInRoom { room },
        Notice::NoSuchRoom { room },
        Notice::TooManyRooms { limit: 12 },
        Notice::TextTooLong { excess: 13 },
        Notice::ShutdownRefused,
        Notice::ServerStopping,
        Notice::ServerFull { limit: 14 },
        Notice::TooManyFromAddress { limit: 15 },
        Notice::FrameTimeout,
        Notice::SlowConsumer,
        Notice::Internal,
        Notice::Announcement { text: text.clone() },
        Notice::Removed { reason: text },
    ];
    assert!(notices.iter().map(number).eq(0..notices.len()), "one of each");
    let rejected = rejections().into_iter().map(Notice::Rejected);
    notices.into_iter().chain(rejected).collect()
}

/// The index of a notice in [`notices`].
fn number(notice: &Notice) -> usize {
    match notice {
        Notice::Renamed { .. } => 0,
        Notice::RoomCreated { .. } => 1,
        Notice::RoomEntered { .. } => 2,
        Notice::RoomLeft { .. } => 3,
        Notice::MemberEntered { .. } => 4,
        Notice::MemberLeft { .. } => 5,
        Notice::NameTaken => 6,
        Notice::NotInRoom => 7,
        Notice::AlreadyInRoom { .. } => 8,
        Notice::NoSuchRoom { .. } => 9,
        Notice::TooManyRooms { .. } => 10,
        Notice::TextTooLong { .. } => 11,
        Notice::ShutdownRefused => 12,
        Notice::ServerStopping => 13,
        Notice::ServerFull { .. } => 14,
        Notice::TooManyFromAddress { .. } => 15,
        Notice::FrameTimeout => 16,
        Notice::SlowConsumer => 17,
        Notice::Internal => 18,
        Notice::Announcement { .. } => 19,
        Notice::Removed { .. } => 20,
        Notice::Rejected(_) => unreachable!("`rejections` lists these"),
    }
}

/// One of each kind, and of each field and rule.
fn rejections() -> Vec<Rejection> {
    let mut rejections = vec![
        Rejection::EmptyFrame,
        Rejection::InvalidUtf8,
        Rejection::NotJson { detail: "trailing comma at line 1 column 9".into() },
        Rejection::NotAnObject,
        Rejection::UnknownType,
    ];
    for field in [Field::Type, Field::Name, Field::Title, Field::RoomId, Field::Text] {
        rejections.extend([Rejection::Missing(field), Rejection::WrongKind(field)]);
    }
    for error in [
        ValueError::Empty,
        ValueError::Blank,
        ValueError::TooLong { max: 32 },
        ValueError::Forbidden('\u{7}'),
        ValueError::Forbidden('\u{202e}'),
        ValueError::NotANickname,
        ValueError::TooLongNormalized { max: 64 },
        ValueError::NotARoomId,
    ] {
        let all = [Rejection::BadName, Rejection::BadTitle, Rejection::BadText];
        rejections.extend(all.map(|bad| bad(error)));
    }
    let is_there = |kind: usize| rejections.iter().any(|rejection| kind_of(rejection) == kind);
    assert!((0..REJECTIONS).all(is_there), "one of each");
    rejections
}

const REJECTIONS: usize = 10 + RULES;
const RULES: usize = 7;

/// Does not compile for a kind of rejection, or a rule, that is missing in [`rejections`].
fn kind_of(rejection: &Rejection) -> usize {
    match rejection {
        Rejection::EmptyFrame => 0,
        Rejection::InvalidUtf8 => 1,
        Rejection::NotJson { .. } => 2,
        Rejection::NotAnObject => 3,
        Rejection::UnknownType => 4,
        Rejection::Missing(Field::RoomId) => 5,
        Rejection::Missing(_) => 6,
        Rejection::WrongKind(Field::RoomId) => 7,
        Rejection::WrongKind(_) => 8,
        Rejection::BadTitle(_) | Rejection::BadText(_) => 9,
        Rejection::BadName(error) => match error {
            ValueError::Empty => 10,
            ValueError::Blank => 11,
            ValueError::TooLong { .. } => 12,
            ValueError::Forbidden(_) => 13,
            ValueError::NotANickname => 14,
            ValueError::TooLongNormalized { .. } => 15,
            ValueError::NotARoomId => 16,
        },
    }
}

fn is_korean(text: &str) -> bool {
    text.contains(|c| ('가'..='힣').contains(&c))
}

/// The words that a text must contain in every language: commands, types and numbers.
fn facts(text: &str) -> Vec<&str> {
    let is_end = |c: char| !(c.is_ascii_alphanumeric() || c == '/');
    let is_fact = |word: &&str| {
        word.starts_with(|c: char| c.is_ascii_digit() || c == '/') || word.starts_with("CS")
    };
    let mut facts: Vec<&str> = text.split(is_end).filter(is_fact).collect();
    facts.sort_unstable();
    facts
}

/// The sentences of a text, without their parentheses.
fn sentences(text: &str) -> impl Iterator<Item = &str> {
    let text = text.strip_suffix('.').expect("a full stop at the end");
    let sentences = text.split(". ").flat_map(|sentence| sentence.split(": "));
    sentences.map(|sentence| sentence.split(" (").next().unwrap_or(sentence))
}

#[test]
fn every_notice_is_in_its_language() {
    for notice in notices() {
        for lang in Lang::ALL {
            let text = notice.localized(lang).to_string();
            assert_eq!(is_korean(&text), lang == Lang::Ko, "{lang}: {text:?}");
            let is_plain = |c: char| !c.is_control() && (lang == Lang::Ko || c.is_ascii());
            assert!(text.replace(MARK, "").chars().all(is_plain), "{lang}: {text:?}");
            assert!((5..250).contains(&text.len()), "{lang}: {text:?}");
        }
        assert_eq!(notice.to_string(), notice.localized(Lang::En).to_string());
    }
}

#[test]
fn a_code_is_one_word_and_no_two_notices_share_it() {
    let notices = notices();
    let is_word = |code: &str| code.bytes().all(|b| b.is_ascii_lowercase() || b"-8".contains(&b));
    assert!(notices.iter().all(|notice| is_word(notice.code())));
    let mut codes: Vec<&str> = notices.iter().map(Notice::code).collect();
    codes.sort_unstable();
    codes.dedup();
    // Rejections have 7 codes, since programs need not tell one kind of invalid JSON from another.
    let others = notices.iter().filter(|notice| !matches!(notice, Notice::Rejected(_)));
    assert_eq!(codes.len(), others.count() + 7, "{codes:?}");
}

#[test]
fn every_language_says_the_same() {
    for notice in notices() {
        let (english, korean) =
            (notice.localized(Lang::En).to_string(), notice.localized(Lang::Ko).to_string());
        assert_eq!(facts(&english), facts(&korean), "{english} / {korean}");
        assert_eq!(english.matches(MARK).count(), korean.matches(MARK).count(), "{korean}");
        let keys = |text: &str| -> Vec<String> {
            text.split('"').skip(1).step_by(2).map(str::to_owned).collect()
        };
        if matches!(notice, Notice::Rejected(_)) {
            assert_eq!(keys(&english), keys(&korean), "{korean}");
        }
    }
}

#[test]
fn korean_is_polite_throughout() {
    let is_ours =
        |notice: &Notice| !matches!(notice, Notice::Announcement { .. } | Notice::Removed { .. });
    for notice in notices().into_iter().filter(is_ours) {
        let text = notice.localized(Lang::Ko).to_string();
        assert!(sentences(&text).all(|sentence| sentence.ends_with('요')), "{text}");
    }
}

/// Whether it is 은 or 는, 이 or 가 depends on the last sound of the word before it.
#[test]
fn no_korean_particle_depends_on_the_last_sound_of_a_value() {
    const DEPENDENT: [&str; 14] =
        ["은", "는", "이", "가", "을", "를", "과", "와", "로", "으로", "예", "여", "나", "아"];
    // The numbers in these two are constant.
    let is_fixed = |notice: &Notice| {
        matches!(notice, Notice::Rejected(Rejection::EmptyFrame | Rejection::InvalidUtf8))
    };
    for notice in notices().into_iter().filter(|notice| !is_fixed(notice)) {
        let text = notice.localized(Lang::Ko).to_string();
        let is_value = |c: char| c.is_ascii_digit() || MARK.contains(c);
        for (at, c) in text.char_indices().filter(|(_, c)| is_value(*c)) {
            let next = text[at + c.len_utf8()..].trim_start_matches(['\'', '"', ')']);
            assert!(!DEPENDENT.iter().any(|particle| next.starts_with(particle)), "{text}");
        }
    }
}

#[test]
fn one_byte_is_not_bytes() {
    let said = |excess| Notice::TextTooLong { excess }.localized(Lang::En).to_string();
    assert!(said(1).contains(" 1 byte.") && said(2).contains(" 2 bytes."));
}
