//! People whose line to the actual server is cut, and who go on where they were.

use std::io::copy;
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;

use crate::pty::Terminal;
use crate::real_server::{Chat, say};

/// A line between clients and a server, which can be cut.
struct Line {
    address: SocketAddr,
    /// Both ends of all connections so far; `None` while it is cut.
    ends: Arc<Mutex<Option<Vec<TcpStream>>>>,
}

impl Line {
    fn to(chat: &Chat) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let address = listener.local_addr().expect("it is bound");
        let server = chat.handle().address();
        let ends = Arc::new(Mutex::new(Some(Vec::new())));
        let all_ends = Arc::clone(&ends);
        thread::spawn(move || {
            for client in listener.incoming().map_while(Result::ok) {
                let Ok(server) = TcpStream::connect(server) else { return };
                let twin = |end: &TcpStream| end.try_clone().expect("a descriptor");
                match &mut *all_ends.lock().expect("no panic") {
                    Some(ends) => ends.extend([twin(&client), twin(&server)]),
                    None => continue,
                }
                for (mut from, mut to) in [(twin(&client), twin(&server)), (server, client)] {
                    thread::spawn(move || {
                        let _ = copy(&mut from, &mut to);
                        let _ = to.shutdown(Shutdown::Write);
                    });
                }
            }
        });
        Self { address, ends }
    }

    fn port_flag(&self) -> String {
        format!("--port={}", self.address.port())
    }

    /// Cuts all connections, and those to come.
    fn cut(&self) {
        for end in self.ends.lock().expect("no panic").take().into_iter().flatten() {
            // It may have ended by itself.
            let _ = end.shutdown(Shutdown::Both);
        }
    }

    fn mend(&self) {
        *self.ends.lock().expect("no panic") = Some(Vec::new());
    }
}

#[test]
fn a_line_that_is_cut_costs_nobody_anything() {
    let chat = Chat::start();
    let line = Line::to(&chat);
    let mut ann = chat.join();
    say(&mut ann, "/name ann", "* user1 is now called ann.");
    say(&mut ann, "/create tea", "* You made room 1, \"tea\", and are in it.");
    let mut bob = Terminal::start(&[&line.port_flag(), "--name=bob", "--join=1"]);
    bob.shows(&["- here now (2): ann, bob", "1 tea>"]);
    assert_eq!(ann.line(), "* bob came in.");
    bob.press("before\r");
    assert_eq!(ann.line(), "bob: before");

    line.cut();
    bob.shows(&["- trying to connect again; /quit leaves.", "offline>"]);
    ann.write("그동안\nanother\n".as_bytes());
    // Both have been said by the time of the answer.
    say(&mut ann, "/who", "- here now (2): ann, bob");
    line.mend();
    bob.wait("waiting for what was missed", |rows| {
        let [.., told, first, second, prompt] = rows else { return false };
        told.starts_with("- connected again after ")
            && told.ends_with(" missed: 2")
            && first == "HH:MM ann: 그동안"
            && second == "HH:MM ann: another"
            && prompt == "1 tea>"
    });
    bob.press("after\r");
    // Nobody has left or come in meanwhile.
    assert_eq!(ann.line(), "bob: after");
    bob.press("/quit\r");
    assert_eq!(ann.line(), "* bob left.");
    assert_eq!(bob.exit(), (0, true));
}

#[test]
fn a_newcomer_sees_what_was_said_before() {
    let chat = Chat::start();
    let mut ann = chat.join();
    say(&mut ann, "/create tea", "* You made room 1, \"tea\", and are in it.");
    ann.write("하나\ntwo\n".as_bytes());
    say(&mut ann, "/who", "- nobody else is here");
    let mut bob = Terminal::start(&[&chat.port_flag(), "--join=1"]);
    bob.shows(&[
        "HH:MM * You are in room 1, \"tea\", now.",
        "- said before you came:",
        "HH:MM user1: 하나",
        "HH:MM user1: two",
        "- said from now on:",
        "- here now (2): user1, user2",
        "1 tea>",
    ]);
    bob.press("/who\r");
    bob.shows(&["> /who", "- here now (2): user1, user2", "1 tea>"]);
    bob.press("/quit\r");
    assert_eq!(bob.exit(), (0, true));
}

#[test]
fn what_is_typed_while_the_line_is_cut_is_said_once() {
    let chat = Chat::start();
    let line = Line::to(&chat);
    let mut ann = chat.join();
    say(&mut ann, "/create tea", "* You made room 1, \"tea\", and are in it.");
    let flags = [&line.port_flag(), "--name=bob", "--join=1", "--reconnect"];
    let mut bob = crate::support::Client::start(&flags);
    for _ in 0..2 {
        bob.line();
    }
    assert_eq!(ann.line(), "* bob came in.");
    for n in 0..300 {
        if n % 100 == 99 {
            line.cut();
            line.mend();
        }
        bob.write(format!("{n}\n").as_bytes());
    }
    for n in 0..300 {
        assert_eq!(ann.line(), format!("bob: {n}"));
    }
    bob.end_input();
    assert_eq!(ann.line(), "* bob left.");
    bob.exit().succeeded();
}
