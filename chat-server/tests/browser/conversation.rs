//! Two people in a room, or a person and somebody at a terminal.

use chat_testing::chats;

use crate::support::{Chromium, Client, Key, Page, Program, shift};

#[test]
fn one_makes_a_room_and_the_other_comes_by_its_link() {
    let Some(chromium) = Chromium::start() else { return };
    let server = Program::start();
    let ann = Page::enter(&chromium, "Ann", "en-US", &server.url());
    ann.create("Tea & cake");
    ann.wait("location.hash === '#room=1'");
    ann.click("#invite");
    let link = format!("{}#room=1", server.url());
    ann.see(".line[data-kind=client]", &link);

    let ben = Page::enter(&chromium, "Ben", "ko-KR", &link);
    ben.see("#room-title", "Tea & cake");
    ann.see(".line[data-kind=notice]", "Ben came in.");
    ann.see("#members", "Ben");
    ben.see("#members", "Ann");
    ben.see("#rooms .count", "2명");

    ann.say("Is there any left?");
    ben.see(".line[data-kind=chat]", "Is there any left?");
    ben.say("한 조각 남았어요");
    ann.see(".line[data-kind=chat]", "한 조각 남았어요");
    assert_eq!(ann.texts(".line[data-kind=own] .text"), ["Is there any left?"]);
    assert_eq!(ben.texts(".line[data-kind=chat] .who"), ["Ann"]);
    ann.expect_quiet();
    ben.expect_quiet();
}

