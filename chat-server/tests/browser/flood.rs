//! More messages than anybody can read.

use chat_testing::chats;

use crate::support::{Chromium, Client, Page, Program};

/// The messages of the flood.
const FLOOD: usize = 10_000;

/// The number of intermediate states in which a page must at least be seen during the flood. A page that freezes shows
/// none.
const STATES: f64 = 4.0;

/// The lines that the page keeps: for people who read the newest, and for people who have scrolled up.
const KEPT: [f64; 2] = [2_000.0, 4_000.0];

/// Sends the flood, and waits until the page has the last message. Meanwhile the page must stay responsive: a timer of
/// its own sees it with more and more of the flood.
fn flood(ann: &Page<'_>, terminal: &mut Client, name: &str) {
    let newest = "document.querySelector('#log .line:last-of-type .text')?.textContent";
    ann.eval(&format!(
        "window.states = new Set();
         clearInterval(window.watch);
         window.watch = setInterval(() => {{
             const text = {newest};
             if (text?.startsWith('{name} ')) window.states.add(text);
         }})"
    ));
    terminal
        .send_raw(&chats((1..=FLOOD).map(|n| format!("{name} {n} {}", "word ".repeat(n % 40)))));
    // Each state has its deadline: a slow machine takes its time for all of them.
    let mut seen = ann.eval(newest);
    while !seen.as_str().is_some_and(|text| text.starts_with(&format!("{name} {FLOOD} "))) {
        let before = seen.to_string();
        ann.wait(&format!("({newest} ?? null) !== {before}"));
        seen = ann.eval(newest);
    }
    let states = ann.number("window.states.size");
    assert!(states >= STATES, "the page was busy nearly all the time: {states} states");
}

#[test]
fn ten_thousand_messages_do_not_freeze_the_tab() {
    let Some(chromium) = Chromium::start() else { return };
    let server = Program::start();
    let mut terminal = Client::of(server.address());
    terminal.be("Theo");
    let room = terminal.enter_new("Flood");
    let ann = Page::enter(&chromium, "Ann", "en-US", &format!("{}#room={room}", server.url()));
    ann.see("#room-title", "Flood");
    terminal.expect_code("member-entered");
    let lines = "document.querySelectorAll('#log .line').length";
    let is_at_end = "(({ scrollTop, scrollHeight, clientHeight }) => \
                     scrollHeight - scrollTop - clientHeight < 2)(document.getElementById('log'))";

    flood(&ann, &mut terminal, "first");
    ann.wait(is_at_end);
    assert!(ann.number(lines) <= KEPT[0], "{} lines", ann.number(lines));
    ann.say("Still here?");
    terminal.expect_chat("Ann", "Still here?");
    // Messages appear in the order in which they were sent.
    let texts = ann.texts(".line[data-kind=chat] .text");
    let numbers: Vec<usize> = texts
        .iter()
        .map(|t| t.split(' ').nth(1).expect("a number").parse().expect("one"))
        .collect();
    assert!(numbers.is_sorted() && numbers.ends_with(&[FLOOD - 1, FLOOD]), "{numbers:?}");

    // The page does not move for somebody who is reading older messages.
    ann.scroll_up("#log", 3_000);
    ann.wait("!document.getElementById('newer').hidden");
    flood(&ann, &mut terminal, "second");
    assert!(ann.number(lines) <= KEPT[1], "{} lines", ann.number(lines));
    ann.see("#newer", "10000 new");
    assert_eq!(ann.eval(is_at_end), false);
    ann.click("#newer");
    ann.wait(is_at_end);
    ann.say("So much?");
    ann.wait(&format!("document.getElementById('newer').hidden && {lines} <= {}", KEPT[0]));
    ann.expect_quiet();
}
