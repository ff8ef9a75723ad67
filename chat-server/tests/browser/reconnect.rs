//! Broken connections and restarted servers.

use crate::support::{Chromium, Client, Page, Program};

/// Lets a test cut a page's connection, and keep it from getting another.
const CUTTER: &str = "
    window.WebSocket = class extends WebSocket {
        constructor(url) {
            super(isCut ? url + '/nowhere' : url)
            window.line = this
        }
    }
    window.isCut = false
    window.cut = () => { isCut = true; line.close() }
";

/// Lets a test hold what a page sends, from the creation of a room on.
const HOLDER: &str = "
    const held = []
    window.isHolding = false
    window.WebSocket = class extends WebSocket {
        send(data) {
            window.isHeld = isHolding && (isHeld || data.includes('CSCreateRoom'))
            if (isHeld) held.push(data)
            else super.send(data)
        }
        constructor(url) {
            super(url)
            window.isHeld = false
            window.release = () => {
                isHolding = false
                held.splice(0).forEach(data => super.send(data))
            }
        }
    }
";

#[test]
fn after_a_restart_of_the_server_both_are_in_one_room_again() {
    let Some(chromium) = Chromium::start() else { return };
    let server = Program::start();
    let enter = |name, url: &str| {
        let page = Page::blank(&chromium, name, "en-US");
        page.run_first(HOLDER);
        page.go(url);
        page.be(name);
        page
    };
    let ann = enter("Ann", &server.url());
    ann.create("Restarts");
    let ben = enter("Ben", &format!("{}#room=1", server.url()));
    ben.see("#room-title", "Restarts");
    ben.say("before");
    ann.see(".line[data-kind=chat]", "before");

    let address = server.stop();
    for page in [&ann, &ben] {
        page.see("#trouble", "The server has stopped.");
        page.wait("document.body.dataset.link === 'off'");
    }
    // Text written meanwhile stays in the box.
    ann.fill("#say", "meanwhile");
    ann.click("#send");
    ann.see("#hint", "Not connected");
    ann.wait("say.value === 'meanwhile'");

    // Neither finds the room, and both make it again, and meet in the older one.
    for page in [&ann, &ben] {
        page.eval("isHolding = true");
    }
    let _server = Program::start_again(address);
    for page in [&ann, &ben] {
        page.wait("isHeld");
    }
    for page in [&ann, &ben] {
        page.eval("release()");
        page.see(".line[data-kind=notice]", "You made room");
    }
    for page in [&ann, &ben] {
        page.wait("document.body.dataset.link === 'on'");
        page.see(".line[data-kind=client]", "Connected again after");
        page.see(".line[data-kind=client]", "You did not receive what was said meanwhile.");
        page.see("#room-title", "Restarts");
        page.see("#rooms .count", "2 here");
        page.see(".line .text", "before");
    }
    ann.click("#send");
    ben.see(".line[data-kind=chat]", "meanwhile");
    ben.say("after");
    ann.see(".line[data-kind=chat]", "after");
    assert_eq!(ann.eval("location.hash"), ben.eval("location.hash"));
}

#[test]
fn a_cut_connection_comes_back_into_the_room_and_says_what_was_missed() {
    let Some(chromium) = Chromium::start() else { return };
    let server = Program::start();
    let mut terminal = Client::of(server.address());
    terminal.be("Theo");
    let room = terminal.enter_new("Cuts");
    let ann = Page::blank(&chromium, "Ann", "en-US");
    ann.run_first(CUTTER);
    ann.go(&format!("{}#room={room}", server.url()));
    ann.be("Ann");
    ann.see("#room-title", "Cuts");
    terminal.expect_code("member-entered");
    ann.say("before");
    terminal.expect_chat("Ann", "before");

    // Another tab of hers has another name.
    ann.eval("localStorage.name = 'Anna'");
    ann.eval("cut()");
    terminal.expect_code("member-left");
    ann.see("#trouble", "Not connected. Trying to connect again");
    for text in ["one", "two", "three"] {
        terminal.chat(text);
    }
    terminal.expect_nothing();
    ann.eval("isCut = false");
    assert_eq!(terminal.expect_code("member-entered").member, "Ann");
    ann.see(".line[data-kind=client]", "Messages and notices missed in this room: at least 3");
    ann.wait("document.body.dataset.link === 'on'");
    terminal.chat("four");
    ann.see(".line[data-kind=chat]", "four");
    ann.say("after");
    terminal.expect_chat("Ann", "after");
    let missed = ann.texts(".line[data-kind=chat] .text");
    assert_eq!(missed, ["four"]);
}
