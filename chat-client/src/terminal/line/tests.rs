//! Rows are no wider than the terminal, no text from others stands at the margin, and layout takes linear time.

use super::*;
use proptest::prelude::*;
use std::cell::Cell;

thread_local! {
    /// The number of characters examined to find the ends of rows.
    pub(super) static EXAMINED: Cell<usize> = const { Cell::new(0) };
}

fn rows(line: &Line, width: usize) -> Vec<String> {
    let mut out = String::new();
    line.write_rows(&mut out, width, false);
    let mut rows: Vec<String> = out.split("\r\n").map(str::to_owned).collect();
    assert_eq!(rows.pop().as_deref(), Some(""), "every row is ended");
    rows
}

#[test]
fn a_row_ends_after_a_space_near_its_end() {
    let line = Line::new("bob: one two threefour").indented(4);
    assert_eq!(rows(&line, 80), ["bob: one two threefour"]);
    assert_eq!(rows(&line, 10), ["bob: one ", "    two ", "    threef", "    our"]);
    assert_eq!(rows(&Line::new("a bcdefghij").indented(1), 8), ["a bcdefg", " hij"]);
    assert_eq!(rows(&line, 0), ["bob: one two threefour"]);
}

#[test]
fn a_wide_character_counts_for_two() {
    let line = Line::new("가나다라마").indented(2);
    assert_eq!(rows(&line, 5), ["가나", "  다", "  라", "  마"]);
}

#[test]
fn a_character_is_not_cut_from_its_marks() {
    let line = Line::new("abcde\u{903}\u{301}f").indented(1);
    assert_eq!(rows(&line, 5), ["abcd", " e\u{903}\u{301}f"]);
}

#[test]
fn a_style_ends_with_its_row_and_continues_in_the_next() {
    let mut line = Line::default().indented(1);
    line.push_mark("ab");
    line.with(Style::Bold, |line| line.push_mark("cdef"));
    line.push_mark("g");
    let mut out = String::new();
    line.write_rows(&mut out, 4, true);
    assert_eq!(out, "ab\u{1b}[1mcd\u{1b}[m\r\n \u{1b}[1mef\u{1b}[mg\r\n");
    out.clear();
    line.write_flat(&mut out, false);
    assert_eq!(out, "abcdefg");
}

#[test]
fn an_isolate_ends_with_its_row_and_begins_again() {
    let line = Line::new("שלום שלום").indented(1);
    assert_eq!(rows(&line, 6), ["\u{2068}שלום \u{2069}", " \u{2068}שלום\u{2069}"]);
}

/// However long a text is, and whatever it consists of, each character is examined a few times, and nothing is written
/// except its rows.
#[test]
fn v6_laying_out_takes_time_in_proportion_to_the_text() {
    let pieces = [
        "e\u{300}",
        "è",
        "x",
        "x ",
        "한",
        "한글 ",
        "\u{200b}",
        "א",
        "\u{300}",
        "\u{1f468}\u{200d}",
        " ",
    ];
    for piece in pieces {
        for width in [4, 80] {
            let mut cost = [0, 0].into_iter().zip([2_000, 16_000]).map(|(_, count)| {
                let mut line = Line::default().indented(8);
                line.with(Style::Bold, |line| line.push_text(&piece.repeat(count)));
                EXAMINED.set(0);
                let mut out = String::new();
                line.write_rows(&mut out, width, true);
                assert!(EXAMINED.get() <= 4 * line.text.chars().count(), "{piece:?} in {width}");
                out.len()
            });
            let (small, large) = (cost.next().expect("one"), cost.next().expect("two"));
            assert!(large <= 9 * small, "{piece:?} in {width}: {small}, then {large} bytes");
        }
    }
}

/// A list of members is like this: each name has its own colour.
#[test]
fn v6_many_styles_are_each_written_once() {
    let mut line = Line::default().indented(8);
    for _ in 0..20_000 {
        line.with(Style::Name(0), |line| line.push_text("ab"));
        line.push_mark(", ");
    }
    let mut out = String::new();
    line.write_rows(&mut out, 40, true);
    let styles = out.matches("\u{1b}[31m").count();
    assert!((20_000..24_000).contains(&styles), "{styles}");
}

proptest! {
    #[test]
    fn rows_hold_the_text_and_nothing_stands_at_the_margin_but_its_start(
        text in "([a-z ]|[가-힣]|\\PC){0,80}",
        width in 4usize..30,
        indent in 0usize..12,
    ) {
        let line = Line::new(&text.replace(is_right_to_left, "")).indented(indent);
        let rows = rows(&line, width);
        for row in &rows {
            prop_assert!(cells_of(row) <= width, "{row:?} is wider than {width}");
        }
        let indent = " ".repeat(line.indent_within(width));
        let mut whole = rows[0].clone();
        for row in &rows[1..] {
            prop_assert!(row.starts_with(&indent), "{row:?}");
            whole.push_str(&row[indent.len()..]);
        }
        prop_assert_eq!(whole, line.as_str());
    }
}
