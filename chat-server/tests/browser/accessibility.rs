//! Use with a keyboard, with a screen reader, and by people who need contrast.

use std::collections::BTreeSet;

use serde_json::json;

use crate::support::{Axe, Chromium, Client, Key, Page, Program, shift, with_chromium};

/// The ids of the controls that are shown; those without an id by class or tag.
const SHOWN: &str = "[...document.querySelectorAll('button, input, textarea, a[href], [tabindex=\"0\"]')]
    .filter(e => e.checkVisibility({ visibilityProperty: true }) && e.closest('dialog, :popover-open, body')
        .matches(document.querySelector('dialog[open]') ? 'dialog' : '*')).map(e => label(e))";

/// Names an element, and describes the focused one: its name, and whatever keeps it from being seen.
const HELPERS: &str = "
    window.label = e => e === document.body ? '' : e.id || e.className || e.tagName
    window.focused = () => {
        const e = document.activeElement
        const { outlineStyle, outlineWidth } = getComputedStyle(e)
        const { left, top, right, bottom } = e.getBoundingClientRect()
        const isInside = left >= 0 && top >= 0 && right <= innerWidth && bottom <= innerHeight
        const x = (left + right) / 2, y = (top + bottom) / 2
        const isOnTop = e.contains(document.elementFromPoint(x, y))
        const isMarked = outlineStyle !== 'none' && parseFloat(outlineWidth) >= 2 && e.matches(':focus-visible')
        if (e === document.body) return ['', '']
        return [label(e), [isInside || 'outside', isOnTop || `covered at ${x}, ${y} by ${document.elementFromPoint(x, y)?.outerHTML}`, isMarked || 'unmarked'].filter(f => f !== true).join()]
    }";

/// Presses Tab until the focus comes round, and checks that it is visible at each stop. Returns the stops.
fn tour(page: &Page<'_>, modifiers: u32) -> Vec<String> {
    let mut stops = Vec::new();
    for _ in 0..60 {
        page.press_with(modifiers, Key::Tab);
        let focused = page.eval("focused()");
        let name = focused[0].as_str().expect("a name").to_owned();
        assert_eq!(focused[1], "", "the focus on {name}");
        if stops.first() == Some(&name) {
            return stops;
        }
        stops.push(name);
    }
    panic!("the focus does not come round: {stops:?}");
}

/// Checks that both Tab and Shift+Tab reach every control.
fn check_tab_order(page: &Page<'_>, what: &str) {
    let shown = page.eval(SHOWN);
    let shown: BTreeSet<&str> = shown
        .as_array()
        .expect("a list")
        .iter()
        .map(|name| name.as_str().expect("a name"))
        .collect();
    for modifiers in [0, shift()] {
        let stops = tour(page, modifiers);
        let reached: BTreeSet<&str> =
            stops.iter().map(String::as_str).filter(|name| !name.is_empty()).collect();
        assert_eq!(reached, shown, "{what}: those that Tab reaches, and those that are shown");
    }
}

