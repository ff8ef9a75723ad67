//! Everything the client says of its own: one list of texts, and a table of them for each language.
//! Those of many lines are in [`crate::cli::help`].

use chat_proto::{Lang, Localize, MAX_PAYLOAD, Rejection};

use crate::app::input::Mistake;
use crate::app::render::lowercase_first;
use crate::cli::help::{
    ENGLISH_FLAGS, ENGLISH_FLAGS_IN_SHORT, KOREAN_FLAGS, KOREAN_FLAGS_IN_SHORT, english_commands,
    korean_commands,
};
use crate::cli::usage_error::{Misuse, Rule};
use crate::io_error::Fault;
use crate::net::destination::{Destination, Host};

/// What there is to say. A new one does not compile before every language has it.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Text<'a> {
    /// What `--help` shows.
    Flags,
    /// The flags are wrong.
    BadFlags(&'a Misuse),
    /// What `/help` shows.
    Commands,
    /// A line was not sent.
    Mistake(&'a Mistake),
    Connected {
        to: &'a Destination,
    },
    /// The name of the host leads to no address.
    CannotFind {
        host: &'a Host,
        why: &'a Fault,
    },
    CannotReach {
        server: &'a Destination,
        why: &'a Fault,
    },
    CannotWrite {
        why: &'a Fault,
    },
    CannotRead {
        why: &'a Fault,
    },
    NoRooms,
    /// Heads of the columns of the table of rooms.
    RoomColumn,
    TitleColumn,
    CountColumn,
    MembersColumn,
    /// There are so many members besides those listed.
    AndMore {
        count: usize,
    },
    ServerStopped,
    ServerClosed,
    ServerFull,
    /// The connection ended inside a message.
    Cut {
        held: usize,
    },
    NotAMessage,
    Lost {
        why: &'a Fault,
    },
    /// After `/quit` the server did not close.
    NotClosed,
    /// The server refused what a flag asked for.
    FlagRefused {
        flag: &'static str,
    },
    TryingAgain,
    ConnectedAgain {
        seconds: u64,
    },
    /// Of the room's broadcasts so many came while there was no connection.
    Missed {
        count: u64,
    },
    RoomGone {
        room: u64,
    },
    NotConnected,
    /// In place of the room in the prompt, while there is no connection.
    Offline,
}

impl Text<'_> {
    pub(crate) fn say(self, lang: Lang) -> String {
        match lang {
            Lang::En => english(self),
            Lang::Ko => korean(self),
        }
    }
}

fn english(text: Text<'_>) -> String {
    match text {
        Text::Flags => ENGLISH_FLAGS.to_owned(),
        Text::BadFlags(misuse) => {
            format!("{}. {ENGLISH_FLAGS_IN_SHORT}", english_misuse(misuse))
        }
        Text::Commands => english_commands(),
        Text::Mistake(mistake) => english_mistake(mistake),
        Text::Connected { to } => format!("connected to {to}. /help lists the commands."),
        Text::CannotFind { host, why } => format!(
            "cannot find the address of {host}: {}. Is it spelled right?",
            english_fault(why)
        ),
        Text::CannotReach { server, why: Fault::Refused } => {
            format!("cannot reach {server}: connection refused. Is the server running?")
        }
        Text::CannotReach { server, why } => {
            format!("cannot reach {server}: {}.", english_fault(why))
        }
        Text::CannotWrite { why } => format!("cannot write the output: {}", english_fault(why)),
        Text::CannotRead { why } => format!("cannot read the input: {}", english_fault(why)),
        Text::NoRooms => "no rooms yet: /create TITLE makes one".to_owned(),
        Text::RoomColumn => "ID".to_owned(),
        Text::TitleColumn => "TITLE".to_owned(),
        Text::CountColumn => "PEOPLE".to_owned(),
        Text::MembersColumn => "NAMES".to_owned(),
        Text::AndMore { count } => format!(" and {count} more"),
        Text::ServerStopped => "the server has stopped".to_owned(),
        Text::ServerClosed => "the server closed the connection".to_owned(),
        Text::ServerFull => "the server takes no more connections".to_owned(),
        Text::Cut { held } => {
            format!("the connection ended in the middle of a message, after {held} bytes of it")
        }
        Text::NotAMessage => {
            "what came is no message of a chat server. Is this the right port?".to_owned()
        }
        Text::Lost { why } => format!("lost the connection to the server: {}", english_fault(why)),
        Text::NotClosed => {
            "the server does not close the connection; left without waiting for it".to_owned()
        }
        Text::FlagRefused { flag } => format!("the server refused {flag}"),
        Text::TryingAgain => {
            "trying to connect again; /quit ends. What you said last may not have arrived."
                .to_owned()
        }
        Text::ConnectedAgain { seconds } => format!(
            "connected again after {seconds} s. What others said meanwhile did not reach you."
        ),
        Text::Missed { count } => {
            format!("messages and notices missed in this room: at least {count}")
        }
        Text::RoomGone { room } => {
            format!("room {room} is not there any more. /rooms lists those there are.")
        }
        Text::NotConnected => "not connected; that was not sent. Up brings it back.".to_owned(),
        Text::Offline => "offline".to_owned(),
    }
}

