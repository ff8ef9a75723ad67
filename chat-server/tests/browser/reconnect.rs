//! Broken connections and restarted servers.

use chat_testing::chats;
use serde_json::json;

use crate::support::{Chromium, Client, Page, Program};

/// Lets a test cut a page's connection, keep it from getting another, and lose what is under way in either direction.
const LINE: &str = "
    window.WebSocket = class extends WebSocket {
        constructor(url) {
            super(isCut ? url + '/nowhere' : url)
            window.line = this
        }
        send(data) {
            if (!isMute) super.send(data)
        }
        set onmessage(on) {
            super.onmessage = on && (event => isDeaf || on(event))
        }
    }
    window.isCut = window.isMute = window.isDeaf = false
    window.cut = () => { isCut = true; line.close() }
";

/// The texts that people said, in the order in which a page shows them.
const SAID: &str =
    "[...document.querySelectorAll('.line:is([data-kind=chat], [data-kind=own]) .text')]
        .map(e => e.textContent).join()";

/// Hides a tab, as a browser does before it unloads one.
const HIDE: &str = "
    Object.defineProperty(document, 'hidden', { value: true, configurable: true })
    document.dispatchEvent(new Event('visibilitychange'))
    delete document.hidden";

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
        page.see(".line[data-kind=client]", "Some of what was said meanwhile may be missing here.");
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

/// Ann's page in a room of Theo's, who is at a terminal, with one thing said.
fn in_a_room<'a>(chromium: &'a Chromium, server: &Program) -> (Page<'a>, Client) {
    let mut terminal = Client::of(server.address());
    terminal.be("Theo");
    let room = terminal.enter_new("Cuts");
    let ann = Page::blank(chromium, "Ann", "en-US");
    ann.run_first(LINE);
    ann.go(&format!("{}#room={room}", server.url()));
    ann.be("Ann");
    ann.see("#room-title", "Cuts");
    terminal.expect_code("member-entered");
    ann.say("before");
    terminal.expect_chat("Ann", "before");
    (ann, terminal)
}

/// Types a text and sends it, whether it arrives or not.
fn send(page: &Page<'_>, text: &str) {
    page.fill("#say", text);
    page.click("#send");
}

#[test]
fn a_cut_connection_is_resumed_and_nothing_is_lost() {
    let Some(chromium) = Chromium::start() else { return };
    let server = Program::start();
    let (ann, mut terminal) = in_a_room(&chromium, &server);
    // Another tab of hers has another name.
    ann.eval("localStorage.name = 'Anna'");
    ann.eval("cut()");
    ann.see("#trouble", "Not connected. Trying to connect again");
    // More than one answer takes.
    let missed: Vec<String> = (1..=450).map(|n| format!("missed {n}")).collect();
    terminal.send_raw(&chats(&missed));
    terminal.expect_nothing();
    ann.eval("isCut = false");
    ann.wait("document.body.dataset.link === 'on'");
    terminal.chat("four");
    ann.wait_for(SAID, format!("before,{},four", missed.join(",")));
    ann.say("after");
    // Nobody was told of anything, and the session is the one of before.
    terminal.expect_chat("Ann", "after");
    ann.see("#me", "You: Ann");
    // She is told once, before what she missed.
    ann.eval("line.close()");
    ann.wait("document.body.dataset.link === 'off'");
    ann.wait("document.body.dataset.link === 'on'");
    ann.wait_for("document.querySelectorAll('.line[data-kind=client]').length", 1);
    ann.see(".line[data-kind=client]", "Connected again.");
}

#[test]
fn what_was_not_acknowledged_before_a_cut_is_said_once() {
    let Some(chromium) = Chromium::start() else { return };
    let server = Program::start();
    let (ann, mut terminal) = in_a_room(&chromium, &server);
    ann.eval("isDeaf = true");
    send(&ann, "heard");
    terminal.expect_chat("Ann", "heard");
    ann.eval("isMute = true");
    send(&ann, "unheard");
    ann.wait("document.querySelectorAll('[data-state=pending]').length === 2");
    terminal.chat("meanwhile");
    ann.eval("cut(); isMute = isDeaf = false");
    ann.see("#trouble", "Not connected. Trying to connect again");
    terminal.expect_nothing();
    ann.eval("isCut = false");
    terminal.expect_chat("Ann", "unheard");
    ann.wait_for(SAID, "before,heard,meanwhile,unheard");
    ann.wait("document.querySelectorAll('[data-kind=own][data-state=arrived]').length === 3");
    terminal.expect_nothing();
}

