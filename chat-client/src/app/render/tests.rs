//! The rules of rendering: what is shown to whom, that nothing else reaches a terminal, and that every row belongs to
//! its author.

use super::*;
use crate::app::options::Options;
use crate::app::state::{App, Context};
use crate::app::testing::{self, context};
use crate::terminal::line::{FIRST_STRONG_ISOLATE, POP_ISOLATE, cells_of};
use crate::terminal::screen::{Layout, Screen};
use chat_proto::Incoming;
use proptest::prelude::*;

mod attribution;

const AT: &str = "12:03";

fn shown(lines: &[Line]) -> Vec<&str> {
    lines.iter().map(Line::as_str).collect()
}

fn plain(member: &str, text: &str) -> String {
    let lines = said(Format::Plain, AT, Speaker::Member(member), text);
    assert_eq!(lines.len(), 1, "a message is a line");
    lines[0].as_str().to_owned()
}

fn pretty(speaker: Speaker<'_>, text: &str) -> Vec<String> {
    said(Format::Pretty, AT, speaker, text).iter().map(|line| line.as_str().to_owned()).collect()
}

fn entry(members: &[&str], member_count: usize) -> RoomEntry {
    testing::room(3, "title", members.iter().copied(), member_count)
}

#[test]
fn a_message_is_speaker_and_text_and_for_people_the_time() {
    assert_eq!(plain("alice", "hello"), "alice: hello");
    assert_eq!(plain("김 철수", "안녕 😀"), "김 철수: 안녕 😀");
    assert_eq!(pretty(Speaker::Member("alice"), "hello"), ["12:03 alice: hello"]);
    assert_eq!(pretty(Speaker::Own, "hello"), ["12:03 > hello"]);
    assert_eq!(pretty(Speaker::Refused("not sent"), "hello"), ["12:03 ! not sent: hello"]);
    assert_eq!(shown(&said(Format::Plain, AT, Speaker::Server, "hello")), ["* hello"]);
}

#[test]
fn further_lines_are_indented_so_that_nobody_speaks_for_somebody_else() {
    assert_eq!(
        pretty(Speaker::Member("eve"), "hi\nbob: I quit\n* bob left.\n\nend\n"),
        ["12:03 eve: hi", "        bob: I quit", "        * bob left.", "        ", "        end"]
    );
    assert_eq!(pretty(Speaker::Server, "one\ntwo"), ["12:03 * one", "        two"]);
}

#[test]
fn for_programs_a_message_is_one_reversible_line() {
    assert_eq!(plain("eve", "hi\nbob: \\n\t.\n"), r"eve: hi\nbob: \\n\t.\n");
    assert_eq!(plain("a\\b", "x"), r#""a\\b": x"#);
}

#[test]
fn for_people_a_tab_is_spaces_in_a_text_and_a_control_in_a_name() {
    assert_eq!(
        pretty(Speaker::Member("a\tb"), "c\td\n\te"),
        [r#"12:03 "a\u{9}b": c    d"#, "            e"]
    );
}

#[test]
fn a_text_from_right_to_left_is_isolated_and_no_other_is() {
    assert_eq!(plain("דוד", "שלום 1"), "\u{2068}דוד\u{2069}: \u{2068}שלום 1\u{2069}");
    let lines = pretty(Speaker::Member("a"), "abc\nمرحبا");
    assert_eq!(lines[1], "        \u{2068}مرحبا\u{2069}");
    assert_eq!(plain("é", "漢字 한글 кот ² 😀"), "é: 漢字 한글 кот ² 😀");
}

#[test]
fn a_room_is_id_title_count_and_members() {
    assert_eq!(room(&entry(&["alice", "bob"], 2)).as_str(), "  3  title (2): alice, bob");
    assert_eq!(room(&entry(&["alice", "bob"], 0)).as_str(), "  3  title (2): alice, bob");
    assert_eq!(
        room(&entry(&["alice", "bob"], 50)).as_str(),
        "  3  title (50): alice, bob and 48 more"
    );
    assert_eq!(room(&entry(&[], 7)).as_str(), "  3  title (7)");
    assert_eq!(room(&entry(&["a, b", "c"], 2)).as_str(), "  3  title (2): \"a, b\", c");
    let forged = testing::room(3, "a (9): root\n  4  b", ["x and 48 more", "Guido van Rossum"], 2);
    assert_eq!(
        room(&forged).as_str(),
        r#"  3  "a (9): root\u{a}  4  b" (2): "x and 48 more", Guido van Rossum"#
    );
}

#[test]
fn a_name_keeps_its_colour() {
    // People get used to a name's colour.
    assert_eq!(["alice", "bob", "김철수"].map(colour), [3, 2, 8]);
    let colours: std::collections::HashSet<u8> = (0..100).map(|n| colour(&n.to_string())).collect();
    assert_eq!(colours.len(), usize::from(NAME_COLOURS));
}

/// Strings with many harmful characters.
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
        .prop_map(|(id, title, members, count)| testing::room(id, title, members, count));
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
        |(kind, text, member, code, rooms, more)| {
            let mut message = Incoming::default();
            (message.kind, message.text, message.member) = (kind, text, member);
            (message.code, message.rooms, message.more) = (code, rooms, more);
            message
        },
    )
}

