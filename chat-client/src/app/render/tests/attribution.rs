//! Every painted row belongs to exactly one source: whatever peers choose, a reader of the screen can tell who said
//! what, even a reader to whom all colons, quotes and spaces look the same.

use std::sync::LazyLock;
use std::time::Instant;

use unicode_properties::{GeneralCategoryGroup, UnicodeGeneralCategory as _};
use unicode_width::UnicodeWidthChar as _;

use super::*;
use crate::terminal::visible::tests::COLONS;
use crate::terminal::visible::{self, is_attached, is_quote_or_space};

/// The author of a line.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Source {
    Member(String),
    Server,
    Own,
    /// A list of rooms.
    Rooms,
    Client,
}

/// Something to be shown, with all values chosen by a peer.
#[derive(Debug, Clone)]
enum Told {
    Chat(String, String),
    /// A text of a server, without a code that the client knows.
    Notice(String),
    Left(String),
    Renamed(String, String),
    Entered(String),
    Rooms(String, String),
    /// What the person at this client types.
    Typed(String),
    /// What the person at this client types, and the server refuses.
    Refused(String),
}

/// Every character that could mislead, grouped by kind.
static MISLEADING: LazyLock<Vec<Vec<char>>> = LazyLock::new(|| {
    let mut kinds = vec![COLONS.to_vec(), "\"'\\*>!-, .()אב\u{1F3F4}👩1❗한".chars().collect()];
    kinds.resize(8, Vec::new());
    for c in ('\0'..=char::MAX)
        .filter(|c| !matches!(c, '一'..='\u{9FFF}' | '가'..='힣' | '\u{17000}'..='\u{18AFF}'))
    {
        let group = c.general_category_group();
        let is_invisible =
            group == GeneralCategoryGroup::Other && c.width().is_none_or(|cells| cells == 0);
        for (kind, is_one) in [
            (2, group == GeneralCategoryGroup::Separator || c.is_whitespace()),
            (3, group == GeneralCategoryGroup::Mark),
            (4, is_invisible || c.is_control()),
            (5, visible::is_harmful(c) && group != GeneralCategoryGroup::Other),
            (6, is_quote_or_space(c)),
            (7, group == GeneralCategoryGroup::Punctuation),
        ] {
            if is_one {
                kinds[kind].push(c);
            }
        }
    }
    assert!(kinds.iter().all(|kind| kind.len() > 9), "{:?}", kinds.iter().map(Vec::len));
    kinds
});

fn misleading() -> impl Strategy<Value = String> {
    (any::<prop::sample::Index>(), any::<prop::sample::Index>()).prop_map(|(kind, at)| {
        let kind = kind.get(&MISLEADING);
        at.get(kind).to_string()
    })
}

fn phrase() -> impl Strategy<Value = String> {
    let fragment = prop_oneof![
        4 => misleading(),
        1 => any::<char>().prop_map(String::from),
        3 => prop::sample::select(vec![
            "alice", "bob", ": ", " left.", "12:03 ", "\n", "* ", "> ", "- ", "! not sent: ", "  3  ", "chat-client", " ",
        ]).prop_map(str::to_owned),
    ];
    prop::collection::vec(fragment, 0..9).prop_map(|parts| parts.concat())
}

fn told() -> impl Strategy<Value = Told> {
    prop_oneof![
        4 => (phrase(), phrase()).prop_map(|(name, text)| Told::Chat(name, text)),
        1 => phrase().prop_map(Told::Notice),
        1 => phrase().prop_map(Told::Left),
        1 => (phrase(), phrase()).prop_map(|(from, to)| Told::Renamed(from, to)),
        1 => phrase().prop_map(Told::Entered),
        1 => (phrase(), phrase()).prop_map(|(title, name)| Told::Rooms(title, name)),
        1 => phrase().prop_map(Told::Typed),
        1 => phrase().prop_map(Told::Refused),
    ]
}

fn notice(code: &str) -> Incoming {
    let mut message = Incoming::default();
    message.kind = "SCSystemMessage".to_owned();
    message.code = Some(code.to_owned());
    message.room_id = Some(3);
    message.text = "old.".to_owned();
    message
}

