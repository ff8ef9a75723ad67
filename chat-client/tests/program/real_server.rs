//! People chat through the actual server.

use chat_server::{Config, Server, ServerHandle, TlsConfig};

#[cfg(unix)]
use crate::pty::Terminal;
use crate::support::Client;
use crate::tls_peer::Identity;

/// A server that is stopped and waited for when the test ends.
pub(crate) struct Chat(Option<ServerHandle>);

impl Chat {
    pub(crate) fn start() -> Self {
        Self::start_with(Config::default())
    }

    pub(crate) fn start_with(config: Config) -> Self {
        let server = Server::bind(config).map(Server::spawn);
        Self(Some(server.expect("a free port").expect("a thread")))
    }

    pub(crate) fn handle(&self) -> &ServerHandle {
        self.0.as_ref().expect("it has not been joined")
    }

    pub(crate) fn port_flag(&self) -> String {
        format!("--port={}", self.handle().address().port())
    }

    pub(crate) fn join(&self) -> Client {
        self.join_with(&[])
    }

    /// A client whose connection has been accepted, so that the next client gets the next number.
    fn join_with(&self, flags: &[&str]) -> Client {
        let port = self.port_flag();
        let flags: Vec<&str> = flags.iter().copied().chain([port.as_str()]).collect();
        let mut client = Client::start(&flags);
        say(&mut client, "/leave", NO_ROOM);
        client
    }
}

const NO_ROOM: &str = "* You are in no room. /rooms lists them; /join or /create one first.";

impl Drop for Chat {
    fn drop(&mut self) {
        if let Some(server) = self.0.take() {
            server.stop();
            server.join().expect("it ends in order");
        }
    }
}

/// Types a line and sees the answer to it.
#[track_caller]
pub(crate) fn say(client: &mut Client, line: &str, answer: &str) {
    client.write(format!("{line}\n").as_bytes());
    assert_eq!(client.line(), answer, "{line}");
}

#[test]
fn two_people_from_help_to_shutdown() {
    let mut chat = Chat::start();
    let (mut ann, mut bob) = (chat.join(), chat.join());
    say(&mut ann, "/name 김철수", "* user1 is now called 김철수.");
    say(&mut ann, "/create 스터디 방", "* You made room 1, \"스터디 방\", and are in it.");
    say(&mut bob, "/rooms", "  1  스터디 방 (1): 김철수");
    say(&mut bob, "/join 1", "* You are in room 1, \"스터디 방\", now.");
    assert_eq!(ann.line(), "* user2 came in.");
    say(&mut bob, "/name Guido  van Rossum", "* user2 is now called \"Guido van Rossum\".");
    assert_eq!(ann.line(), "* user2 is now called \"Guido van Rossum\".");
    bob.write("안녕하세요 ☕ \"따옴표\"\n".as_bytes());
    assert_eq!(ann.line(), "Guido van Rossum: 안녕하세요 ☕ \"따옴표\"");
    say(&mut ann, "/create 둘", "* You are in room 1 already. /leave it first.");
    say(&mut bob, "/leave", "* You left room 1, \"스터디 방\".");
    assert_eq!(ann.line(), "* \"Guido van Rossum\" left.");
    say(&mut bob, "hello?", NO_ROOM);
    say(&mut bob, " /ㅣㄷㅁㅍㄷ", "- understood as /leave");
    assert_eq!(bob.line(), NO_ROOM);
    say(&mut bob, "/name 김철수", "* That name is taken. Choose another one.");

    ann.write(b"/shutdown\n");
    let goodbye = ["* The server is stopping. Goodbye.", "- the server has stopped"];
    assert_eq!(ann.exit().succeeded(), goodbye);
    let exit = bob.exit();
    assert_eq!((exit.status, exit.output), (Some(0), goodbye.map(str::to_owned).to_vec()));
    assert_eq!(exit.errors, ["chat-client: not sent: hello?"]);
    chat.0.take().expect("it has not been joined").join().expect("it ended in order");
}

#[test]
fn a8_a_pipe_is_sent_to_its_end_and_all_answers_are_shown() {
    let chat = Chat::start();
    let mut client = chat.join();
    client.write(b"/create news\n/rooms\nhello\n/rooms\n/leave\n/rooms\n");
    client.end_input();
    assert_eq!(
        client.exit().succeeded(),
        [
            "* You made room 1, \"news\", and are in it.",
            "  1  news (1): user1",
            "  1  news (1): user1",
            "* You left room 1, \"news\".",
            "- no rooms yet; /create TITLE makes the first one",
        ]
    );
}

#[test]
fn a7_a_killed_client_leaves_its_room() {
    let chat = Chat::start();
    let (mut ann, mut bob) = (chat.join(), chat.join());
    say(&mut ann, "/create games", "* You made room 1, \"games\", and are in it.");
    say(&mut bob, "/join 1", "* You are in room 1, \"games\", now.");
    assert_eq!(ann.line(), "* user2 came in.");
    drop(bob);
    assert_eq!(ann.line(), "* user2 left.");
}

