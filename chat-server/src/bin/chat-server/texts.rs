//! The texts of the help, in every language. The texts of errors are beside the errors.
//!
//! `--lang` chooses the language, or `lang` in the configuration file. Text that programs parse and people search for
//! stays English: log lines, `listening on ADDR:PORT` and `metrics on ADDR:PORT`, and `--version`. Messages of the
//! system, of argh and of the TOML parser are not translated. No Korean particle depends on how a value ends.

use chat_proto::PerLang;

/// The help about a flag: a placeholder for its value, and a description that ends with the default in brackets.
#[derive(Debug, Clone, Copy)]
pub(crate) struct FlagText {
    pub(crate) value: &'static str,
    pub(crate) about: &'static str,
}

/// Declares a row for each flag.
macro_rules! flags {
    ($($flag:ident: en $en_value:literal $en:literal, ko $ko_value:literal $ko:literal;)*) => {
        $(pub(crate) const $flag: PerLang<FlagText> = PerLang {
            en: FlagText { value: $en_value, about: $en },
            ko: FlagText { value: $ko_value, about: $ko },
        };)*
        /// All rows.
        #[cfg(test)]
        const FLAGS: &[PerLang<FlagText>] = &[$($flag),*];
    };
}

flags! {
    PORT: en "N" "port; 0 picks a free one (required, here or in the file)",
        ko "N" "포트. 0이면 빈 포트를 골라요 (파일에 없으면 꼭 필요)";
    IP: en "ADDR,..." "addresses, IPv4 or IPv6 (127.0.0.1: this machine only)",
        ko "주소,..." "IPv4나 IPv6 주소 (127.0.0.1: 이 컴퓨터에서만)";
    PROXY_FROM: en "ADDR/N" "trusted proxies, which send PROXY headers (none)",
        ko "주소/N" "PROXY 헤더를 보내는 프록시. 쉼표로 나열해요 (없음)";
    SHUTDOWN_FROM: en "WHO" "who may /shutdown: anyone, loopback or nobody (loopback)",
        ko "값" "/shutdown 할 사람: anyone, loopback, nobody (loopback)";
    LANG: en "LANG" "language of notices, help and errors: en or ko (en)",
        ko "언어" "공지, 도움말, 오류에 쓰는 언어: en, ko (en)";
    RESERVED_NAMES: en "A,B" "names that nobody may take (server, admin and the like)",
        ko "A,B" "아무도 쓸 수 없는 이름 (server, admin, 관리자 등)";
    WEB_HOST: en "NAME,..." "more host names to serve browsers under (this machine's)",
        ko "이름,..." "브라우저가 이 서버를 부를 수 있는 이름 (이 컴퓨터 이름)";
    WEB: en "on/off" "serve browsers on the same port (on)",
        ko "on/off" "같은 포트에서 브라우저도 받아요 (on)";
    METRICS: en "ADDR:PORT" "serve /metrics and /health at this address (off)",
        ko "주소:포트" "여기서 /metrics와 /health를 보여 줘요 (없음)";
    TLS: en "MODE" "on, off, or only: no plain text (on with a certificate)",
        ko "값" "on, only: 암호화한 연결만, off (인증서가 있으면 on)";
    TLS_CERT: en "FILE" "certificate, then the rest of its chain, PEM (none)",
        ko "파일" "인증서와 상위 인증서, PEM (없음)";
    TLS_KEY: en "FILE" "private key, PEM (in the same file)",
        ko "파일" "그 개인 키, PEM (같은 파일)";
    TLS_SELF_SIGNED: en "" "generate and keep a certificate, for a LAN (no)",
        ko "" "LAN에서 쓸 인증서를 만들어 두고 써요 (안 만듦)";
    TLS_DIR: en "DIR" "where to keep it (~/.local/state/chat-server)",
        ko "폴더" "그 인증서를 둘 곳 (~/.local/state/chat-server)";
    DATA: en "DIR" "keep rooms, and what is said in them, here (nowhere)",
        ko "폴더" "방과 오간 말을 간직할 곳 (안 간직함)";
    DURABLE: en "" "acknowledge a chat only once it is on the disk (no)",
        ko "" "말이 디스크에 저장된 뒤에만 받았다고 답해요 (안 함)";
    WORKER: en "N" "worker threads, 1 to 256 (2)",
        ko "N" "작업 스레드 수, 1~256 (2)";
    INLINE: en "N" "requests that a turn handles without workers (4096)",
        ko "N" "한 차례에 작업 스레드 없이 처리할 요청 수 (4096)";
    RATE: en "N" "commands a second per connection; 0: no limits (200)",
        ko "N" "연결마다 초당 받는 명령 수. 0: 제한 없음 (200)";
    REPLAY: en "N" "last messages that newcomers are shown, at most 200 (0)",
        ko "N" "방에 들어온 사람에게 보여 줄 지난 메시지 수, 200까지 (0)";
    MAX_MEMORY: en "SIZE" "memory of the whole process, such as 512MiB (half of all)",
        ko "크기" "모든 것에 쓸 메모리, 512MiB처럼 (있는 것의 절반)";
    LOG: en "LEVEL" "off, error, warn, info or debug (RUST_LOG, else info)",
        ko "수준" "off, error, warn, info, debug (RUST_LOG 값, 없으면 info)";
    LOG_FORMAT: en "FORMAT" "text or json (text)",
        ko "형식" "text나 json (text)";
    RECORD: en "FILE" "record all inputs, texts too, for chat-server replay (no)",
        ko "파일" "replay 명령에 쓸 기록. 사람들이 쓴 글도 들어가요 (안 함)";
    LIMIT: en "NAME=VALUE" "any other limit, see --limits; may be repeated",
        ko "이름=값" "다른 제한, --limits 참고. 여러 번 써도 돼요";
    LIMITS: en "" "list the limits: names, defaults, ranges, costs",
        ko "" "제한 목록: 이름, 기본값, 범위, 비용";
    CONFIG: en "FILE" "read settings from a TOML file; flags win",
        ko "파일" "설정을 TOML 파일에서 읽어요. 플래그가 우선이에요";
    CHECK: en "" "report mistakes or print the settings; start nothing",
        ko "" "시작하지 않고, 틀린 것이나 적용될 설정을 보여 줘요";
    NO_WEB: en "" "serve no browsers; the same as --web=off",
        ko "" "브라우저를 받지 않아요. --web=off와 같아요";
    PROBE: en "ADDR:PORT" "query /health there; exit with 0 if serving, else 1",
        ko "주소:포트" "여기 /health에 물어보고 끝나요. 정상이면 0, 아니면 1";
    VERSION: en "" "show the version; --help or -h shows this text",
        ko "" "버전을 보여 줘요. --help나 -h는 이 도움말이에요";
}

