//! The helps in each language: of the commands, and of the flags in short and at length. They are said
//! by [`crate::app::texts`].

use chat_proto::{MAX_NAME_CHARS, MAX_TITLE_CHARS};

pub(crate) fn english_commands() -> String {
    format!(
        "\
/help          show this list
/name NAME     be called NAME, 1 to {MAX_NAME_CHARS} characters; your room is told
/rooms         list the rooms: id, title, members
/create TITLE  make a room and enter it; TITLE has 1 to {MAX_TITLE_CHARS} characters
/join ID       enter a room; be in no other, see /leave
/leave         leave your room; a room that everybody has left is gone
/shutdown      stop the server, for everybody, if it lets you
/quit          end this client; so does the end of the input (Ctrl-D)
Any other line is said to the others in your room. To say /text, type //text."
    )
}

pub(crate) fn korean_commands() -> String {
    format!(
        "\
/help          명령어를 보여 줘요
/name 이름     이름을 바꿔요 ({MAX_NAME_CHARS}자까지). 같은 방 사람들에게도 알려요
/rooms         방 목록을 보여 줘요
/create 제목   방을 만들고 들어가요 (제목은 {MAX_TITLE_CHARS}자까지)
/join 번호     방에 들어가요. 다른 방에 있다면 먼저 /leave 하세요
/leave         방에서 나가요. 모두 나가면 방은 사라져요
/shutdown      서버를 꺼요. 모두의 연결이 끊겨요 (서버가 허락할 때만)
/quit          그만둬요. Ctrl-D를 눌러도 돼요
다른 말은 같은 방 사람들에게 보내요. /로 시작하는 말은 //로 시작해 주세요."
    )
}

/// Said after every mistake, so that no second look is needed to mend it.
pub(crate) const ENGLISH_FLAGS_IN_SHORT: &str = "The flags are --port=N (1 to 65535, required), --ip=HOST \
    (a name, IPv4 or IPv6, default 127.0.0.1), --name=NAME, --join=ID, --plain, --reconnect and \
    --lang=ko|en.";

pub(crate) const KOREAN_FLAGS_IN_SHORT: &str = "쓸 수 있는 옵션은 --port=N (1~65535, 꼭 필요), --ip=주소 (이름, \
    IPv4나 IPv6, 기본값 127.0.0.1), --name=이름, --join=번호, --plain, --reconnect, --lang=ko|en 이에요.";

pub(crate) const ENGLISH_FLAGS: &str = "\
Usage: chat-client --port=N [--ip=HOST] [--name=NAME] [--join=ID]
                   [--plain] [--reconnect] [--lang=ko|en]

Talk in the rooms of a chat server. Lines are read from the terminal or a
pipe; /help lists the commands.

  --port=N       port of the server, 1 to 65535
  --ip=HOST      where the server is: a host name, or an address, IPv4 or
                 IPv6 (default 127.0.0.1)
  --name=NAME    be called NAME from the start; quote a name with spaces
  --join=ID      enter room ID at the start
  --plain        one message a line, no colours, no editing; so it is, too,
                 when the output is no terminal
  --reconnect    connect again when the connection is lost; at a terminal,
                 without --plain, that is always so
  --lang=ko|en   language of the client's own texts (default: of LC_ALL,
                 LC_MESSAGES or LANG; English if they say nothing)
  --help, -h     show this

Exit status: 0 all was sent and the server closed in order, the server said
that it stops, or whoever read the output has gone; 1 no connection, a lost
one, a refused --name or --join when plain, or input or output that failed;
2 wrong flags; 128 + N ended at a terminal by signal N. NO_COLOR, when set
and not empty, turns colours off.";

pub(crate) const KOREAN_FLAGS: &str = "\
사용법: chat-client --port=N [--ip=주소] [--name=이름] [--join=번호]
                    [--plain] [--reconnect] [--lang=ko|en]

채팅 서버의 방에서 이야기해요. 터미널이나 파이프에서 한 줄씩 읽어요.
/help를 치면 명령어를 볼 수 있어요.

  --port=N       서버 포트, 1~65535
  --ip=주소      서버 주소. 호스트 이름, IPv4, IPv6 다 돼요
                 (기본값 127.0.0.1)
  --name=이름    처음부터 이 이름을 써요. 띄어 쓴 이름은 따옴표로 묶어요
  --join=번호    처음부터 이 방에 들어가요
  --plain        한 줄에 메시지 하나씩, 색도 편집도 없이 보여 줘요.
                 출력이 터미널이 아닐 때도 이렇게 해요
  --reconnect    연결이 끊기면 다시 연결해요. 터미널에서 --plain 없이
                 쓰면 늘 그래요
  --lang=ko|en   안내에 쓸 언어 (기본값은 LC_ALL, LC_MESSAGES, LANG을
                 따르고, 없으면 영어)
  --help, -h     이 도움말

종료 상태: 0 모두 보냈고 서버가 정상적으로 닫았거나, 서버가 꺼진다고
알렸거나, 출력을 읽던 쪽이 떠났어요. 1 연결하지 못했거나 끊겼거나,
--plain처럼 보여 줄 때 --name이나 --join이 거절됐거나, 입출력에 실패했어요.
2 명령줄이 틀렸어요. 128 + N 터미널에서 시그널 N으로 끝났어요. NO_COLOR에 값이
있으면 색을 쓰지 않아요.";