#[test]
fn a_keyboard_is_enough() {
    let Some(chromium) = Chromium::start() else { return };
    let server = Program::start();
    let mut terminal = Client::of(server.address());
    terminal.be("Theo");
    terminal.enter_new("Hall");
    let ann = Page::blank(&chromium, "Ann", "en-US");
    ann.run_first(HELPERS);
    ann.go(&server.url());

    // The dialog has the focus, and its text is selected.
    ann.wait("document.activeElement.id === 'name'");
    check_tab_order(&ann, "the name");
    ann.press(Key::Escape);
    ann.wait("!document.getElementById('name-dialog').open");
    ann.see("#rooms .room", "Hall");
    check_tab_order(&ann, "the rooms");
    focus(&ann, "me");
    ann.press(Key::Space);
    ann.wait("document.activeElement.id === 'name'");
    ann.insert("Ann");
    ann.press(Key::Enter);
    ann.see("#me", "You: Ann");

    focus(&ann, "new-title");
    ann.insert("Keys");
    ann.press(Key::Enter);
    ann.see("#room-title", "Keys");
    // The message box is focused at once.
    ann.wait("document.activeElement.id === 'say'");
    ann.insert("See https://example.com/ there");
    ann.press(Key::Enter);
    ann.see(".line[data-state=arrived]", "See");
    check_tab_order(&ann, "the room");

    // A narrower tab hides the members behind a button.
    ann.size(900, 700);
    focus(&ann, "people");
    ann.press(Key::Enter);
    ann.wait("document.querySelector(':popover-open')?.id === 'pane'");
    ann.press(Key::Escape);
    ann.wait("!document.querySelector(':popover-open') && document.activeElement.id === 'people'");
    ann.press(Key::Enter);
    // It is gone when the focus leaves it, and never covers the focus.
    for name in ["close", "notify", "leave", "BUTTON"] {
        ann.press(Key::Tab);
        assert_eq!(ann.eval("focused()"), json!([name, ""]));
    }
    ann.press(Key::Tab);
    ann.wait_for("focused()[1] || !document.querySelector(':popover-open')", true);
    focus(&ann, "people");
    ann.press(Key::Enter);
    focus(&ann, "leave");
    ann.press(Key::Enter);
    ann.wait("!document.body.classList.contains('in-room')");
    focus(&ann, "room");
    ann.press(Key::Enter);
    ann.see("#room-title", "Hall");
    assert_eq!(terminal.expect_code("member-entered").member, "Ann");
    ann.expect_quiet();
}

/// Presses Tab until the focus is on an element.
fn focus(page: &Page<'_>, name: &str) {
    for _ in 0..60 {
        page.press(Key::Tab);
        if page.eval("label(document.activeElement)") == name {
            return;
        }
    }
    panic!("Tab does not reach {name}");
}

/// Checks each view of the page, in the current size and colours.
fn check_views(page: &Page<'_>, axe: &Axe, terminal: &mut Client, how: &str) {
    let check = |what: &str| axe.check(page, &format!("{what}, {how}"));
    check("the rooms");
    page.click("#me");
    page.fill("#name", "Theo");
    page.click("#ok");
    page.see("#name-error", "taken");
    check("the name");
    page.click("#cancel");
    page.click("#rooms .room");
    terminal.expect_code("member-entered");
    page.wait("document.querySelectorAll('#members li').length === 2");
    // Names in every colour.
    for n in 0..30 {
        terminal.name(&format!("Theo {n}"));
        terminal.expect_code("renamed");
    }
    terminal.be("Theo");
    terminal.chat("Look at https://example.com/, all of you");
    page.see(".line[data-kind=chat]", "Look");
    page.say("I do");
    terminal.expect_chat("Ann", "I do");
    page.fill("#say", "/nonsense");
    page.click("#send");
    page.see("#hint", "There is no such command.");
    page.fill("#say", "");
    check("the room");
    page.eval("document.getElementById('people').checkVisibility() && document.getElementById('people').click()");
    check("the members");
    page.click("#leave");
    terminal.expect_code("member-left");
    page.wait("document.body.dataset.view === 'rooms'");
}

#[test]
fn names_roles_and_contrast_hold_light_and_dark_on_phones_and_desks() {
    let Some((axe, chromium)) = with_chromium() else { return };
    let server = Program::start();
    let mut terminal = Client::of(server.address());
    terminal.be("Theo");
    terminal.enter_new("Hall");
    let ann = Page::enter(&chromium, "Ann", "en-US", &server.url());
    ann.see("#rooms .room", "Hall");
    let mut grounds = Vec::new();
    for scheme in ["light", "dark"] {
        ann.prefer(scheme);
        grounds.push(ann.eval("getComputedStyle(document.body).backgroundColor").to_string());
        for (width, height) in [(1280, 800), (360, 740)] {
            ann.size(width, height);
            check_views(&ann, &axe, &mut terminal, &format!("{scheme} at {width} × {height}"));
        }
    }
    assert_ne!(grounds[0], grounds[1], "dark is another colour");
    ann.expect_quiet();

    drop(terminal);
    server.stop();
    ann.see("#trouble", "The server has stopped.");
    axe.check(&ann, "without a server");
}
