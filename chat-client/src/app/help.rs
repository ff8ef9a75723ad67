//! The text of `/help`.

use std::fmt;

use chat_proto::{Lang, Localize, MAX_NAME_CHARS, MAX_TITLE_CHARS, localize};

/// The list of commands, on several lines.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Commands;

impl Localize for Commands {
    fn fmt_in(&self, lang: Lang, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        localize!(f, lang,
            en: "\
/help          show this list
/name NAME     change your name, 1 to {MAX_NAME_CHARS} characters; your room sees it
/rooms [WORD]  list the rooms, or those with WORD in their titles
/create TITLE  create a room and enter it; TITLE has 1 to {MAX_TITLE_CHARS} characters
/join ID       enter a room; /leave the one you are in first
/who           list the people in your room
/leave         leave your room; a room ends with its last member
/shutdown      stop the server for everybody, if it lets you
/quit          leave the chat; so does Ctrl-D
Any other line goes to the others in your room. To say /text, type //text.",
            ko: "\
/help          명령어를 보여 줘요
/name 이름     이름을 바꿔요 ({MAX_NAME_CHARS}자까지). 같은 방 사람들에게도 알려요
/rooms [낱말]  방 목록을 보여 줘요. 낱말을 쓰면 제목에 그 낱말이 있는 방만
/create 제목   방을 만들고 들어가요 (제목은 {MAX_TITLE_CHARS}자까지)
/join 번호     방에 들어가요. 다른 방에 있다면 먼저 /leave 하세요
/who           같은 방에 누가 있는지 보여 줘요
/leave         방에서 나가요. 모두 나가면 방은 사라져요
/shutdown      서버를 꺼요. 모두의 연결이 끊겨요 (서버가 허락할 때만)
/quit          그만둬요. Ctrl-D를 눌러도 돼요
다른 말은 같은 방 사람들에게 보내요. /로 시작하는 말은 //로 시작해 주세요.")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::app::input::COMMANDS;
    use crate::terminal::line::cells_of;

    #[test]
    fn help_names_every_command_and_fits_a_terminal() {
        for lang in Lang::ALL {
            let help = Commands.localized(lang).to_string();
            for command in COMMANDS {
                let lines = help.lines().filter(|line| line.starts_with(&format!("/{command} ")));
                assert_eq!(lines.count(), 1, "{command}");
            }
            assert!(help.contains("//") && help.lines().count() < 24);
            assert!(help.lines().all(|line| cells_of(line) <= 80), "{help}");
        }
    }
}
