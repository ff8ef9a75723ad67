//! The texts of notices in the client's language, whatever language the server speaks.

use std::borrow::Cow;
use std::fmt;

use chat_proto::{
    Incoming, Lang, Localize, Notice, OperatorText, PerLang, Rejection, RoomId, localize,
};

use crate::terminal::visible::{Visible, is_plain};

/// The text of a notice.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Wording<'a> {
    /// The server's own text.
    Theirs(Cow<'a, str>),
    /// The client's text. Names and titles in it are visible, and in quotes unless they are plain.
    Ours(String),
}

/// Returns the text of an `SCSystemMessage` in `lang`, or the server's own text if its code is unknown or fields are
/// missing. `joined` is the room that the client is in.
pub(crate) fn text(message: &Incoming, joined: Option<u64>, lang: Lang) -> Wording<'_> {
    let code = message.code.as_deref().unwrap_or_default();
    if let Some(event) = Event::of(code, message) {
        return Wording::Ours(event.localized(lang).to_string());
    }
    if let Some(notice) = rebuilt(code, message, joined) {
        return Wording::Theirs(notice.localized(lang).to_string().into());
    }
    Wording::Theirs(match in_short(code) {
        // The server's text has numbers, or names a rule, that no field contains.
        Some(short) if lang_of(&message.text) != lang => short.get(lang).into(),
        _ => message.text.as_str().into(),
    })
}

