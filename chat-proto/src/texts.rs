//! The texts that people read, in every language.
//!
//! The languages are side by side, so that none is forgotten. No Korean particle depends on the last
//! sound of a name, title or number: a word of ours always follows the value.

use std::fmt;

use crate::command::{Field, Rejection};
use crate::lang::Lang;
use crate::localize;
use crate::localize::{Localize, PerLang};
use crate::notice::Notice;
use crate::values::{INNER_SIGNS, Kind, RoomId, Title, ValueError, quote_strokes};

/// Displays the text in English.
impl fmt::Display for Notice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.fmt_in(Lang::En, f)
    }
}

/// Displays the text in English.
impl fmt::Display for Rejection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.fmt_in(Lang::En, f)
    }
}

/// Displays the text in English.
impl fmt::Display for ValueError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.fmt_in(Lang::En, f)
    }
}

/// Writes whole sentences, on one line.
impl Localize for Notice {
    fn fmt_in(&self, lang: Lang, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Renamed { from, to } => localize!(f, lang,
                en: "{from} is now called {to}.",
                ko: "{from} 님이 이름을 바꿨어요. 이제 {to} 님이에요."),
            Self::RoomCreated { room, title } => fmt_created(*room, &title.quoted(lang), lang, f),
            Self::RoomEntered { room, title } => fmt_entered(*room, &title.quoted(lang), lang, f),
            Self::RoomLeft { room, title } => fmt_left(*room, &title.quoted(lang), lang, f),
            Self::MemberEntered { name } => localize!(f, lang,
                en: "{name} came in.",
                ko: "{name} 님이 들어왔어요."),
            Self::MemberLeft { name } => localize!(f, lang,
                en: "{name} left.",
                ko: "{name} 님이 나갔어요."),
            Self::Announcement { text } => localize!(f, lang,
                en: "Announcement: {text}",
                ko: "공지: {text}"),
            Self::Rejected(rejection) => fmt_rejected(rejection, lang, f),
            Self::NameTaken | Self::NameReserved => fmt_unavailable(self, lang, f),
            Self::NotInRoom => localize!(f, lang,
                en: "You are in no room. /rooms lists them; /join or /create one first.",
                ko: "지금은 방에 있지 않아요. /rooms로 찾아보고 먼저 /join이나 /create로 들어가 주세요."),
            Self::AlreadyInRoom { room } => localize!(f, lang,
                en: "You are in room {room} already. /leave it first.",
                ko: "이미 {room}번 방에 있어요. 먼저 /leave 하세요."),
            Self::NoSuchRoom { room } => localize!(f, lang,
                en: "There is no room {room}. /rooms lists those there are.",
                ko: "{room}번 방은 없어요. /rooms로 찾아보세요."),
            Self::TooManyRooms { limit } => localize!(f, lang,
                en: "There are {limit} rooms, and no more are allowed. Join one of them.",
                ko: "방이 이미 {limit}개라서 더 만들 수 없어요. 있는 방에 들어가 주세요."),
            Self::TextTooLong { excess } => fmt_too_long(*excess, lang, f),
            Self::ShutdownRefused => localize!(f, lang,
                en: "You may not stop this server from where you are.",
                ko: "여기서는 서버를 끌 수 없어요."),
            Self::Removed { reason } => localize!(f, lang,
                en: "The operator removed you from this server: {reason}",
                ko: "운영자가 연결을 끊었어요: {reason}"),
            Self::ResumedElsewhere => localize!(f, lang,
                en: "You went on from another connection. This one ends.",
                ko: "다른 연결에서 이어서 쓰고 있어요. 이 연결은 끝나요."),
            Self::ServerStopping => localize!(f, lang,
                en: "The server is stopping. Goodbye.",
                ko: "서버가 꺼져요. 안녕히 가세요."),
            Self::ServerFull { limit } => localize!(f, lang,
                en: "The server is full: it has {limit} connections. Try again later.",
                ko: "서버에 자리가 없어요: 이미 {limit}개가 연결돼 있어요. 나중에 다시 와 주세요."),
            Self::TooManyFromAddress { limit } => localize!(f, lang,
                en: "There are {limit} connections from your address, and no more are allowed. \
                     Close one of them first.",
                ko: "이 주소에서 이미 {limit}개가 연결돼 있어요. 먼저 하나를 끊어 주세요."),
            Self::ProxyHeaderExpected => fmt_proxy_header_expected(lang, f),
            Self::TlsRequired => localize!(f, lang,
                en: "This server takes encrypted connections only. Connect with --tls, or to https://.",
                ko: "이 서버는 암호화한 연결만 받아요. --tls 플래그나 https:// 주소로 연결해 주세요."),
            Self::FrameTimeout => localize!(f, lang,
                en: "A message was begun and not finished in time: after a 2-byte big-endian \
                     length, that many bytes of JSON have to follow. Goodbye.",
                ko: "메시지가 제때 다 오지 않아서 연결을 끊어요. 2바이트 빅 엔디언 길이 뒤에 그 길이만큼의 \
                     JSON이 와야 해요."),
            Self::SlowConsumer => localize!(f, lang,
                en: "You did not read what was said to you, and too much of it waited. Goodbye.",
                ko: "읽지 않은 메시지가 너무 많이 쌓여서 연결을 끊어요."),
            Self::Internal => localize!(f, lang,
                en: "The server failed at that command. It was not done.",
                ko: "서버에 문제가 생겨서 그 명령을 처리하지 못했어요."),
        }
    }
}