fn korean(text: Text<'_>) -> String {
    match text {
        Text::Flags => KOREAN_FLAGS.to_owned(),
        Text::BadFlags(misuse) => {
            format!("{}. {KOREAN_FLAGS_IN_SHORT}", korean_misuse(misuse))
        }
        Text::Commands => korean_commands(),
        Text::Mistake(mistake) => korean_mistake(mistake),
        Text::Connected { to } => format!("{to}에 연결됐어요. /help를 치면 명령어를 볼 수 있어요."),
        Text::CannotFind { host, why } => {
            format!("{host}의 주소를 찾을 수 없어요: {}. 이름을 맞게 썼나요?", korean_fault(why))
        }
        Text::CannotReach { server, why: Fault::Refused } => {
            format!("{server}에 연결할 수 없어요: 연결이 거부됐어요. 서버가 켜져 있나요?")
        }
        Text::CannotReach { server, why } => {
            format!("{server}에 연결할 수 없어요: {}", korean_fault(why))
        }
        Text::CannotWrite { why } => format!("출력할 수 없어요: {}", korean_fault(why)),
        Text::CannotRead { why } => format!("입력을 읽을 수 없어요: {}", korean_fault(why)),
        Text::NoRooms => "아직 방이 없어요. /create 제목 으로 만들어 보세요.".to_owned(),
        Text::RoomColumn => "번호".to_owned(),
        Text::TitleColumn => "제목".to_owned(),
        Text::CountColumn => "인원".to_owned(),
        Text::MembersColumn => "참여자".to_owned(),
        Text::AndMore { count } => format!(" 외 {count}명"),
        Text::ServerStopped => "서버가 꺼졌어요".to_owned(),
        Text::ServerClosed => "서버가 연결을 끊었어요".to_owned(),
        Text::ServerFull => "서버에 자리가 없어요".to_owned(),
        Text::Cut { held } => format!("메시지를 받다가 연결이 끊겼어요 ({held}바이트까지 받음)"),
        Text::NotAMessage => "채팅 서버의 메시지가 아니에요. 포트가 맞나요?".to_owned(),
        Text::Lost { why } => format!("서버와 연결이 끊겼어요: {}", korean_fault(why)),
        Text::NotClosed => "서버가 연결을 닫지 않아서 그냥 나왔어요".to_owned(),
        Text::FlagRefused { flag } => format!("서버가 {flag} 요청을 받아 주지 않았어요"),
        Text::TryingAgain => {
            "다시 연결하고 있어요. 그만두려면 /quit. 마지막에 보낸 말은 전해지지 않았을 수 있어요."
                .to_owned()
        }
        Text::ConnectedAgain { seconds } => {
            format!("{seconds}초 만에 다시 연결됐어요. 그동안 오간 말은 받지 못했어요.")
        }
        Text::Missed { count } => format!("이 방에서 놓친 말과 알림: {count}개 이상"),
        Text::RoomGone { room } => format!("{room}번 방은 이제 없어요. /rooms로 찾아보세요."),
        Text::NotConnected => {
            "연결이 끊겨서 보내지 못했어요. ↑ 키로 다시 불러올 수 있어요.".to_owned()
        }
        Text::Offline => "연결 끊김".to_owned(),
    }
}