/// Passes it to the client, and returns the lines shown and their sources.
fn tell(app: &mut App, told: &Told, columns: usize) -> (Vec<Line>, Vec<Source>) {
    let context = Context { columns, ..context() };
    let (message, sources) = match told.clone() {
        Told::Chat(name, text) => {
            let mut message = Incoming::default();
            message.kind = "SCChat".to_owned();
            (message.member, message.text) = (name.clone(), text);
            (message, vec![Source::Member(name)])
        }
        Told::Notice(text) => {
            let mut message = notice("new");
            message.text = text;
            (message, vec![Source::Server])
        }
        Told::Left(name) => {
            let mut message = notice("member-left");
            message.member = name;
            (message, vec![Source::Server])
        }
        Told::Renamed(from, to) => {
            let mut message = notice("renamed");
            (message.from, message.to) = (Some(from), Some(to));
            (message, vec![Source::Server])
        }
        Told::Entered(title) => {
            let mut message = notice("room-entered");
            message.title = Some(title);
            (message, vec![Source::Server])
        }
        Told::Rooms(title, name) => {
            let mut message = Incoming::default();
            message.kind = "SCRoomsResult".to_owned();
            message.rooms = vec![testing::room(3, title, [name], 60)];
            // For people, the list has a heading.
            (message, vec![Source::Rooms; 2])
        }
        Told::Typed(text) => {
            let effects = app.line(context, Ok(&text));
            let lines = effects.own.map_or(effects.show, |(_, lines)| lines);
            let sources = vec![Source::Own; usize::from(!lines.is_empty())];
            return (lines, sources);
        }
        Told::Refused(text) => {
            app.line(context, Ok(&format!("x{text}")));
            let effects = app.incoming(context, &notice("not-in-room"));
            let (mut lines, mut sources) = (Vec::new(), Vec::new());
            if let Some((_, refused)) = effects.refused {
                lines.extend(refused);
                sources.push(Source::Client);
            }
            lines.extend(effects.show);
            sources.push(Source::Server);
            return (lines, sources);
        }
    };
    (app.incoming(context, &message).show, sources)
}

/// The contents of a terminal's screen, row by row, including the spaces that were written.
fn painted(lines: &[Line], columns: usize) -> Vec<String> {
    let mut bytes = String::new();
    for line in lines {
        line.write_rows(&mut bytes, columns, true);
    }
    let columns = u16::try_from(columns).expect("a narrow terminal");
    let size = |cells: u16| std::num::NonZero::new(cells).expect("above 0");
    let height = u16::try_from(bytes.matches("\r\n").count() + 2).expect("a few rows");
    let mut parser = vt100::Parser::new(size(height), size(columns), 0);
    parser.process(bytes.as_bytes());
    let row = |row| {
        let cells = (0..columns).filter_map(|column| parser.screen().cell(row, column));
        let cells: Vec<_> = cells.collect();
        let end = cells.iter().rposition(|cell| cell.has_contents()).map_or(0, |at| at + 1);
        cells[..end].iter().map(|cell| cell.contents()).collect::<String>()
    };
    let rows: Vec<String> = (0..height).map(row).collect();
    assert_eq!(&rows[usize::from(height) - 2..], ["", ""], "no row is wider than the terminal");
    rows
}

/// The text as seen by somebody who does not look closely: without marks, and with all colons, quotes and spaces
/// alike.
fn blurred(text: &str) -> String {
    let ignored = |c: char| {
        is_attached(c)
            || matches!(c, FIRST_STRONG_ISOLATE | POP_ISOLATE | '\u{61C}' | '\u{200E}' | '\u{200F}')
    };
    let blur = |c: char| match c {
        c if COLONS.contains(&c) => ':',
        c if c.is_whitespace() => ' ',
        c if is_quote_or_space(c) => '"',
        c => c,
    };
    text.chars().filter(|c| !ignored(*c)).map(blur).collect()
}