fn fmt_proxy_header_expected(lang: Lang, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    localize!(f, lang,
        en: "Your address is that of a proxy, so a PROXY header has to come first, and none did. \
             Connect through the proxy, or have it send one.",
        ko: "프록시 주소에서 왔는데 PROXY 헤더로 시작하지 않았어요. 프록시를 거쳐 연결하거나, 프록시가 헤더를 \
             보내게 해 주세요.")
}

fn fmt_created(room: RoomId, title: &str, lang: Lang, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    localize!(f, lang,
        en: "You made room {room}, {title}, and are in it.",
        ko: "새로 만든 {room}번 방 {title}에 들어왔어요.")
}

fn fmt_entered(room: RoomId, title: &str, lang: Lang, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    localize!(f, lang,
        en: "You are in room {room}, {title}, now.",
        ko: "{room}번 방 {title}에 들어왔어요.")
}

fn fmt_left(room: RoomId, title: &str, lang: Lang, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    localize!(f, lang,
        en: "You left room {room}, {title}.",
        ko: "{room}번 방 {title}에서 나왔어요.")
}

impl Title {
    /// Puts the title in quotation marks that nothing in it can close: a lookalike of the mark is replaced by the
    /// other kind of mark.
    fn quoted(&self, lang: Lang) -> String {
        let (mark, other) = match lang {
            Lang::En => ('"', '\''),
            Lang::Ko => ('\'', '"'),
        };
        let mut quoted = String::from(mark);
        let mut chars = self.as_str().chars().peekable();
        while let Some(c) = chars.next() {
            let mut strokes = quote_strokes(c);
            while strokes > 0
                && let Some(next) = chars.next_if(|c| quote_strokes(*c) > 0)
            {
                strokes += quote_strokes(next);
            }
            // Two strokes look like a double mark, whatever characters they come from.
            let closes = strokes > 1 || (strokes == 1 && mark == '\'');
            quoted.push(if closes { other } else { c });
        }
        quoted.push(mark);
        quoted
    }
}

fn fmt_unavailable(name: &Notice, lang: Lang, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    if matches!(name, Notice::NameTaken) {
        localize!(f, lang,
            en: "That name is taken. Choose another one.",
            ko: "이미 쓰고 있는 이름이에요. 다른 이름을 골라 주세요.")
    } else {
        localize!(f, lang,
            en: "That name is reserved. Choose another one.",
            ko: "아무도 쓸 수 없는 이름이에요. 다른 이름을 골라 주세요.")
    }
}

fn fmt_rejected(rejection: &Rejection, lang: Lang, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    let reason = rejection.localized(lang);
    if rejection.is_bad() {
        localize!(f, lang, en: "Not understood: {reason}.", ko: "알아들을 수 없어요: {reason}.")
    } else {
        localize!(f, lang, en: "Refused: {reason}.", ko: "받지 않았어요: {reason}.")
    }
}