fn english_fault(fault: &Fault) -> &str {
    match fault {
        Fault::Refused => "connection refused",
        Fault::Reset => "connection reset by peer",
        Fault::TimedOut => "no answer",
        Fault::Unreachable => "no way to that address",
        Fault::BrokenPipe => "broken pipe",
        Fault::NoSuchName => "there is no such name",
        Fault::NoNameServer => "no name server can be asked",
        Fault::Other(text) => text,
    }
}

fn korean_fault(fault: &Fault) -> &str {
    match fault {
        Fault::Refused => "연결이 거부됐어요",
        Fault::Reset => "상대가 연결을 끊었어요",
        Fault::TimedOut => "응답이 없어요",
        Fault::Unreachable => "그 주소로 가는 길이 없어요",
        Fault::BrokenPipe => "받는 쪽이 닫혔어요",
        Fault::NoSuchName => "그런 이름이 없어요",
        Fault::NoNameServer => "이름을 물어볼 서버에 닿지 않아요",
        Fault::Other(text) => text,
    }
}

fn english_misuse(misuse: &Misuse) -> String {
    match misuse {
        Misuse::NotUtf8 => "an argument is not UTF-8".to_owned(),
        Misuse::UnknownFlag(flag) => format!("there is no flag {flag}"),
        // The second word of a name, most likely: the shell has split it.
        Misuse::Stray(word) => {
            format!("no flag takes \"{word}\" (a value with spaces has to be in quotes)")
        }
        Misuse::NoValue(flag) => format!("a value is missing after {flag}"),
        Misuse::Twice(flag) => format!("more than one value for {flag}"),
        Misuse::BadValue { flag, value, rule } => {
            format!("bad value \"{value}\" for {flag}: {}", english_value_rule(*rule))
        }
        Misuse::Missing(flags) => format!("required, but missing: {}", flags.join(", ")),
        Misuse::Other(told) => lowercase_first(told.trim_end_matches('.')),
    }
}

fn korean_misuse(misuse: &Misuse) -> String {
    match misuse {
        Misuse::NotUtf8 => "UTF-8이 아닌 인자가 있어요".to_owned(),
        Misuse::UnknownFlag(flag) => format!("{flag} 옵션은 없어요"),
        Misuse::Stray(word) => format!(
            "어느 옵션의 값인지 알 수 없어요: \"{word}\" (띄어 쓴 값은 따옴표로 묶어 주세요)"
        ),
        Misuse::NoValue(flag) => format!("{flag} 뒤에 값을 써 주세요"),
        Misuse::Twice(flag) => format!("{flag} 옵션은 한 번만 써 주세요"),
        Misuse::BadValue { flag, value, rule } => {
            format!("{flag} 옵션에 \"{value}\" 값은 쓸 수 없어요. {}", korean_value_rule(*rule))
        }
        Misuse::Missing(flags) => format!("꼭 필요한 옵션이 빠졌어요: {}", flags.join(", ")),
        Misuse::Other(told) => {
            format!("명령줄을 알아들을 수 없어요: {}", told.trim_end_matches('.'))
        }
    }
}

pub(crate) fn english_value_rule(rule: Rule) -> String {
    match rule {
        Rule::Host => "it takes a host name or an address, without a port".to_owned(),
        Rule::Port => "it takes a number from 1 to 65535".to_owned(),
        Rule::Name(error) => Rejection::BadName(error).to_string(),
        Rule::Room => "it takes a whole number above 0".to_owned(),
        Rule::Lang => "it takes ko or en".to_owned(),
    }
}