#[test]
fn somebody_at_a_terminal_is_in_the_same_room() {
    let Some(chromium) = Chromium::start() else { return };
    let server = Program::start();
    let mut terminal = Client::of(server.address());
    terminal.be("Theo");
    let room = terminal.enter_new("Both");
    let ann = Page::enter(&chromium, "Ann", "en-US", &server.url());
    ann.see("#rooms .room", "Both");
    ann.see("#rooms .room", "Theo");
    ann.click("#rooms .room");
    ann.see("#room-title", "Both");
    assert_eq!(terminal.expect_code("member-entered").member, "Ann");

    ann.say("첫 줄");
    assert_eq!(terminal.expect_chat("Ann", "첫 줄").room_id, Some(room));
    ann.fill("#say", "one");
    ann.press_with(shift(), Key::Enter);
    ann.insert("two");
    ann.press(Key::Enter);
    terminal.expect_chat("Ann", "one\ntwo");
    terminal.chat("See https://example.com/a(b)?c=1.");
    ann.see(".line[data-kind=chat] .who", "Theo");
    let link = "(({ href, rel, target }) => [href, rel, target])(document.querySelector('#log a'))";
    let link = ann.eval(link).to_string();
    assert_eq!(link, r#"["https://example.com/a(b)?c=1","noopener noreferrer","_blank"]"#);

    ann.fill("#say", "/join Both");
    ann.press(Key::Enter);
    ann.see("#hint", "It has to be: /join ID");
    // A move to a room that is gone ends in the room before.
    ann.fill("#say", "/join 99");
    ann.press(Key::Enter);
    ann.see("#hint", "There is no such room.");
    for code in ["member-left", "member-entered"] {
        assert_eq!(terminal.expect_code(code).member, "Ann");
    }
    ann.wait("location.hash === '#room=1'");
    ann.see(".line .text", "첫 줄");

    terminal.name("Theodor");
    ann.see(".line[data-kind=notice]", "Theo is now called Theodor.");
    ann.see("#members", "Theodor");
    terminal.expect_code("renamed");
    terminal.leave();
    terminal.expect_code("room-left");
    ann.see(".line[data-kind=notice]", "Theodor left.");
    ann.expect_quiet();
}

#[test]
fn what_an_input_method_composes_is_sent_once_and_whole() {
    let Some(chromium) = Chromium::start() else { return };
    let server = Program::start();
    let mut terminal = Client::of(server.address());
    let room = terminal.enter_new("한글");
    let minji = Page::enter(&chromium, "민지", "ko-KR", &format!("{}#room={room}", server.url()));
    minji.see("#room-title", "한글");
    assert_eq!(terminal.expect_code("member-entered").member, "민지");

    minji.click("#say");
    for text in ["ㅇ", "아", "안"] {
        minji.compose(text);
    }
    minji.insert("안");
    minji.compose("녕");
    // The Enter that ends a composition belongs to the input method, whether it comes before or after the composed
    // text.
    minji.enter_for_input_method(13);
    minji.enter_for_input_method(229);
    minji.insert("녕");
    minji.enter_for_input_method(229);
    terminal.expect_nothing();
    minji.wait("say.value === '안녕'");
    minji.press(Key::Enter);
    terminal.expect_chat("민지", "안녕");
    minji.wait("say.value === ''");

    minji.compose("반가워요");
    minji.insert("반가워요");
    minji.line_break();
    terminal.expect_chat("민지", "반가워요");
    terminal.expect_nothing();
    minji.wait("say.value === ''");
    minji.expect_quiet();
}

#[test]
fn what_comes_while_one_is_away_is_counted_and_a_name_is_kept() {
    let Some(chromium) = Chromium::start() else { return };
    let server = Program::start();
    let mut terminal = Client::of(server.address());
    terminal.be("Theo");
    let room = terminal.enter_new("Hall");
    let ann = Page::enter(&chromium, "Ann", "en-US", &format!("{}#room={room}", server.url()));
    terminal.expect_code("member-entered");
    terminal.chat("seen");
    ann.see(".line[data-kind=chat]", "seen");
    ann.wait_for("document.title", "Hall");

    // The window is behind another window.
    ann.eval("document.hasFocus = () => false");
    terminal.chat("one");
    terminal.chat("two");
    ann.wait_for("document.title", "(2) Hall");
    ann.see("#rooms .badge", "2 new");
    let order = "[...document.querySelectorAll('[data-kind=marker] ~ .line .text')]
        .map(e => e.textContent).join()";
    ann.wait_for(order, "one,two");
    ann.eval("delete document.hasFocus; dispatchEvent(new Event('focus'))");
    ann.wait_for("document.title", "Hall");

    // The next visit, in another tab: the same name.
    ann.run_first("sessionStorage.clear()");
    ann.fill("#say", "/quit");
    ann.press(Key::Enter);
    terminal.expect_code("member-left");
    ann.go(&server.url());
    ann.see("#me", "You: Ann");
    assert_eq!(ann.eval("document.getElementById('name-dialog').open"), false);
    ann.expect_quiet();
}

#[test]
fn one_who_enters_sees_what_was_said_and_finds_the_rest_by_scrolling_up() {
    let Some(chromium) = Chromium::start() else { return };
    let server = Program::start();
    let mut terminal = Client::of(server.address());
    terminal.be("Theo");
    let room = terminal.enter_new("Talk");
    terminal.send_raw(&chats((1..=130).map(|n| format!("said {n}"))));
    terminal.expect_nothing();
    let ann = Page::enter(&chromium, "Ann", "en-US", &format!("{}#room={room}", server.url()));
    let texts = |ann: &Page<'_>| ann.texts(".line[data-kind=chat] .text");
    let lines = "document.querySelectorAll('.line[data-kind=chat]').length";
    ann.wait_for(lines, 50);
    // Tomorrow.
    ann.eval("window.now = Date.now; Date.now = () => now() + 24 * 3_600_000");
    terminal.chat("live");
    ann.see(".line[data-kind=chat]", "live");
    let said = |from: u32| {
        let said = (from..=130).map(|n| format!("said {n}"));
        said.chain(["live".to_owned()]).collect::<Vec<_>>()
    };
    assert_eq!(texts(&ann), said(81));
    assert!(ann.texts("time").iter().all(|time| time.contains(':')), "{:?}", ann.texts("time"));

    // The first line stays where it is while those before it come.
    ann.eval("window.first = document.querySelector('.line[data-kind=chat]')");
    // It was below the day, which an earlier line will have.
    ann.eval("window.below = first.offsetTop - document.querySelector('.day').offsetTop");
    ann.scroll_up("#log", 100_000);
    ann.wait_for(lines, 101);
    assert_eq!(texts(&ann), said(31));
    let place = "first.getBoundingClientRect().top - document.getElementById('log').getBoundingClientRect().top";
    ann.wait(&format!("Math.abs({place} - below) < 30"));
    ann.scroll_up("#log", 100_000);
    ann.wait_for(lines, 131);
    ann.scroll_up("#log", 100_000);
    ann.wait("document.getElementById('log').scrollTop === 0");
    assert_eq!(texts(&ann), said(1));
    let days = ann.texts(".day, .line[data-kind=chat] .text");
    assert_eq!((&days[1..131], &days[132]), (&said(1)[..130], &"live".to_owned()));
    assert!(days[0] != days[131] && days.len() == 133, "{days:?}");
    ann.see("#newer", "Newest");
    ann.expect_quiet();
}

#[test]
fn all_members_of_a_large_room_are_listed() {
    let Some(chromium) = Chromium::start() else { return };
    let server = Program::start();
    let mut members: Vec<Client> = Vec::new();
    for n in 1..=60 {
        let mut member = Client::of(server.address());
        member.be(&format!("Guest {n}"));
        if n == 1 {
            member.enter_new("Full");
        } else {
            member.enter(1);
        }
        members.push(member);
    }
    let ann = Page::enter(&chromium, "Ann", "en-US", &format!("{}#room=1", server.url()));
    ann.see("#rooms .count", "61 here");
    ann.wait("document.querySelectorAll('#members li').length === 61");
    members[59].name("Last");
    ann.see("#members", "Last");
    drop(members.remove(0));
    ann.see("#rooms .count", "60 here");
    ann.fill("#say", "/who");
    ann.press(Key::Enter);
    ann.see(".line[data-kind=client]", "Members: Guest 2, Guest 3");
    ann.see(".line[data-kind=client]", "Guest 59, Last, Ann");
    ann.expect_quiet();
}
