//! Every text exists in every language, is in that language, and says the same in all of them.

use std::iter;

use super::*;
use crate::values::{Name, OperatorText, RoomId, Title};

/// Not a letter of any language, so that tests find it in a text.
const MARK: &str = "☆";

/// One character of each kind.
const FORBIDDEN: [char; 11] =
    ['\u{7}', '\u{202e}', '\u{a0}', '\u{200b}', '\u{378}', '\u{301}', ':', 'ᚠ', '½', '!', '→'];

/// One notice of each kind. [`after`] does not compile for a kind that is missing there.
fn notices() -> Vec<Notice> {
    let name = Name::new(MARK).expect("a name");
    let first = Notice::Renamed { from: name.clone(), to: name };
    let notices = iter::successors(Some(first), after);
    notices.chain(rejections().into_iter().map(Notice::Rejected)).collect()
}

/// The kind of notice after this one.
fn after(notice: &Notice) -> Option<Notice> {
    let (room, title) = (RoomId::FIRST, Title::new(MARK).expect("a title"));
    let name = Name::new(MARK).expect("a name");
    let text = OperatorText::new(MARK).expect("a text");
    Some(match notice {
        Notice::Renamed { .. } => Notice::RoomCreated { room, title },
        Notice::RoomCreated { .. } => Notice::RoomEntered { room, title },
        Notice::RoomEntered { .. } => Notice::RoomLeft { room, title },
        Notice::RoomLeft { .. } => Notice::MemberEntered { name },
        Notice::MemberEntered { .. } => Notice::MemberLeft { name },
        Notice::MemberLeft { .. } => Notice::NameTaken,
        Notice::NameTaken => Notice::NameReserved,
        Notice::NameReserved => Notice::NotInRoom,
        Notice::NotInRoom => Notice::AlreadyInRoom { room },
        Notice::AlreadyInRoom { .. } => Notice::NoSuchRoom { room },
        Notice::NoSuchRoom { .. } => Notice::TooManyRooms { limit: 12 },
        Notice::TooManyRooms { .. } => Notice::TextTooLong { excess: 13 },
        Notice::TextTooLong { .. } => Notice::ShutdownRefused,
        Notice::ShutdownRefused => Notice::ResumedElsewhere,
        Notice::ResumedElsewhere => Notice::ServerStopping,
        Notice::ServerStopping => Notice::ServerFull { limit: 14 },
        Notice::ServerFull { .. } => Notice::TooManyFromAddress { limit: 15 },
        Notice::TooManyFromAddress { .. } => Notice::ProxyHeaderExpected,
        Notice::ProxyHeaderExpected => Notice::TlsRequired,
        Notice::TlsRequired => Notice::FrameTimeout,
        Notice::FrameTimeout => Notice::SlowConsumer,
        Notice::SlowConsumer => Notice::Internal,
        Notice::Internal => Notice::Announcement { text },
        Notice::Announcement { .. } => Notice::Removed { reason: text },
        Notice::Removed { .. } | Notice::Rejected(_) => return None,
    })
}