fn fmt_too_long(excess: usize, lang: Lang, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    let bytes = if excess == 1 { "byte" } else { "bytes" };
    localize!(f, lang,
        en: "That text is too long by {excess} {bytes}. Send it in parts.",
        ko: "{excess}바이트만큼 너무 길어요. 나눠서 보내 주세요.")
}

/// Writes a sentence without its full stop.
impl Localize for Rejection {
    fn fmt_in(&self, lang: Lang, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::EmptyFrame => localize!(f, lang,
                en: "a frame of length 0: a frame is a 2-byte big-endian length, then that many \
                     bytes of JSON",
                ko: "길이가 0인 프레임이에요. 프레임에는 2바이트 빅 엔디언 길이와 그 길이만큼의 JSON이 \
                     있어야 해요"),
            Self::InvalidUtf8 => localize!(f, lang,
                en: "the message is not UTF-8",
                ko: "메시지가 UTF-8이 아니에요"),
            // The detail stays in English: it is meant for authors of clients.
            Self::NotJson { detail } => localize!(f, lang,
                en: "the message is not right as JSON: {detail}",
                ko: "메시지가 올바른 JSON이 아니에요 ({detail})"),
            Self::NotAnObject => localize!(f, lang,
                en: "the message is no JSON object: a frame is a 2-byte big-endian length, then \
                     that many bytes of JSON, such as {{\"type\":\"CSRooms\"}}",
                ko: "메시지가 JSON 객체가 아니에요. 프레임에는 2바이트 빅 엔디언 길이와 그 길이만큼의 JSON, \
                     이를테면 {{\"type\":\"CSRooms\"}} 같은 것이 있어야 해요"),
            Self::UnknownType => localize!(f, lang,
                en: "unknown type: one of CSName, CSRooms, CSCreateRoom, CSJoinRoom, CSLeaveRoom, \
                     CSChat, CSShutdown",
                ko: "모르는 type이에요. CSName, CSRooms, CSCreateRoom, CSJoinRoom, CSLeaveRoom, CSChat, \
                     CSShutdown 가운데 하나여야 해요"),
            Self::Missing(field) => {
                let (key, kind) = (field.key(), field.kind(lang));
                localize!(f, lang,
                    en: "the message needs a field \"{key}\", {kind}",
                    ko: "메시지에 {kind}인 \"{key}\" 필드가 있어야 해요")
            }
            Self::WrongKind(field) => {
                let (key, kind) = (field.key(), field.kind(lang));
                localize!(f, lang,
                    en: "the field \"{key}\" must be {kind}",
                    ko: "\"{key}\" 필드에는 {kind}만 쓸 수 있어요")
            }
            Self::BadName(error) => {
                let error = error.localized(lang);
                localize!(f, lang, en: "a name {error}", ko: "이름에는 {error}")
            }
            Self::BadTitle(error) => {
                let error = error.localized(lang);
                localize!(f, lang, en: "a title {error}", ko: "제목에는 {error}")
            }
            Self::BadText(error) => {
                let error = error.localized(lang);
                localize!(f, lang, en: "a text {error}", ko: "말에는 {error}")
            }
        }
    }
}

impl Field {
    const fn kind(self, lang: Lang) -> &'static str {
        match (self, lang) {
            (Self::RoomId, Lang::En) => "an integer greater than 0",
            (Self::RoomId, Lang::Ko) => "0보다 큰 정수",
            (Self::After | Self::Before | Self::History | Self::Limit, Lang::En) => "an integer",
            (Self::After | Self::Before | Self::History | Self::Limit, Lang::Ko) => "정수",
            (Self::Features, Lang::En) => "a list of strings",
            (Self::Features, Lang::Ko) => "문자열 목록",
            (Self::Id | Self::Client, Lang::En) => "a string of 1 to 64 characters",
            (Self::Id | Self::Client, Lang::Ko) => "1자에서 64자까지의 문자열",
            (Self::Type | Self::Name | Self::Title | Self::Text | Self::Resume, Lang::En) => {
                "a string"
            }
            (Self::Type | Self::Name | Self::Title | Self::Text | Self::Resume, Lang::Ko) => {
                "문자열"
            }
        }
    }
}

