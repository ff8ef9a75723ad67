//! Valid and invalid flags.

use chat_proto::{Command, Name, RoomId, Text};

use crate::support::{Client, Listener, chat, program, system};

#[test]
fn wrong_flags_are_one_line_and_status_2() {
    for (flags, named) in [
        (&[][..], "--port"),
        (&["--port=0"], "--port"),
        (&["--port", "65536"], "--port"),
        (&["--port=x\u{1b}\ny"], "--port"),
        (&["--port=1", "--ip="], "--ip"),
        (&["--port=1", "--ip=two words"], "--ip"),
        (&["--port=1", "--ip=x\u{1b}\n"], "--ip"),
        (&["--port=1", "--colour"], "--colour"),
    ] {
        let line = Client::start(flags).exit().failed(2);
        assert!(line.contains(named) && line.contains("1 to 65535"), "{line}");
    }
}

#[test]
fn wrong_flags_are_reported_in_korean_alone() {
    for (flags, told) in [
        (&[][..], "꼭 필요한 옵션이 빠졌어요: --port."),
        (&["--colour"], "--colour 옵션은 없어요."),
        (&["--port"], "--port 뒤에 값을 써 주세요."),
        (&["--port=1", "--port=2"], "--port 옵션은 한 번만 써 주세요."),
        (&["--port=0"], "--port 옵션에 \"0\" 값은 쓸 수 없어요. 1부터 65535까지의 수를 써 주세요."),
        (
            &["--port=1", "--name="],
            "--name 옵션에 \"\" 값은 쓸 수 없어요. 이름에는 1자 이상 써야 해요.",
        ),
        (
            &["--port=1", "van"],
            "어느 옵션의 값인지 알 수 없어요: \"van\" (띄어 쓴 값은 따옴표로 묶어 주세요).",
        ),
    ] {
        let flags: Vec<&str> = ["--lang=ko"].iter().chain(flags).copied().collect();
        let line = Client::start(&flags).exit().failed(2);
        assert!(line.starts_with(&format!("{told} 쓸 수 있는 옵션은 --port=N")), "{line}");
    }
}

#[test]
fn the_version_is_output_and_needs_no_server() {
    let output = Client::start(&["--version"]).exit().succeeded();
    assert_eq!(output, [concat!("chat-client ", env!("CARGO_PKG_VERSION"))]);
}

#[test]
fn help_speaks_the_language_of_the_locale_and_of_the_flag() {
    for (flags, usage) in
        [(&["--help"][..], "사용법"), (&["-h"], "사용법"), (&["--help", "--lang=en"], "Usage")]
    {
        let help = Client::spawn(program(flags).env("LC_ALL", "ko_KR.UTF-8")).exit().succeeded();
        assert!(help[0].starts_with(usage), "{help:?}");
    }
}

#[test]
fn name_and_join_come_before_the_first_line() {
    let listener = Listener::bind();
    let mut client = Client::start(&[&listener.port_flag(), "--name=bot  1", "--join", "3"]);
    let mut peer = listener.accept();
    client.write(b"hello\n");
    client.end_input();
    assert_eq!(
        peer.commands(),
        [
            Command::Rename(Name::new("bot 1").expect("a name")),
            Command::Join(RoomId::new(3).expect("above 0")),
            Command::Chat(Text::new("hello").expect("a text")),
        ]
    );
    peer.send(&system("user1 is now called bot 1.", "renamed"));
    peer.send(&system("You are in room 3.", "room-entered"));
    peer.send(&system("You may not.", "shutdown-refused"));
    drop(peer);
    client.exit().succeeded();
}

#[test]
fn a_refused_flag_ends_a_script() {
    let listener = Listener::bind();
    let client = Client::start(&[&listener.port_flag(), "--join=3"]);
    let mut peer = listener.accept();
    peer.send(&system("There is no room 3.", "no-such-room"));
    assert_eq!(client.line(), "* There is no room 3.");
    assert_eq!(client.exit().failed(1), "the server refused --join");
}

#[test]
fn with_reconnect_a_script_loses_no_line_that_was_not_sent() {
    let listener = Listener::bind();
    // A host name is looked up again.
    let flags = [&listener.port_flag(), "--ip=localhost", "--reconnect"];
    let mut client = Client::start(&flags);
    let mut peer = listener.accept();
    peer.send(&chat("bob", "before"));
    assert_eq!(client.line(), "bob: before");
    drop(peer);
    assert_eq!(client.line(), "- the server closed the connection");
    assert!(client.line().starts_with("- trying to connect again"));
    client.write(b"late\n");
    client.end_input();
    let mut peer = listener.accept();
    assert_eq!(peer.commands(), [Command::Chat(Text::new("late").expect("a text"))]);
    drop(peer);
    assert!(client.line().starts_with("- connected again"));
    client.exit().succeeded();
}
