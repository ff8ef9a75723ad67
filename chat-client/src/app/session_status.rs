//! Texts about a session of which the server remembers more than the connection: what was missed, what was not
//! acknowledged, and who is there.

use std::fmt;

use chat_proto::{Lang, Localize, localize};

/// A text of the client's own.
#[derive(Debug, Clone, Copy)]
pub(crate) enum SessionStatus<'a> {
    /// What may not have arrived is told besides.
    Reconnecting,
    /// The client has its session again, after this many seconds.
    Resumed {
        seconds: u64,
    },
    /// The same in a room, with the number of broadcasts that follow; or more of them, if `more`.
    ResumedInRoom {
        seconds: u64,
        count: usize,
        more: bool,
    },
    /// The room of the session is not the one that it was.
    NowInRoom {
        room: u64,
    },
    NowInNoRoom,
    /// Some broadcasts are lost.
    Gap,
    /// Precedes what was said before the client came.
    Earlier,
    /// Follows it.
    FromNowOn,
    /// Nobody else is in the room.
    Alone,
    /// Precedes the names of the members of the room.
    Here {
        count: usize,
    },
    /// A chat has not been acknowledged, and may still be.
    NotYetSent {
        text: &'a str,
    },
    /// As many more have not.
    MoreNotYetSent {
        count: usize,
    },
    /// A chat of which the person was told before has been acknowledged.
    SentLate {
        text: &'a str,
    },
    /// A chat was never acknowledged, and will not be sent again.
    PerhapsNotSent {
        text: &'a str,
    },
    /// A chat was not sent, and will not be.
    Unsent {
        text: &'a str,
    },
    /// The session is used over another connection.
    ResumedElsewhere,
}

impl Localize for SessionStatus<'_> {
    fn fmt_in(&self, lang: Lang, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Reconnecting => localize!(f, lang,
                en: "trying to connect again; /quit leaves.",
                ko: "다시 연결하고 있어요. 그만두려면 /quit."),
            Self::Resumed { seconds } => localize!(f, lang,
                en: "connected again after {seconds} s.",
                ko: "{seconds}초 만에 다시 연결됐어요."),
            Self::ResumedInRoom { seconds, count: 0, more: false } => localize!(f, lang,
                en: "connected again after {seconds} s; nothing was missed.",
                ko: "{seconds}초 만에 다시 연결됐어요. 놓친 말은 없어요."),
            Self::ResumedInRoom { seconds, count, more } => {
                let (least, least_ko) =
                    if *more { ("at least ", "개 이상") } else { ("", "개") };
                localize!(f, lang,
                    en: "connected again after {seconds} s; messages and notices missed: {least}{count}",
                    ko: "{seconds}초 만에 다시 연결됐어요. 그동안 놓친 말과 알림: {count}{least_ko}")
            }
            Self::NowInRoom { room } => localize!(f, lang,
                en: "you are in room {room} now",
                ko: "지금은 {room}번 방에 있어요"),
            Self::NowInNoRoom => localize!(f, lang,
                en: "you are in no room now",
                ko: "지금은 방에 있지 않아요"),
            Self::Gap => localize!(f, lang,
                en: "some of what was said is missing here; the server no longer has it",
                ko: "여기에 빠진 말이 있어요. 서버에도 더는 남아 있지 않아요."),
            Self::Earlier => localize!(f, lang,
                en: "said before you came:",
                ko: "들어오기 전에 오간 말:"),
            Self::FromNowOn => localize!(f, lang,
                en: "said from now on:",
                ko: "지금부터 오가는 말:"),
            Self::Alone => localize!(f, lang,
                en: "nobody else is here",
                ko: "지금은 혼자예요."),
            Self::Here { count } => localize!(f, lang,
                en: "here now ({count})",
                ko: "지금 여기 있는 사람 ({count}명)"),
            Self::NotYetSent { text } => localize!(f, lang,
                en: "not yet sent: {text}",
                ko: "아직 보내지 못함: {text}"),
            Self::MoreNotYetSent { count } => localize!(f, lang,
                en: "not yet sent: {count} more",
                ko: "아직 보내지 못함: {count}개 더"),
            Self::SentLate { text } => localize!(f, lang,
                en: "sent now: {text}",
                ko: "이제 보냄: {text}"),
            Self::PerhapsNotSent { text } => localize!(f, lang,
                en: "perhaps not sent: {text}",
                ko: "보냈는지 알 수 없음: {text}"),
            Self::Unsent { text } => localize!(f, lang,
                en: "not sent: {text}",
                ko: "보내지 못함: {text}"),
            Self::ResumedElsewhere => localize!(f, lang,
                en: "your session goes on over another connection",
                ko: "다른 연결에서 대화를 이어 가고 있어요"),
        }
    }
}