/// Writes the end of a sentence that begins with the value, `a name` or `이름에는`, without its full stop.
/// Never writes the forbidden character itself, which might garble a terminal.
impl Localize for ValueError {
    fn fmt_in(&self, lang: Lang, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::Empty => localize!(f, lang,
                en: "needs at least 1 character",
                ko: "1자 이상 써야 해요"),
            Self::Blank => localize!(f, lang,
                en: "needs a character that is not a space",
                ko: "빈칸이 아닌 글자도 있어야 해요"),
            Self::TooLong { max } => localize!(f, lang,
                en: "may have at most {max} characters",
                ko: "{max}자까지 쓸 수 있어요"),
            Self::Forbidden(c) => {
                let (number, kind) = (u32::from(c), Kind::of(c).words());
                let kind = kind.get(lang);
                localize!(f, lang,
                    en: "may not hold the {kind} U+{number:04X}",
                    ko: "U+{number:04X} {kind}를 쓸 수 없어요")
            }
            Self::Misplaced(c) => {
                let (number, kind) = (u32::from(c), Kind::of(c).words());
                let (kind, place) = (kind.get(lang), place(c).get(lang));
                localize!(f, lang,
                    en: "may hold the {kind} U+{number:04X} only {place}",
                    ko: "U+{number:04X} {kind}를 {place}만 쓸 수 있어요")
            }
            Self::TooManyMarks { max } => localize!(f, lang,
                en: "may have at most {max} combining marks on a letter",
                ko: "한 글자에 결합 문자를 {max}개까지 붙일 수 있어요"),
            Self::MixedScripts(c) => {
                let number = u32::from(c);
                localize!(f, lang,
                    en: "may not mix the letter U+{number:04X} with those of another alphabet",
                    ko: "U+{number:04X} 문자를 다른 문자와 섞어 쓸 수 없어요")
            }
            Self::LikeNotice => localize!(f, lang,
                en: "may not read like a notice of the server",
                ko: "서버의 알림처럼 보이는 말을 쓸 수 없어요"),
            Self::TooLongNormalized { max } => localize!(f, lang,
                en: "may have at most {max} characters once ligatures and the like are written out",
                ko: "합쳐진 글자를 모두 풀어 썼을 때 {max}자까지 쓸 수 있어요"),
            Self::NotARoomId => localize!(f, lang,
                en: "must be an integer greater than 0",
                ko: "0보다 큰 정수만 쓸 수 있어요"),
        }
    }
}

impl Kind {
    /// The name of this kind of character. The Korean ends in `자` or `표`, which take the same particle.
    const fn words(self) -> PerLang<&'static str> {
        let (en, ko) = match self {
            Self::Control => ("control character", "제어 문자"),
            Self::BidiControl => ("text-direction character", "글 방향을 바꾸는 문자"),
            Self::Space => ("space", "빈칸 문자"),
            Self::Invisible => ("invisible character", "보이지 않는 문자"),
            Self::Unassigned => ("unassigned character", "아직 정해지지 않은 문자"),
            Self::Mark => ("combining mark", "결합 문자"),
            Self::ColonLike => ("colon or what looks like one,", "쌍점처럼 보이는 문자"),
            Self::Letter => ("letter, which is in use nowhere today,", "요즘 쓰지 않는 문자"),
            Self::Digit => ("number", "숫자 문자"),
            Self::Punctuation => ("punctuation mark", "문장 부호 문자"),
            Self::Symbol => ("symbol", "기호 문자"),
        };
        PerLang { en, ko }
    }
}

/// Returns where a name may hold `c`.
fn place(c: char) -> PerLang<&'static str> {
    if Kind::of(c) == Kind::Mark {
        PerLang { en: "on a letter", ko: "글자 위에" }
    } else if INNER_SIGNS.contains(&c) {
        PerLang { en: "between two letters or digits", ko: "글자나 숫자 사이에" }
    } else {
        PerLang { en: "in a word with letters or digits", ko: "글자나 숫자와 붙여서" }
    }
}

#[cfg(test)]
mod tests;
