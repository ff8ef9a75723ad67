//! The help about flags, in full and in brief.

use chat_proto::PerLang;

/// Follows every usage error, so that it can be fixed without `--help`.
pub(crate) const IN_SHORT: PerLang<&str> = PerLang {
    en: "The flags are --port=N (1 to 65535, required), --ip=HOST (a name, IPv4 or IPv6, default \
         127.0.0.1), --tls, --tls-ca=FILE, --tls-fingerprint=HEX, --name=NAME, --join=ID, --plain, --reconnect, --lang=ko|en and --version.",
    ko: "쓸 수 있는 옵션은 --port=N (1~65535, 꼭 필요), --ip=주소 (이름, IPv4나 IPv6, 기본값 127.0.0.1), \
         --tls, --tls-ca=파일, --tls-fingerprint=지문, --name=이름, --join=번호, --plain, --reconnect, --lang=ko|en, --version 이에요.",
};

/// The text of `--help`.
pub(crate) const FLAGS: PerLang<&str> = PerLang {
    en: "\
Usage: chat-client --port=N [--ip=HOST] [--tls] [--name=NAME] [--join=ID]
                   [--plain] [--reconnect] [--lang=ko|en]

Talk in the rooms of a chat server. The client reads lines from the terminal
or a pipe; /help lists the commands.

  --port=N       port of the server, 1 to 65535
  --ip=HOST      where the server is: a host name, or an IPv4 or IPv6
                 address (default 127.0.0.1)
    --tls          encrypt the connection; the server needs a certificate for
                 --ip, signed by an authority that this system trusts
  --tls-ca=FILE  the same, but trust the authorities in this PEM file
  --tls-fingerprint=HEX
                 encrypt the connection; trust only the certificate with this
                 SHA-256 fingerprint, which the server prints when it starts
  --name=NAME    take this name at the start; quote a name with spaces
  --join=ID      enter this room at the start
    --plain        one message per line, no colours, no editing; the default
                 when the output is not a terminal
  --reconnect    reconnect when the connection is lost; the default at a
                 terminal without --plain
  --lang=ko|en   language of the client and of the notices it knows (default:
                 that of LC_ALL, LC_MESSAGES or LANG, else English)
  --version      print the version
  --help, -h     print this

Exit status: 0 if everything was sent and the server closed the connection
cleanly, the server stopped, or the reader of the output has gone; 1 if the
connection failed or was lost, --name or --join was refused in plain mode, or
input or output failed; 2 if the flags are wrong; 128 + N if signal N ended it
at a terminal. NO_COLOR, when set and not empty, turns colours off.",
    ko: "\
사용법: chat-client --port=N [--ip=주소] [--tls] [--name=이름] [--join=번호]
                    [--plain] [--reconnect] [--lang=ko|en]

채팅 서버의 방에서 이야기해요. 터미널이나 파이프에서 한 줄씩 읽어요.
/help를 치면 명령어를 볼 수 있어요.

  --port=N       서버 포트, 1~65535
  --ip=주소      서버 주소. 호스트 이름, IPv4, IPv6 다 돼요
                 (기본값 127.0.0.1)
  --tls          연결을 암호화하고, --ip에 쓴 서버가 맞는지 확인해요. 이
                 시스템이 믿는 인증 기관의 서명이 있어야 해요
  --tls-ca=파일  --tls처럼 하지만, 이 PEM 파일에 있는 인증 기관만 믿어요
  --tls-fingerprint=지문
                 연결을 암호화하고, 이 SHA-256 지문의 인증서만 믿어요. 지문은
                 서버가 켜질 때 보여 줘요
  --name=이름    처음부터 이 이름을 써요. 띄어 쓴 이름은 따옴표로 묶어요
  --join=번호    처음부터 이 방에 들어가요
  --plain        한 줄에 메시지 하나씩, 색도 편집도 없이 보여 줘요.
                 출력이 터미널이 아닐 때도 이렇게 해요
  --reconnect    연결이 끊기면 다시 연결해요. 터미널에서 --plain 없이
                 쓰면 늘 그래요
  --lang=ko|en   안내와 서버 알림에 쓸 언어 (기본값은 LC_ALL, LC_MESSAGES,
                 LANG을 따르고, 없으면 영어)
  --version      버전
  --help, -h     이 도움말

종료 상태: 0 모두 보냈고 서버가 정상적으로 닫았거나, 서버가 꺼진다고
알렸거나, 출력을 읽던 쪽이 떠났어요. 1 연결하지 못했거나 끊겼거나,
--plain처럼 보여 줄 때 --name이나 --join이 거절됐거나, 입출력에 실패했어요.
2 명령줄이 틀렸어요. 128 + N 터미널에서 시그널 N으로 끝났어요. NO_COLOR에 값이
있으면 색을 쓰지 않아요.",
};