/// One rejection of each kind, field and rule. The functions below do not compile for one that is missing.
fn rejections() -> Vec<Rejection> {
    let fields = iter::successors(Some(Field::Type), |field| {
        Some(match field {
            Field::Type => Field::Name,
            Field::Name => Field::Title,
            Field::Title => Field::RoomId,
            Field::RoomId => Field::Text,
            Field::Text => Field::Id,
            Field::Id => Field::Client,
            Field::Client => Field::Features,
            Field::Features => Field::Resume,
            Field::Resume => Field::After,
            Field::After => Field::Before,
            Field::Before => Field::History,
            Field::History => Field::Limit,
            Field::Limit => return None,
        })
    });
    let errors = iter::successors(Some(ValueError::Empty), |error| {
        Some(match error {
            ValueError::Empty => ValueError::Blank,
            ValueError::Blank => ValueError::TooLong { max: 32 },
            ValueError::TooLong { .. } => ValueError::Forbidden(FORBIDDEN[0]),
            ValueError::Forbidden(c) => {
                match FORBIDDEN.iter().skip_while(|other| *other != c).nth(1) {
                    Some(next) => ValueError::Forbidden(*next),
                    None => ValueError::Misplaced('.'),
                }
            }
            ValueError::Misplaced('.') => ValueError::Misplaced('\u{301}'),
            ValueError::Misplaced(_) => ValueError::TooManyMarks { max: 4 },
            ValueError::TooManyMarks { .. } => ValueError::MixedScripts('а'),
            ValueError::MixedScripts(_) => ValueError::LikeNotice,
            ValueError::LikeNotice => ValueError::TooLongNormalized { max: 64 },
            ValueError::TooLongNormalized { .. } => ValueError::NotARoomId,
            ValueError::NotARoomId => return None,
        })
    });
    let of_field =
        fields.flat_map(|field| [Rejection::Missing(field), Rejection::WrongKind(field)]);
    let of_value = [Rejection::BadName, Rejection::BadTitle, Rejection::BadText];
    let of_error = errors.flat_map(|error| of_value.map(|bad| bad(error)));
    let others = iter::successors(Some(Rejection::EmptyFrame), |rejection| {
        Some(match rejection {
            Rejection::EmptyFrame => Rejection::InvalidUtf8,
            Rejection::InvalidUtf8 => Rejection::NotJson { detail: "a comma at line 1".into() },
            Rejection::NotJson { .. } => Rejection::NotAnObject,
            Rejection::NotAnObject => Rejection::UnknownType,
            Rejection::UnknownType | Rejection::Missing(_) | Rejection::WrongKind(_) => {
                return None;
            }
            Rejection::BadName(_) | Rejection::BadTitle(_) | Rejection::BadText(_) => return None,
        })
    });
    others.chain(of_field).chain(of_error).collect()
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
    // Rejections share 7 codes: programs need not tell kinds of invalid JSON apart, nor why a name is unavailable.
    let shares = |notice: &&Notice| matches!(notice, Notice::Rejected(_) | Notice::NameReserved);
    let others = notices.iter().filter(|notice| !shares(notice));
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

/// Whether 은 or 는, 이 or 가 is right depends on the last sound of the word before it.
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

/// Everything after a title in a notice is said by the server, so the title must not end its own quotation.
#[test]
fn v1_no_title_closes_its_quotation() {
    let marks: Vec<char> = ('\0'..='\u{FFFF}').filter(|c| quote_strokes(*c) > 0).collect();
    assert!(marks.len() > 40, "{marks:?}");
    for mark in marks {
        for title in [format!("tea{mark}, now. ann left. {mark}"), format!("{mark}{mark}")] {
            let Ok(title) = Title::new(&title) else { continue };
            let notice = Notice::RoomEntered { room: RoomId::FIRST, title };
            for (lang, mark, strokes) in [(Lang::En, '"', 2), (Lang::Ko, '\'', 1)] {
                let text = notice.localized(lang).to_string();
                let title = text.split(mark).nth(1).expect("a title in quotation marks");
                assert_eq!(text.matches(mark).count(), 2, "{text}");
                let is_other = |c: char| quote_strokes(c) == 0 || quote_strokes(c) != strokes;
                assert!(title.chars().all(is_other), "{text}");
                assert!(strokes == 1 || !title.contains("''"), "{text}");
            }
        }
    }
    let said = |title: &str, lang| {
        let title = Title::new(title).expect("a title");
        Notice::RoomEntered { room: RoomId::FIRST, title }.localized(lang).to_string()
    };
    assert_eq!(said("Bob's \"tea\"", Lang::En), "You are in room 1, \"Bob's 'tea'\", now.");
    assert_eq!(said("Bob's \"tea\"", Lang::Ko), "1번 방 'Bob\"s \"tea\"'에 들어왔어요.");
}