/// Declares a named row for each text without placeholders.
macro_rules! fixed {
    ($($text:ident: en $en:literal, ko $ko:literal;)*) => {
        $(pub(crate) const $text: PerLang<&str> = PerLang { en: $en, ko: $ko };)*
        /// All rows.
        #[cfg(test)]
        const FIXED: &[PerLang<&str>] = &[$($text),*];
    };
}

fixed! {
    USAGE: en "Usage: chat-server --port=N [FLAG]... | replay FILE | history ACTION --data=DIR\n\
               A room chat server. Its first line of output is \"listening on ADDR:PORT\".",
        ko "사용법: chat-server --port=N [플래그]... | replay 파일 | history 일 --data=폴더\n\
            채팅방 서버예요. 출력의 첫 줄은 \"listening on 주소:포트\"예요.";
    GROUP_WHERE: en "Address and access", ko "어디서, 누구에게";
    GROUP_TLS: en "Encryption (TLS), on the same port", ko "암호화 (TLS, 같은 포트)";
    GROUP_HOW_MUCH: en "Capacity", ko "얼마나";
    GROUP_LOG: en "Log, on standard error, and recording", ko "로그 (표준 오류로 나가요), 기록";
    GROUP_CONFIGURATION: en "Configuration", ko "설정";
    EXIT_STATUS: en "Exit status: 0 stopped, 1 failed, 2 wrong settings, 128+N second signal N",
        ko "종료 상태: 0 멈춤, 1 실패, 2 설정이 틀림, 128+N 두 번째 시그널 N";
    LIMIT_COLUMN: en "NAME", ko "이름";
    DEFAULT_COLUMN: en "DEFAULT", ko "기본값";
    RANGE_COLUMN: en "RANGE", ko "범위";
    UNITS: en "In a file, limits go under [limits]. Sizes are in B, KiB, MiB or GiB, times in ms, s, \
               m or h.",
        ko "파일에서는 [limits] 아래에 써요. 크기는 B, KiB, MiB, GiB, 시간은 ms, s, m, h를 붙여요.";
    IN_FORCE: en "The configuration is valid. These settings would apply:",
        ko "틀린 설정이 없어요. 적용될 설정은 다음과 같아요:";
    SEE_HELP: en "chat-server --help lists the flags.",
        ko "플래그 목록은 chat-server --help --lang=ko 명령으로 볼 수 있어요.";
}

#[cfg(test)]
mod tests;
