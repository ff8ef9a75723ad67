//! Sizes of screens and of text: nothing needs sideways scrolling, and nothing is out of reach.

use crate::support::{Chromium, Client, Page, Program};

const LONG: &str =
    "Donaudampfschifffahrtselektrizitätenhauptbetriebswerkbauunterbeamtengesellschaft";

/// Widths and heights: phones, a phone on its side, half a desktop, and a desktop of 1280 by 1024 at 200 % and 400 %.
const SIZES: [(u32, u32); 6] =
    [(320, 568), (360, 740), (740, 360), (690, 900), (640, 512), (320, 256)];

/// Faults of the current view: a page wider than the tab, or controls that stick out of it.
const FAULTS: &str = "(() => {
    const { scrollWidth, scrollHeight } = document.documentElement
    const faults = []
    if (scrollWidth > innerWidth) faults.push(`${scrollWidth} px wide`)
    if (scrollHeight > innerHeight) faults.push(`${scrollHeight} px high`)
    for (const e of document.querySelectorAll('nav, aside, section, #log, dialog')) {
        if (e.scrollWidth > e.clientWidth && e.checkVisibility()) faults.push(`${e.id || e.tagName} scrolls sideways`)
    }
    for (const e of document.querySelectorAll('button, input, textarea, h1, h2')) {
        const { left, right, width } = e.getBoundingClientRect()
        if (e.checkVisibility() && width && (left < 0 || right > innerWidth)) faults.push(`${e.id} at ${left} to ${right}`)
    }
    return faults.join(', ')
})()";

/// Checks a view once the page has its size.
fn check(page: &Page<'_>) {
    page.wait_for(FAULTS, "");
}

#[test]
fn everything_fits_phones_and_large_text() {
    let Some(chromium) = Chromium::start() else { return };
    let server = Program::start();
    let mut terminal = Client::of(server.address());
    terminal.be(&LONG[..32]);
    let room = terminal.enter_new(LONG);
    let ann = Page::enter(&chromium, "Ann", "en-US", &server.url());
    ann.see("#rooms .room", LONG);
    for (width, height) in SIZES {
        ann.size(width, height);
        check(&ann);
        ann.click("#me");
        check(&ann);
        ann.click("#cancel");
        ann.click("#rooms .room");
        ann.see("#room-title", LONG);
        terminal.expect_code("member-entered");
        terminal.chat(&LONG.repeat(4));
        terminal.chat(
            "한국어로 길게 쓴 말도 화면 밖으로 나가지 않고 줄이 바뀌어요. ".repeat(5).trim_end(),
        );
        terminal.chat(
            "https://example.com/a/very/long/address/that/has/no/space/in/it?at=all&is=not#short",
        );
        ann.see(".line[data-kind=chat] a", "https://example.com");
        ann.say(&LONG.repeat(2));
        terminal.expect_chat("Ann", &LONG.repeat(2));
        check(&ann);
        // The box and the last message are in view.
        ann.wait("(({ bottom }) => bottom <= innerHeight)(document.getElementById('say').getBoundingClientRect())");
        ann.click("#people");
        check(&ann);
        ann.see("#members", &LONG[..32]);
        ann.click("#leave");
        terminal.expect_code("member-left");
        ann.wait("document.body.dataset.view === 'rooms'");
    }
    assert_eq!(room, 1);
    ann.expect_quiet();
}

#[test]
fn text_of_twice_the_size_fits_a_desk() {
    let Some(chromium) = Chromium::start() else { return };
    let server = Program::start();
    let ann = Page::enter(&chromium, "Ann", "ko-KR", &server.url());
    ann.create("큰 글자");
    ann.see("#empty", "아무도 없어요");
    ann.say("글자를 두 배로 키워도 모두 보여요.");
    // It would lie over what was said.
    ann.wait("!document.getElementById('empty').checkVisibility()");
    ann.size(1280, 1024);
    ann.eval("document.documentElement.style.fontSize = '200%'");
    check(&ann);
    ann.click("#me");
    check(&ann);
    ann.expect_quiet();
}
