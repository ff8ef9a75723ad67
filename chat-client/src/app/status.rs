//! Texts about the client itself and its connection.

use std::fmt;

use chat_proto::{Lang, Localize, localize};

use crate::io_error::IoErrorKind;
use crate::terminal::visible::Visible;

/// A text of the client's own.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Status<'a> {
    Connected {
        server: &'a str,
        encrypted: bool,
    },
    CannotRead {
        why: &'a IoErrorKind,
    },
    CannotWrite {
        why: &'a IoErrorKind,
    },
    NoRooms,
    NoRoomFound {
        word: &'a str,
    },
    ServerStopped,
    ServerFull,
    /// The server accepts only encrypted connections.
    TlsRequired,
    /// The server did not close the connection after `/quit`.
    NotClosed,
    /// The server refused the request of a flag.
    FlagRefused {
        flag: &'a str,
    },
    Reconnecting,
    /// The client has connected again, after this many seconds without a connection.
    Reconnected {
        seconds: u64,
    },
    /// This many broadcasts of the room were missed without a connection.
    Missed {
        count: u64,
    },
    /// The room to return to is gone.
    RoomGone {
        room: u64,
        title: &'a str,
    },
    /// The room to return to is gone, and room `by` has its title.
    RoomReplaced {
        room: u64,
        title: &'a str,
        by: u64,
    },
    /// Replaces the room in the prompt while there is no connection.
    Offline,
    /// Precedes the text of a chat that the server refused.
    NotSent,
    /// The command that was meant by a line typed in Hangul or in full width.
    Understood {
        line: &'a str,
    },
}

impl Localize for Status<'_> {
    fn fmt_in(&self, lang: Lang, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Connected { server, encrypted: false } => localize!(f, lang,
                en: "connected to {server}. /help lists the commands.",
                ko: "{server}에 연결됐어요. /help를 치면 명령어를 볼 수 있어요."),
            Self::Connected { server, encrypted: true } => localize!(f, lang,
                en: "connected to {server} with TLS. /help lists the commands.",
                ko: "{server}에 TLS로 연결됐어요. /help를 치면 명령어를 볼 수 있어요."),
            Self::CannotRead { why } => {
                let why = why.localized(lang);
                localize!(f, lang, en: "cannot read the input: {why}", ko: "입력을 읽을 수 없어요: {why}")
            }
            Self::CannotWrite { why } => {
                let why = why.localized(lang);
                localize!(f, lang, en: "cannot write the output: {why}", ko: "출력할 수 없어요: {why}")
            }
            Self::NoRooms => localize!(f, lang,
                en: "no rooms yet; /create TITLE makes the first one",
                ko: "아직 방이 없어요. /create 제목 으로 만들어 보세요."),
            Self::NoRoomFound { word } => {
                let word = Visible::quoted(word);
                localize!(f, lang,
                    en: "no room has {word} in its title. /rooms lists them all.",
                    ko: "제목에 {word} 글자가 있는 방은 없어요. /rooms로 모두 볼 수 있어요.")
            }
            Self::ServerStopped => {
                localize!(f, lang, en: "the server has stopped", ko: "서버가 꺼졌어요")
            }
            Self::ServerFull => localize!(f, lang,
                en: "the server accepts no more connections",
                ko: "서버에 자리가 없어요"),
            Self::TlsRequired => localize!(f, lang,
                en: "the server accepts only encrypted connections. Use --tls, or --tls-fingerprint=HEX with the \
                     fingerprint that it printed",
                ko: "암호화된 연결만 받는 서버예요. --tls 옵션이나, 서버에 표시된 지문으로 --tls-fingerprint=지문 옵션을 쓰세요"),
            Self::NotClosed => localize!(f, lang,
                en: "the server did not close the connection in time; left without waiting",
                ko: "서버가 연결을 닫지 않아서 그냥 나왔어요"),
            Self::FlagRefused { flag } => localize!(f, lang,
                en: "the server refused {flag}",
                ko: "서버가 {flag} 요청을 받아 주지 않았어요"),
            Self::Reconnecting => localize!(f, lang,
                en: "trying to connect again; /quit leaves. Your last message may not have arrived.",
                ko: "다시 연결하고 있어요. 그만두려면 /quit. 마지막에 보낸 말은 전해지지 않았을 수 있어요."),
            Self::Reconnected { seconds } => localize!(f, lang,
                en: "connected again after {seconds} s. You did not receive what was said meanwhile.",
                ko: "{seconds}초 만에 다시 연결됐어요. 그동안 오간 말은 받지 못했어요."),
            Self::Missed { count } => localize!(f, lang,
                en: "messages and notices missed in this room: at least {count}",
                ko: "이 방에서 놓친 말과 알림: {count}개 이상"),
            Self::RoomGone { room, title } => {
                let title = Visible::name(title);
                localize!(f, lang,
                    en: "room {room} is gone. To create it again: /create {title}",
                    ko: "{room}번 방은 이제 없어요. 다시 만들려면: /create {title}")
            }
            Self::RoomReplaced { room, title, by } => {
                let title = Visible::quoted(title);
                localize!(f, lang,
                    en: "room {room} is gone, but there is another {title}. To enter it: /join {by}",
                    ko: "{room}번 방은 이제 없지만 {title} 방이 또 있어요. 들어가려면: /join {by}")
            }
            Self::NotSent => localize!(f, lang, en: "not sent", ko: "보내지 못함"),
            Self::Understood { line } => localize!(f, lang,
                en: "understood as {line}",
                ko: "{line}라고 알아들었어요"),
            Self::Offline => localize!(f, lang, en: "offline", ko: "연결 끊김"),
        }
    }
}
