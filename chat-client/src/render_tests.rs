//! The rules of what is shown, and the proof that nothing else is.

use super::*;
use crate::app::App;
use crate::screen::Screen;
use chat_proto::Incoming;
use proptest::prelude::*;

fn text(lines: &[Line]) -> Vec<&str> {
    lines.iter().map(Line::as_str).collect()
}

fn entry(members: &[&str], member_count: usize) -> RoomEntry {
    let members = members.iter().map(|&name| name.to_owned()).collect();
    RoomEntry { room_id: 3, title: "title".into(), members, member_count }
}

#[test]
fn a_chat_is_name_colon_text() {
    assert_eq!(text(&chat("alice", "hello")), ["alice: hello"]);
    assert_eq!(text(&chat("김 철수", "안녕 😀")), ["김 철수: 안녕 😀"]);
}

#[test]
fn further_lines_are_indented_so_that_nobody_speaks_for_somebody_else() {
    assert_eq!(
        text(&chat("eve", "hi\nbob: I quit\n* bob left.\n\nend\n")),
        ["eve: hi", "    bob: I quit", "    * bob left.", "    ", "    end"]
    );
    assert_eq!(text(&system("one\ntwo")), ["* one", "    two"]);
}

#[test]
fn a_name_that_could_pass_for_something_else_is_in_quotes() {
    for name in ["* bob left.", "! no", "bob: hi", "  3  tea", "\"bob\"", "", "\u{3000}a", "a, b"] {
        assert_eq!(text(&chat(name, "x")), [format!("\"{name}\": x")]);
    }
    for name in ["bob", "a:b", "bob*", "a,b", "a \"b\""] {
        assert_eq!(text(&chat(name, "x")), [format!("{name}: x")]);
    }
    assert_eq!(room(&entry(&["a, b", "c"], 2)).as_str(), "  3  title (2): \"a, b\", c");
}

#[test]
fn controls_are_shown_by_number() {
    assert_eq!(
        text(&chat("a\u{1b}\u{9b}b\n", "\u{1b}[2J\r\0\u{7f}\u{85}")),
        [r"a\u{1b}\u{9b}b\u{a}: \u{1b}[2J\u{d}\u{0}\u{7f}\u{85}"]
    );
    assert_eq!(text(&system("\u{7}")), [r"* \u{7}"]);
}

#[test]
fn line_separators_and_bidi_controls_are_shown_by_number() {
    assert_eq!(
        text(&chat("a", "\u{2028}\u{2029}\u{202a}\u{202e}\u{2066}\u{2069}")),
        [r"a: \u{2028}\u{2029}\u{202a}\u{202e}\u{2066}\u{2069}"]
    );
}

#[test]
fn a_tab_is_spaces_in_a_text_and_a_control_in_a_name() {
    assert_eq!(text(&chat("a\tb", "c\td\n\te")), [r"a\u{9}b: c    d", "        e"]);
}

#[test]
fn a_text_from_right_to_left_is_isolated_and_no_other_is() {
    assert_eq!(
        text(&chat("דוד", "שלום 1\nabc\nمرحبا")),
        ["\u{2068}דוד\u{2069}: \u{2068}שלום 1\u{2069}", "    abc", "    \u{2068}مرحبا\u{2069}"]
    );
    assert_eq!(text(&system("a\u{200f}!")), ["* \u{2068}a\u{200f}!\u{2069}"]);
    assert_eq!(text(&chat("é", "漢字 한글 кот ² 😀")), ["é: 漢字 한글 кот ² 😀"]);
}

#[test]
fn a_room_is_id_title_count_and_members() {
    assert_eq!(room(&entry(&["alice", "bob"], 2)).as_str(), "  3  title (2): alice, bob");
    assert_eq!(room(&entry(&["alice", "bob"], 0)).as_str(), "  3  title (2): alice, bob");
    assert_eq!(
        room(&entry(&["alice", "bob"], 50)).as_str(),
        "  3  title (50): alice, bob and 48 more"
    );
    assert_eq!(room(&entry(&[], 0)).as_str(), "  3  title (0)");
    assert_eq!(room(&entry(&[], 7)).as_str(), "  3  title (7)");
}