fn korean_value_rule(rule: Rule) -> String {
    match rule {
        Rule::Host => "호스트 이름이나 주소만, 포트 없이 써 주세요".to_owned(),
        Rule::Port => "1부터 65535까지의 수를 써 주세요".to_owned(),
        Rule::Name(error) => Rejection::BadName(error).localized(Lang::Ko).to_string(),
        Rule::Room => "0보다 큰 정수를 써 주세요".to_owned(),
        Rule::Lang => "ko나 en을 써 주세요".to_owned(),
    }
}

fn english_mistake(mistake: &Mistake) -> String {
    match mistake {
        Mistake::LineTooLong => {
            format!(
                "a line may have at most {MAX_PAYLOAD} bytes: that one was not sent. Send it in parts."
            )
        }
        Mistake::NotUtf8 => "that line is not UTF-8. It was not sent.".to_owned(),
        Mistake::UnknownCommand { word, near: Some(near) } => {
            format!("there is no command /{word}. Did you mean /{near}? /help lists all.")
        }
        Mistake::UnknownCommand { word, near: None } => format!(
            "there is no command /{word}. /help lists all. To say a text that begins with /, \
             begin it with //."
        ),
        Mistake::TakesNothing(command) => format!("/{command} takes nothing after it"),
        Mistake::NoName => "/name needs a name after it: /name NAME".to_owned(),
        Mistake::NoTitle => "/create needs a title after it: /create TITLE".to_owned(),
        Mistake::BadRoomId => {
            "/join needs one room id after it, a whole number above 0: /join ID. \
                               /rooms lists them."
                .to_owned()
        }
        Mistake::BadName(error) => Rejection::BadName(*error).to_string(),
        Mistake::BadTitle(error) => Rejection::BadTitle(*error).to_string(),
        Mistake::BadText(error) => Rejection::BadText(*error).to_string(),
        Mistake::TextTooLong { excess } => {
            format!("that text is too long by {excess} bytes. Send it in parts.")
        }
    }
}

fn korean_mistake(mistake: &Mistake) -> String {
    match mistake {
        Mistake::LineTooLong => {
            format!("한 줄은 {MAX_PAYLOAD}바이트까지라서 보내지 않았어요. 나눠서 보내 주세요.")
        }
        Mistake::NotUtf8 => "UTF-8이 아니라서 보내지 않았어요.".to_owned(),
        Mistake::UnknownCommand { word, near: Some(near) } => {
            format!("/{word} 명령은 없어요. /{near} 아닌가요? /help로 명령어를 볼 수 있어요.")
        }
        Mistake::UnknownCommand { word, near: None } => format!(
            "/{word} 명령은 없어요. /help로 명령어를 볼 수 있어요. /로 시작하는 말은 //로 시작해 \
             주세요."
        ),
        Mistake::TakesNothing(command) => format!("/{command} 뒤에는 아무것도 쓰지 않아요."),
        Mistake::NoName => "이름을 함께 써 주세요: /name 이름".to_owned(),
        Mistake::NoTitle => "제목을 함께 써 주세요: /create 제목".to_owned(),
        Mistake::BadRoomId => {
            "0보다 큰 방 번호를 하나 써 주세요: /join 번호. /rooms로 볼 수 있어요.".to_owned()
        }
        Mistake::BadName(error) => korean_rule(&Rejection::BadName(*error)),
        Mistake::BadTitle(error) => korean_rule(&Rejection::BadTitle(*error)),
        Mistake::BadText(error) => korean_rule(&Rejection::BadText(*error)),
        Mistake::TextTooLong { excess } => {
            format!("{excess}바이트만큼 너무 길어요. 나눠서 보내 주세요.")
        }
    }
}

/// A server says the same.
fn korean_rule(broken: &Rejection) -> String {
    format!("{}.", broken.localized(Lang::Ko))
}

#[cfg(test)]
mod tests;
