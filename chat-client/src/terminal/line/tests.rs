//! Rows are no wider than the terminal, and nobody's text stands at the margin.

use super::*;
use proptest::prelude::*;

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
fn a_style_ends_with_its_row_and_continues_in_the_next() {
    let mut line = Line::default().indented(1);
    line.push_visible("ab");
    line.with(Style::Bold, |line| line.push_visible("cdef"));
    line.push_visible("g");
    let mut out = String::new();
    line.write_rows(&mut out, 4, true);
    assert_eq!(out, "ab\u{1b}[1mcd\u{1b}[m\r\n \u{1b}[1mef\u{1b}[mg\r\n");
    out.clear();
    line.write_flat(&mut out, false);
    assert_eq!(out, "abcdefg");
}

#[test]
fn an_isolate_ends_with_its_row_and_begins_again() {
    let mut line = Line::default().indented(1);
    line.push_isolated("שלום שלום");
    assert_eq!(rows(&line, 6), ["\u{2068}שלום \u{2069}", " \u{2068}שלום\u{2069}"]);
}

#[test]
fn a_text_is_cut_between_characters_however_wide() {
    for (text, width, cut) in [
        ("스터디 방", 9, "스터디 방"),
        ("스터디 방", 8, "스터디…"),
        ("스터디 방", 6, "스터…"),
        ("e\u{301}e\u{301}e\u{301}", 2, "e\u{301}…"),
        ("a\u{1b}b", 8, r"a\u{1b}b"),
        ("a\u{1b}bc", 8, r"a\u{1b}…"),
    ] {
        assert_eq!(shortened(text, width), cut);
    }
}

proptest! {
    #[test]
    fn rows_hold_the_text_and_nothing_stands_at_the_margin_but_its_start(
        text in "([a-z ]|[가-힣]|\\PC){0,80}",
        width in 4usize..30,
        indent in 0usize..12,
    ) {
        let line = Line::new(&text).indented(indent);
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