#[test]
fn a_title_in_a_room_line_is_one_line() {
    let entry = RoomEntry { title: "a\n  4  b\u{202e}".into(), ..entry(&["x\r"], 1) };
    assert_eq!(room(&entry).as_str(), r"  3  a\u{a}  4  b\u{202e} (1): x\u{d}");
}

/// Strings in which what could do harm is frequent.
fn nasty() -> impl Strategy<Value = String> {
    let character = prop_oneof![
        any::<char>(),
        prop::char::range('\0', '\u{a0}'),
        prop::char::range('\u{200b}', '\u{206f}'),
        prop::char::range('\u{590}', '\u{8ff}'),
        prop::sample::select(vec!['\n', '\t', '\r', '\u{1b}', '\u{9b}', '*', ':', ' ', '"']),
    ];
    prop::collection::vec(character, 0..40).prop_map(String::from_iter)
}

fn entries() -> impl Strategy<Value = Vec<RoomEntry>> {
    let entry = (any::<u64>(), nasty(), prop::collection::vec(nasty(), 0..4), any::<usize>())
        .prop_map(|(room_id, title, members, member_count)| RoomEntry {
            room_id,
            title,
            members,
            member_count,
        });
    prop::collection::vec(entry, 0..4)
}

fn messages() -> impl Strategy<Value = Incoming> {
    let kind = prop_oneof![
        Just("SCChat".to_owned()),
        Just("SCSystemMessage".to_owned()),
        Just("SCRoomsResult".to_owned()),
        nasty(),
    ];
    (kind, nasty(), nasty(), prop::option::of(nasty()), entries(), any::<bool>()).prop_map(
        |(kind, text, member, code, rooms, more)| Incoming {
            kind,
            text,
            member,
            code,
            rooms,
            more,
            ..Incoming::default()
        },
    )
}

/// Whether the only bidi controls are isolates that begin and end in this line, none in another.
fn isolates_are_whole(line: &str) -> bool {
    let mut open = false;
    for c in line.chars() {
        match c {
            FIRST_STRONG_ISOLATE if !open => open = true,
            POP_ISOLATE if open => open = false,
            '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => return false,
            _ => {}
        }
    }
    !open
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn whatever_a_server_sends_no_control_reaches_the_terminal(
        received in prop::collection::vec(messages(), 1..4),
    ) {
        let mut app = App::default();
        let lines: Vec<Line> = received.iter().flat_map(|message| app.incoming(message)).collect();
        let mut bytes = Vec::new();
        let mut screen = Screen::new(&mut bytes, std::io::sink());
        screen.show(&lines).and_then(|()| screen.flush()).expect("a Vec takes all");
        drop(screen);

        let output = String::from_utf8(bytes).expect("lines are UTF-8");
        prop_assert_eq!(output.matches('\n').count(), lines.len());
        for line in output.split('\n') {
            prop_assert!(!line.contains(|c: char| c.is_control()), "{line:?}");
            prop_assert!(!line.contains(['\u{2028}', '\u{2029}']), "{line:?}");
            prop_assert!(isolates_are_whole(line), "{line:?}");
        }
    }

    #[test]
    fn only_the_first_line_of_a_message_stands_at_the_margin(member in nasty(), said in nasty()) {
        for lines in [chat(&member, &said), system(&said)] {
            prop_assert!(!lines[0].as_str().starts_with(char::is_whitespace), "{lines:?}");
            prop_assert!(lines[1..].iter().all(|line| line.as_str().starts_with(CONTINUATION)));
        }
    }

    #[test]
    fn what_does_no_harm_is_shown_as_it_is(said in "[a-zA-Z가-힣0-9 .,;?!()\\\\ü漢😀-]{0,60}") {
        let lines = chat("bob", &said);
        prop_assert_eq!(text(&lines), [format!("bob: {said}")]);
    }

    #[test]
    fn a_line_of_our_own_is_one_line(own in nasty()) {
        let line = Line::new(&own);
        prop_assert!(!line.as_str().contains(must_be_shown_by_number), "{line:?}");
    }
}