/// A notice that contains names or titles. Its text is that of [`Notice`], plus quotes: a name such as `bob left.
/// alice` must not produce a notice of something that never happened.
enum Event<'a> {
    Renamed { from: &'a str, to: &'a str },
    RoomCreated { room: u64, title: &'a str },
    RoomEntered { room: u64, title: &'a str },
    RoomLeft { room: u64, title: &'a str },
    MemberEntered { name: &'a str },
    MemberLeft { name: &'a str },
}

impl<'a> Event<'a> {
    /// The event, if the message has all the fields it needs.
    fn of(code: &str, message: &'a Incoming) -> Option<Self> {
        let name = Some(message.member.as_str()).filter(|name| !name.is_empty());
        let (room, title) = (message.room_id, message.title.as_deref());
        Some(match code {
            "renamed" => {
                Self::Renamed { from: message.from.as_deref()?, to: message.to.as_deref()? }
            }
            "room-created" => Self::RoomCreated { room: room?, title: title? },
            "room-entered" => Self::RoomEntered { room: room?, title: title? },
            "room-left" => Self::RoomLeft { room: room?, title: title? },
            "member-entered" => Self::MemberEntered { name: name? },
            "member-left" => Self::MemberLeft { name: name? },
            _ => return None,
        })
    }
}

impl Localize for Event<'_> {
    fn fmt_in(&self, lang: Lang, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = Visible::word;
        let titled = |title: &str| match lang {
            Lang::Ko if is_plain(title) => format!("'{title}'"),
            _ => Visible::quoted(title).to_string(),
        };
        match *self {
            Self::Renamed { from, to } => {
                let (from, to) = (name(from), name(to));
                localize!(f, lang,
                    en: "{from} is now called {to}.",
                    ko: "{from} 님이 이름을 바꿨어요. 이제 {to} 님이에요.")
            }
            Self::RoomCreated { room, title } => {
                let title = titled(title);
                localize!(f, lang,
                    en: "You made room {room}, {title}, and are in it.",
                    ko: "새로 만든 {room}번 방 {title}에 들어왔어요.")
            }
            Self::RoomEntered { room, title } => {
                let title = titled(title);
                localize!(f, lang,
                    en: "You are in room {room}, {title}, now.",
                    ko: "{room}번 방 {title}에 들어왔어요.")
            }
            Self::RoomLeft { room, title } => {
                let title = titled(title);
                localize!(f, lang,
                    en: "You left room {room}, {title}.",
                    ko: "{room}번 방 {title}에서 나왔어요.")
            }
            Self::MemberEntered { name: who } => {
                let name = name(who);
                localize!(f, lang, en: "{name} came in.", ko: "{name} 님이 들어왔어요.")
            }
            Self::MemberLeft { name: who } => {
                let name = name(who);
                localize!(f, lang, en: "{name} left.", ko: "{name} 님이 나갔어요.")
            }
        }
    }
}

/// The notice, if the message has all the fields it needs.
fn rebuilt(code: &str, message: &Incoming, joined: Option<u64>) -> Option<Notice> {
    let words = |words: Option<&str>| OperatorText::new(words?).ok();
    Some(match code {
        "announcement" => Notice::Announcement { text: words(message.announcement.as_deref())? },
        "removed" => Notice::Removed { reason: words(message.reason.as_deref())? },
        "already-in-room" => Notice::AlreadyInRoom { room: RoomId::new(joined?).ok()? },
        "name-taken" => Notice::NameTaken,
        "not-in-room" => Notice::NotInRoom,
        "shutdown-refused" => Notice::ShutdownRefused,
        "resumed-elsewhere" => Notice::ResumedElsewhere,
        "server-stopping" => Notice::ServerStopping,
        "proxy-header-expected" => Notice::ProxyHeaderExpected,
        "tls-required" => Notice::TlsRequired,
        "frame-timeout" => Notice::FrameTimeout,
        "slow-consumer" => Notice::SlowConsumer,
        "internal" => Notice::Internal,
        "empty-frame" => Notice::Rejected(Rejection::EmptyFrame),
        "invalid-utf8" => Notice::Rejected(Rejection::InvalidUtf8),
        "unknown-type" => Notice::Rejected(Rejection::UnknownType),
        _ => return None,
    })
}

/// The text without the values that only the server's text contains.
fn in_short(code: &str) -> Option<PerLang<&'static str>> {
    Some(match code {
        "already-in-room" => PerLang {
            en: "You are already in a room. /leave it first.",
            ko: "이미 방에 있어요. 먼저 /leave 하세요.",
        },
        "no-such-room" => PerLang {
            en: "There is no such room. /rooms lists the rooms.",
            ko: "그런 번호의 방은 없어요. /rooms로 찾아보세요.",
        },
        "limit-reached" => PerLang {
            en: "No more rooms are allowed. Join one of them.",
            ko: "방을 더 만들 수 없어요. 있는 방에 들어가 주세요.",
        },
        "text-too-long" => PerLang {
            en: "That text is too long. Send it in parts.",
            ko: "너무 길어요. 나눠서 보내 주세요.",
        },
        "bad-name" | "bad-title" | "bad-text" => PerLang {
            en: "Refused: that breaks a rule of the server.",
            ko: "받지 않았어요: 서버의 규칙에 맞지 않아요.",
        },
        "bad-request" => PerLang {
            en: "The server did not understand that.",
            ko: "서버가 알아듣지 못했어요.",
        },
        "server-full" => PerLang {
            en: "The server is full. Try again later.",
            ko: "서버에 자리가 없어요. 나중에 다시 와 주세요.",
        },
        "too-many-from-address" => PerLang {
            en: "There are too many connections from your address. Close one of them first.",
            ko: "이 주소에서 너무 많이 연결돼 있어요. 먼저 하나를 끊어 주세요.",
        },
        _ => return None,
    })
}

/// The language of a text that quotes nobody.
fn lang_of(text: &str) -> Lang {
    let is_hangul = |c: char| ('가'..='힣').contains(&c);
    if text.contains(is_hangul) { Lang::Ko } else { Lang::En }
}

#[cfg(test)]
mod tests {
    use super::*;
    use chat_proto::{Field, HEADER_LEN, Name, ServerMessage, Title, ValueError};

    /// The message from a server that speaks `lang`.
    fn received(notice: &Notice, lang: Lang) -> Incoming {
        let room = RoomId::new(3).ok().map(|room| (room, 1));
        let mut frame = Vec::new();
        ServerMessage::System { notice, room }.write(lang, &mut frame).expect("a notice fits");
        Incoming::parse(&frame[HEADER_LEN..]).expect("it is a message")
    }

    fn assert_all(notices: &[Notice], is_right: impl Fn(&Notice, Lang, &str) -> bool) {
        for notice in notices {
            for server in Lang::ALL {
                for lang in Lang::ALL {
                    let message = received(notice, server);
                    let text = match text(&message, Some(3), lang) {
                        Wording::Theirs(text) => text.into_owned(),
                        Wording::Ours(text) => text,
                    };
                    assert!(is_right(notice, lang, &text), "{lang} of {server}: {text}");
                    if server == lang {
                        assert_eq!(text, message.text);
                    }
                }
            }
        }
    }

    #[test]
    fn a_notice_whose_values_are_known_is_what_a_server_of_that_language_says() {
        let name = |name: &str| Name::new(name).expect("a name");
        let title = || Title::new("차 tea").expect("a title");
        let words = || OperatorText::new("오늘은 여기까지").expect("a text");
        let room = RoomId::new(3).expect("above 0");
        let notices = [
            Notice::Renamed { from: name("김철수"), to: name("bob") },
            Notice::RoomCreated { room, title: title() },
            Notice::RoomEntered { room, title: title() },
            Notice::RoomLeft { room, title: title() },
            Notice::MemberEntered { name: name("user1") },
            Notice::MemberLeft { name: name("김철수") },
            Notice::Announcement { text: words() },
            Notice::Removed { reason: words() },
            Notice::AlreadyInRoom { room },
            Notice::NameTaken,
            Notice::NotInRoom,
            Notice::ShutdownRefused,
            Notice::ResumedElsewhere,
            Notice::ServerStopping,
            Notice::FrameTimeout,
            Notice::ProxyHeaderExpected,
            Notice::TlsRequired,
            Notice::SlowConsumer,
            Notice::Internal,
            Notice::Rejected(Rejection::EmptyFrame),
            Notice::Rejected(Rejection::InvalidUtf8),
            Notice::Rejected(Rejection::UnknownType),
        ];
        assert_all(&notices, |notice, lang, text| text == notice.localized(lang).to_string());
    }

    #[test]
    fn a_notice_whose_values_are_unknown_is_in_the_language_of_the_client() {
        let room = RoomId::new(7).expect("above 0");
        let notices = [
            Notice::NoSuchRoom { room },
            Notice::TooManyRooms { limit: 9 },
            Notice::TextTooLong { excess: 1 },
            Notice::ServerFull { limit: 2 },
            Notice::TooManyFromAddress { limit: 8 },
            Notice::Rejected(Rejection::BadName(ValueError::Empty)),
            Notice::Rejected(Rejection::BadTitle(ValueError::Blank)),
            Notice::Rejected(Rejection::BadText(ValueError::Forbidden('\u{7}'))),
            Notice::Rejected(Rejection::WrongKind(Field::RoomId)),
        ];
        assert_all(&notices, |_, lang, text| lang_of(text) == lang);
    }

    #[test]
    fn v1_no_name_or_title_makes_a_notice_that_never_was() {
        // An older server may send any name.
        let name = "alice left. bob";
        for (code, from, to, title, en, ko) in [
            (
                "member-left",
                name,
                "",
                "",
                r#""alice left. bob" left."#,
                r#""alice left. bob" 님이 나갔어요."#,
            ),
            (
                "renamed",
                name,
                "Guido van Rossum",
                "",
                r#""alice left. bob" is now called "Guido van Rossum"."#,
                r#""alice left. bob" 님이 이름을 바꿨어요. 이제 "Guido van Rossum" 님이에요."#,
            ),
            (
                "room-entered",
                "",
                "",
                "tea\", now. * bob left.",
                r#"You are in room 3, "tea\", now. * bob left.", now."#,
                r#"3번 방 "tea\", now. * bob left."에 들어왔어요."#,
            ),
        ] {
            let mut message = Incoming::default();
            (message.code, message.room_id) = (Some(code.to_owned()), Some(3));
            (message.member, message.title) = (from.to_owned(), Some(title.to_owned()));
            (message.from, message.to) = (Some(from.to_owned()), Some(to.to_owned()));
            for (lang, shown) in [(Lang::En, en), (Lang::Ko, ko)] {
                assert_eq!(text(&message, None, lang), Wording::Ours(shown.to_owned()));
            }
        }
    }

    #[test]
    fn without_fields_or_a_known_code_the_text_of_the_server_is_shown() {
        let codes = ["news", "renamed", "room-entered", "member-left"];
        for rest in codes.map(|code| format!(r#""code":"{code}""#)) {
            let json = format!(r#"{{"type":"SCSystemMessage","text":"새 소식",{rest}}}"#);
            let message = Incoming::parse(json.as_bytes()).expect("it is a message");
            assert_eq!(text(&message, None, Lang::En), Wording::Theirs("새 소식".into()));
        }
    }
}
