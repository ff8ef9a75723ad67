//! What other people write stays text: in titles, names, messages, notices and the title of the tab.

use serde_json::{Value, json};

use crate::support::{Chromium, Client, Page, Program};

const IMAGE: &str = "<img src=x onerror=document.hacked=1>";
const SCRIPT: &str = "<script>document.hacked=1</script>";

/// What must not exist: anything that was run, or made from a text.
const MADE: &str =
    "document.hacked ?? document.querySelectorAll('img, script:not([src]), b').length";

/// Lets a test play a server that lets everything through, and ignores the real one.
const SPY: &str = "window.WebSocket = class extends WebSocket {
    constructor(url) {
        super(url)
        let on
        window.receive = message => {
            on ??= this.onmessage
            this.onmessage = null
            on({ data: JSON.stringify(message) })
        }
    }
}";

#[test]
fn markup_in_messages_stays_text() {
    let Some(chromium) = Chromium::start() else { return };
    let server = Program::start();
    let mut mallory = Client::of(server.address());
    let room = mallory.enter_new("Room");
    let ann = Page::enter(&chromium, "Ann", "en-US", &format!("{}#room={room}", server.url()));
    ann.see("#room-title", "Room");
    mallory.expect_code("member-entered");
    let texts = [IMAGE, SCRIPT, "<a href=javascript:document.hacked=1>x</a>", "&lt;b&gt; &amp;"];
    for text in texts {
        mallory.chat(text);
    }
    for text in texts {
        ann.see(".line[data-kind=chat] .text", text);
    }
    // Addresses that a browser would not accept, or that end in markup.
    mallory.chat(
        "javascript:alert(1) data:text/html,x https://example.com/\"onclick=\"x <https://b.example>",
    );
    ann.see(".line[data-kind=chat] .text", "data:text/html");
    let links = ann.eval("[...document.querySelectorAll('#log a')].map(a => a.href)").to_string();
    assert_eq!(links, r#"["https://example.com/","https://b.example/"]"#);

    // An address whose end takes long to find.
    mallory.chat(&format!("https://a{}{}", ".".repeat(30_000), "]".repeat(30_000)));
    ann.see(".line[data-kind=chat] .text", "https://a...");

    // One's own, and what the server refuses.
    ann.say(IMAGE);
    ann.fill("#say", &format!("/name {SCRIPT}"));
    ann.click("#send");
    ann.see("#hint", "Refused");
    ann.fill("#say", IMAGE);
    ann.click("#me");
    ann.fill("#name", SCRIPT);
    ann.click("#ok");
    ann.see("#name-error", "Refused");
    assert_eq!(ann.eval(MADE), 0);
    ann.expect_quiet();
}

#[test]
fn markup_in_names_and_titles_stays_text_even_if_a_server_let_it_through() {
    let Some(chromium) = Chromium::start() else { return };
    let server = Program::start();
    let ann = Page::blank(&chromium, "Ann", "en-US");
    ann.run_first(SPY);
    ann.go(&server.url());
    ann.be("Ann");
    ann.create("Room");
    let notice = |code: &str, rest: Value| {
        let mut message = json!({ "type": "SCSystemMessage", "code": code, "text": SCRIPT });
        message.as_object_mut().expect("an object").extend(rest.as_object().expect("one").clone());
        ann.eval(&format!("receive({message})"));
    };
    notice("room-entered", json!({ "roomId": 1, "title": SCRIPT, "seq": 2 }));
    ann.see("#room-title", SCRIPT);
    ann.wait_for("document.title", SCRIPT);
    notice("member-entered", json!({ "roomId": 1, "member": IMAGE, "seq": 3 }));
    ann.see("#members", IMAGE);
    notice("renamed", json!({ "roomId": 1, "from": IMAGE, "to": SCRIPT, "seq": 4 }));
    ann.see("#members", SCRIPT);
    notice("announcement", json!({ "announcement": IMAGE }));
    ann.see(".line[data-kind=notice]", "Announcement: <img");
    notice("unheard-of", json!({}));
    ann.see(".line[data-kind=notice]", SCRIPT);
    let chat = json!({ "type": "SCChat", "member": IMAGE, "text": "x", "roomId": 1, "seq": 5 });
    ann.eval(&format!("receive({chat})"));
    ann.see(".line[data-kind=chat] .who", IMAGE);
    let rooms = json!([{ "roomId": 7, "title": IMAGE, "members": [SCRIPT], "memberCount": 1 }]);
    let rooms = json!({ "type": "SCRoomsResult", "rooms": rooms, "more": false });
    ann.eval(&format!("receive({rooms})"));
    ann.see("#rooms .title", IMAGE);
    ann.see("#rooms .names", SCRIPT);
    assert_eq!(ann.eval(MADE), 0);
    ann.expect_quiet();
}

#[test]
fn a_link_to_a_room_that_does_not_exist_leads_to_the_rooms() {
    let Some(chromium) = Chromium::start() else { return };
    let server = Program::start();
    let ann = Page::enter(&chromium, "Ann", "en-US", &format!("{}#room=77", server.url()));
    ann.see("#rooms-error", "There is no such room.");
    ann.wait("location.hash === '' && document.body.dataset.view === 'rooms'");
    ann.expect_quiet();
    for hash in ["#room=<img>", "#room=-1", "#room=1e3", "#<script>"] {
        let ben = Page::open(&chromium, "Ben", "en-US", &format!("{}{hash}", server.url()));
        ben.wait("document.getElementById('name-dialog').open");
        ben.expect_quiet();
    }
}