#[cfg(unix)]
#[test]
fn v8_what_was_refused_looks_refused_at_a_terminal() {
    let chat = Chat::start();
    let port = chat.port_flag();
    let mut ann = Terminal::start(&[&port]);
    ann.shows(&[">"]);
    ann.press("hello?\r");
    let no_room = format!("HH:MM {NO_ROOM}");
    ann.wait("waiting for the refusal", |rows| {
        rows.ends_with(&["HH:MM ! not sent: hello?".to_owned(), no_room.clone(), ">".to_owned()])
            && !rows.iter().any(|row| row.contains("> hello?"))
    });
    ann.press("\u{3000}/ㅊㄱㄷㅁㅅㄷ 방\r");
    ann.shows(&[
        "> \u{3000}/ㅊㄱㄷㅁㅅㄷ 방",
        "- understood as /create 방",
        "HH:MM * You made room 1, \"방\", and are in it.",
        "1 방>",
    ]);
    ann.press("said\r");
    ann.press("/create 둘\r");
    ann.shows(&[
        "HH:MM > said",
        "> /create 둘",
        "HH:MM * You are in room 1 already. /leave it first.",
        "1 방>",
    ]);
    ann.press("/quit\r");
    assert_eq!(ann.exit(), (0, true));
}

#[cfg(unix)]
#[test]
fn two_people_at_terminals() {
    let chat = Chat::start();
    let port = chat.port_flag();
    let mut ann = Terminal::start(&[&port, "--name=김철수", "--lang=ko"]);
    // The server speaks English.
    ann.shows(&["HH:MM * user1 님이 이름을 바꿨어요. 이제 김철수 님이에요.", ">"]);
    ann.press("/create 스터디 방\r");
    ann.shows(&["HH:MM * 새로 만든 1번 방 '스터디 방'에 들어왔어요.", "1 스터디 방>"]);

    let mut bob = Terminal::start(&[&port, "--name=bob", "--join=1"]);
    bob.shows(&[
        "HH:MM * You are in room 1, \"스터디 방\", now.",
        "- here now (2): 김철수, bob",
        "1 스터디 방>",
    ]);
    ann.shows(&["HH:MM * bob 님이 들어왔어요.", "1 스터디 방>"]);
    bob.press("half");
    ann.press("bo\t안녕하세요\r");
    ann.shows(&["HH:MM > bob: 안녕하세요", "1 스터디 방>"]);
    bob.shows(&["HH:MM 김철수: bob: 안녕하세요", "1 스터디 방> half"]);
    bob.press(" done\r/rooms\r");
    bob.shows(&[
        "HH:MM > half done",
        "> /rooms",
        "ID   TITLE      PEOPLE  NAMES",
        "1    스터디 방       2  김철수, bob",
        "1 스터디 방>",
    ]);
    ann.shows(&["HH:MM bob: half done", "1 스터디 방>"]);

    ann.press("/shutdown\r");
    assert_eq!(ann.exit(), (0, true));
    bob.wait("waiting for the next attempt", |rows| {
        rows.last().is_some_and(|row| row == "offline>")
    });
    bob.press("\u{4}");
    assert_eq!(bob.exit(), (1, true));
}

/// The settings of a server with this certificate.
fn with_tls(identity: &Identity, is_plain_refused: bool) -> Config {
    let pem = identity.pem.as_bytes();
    let tls = TlsConfig::from_pem(pem, pem).expect("a certificate and its key");
    Config::default().with_tls(tls.with_plain_refused(is_plain_refused))
}

#[test]
fn people_talk_whether_encrypted_or_not() {
    let identity = Identity::self_signed(&["127.0.0.1"]);
    let mut chat = Chat::start_with(with_tls(&identity, false));
    let (mut ann, mut bob) = (chat.join_with(&[&identity.flag()]), chat.join());
    say(&mut ann, "/create 스터디 방", "* You made room 1, \"스터디 방\", and are in it.");
    say(&mut bob, "/join 1", "* You are in room 1, \"스터디 방\", now.");
    assert_eq!(ann.line(), "* user2 came in.");
    let long = "긴말".repeat(8_000);
    ann.write(format!("{long}\n안녕하세요 ☕\n").as_bytes());
    assert!(bob.line() == format!("user1: {long}"), "all of it arrives");
    assert_eq!(bob.line(), "user1: 안녕하세요 ☕");
    bob.write(format!("{long}\n반가워요\n").as_bytes());
    assert!(ann.line() == format!("user2: {long}"), "all of it arrives");
    assert_eq!(ann.line(), "user2: 반가워요");
    bob.write(b"/shutdown\n");
    let goodbye = ["* The server is stopping. Goodbye.", "- the server has stopped"];
    assert_eq!(bob.exit().succeeded(), goodbye);
    assert_eq!(ann.exit().succeeded(), goodbye);
    chat.0.take().expect("it has not been joined").join().expect("it ended in order");
}

#[test]
fn a_script_is_sent_over_tls_to_its_end_and_all_answers_are_shown() {
    let identity = Identity::self_signed(&["127.0.0.1"]);
    let chat = Chat::start_with(with_tls(&identity, true));
    let mut client = chat.join_with(&[&identity.flag()]);
    client.write(b"/create news\nhello\n");
    client.write(&b"/rooms\n".repeat(300));
    client.write(b"/quit\n");
    let output = client.exit().succeeded();
    assert_eq!(output[0], "* You made room 1, \"news\", and are in it.");
    assert_eq!(output[1..], vec!["  1  news (1): user1"; 300]);
}

#[test]
fn the_real_server_says_that_it_demands_tls_or_has_none() {
    let identity = Identity::self_signed(&["127.0.0.1"]);
    let chat = Chat::start_with(with_tls(&identity, true));
    let mut client = Client::start(&[&chat.port_flag(), "--reconnect"]);
    client.write(b"/rooms\n");
    let notice = client.line();
    assert!(notice.starts_with("* This server takes encrypted connections only. "), "{notice}");
    let error = client.exit().failed(1);
    assert!(error.starts_with("the server accepts only encrypted connections. "), "{error}");

    let chat = Chat::start();
    let error = Client::start(&[&chat.port_flag(), &identity.flag()]).exit().failed(1);
    assert!(error.contains(" does not speak TLS. "), "{error}");
}
