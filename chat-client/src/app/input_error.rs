//! Reasons why a line was not sent.

use std::fmt;

use chat_proto::{Lang, Localize, Rejection, ValueError, localize};

use crate::terminal::line_reader::{LineError, MAX_LINE};

/// The most characters of an unknown command that are repeated.
const MAX_ECHOED_CHARS: usize = 32;

/// The reason why a line was not sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum InputError {
    Line(LineError),
    /// The first characters of an unknown command, and the command that is one edit away.
    UnknownCommand {
        word: String,
        nearest: Option<&'static str>,
    },
    /// Words follow a command that takes none.
    TakesNothing(&'static str),
    NoName,
    NoTitle,
    BadRoomId,
    BadName(ValueError),
    BadTitle(ValueError),
    BadText(ValueError),
    /// The text exceeds a frame by this many bytes of JSON.
    TextTooLong {
        excess: usize,
    },
    NotConnected,
    /// The server is not reading what was sent before.
    Congested,
}

impl InputError {
    pub(crate) fn unknown_command(word: &str, nearest: Option<&'static str>) -> Self {
        Self::UnknownCommand { word: word.chars().take(MAX_ECHOED_CHARS).collect(), nearest }
    }
}

impl From<LineError> for InputError {
    fn from(error: LineError) -> Self {
        Self::Line(error)
    }
}

impl Localize for InputError {
    fn fmt_in(&self, lang: Lang, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Line(LineError::TooLong) => localize!(f, lang,
                en: "a line may have at most {MAX_LINE} bytes; that one was not sent. \
                     Send it in parts.",
                ko: "한 줄은 {MAX_LINE}바이트까지라서 보내지 않았어요. 나눠서 보내 주세요."),
            Self::Line(LineError::NotUtf8) => localize!(f, lang,
                en: "that line is not UTF-8, and was not sent",
                ko: "UTF-8이 아니라서 보내지 않았어요."),
            Self::UnknownCommand { word, nearest: Some(nearest) } => localize!(f, lang,
                en: "there is no command /{word}. Did you mean /{nearest}? /help lists them all.",
                ko: "/{word} 명령은 없어요. /{nearest} 아닌가요? /help로 명령어를 볼 수 있어요."),
            Self::UnknownCommand { word, nearest: None } => localize!(f, lang,
                en: "there is no command /{word}. /help lists them all. To say a text that begins \
                     with /, begin it with //.",
                ko: "/{word} 명령은 없어요. /help로 명령어를 볼 수 있어요. /로 시작하는 말은 //로 \
                     시작해 주세요."),
            Self::TakesNothing(command) => localize!(f, lang,
                en: "/{command} takes nothing after it",
                ko: "/{command} 뒤에는 아무것도 쓰지 않아요."),
            Self::NoName => localize!(f, lang,
                en: "/name needs a name after it: /name NAME",
                ko: "이름을 함께 써 주세요: /name 이름"),
            Self::NoTitle => localize!(f, lang,
                en: "/create needs a title after it: /create TITLE",
                ko: "제목을 함께 써 주세요: /create 제목"),
            Self::BadRoomId => localize!(f, lang,
                en: "/join needs one room number after it, greater than 0: /join ID. \
                     /rooms lists the rooms.",
                ko: "0보다 큰 방 번호를 하나 써 주세요: /join 번호. /rooms로 볼 수 있어요."),
            Self::BadName(error) => broken_rule(&Rejection::BadName(*error), lang, f),
            Self::BadTitle(error) => broken_rule(&Rejection::BadTitle(*error), lang, f),
            Self::BadText(error) => broken_rule(&Rejection::BadText(*error), lang, f),
            Self::TextTooLong { excess } => {
                let bytes = if *excess == 1 { "byte" } else { "bytes" };
                localize!(f, lang,
                    en: "that text is too long by {excess} {bytes}. Send it in parts.",
                    ko: "{excess}바이트만큼 너무 길어요. 나눠서 보내 주세요.")
            }
            Self::NotConnected => localize!(f, lang,
                en: "not connected; that was not sent. Up brings it back.",
                ko: "연결이 끊겨서 보내지 못했어요. ↑ 키로 다시 불러올 수 있어요."),
            Self::Congested => localize!(f, lang,
                en: "the server has not read what you sent before; that was not sent. Up brings it back.",
                ko: "서버가 아직 앞의 말을 읽지 않아서 보내지 못했어요. ↑ 키로 다시 불러올 수 있어요."),
        }
    }
}

/// Uses the server's wording for the same rule.
fn broken_rule(rule: &Rejection, lang: Lang, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    let rule = rule.localized(lang);
    localize!(f, lang, en: "{rule}", ko: "{rule}.")
}