/// Whether the only bidi controls are isolates that begin and end in this line and are not nested.
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

fn app(format: Format) -> App {
    App::new(Options { format, ..Options::default() })
}

/// The output for a terminal of 80 columns, without our own colours.
fn on_a_terminal(lines: &[Line]) -> String {
    let mut out = String::new();
    for line in lines {
        line.write_rows(&mut out, 80, true);
    }
    for code in [1, 2, 9, 31, 32, 33, 35, 36, 91, 92, 94, 95, 96] {
        out = out.replace(&format!("\u{1b}[{code}m"), "");
    }
    out.replace("\u{1b}[m", "").replace("\r\n", "\n")
}

/// The output for a file or a pipe.
fn into_a_pipe(lines: &[Line]) -> String {
    let mut bytes = Vec::new();
    let mut screen = Screen::new(&mut bytes, std::io::sink(), Layout::Flat);
    screen.show(lines).and_then(|()| screen.flush()).expect("a Vec takes all");
    drop(screen);
    String::from_utf8(bytes).expect("lines are UTF-8")
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn s5_whatever_a_server_sends_no_control_reaches_the_terminal(
        received in prop::collection::vec(messages(), 1..4),
        format in prop::sample::select(vec![Format::Plain, Format::Pretty]),
    ) {
        let mut app = app(format);
        let lines: Vec<Line> =
            received.iter().flat_map(|message| app.incoming(context(), message).show).collect();
        let output = match format {
            Format::Plain => into_a_pipe(&lines),
            Format::Pretty => on_a_terminal(&lines),
        };
        if format == Format::Plain {
            prop_assert_eq!(output.matches('\n').count(), lines.len());
        }
        for line in output.split('\n') {
            prop_assert!(!line.contains(|c: char| c.is_control()), "{line:?}");
            prop_assert!(!line.contains(['\u{2028}', '\u{2029}']), "{line:?}");
            prop_assert!(isolates_are_whole(line), "{line:?}");
            prop_assert!(format == Format::Plain || cells_of(line) <= 80, "{line:?}");
        }
    }

    #[test]
    fn a_harmless_text_is_shown_as_it_is(text in "[a-zA-Z가-힣0-9 .,;?!()\\\\ü漢😀-]{0,60}") {
        let lines = said(Format::Pretty, AT, Speaker::Member("bob"), &text);
        prop_assert_eq!(shown(&lines), [format!("12:03 bob: {text}")]);
    }

    #[test]
    fn for_programs_a_text_can_be_recovered(said in "[a-z\\\\nt\n\t \"]{0,30}") {
        let line = plain("bob", &said);
        let mut chars = line["bob: ".len()..].chars();
        let mut read = String::new();
        while let Some(c) = chars.next() {
            read.push(match c {
                '\\' => match chars.next() {
                    Some('n') => '\n',
                    Some('t') => '\t',
                    Some('\\') => '\\',
                    other => panic!("{other:?} is escaped"),
                },
                c => c,
            });
        }
        prop_assert_eq!(read, said);
    }
}