#[test]
fn what_may_not_have_arrived_is_marked_if_the_session_has_ended() {
    let Some(chromium) = Chromium::start() else { return };
    let server = Program::start();
    let (ann, mut terminal) = in_a_room(&chromium, &server);
    ann.eval("isMute = true");
    send(&ann, "lost?");
    ann.wait("document.querySelectorAll('[data-state=pending]').length === 1");
    terminal.expect_nothing();
    let address = server.stop();
    ann.eval("isMute = false");
    let _server = Program::start_again(address);
    ann.see(".line[data-state=unsure]", "may not have arrived");
    ann.see(".line[data-kind=notice]", "You made room 1");
    ann.click("[data-state=unsure] button");
    ann.wait("say.value === 'lost?'");
}

#[test]
fn a_page_that_is_loaded_again_goes_on_where_it_was() {
    let Some(chromium) = Chromium::start() else { return };
    let server = Program::start();
    let (ann, mut terminal) = in_a_room(&chromium, &server);
    ann.eval("window.isOld = true");
    ann.expect("Page.reload", &json!({}));
    // What she said is in the history.
    ann.wait_for(&format!("!window.isOld && {SAID}"), "before");
    ann.wait("document.body.dataset.link === 'on' && location.hash === '#room=1'");
    ann.see("#me", "You: Ann");
    ann.see("#room-title", "Cuts");
    ann.see("#rooms .count", "2 here");
    terminal.expect_nothing();
    ann.say("after");
    terminal.expect_chat("Ann", "after");
    ann.expect_quiet();

    // Without the room in the address, too.
    ann.eval("window.isOld = true");
    ann.expect("Page.navigate", &json!({ "url": server.url() }));
    ann.wait_for(&format!("!window.isOld && {SAID}"), "before,after");
    ann.wait("location.hash === '#room=1'");
    terminal.expect_nothing();
}

#[test]
fn a_session_that_goes_on_elsewhere_is_left_alone() {
    let Some(chromium) = Chromium::start() else { return };
    let server = Program::start();
    let (ann, mut terminal) = in_a_room(&chromium, &server);
    // A tab that is shown keeps nothing that a copy of it could take over.
    assert_eq!(ann.eval("sessionStorage.length"), 0);
    ann.eval(HIDE);
    let session = ann.eval("sessionStorage.session");
    let copy = Page::blank(&chromium, "Ann's other tab", "en-US");
    copy.run_first(&format!("sessionStorage.session ??= {session}"));
    copy.go(&format!("{}#room=1", server.url()));
    copy.see("#room-title", "Cuts");
    ann.see("#trouble", "This conversation goes on in another window.");
    copy.say("from here");
    terminal.expect_chat("Ann", "from here");
    terminal.expect_nothing();
    assert_eq!(ann.eval("document.body.dataset.link"), "off");
}

#[test]
fn one_who_quits_is_gone_at_once_and_has_what_was_missed_on_return() {
    let Some(chromium) = Chromium::start() else { return };
    let server = Program::start();
    let (ann, mut terminal) = in_a_room(&chromium, &server);
    send(&ann, "/quit");
    assert_eq!(terminal.expect_code("member-left").member, "Ann");
    ann.see("#trouble", "Not connected.");
    terminal.chat("missed");
    terminal.expect_nothing();
    ann.click("#connect");
    assert_eq!(terminal.expect_code("member-entered").member, "Ann");
    ann.wait_for(SAID, "before,missed");
    ann.say("after");
    terminal.expect_chat("Ann", "after");
    ann.expect_quiet();
}