/// The name at the start of a line, up to `: `.
fn name_of(line: &str) -> Option<String> {
    let Some(quoted) = line.strip_prefix('"') else {
        let (name, _) = line.split_once(": ")?;
        assert!(!name.contains(['"', '*', '>', ',', '(']), "{line:?}");
        assert!(!name.split(' ').any(|word| word.starts_with('!')), "{line:?}");
        return Some(name.to_owned());
    };
    let (mut name, mut rest) = (String::new(), quoted.chars());
    loop {
        match rest.next()? {
            '"' => break,
            '\\' => match rest.next()? {
                'u' => {
                    let digits: String = rest.by_ref().skip(1).take_while(|c| *c != '}').collect();
                    let number = u32::from_str_radix(&digits, 16).expect("it was written so");
                    name.push(char::from_u32(number)?);
                }
                c => name.push(c),
            },
            c => name.push(c),
        }
    }
    rest.as_str().starts_with(": ").then_some(name)
}

/// The author of a line, as a person sees it.
fn source(line: &str, format: Format) -> Option<Source> {
    let is_listed =
        line.trim_start().starts_with(|c: char| c.is_ascii_digit()) || line.starts_with("ID ");
    let said = match format {
        Format::Plain if line.starts_with(' ') => return is_listed.then_some(Source::Rooms),
        Format::Plain => line,
        Format::Pretty => match line.strip_prefix(AT) {
            Some(rest) => rest.strip_prefix(' ')?,
            None if line.starts_with("> ") => return Some(Source::Own),
            None if line.starts_with("- ") => return Some(Source::Client),
            None => return is_listed.then_some(Source::Rooms),
        },
    };
    Some(match said.as_bytes() {
        [b'*', b' ', ..] => Source::Server,
        [b'>', b' ', ..] => Source::Own,
        [b'-', b' ', ..] => Source::Client,
        _ if said.starts_with("! not sent: ") => Source::Client,
        _ => Source::Member(name_of(said)?),
    })
}

/// Checks that each line of the screen appears to be from its actual source.
fn assert_attributed(
    lines: &[String],
    sources: &[Source],
    format: Format,
) -> Result<(), TestCaseError> {
    let found: Vec<Option<Source>> =
        lines.iter().map(|line| source(&blurred(line), format)).collect();
    let expected: Vec<Option<Source>> = sources
        .iter()
        .map(|source| match source {
            Source::Member(name) => Some(Source::Member(blurred(name))),
            other => Some(other.clone()),
        })
        .collect();
    let found = found.into_iter().map(|source| match source {
        Some(Source::Member(name)) => Some(Source::Member(blurred(&name))),
        other => other,
    });
    prop_assert_eq!(found.collect::<Vec<_>>(), expected, "{:#?}", lines);
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn v1_every_row_at_a_terminal_belongs_to_whoever_sent_it(
        told in prop::collection::vec(told(), 1..5),
        columns in 4usize..100,
    ) {
        let mut app = app(Format::Pretty);
        app.connected(0, None, Instant::now());
        let (mut lines, mut sources) = (Vec::new(), Vec::new());
        for told in &told {
            let (shown, from) = tell(&mut app, told, columns);
            lines.extend(shown);
            sources.extend(from);
        }
        let indent = 8.min(columns / 2);
        let mut whole: Vec<String> = Vec::new();
        for row in painted(&lines, columns).iter().filter(|row| !row.is_empty()) {
            match (row.starts_with(' '), whole.last_mut()) {
                // Cells of the same line, under its indent.
                (true, Some(line)) => line.push_str(row.get(indent..).unwrap_or_default()),
                _ => whole.push(row.clone()),
            }
        }
        assert_attributed(&whole, &sources, Format::Pretty)?;
    }

    #[test]
    fn v1_every_line_for_programs_belongs_to_whoever_sent_it(told in prop::collection::vec(told(), 1..5)) {
        let mut app = app(Format::Plain);
        app.connected(0, None, Instant::now());
        let (mut lines, mut sources) = (Vec::new(), Vec::new());
        for told in told.iter().filter(|told| !matches!(told, Told::Typed(_) | Told::Refused(_))) {
            let (shown, mut from) = tell(&mut app, told, 0);
            from.truncate(1);
            lines.extend(shown);
            sources.extend(from);
        }
        let output = into_a_pipe(&lines);
        let output: Vec<String> = output.split_terminator('\n').map(str::to_owned).collect();
        assert_attributed(&output, &sources, Format::Plain)?;
    }
}
