//! The effects of keys on a line.

use super::*;
use proptest::prelude::*;
use std::time::{Duration, Instant};

fn press(editor: &mut Editor, keys: impl IntoIterator<Item = Key>) {
    for key in keys {
        editor.press(key, &Vocabulary::default());
    }
}

fn write(editor: &mut Editor, text: &str) {
    press(editor, text.chars().map(Key::Char));
}

/// The line with `|` at the cursor.
fn shown(editor: &Editor) -> String {
    let (left, right) = editor.text().split_at(editor.cursor());
    format!("{left}|{right}")
}

#[test]
fn characters_are_inserted_at_the_cursor() {
    let mut editor = Editor::default();
    write(&mut editor, "김수");
    press(&mut editor, [Key::Left]);
    write(&mut editor, "철");
    assert_eq!(shown(&editor), "김철|수");
    press(&mut editor, [Key::Home]);
    write(&mut editor, "x");
    press(&mut editor, [Key::End, Key::Right]);
    assert_eq!(shown(&editor), "x김철수|");
}

#[test]
fn a_cluster_is_one_step_and_is_deleted_whole() {
    let family = "👨‍👩‍👧";
    let mut editor = Editor::default();
    write(&mut editor, &format!("a{family}e\u{301}"));
    press(&mut editor, [Key::Left, Key::Left]);
    assert_eq!(shown(&editor), format!("a|{family}e\u{301}"));
    press(&mut editor, [Key::Delete, Key::End, Key::Backspace]);
    assert_eq!(shown(&editor), "a|");
}

#[test]
fn words_are_skipped_cut_and_put_back() {
    let mut editor = Editor::default();
    write(&mut editor, "one two, three");
    press(&mut editor, [Key::WordLeft, Key::WordLeft]);
    assert_eq!(shown(&editor), "one |two, three");
    press(&mut editor, [Key::KillWordRight, Key::WordRight, Key::Yank]);
    assert_eq!(shown(&editor), "one , threetwo|");
    press(&mut editor, [Key::KillWordLeft]);
    assert_eq!(shown(&editor), "one , |");
    press(&mut editor, [Key::KillToStart]);
    assert_eq!(shown(&editor), "|");
    press(&mut editor, [Key::Yank, Key::Home, Key::Right, Key::KillToEnd]);
    assert_eq!(shown(&editor), "o|");
}

/// The character after a prepended mark may be a word of its own.
#[test]
fn a_word_step_ends_at_the_edge_of_a_cluster() {
    let mut editor = Editor::default();
    write(&mut editor, "a \u{d4e}漢 b\u{d4e} ");
    press(&mut editor, [Key::Home]);
    for (key, edge) in [
        (Key::WordRight, "a| "),
        (Key::WordRight, "\u{d4e}漢| "),
        (Key::WordRight, "b\u{d4e} |"),
        (Key::WordLeft, "|b"),
        (Key::WordLeft, "|\u{d4e}漢"),
        (Key::WordLeft, "|a"),
    ] {
        press(&mut editor, [key]);
        assert!(shown(&editor).contains(edge), "{edge:?} in {:?}", shown(&editor));
    }
}

#[test]
fn earlier_lines_and_the_unfinished_one_are_recalled() {
    let mut editor = Editor::default();
    for line in ["one", "two", "two", " "] {
        write(&mut editor, line);
        assert_eq!(
            editor.press(Key::Enter, &Vocabulary::default()),
            Pressed::Entered(line.to_owned())
        );
    }
    write(&mut editor, "typing");
    let mut seen = Vec::new();
    for key in [Key::Up, Key::Up, Key::Up, Key::Down, Key::Down, Key::Down] {
        press(&mut editor, [key]);
        seen.push(editor.text().to_owned());
    }
    assert_eq!(seen, ["two", "one", "one", "two", "typing", "typing"]);
}

#[test]
fn the_history_has_a_limit() {
    let mut editor = Editor::default();
    for n in 0..HISTORY_LEN + 10 {
        write(&mut editor, &n.to_string());
        press(&mut editor, [Key::Enter]);
    }
    press(&mut editor, std::iter::repeat_n(Key::Up, HISTORY_LEN + 10));
    assert_eq!(editor.history.len(), HISTORY_LEN);
    assert_eq!(editor.text(), "10");
}

#[test]
fn v6_the_history_holds_no_more_than_a_few_long_lines() {
    let mut editor = Editor::default();
    for n in 0..40 {
        press(&mut editor, [Key::Paste(format!("{n}{}", "x".repeat(60_000))), Key::Enter]);
    }
    let bytes: usize = editor.history.iter().map(String::len).sum();
    assert!((900_000..=HISTORY_BYTES).contains(&bytes), "{bytes}");
    press(&mut editor, [Key::Up]);
    assert!(editor.text().starts_with("39x"), "the last one is there");
}

#[test]
fn interrupt_and_end_of_input_leave_only_from_an_empty_line() {
    let vocabulary = Vocabulary::default();
    let mut editor = Editor::default();
    write(&mut editor, "ab");
    press(&mut editor, [Key::Home]);
    assert_eq!(editor.press(Key::EndOfInput, &vocabulary), Pressed::Edited);
    assert_eq!(shown(&editor), "|b");
    assert_eq!(editor.press(Key::Interrupt, &vocabulary), Pressed::Edited);
    assert_eq!(shown(&editor), "|");
    assert_eq!(editor.press(Key::Interrupt, &vocabulary), Pressed::Leave);
    assert_eq!(editor.press(Key::EndOfInput, &vocabulary), Pressed::Leave);
}

#[test]
fn a_pasted_text_keeps_its_lines_and_no_controls() {
    let mut editor = Editor::default();
    press(&mut editor, [Key::Paste("a\n\tb\u{1b}[2J\u{9b}\n\n".into())]);
    assert_eq!(editor.text(), "a\n\tb[2J");
}

/// Presses a key that makes the line too long, and recalls the previous one.
fn assert_refused(editor: &mut Editor, key: Key, recalled: &str) {
    assert_eq!(editor.press(key, &Vocabulary::default()), Pressed::TooLong);
    assert_eq!(shown(editor), "|");
    press(editor, [Key::Up]);
    assert_eq!(editor.text(), recalled);
}

#[test]
fn a_paste_that_does_not_fit_is_refused_with_the_whole_line() {
    for before in ["", "before", &"한".repeat(MAX_LINE / 3)] {
        let room = MAX_LINE - before.len();
        let mut editor = Editor::default();
        write(&mut editor, "earlier");
        press(&mut editor, [Key::Enter, Key::Paste(before.to_owned())]);
        press(&mut editor, [Key::Paste("x".repeat(room)), Key::KillToEnd]);
        assert_eq!(editor.text().len(), MAX_LINE);

        press(&mut editor, [Key::Interrupt, Key::Paste(before.to_owned()), Key::Home]);
        let recalled = if before.is_empty() { "earlier" } else { before };
        assert_refused(&mut editor, Key::Paste("x".repeat(room + 1)), recalled);
        press(&mut editor, [Key::Interrupt]);
        assert_refused(&mut editor, Key::PasteTooLong, recalled);
    }
}

#[test]
fn cut_text_is_put_back_whole_or_not_at_all() {
    let half = "x".repeat(MAX_LINE / 2 + 1);
    let mut editor = Editor::default();
    press(&mut editor, [Key::Paste(half.clone()), Key::KillToStart, Key::Yank]);
    assert_eq!(editor.text(), half);
    assert_refused(&mut editor, Key::Yank, &half);
}

#[test]
fn a_word_is_completed_only_if_it_fits() {
    let vocabulary = Vocabulary { names: vec!["guido".into()], ..Vocabulary::default() };
    for (spaces, completed) in [(MAX_LINE - 6, true), (MAX_LINE - 5, false)] {
        let mut editor = Editor::default();
        press(&mut editor, [Key::Paste(format!("x{}gu", " ".repeat(spaces - 1)))]);
        let before = editor.text().to_owned();
        assert_eq!(editor.press(Key::Tab, &vocabulary), Pressed::Edited);
        assert_eq!(editor.text() == format!("{before}ido "), completed);
        assert_eq!(editor.text() == before, !completed);
    }
}

#[test]
fn a_text_pasted_without_marks_is_refused_when_it_is_entered() {
    for (len, refused) in [(MAX_LINE, false), (MAX_LINE + 1, true), (MAX_LINE + 9, true)] {
        let mut editor = Editor::default();
        press(&mut editor, std::iter::repeat_n(Key::Char('x'), len));
        let pressed = editor.press(Key::Enter, &Vocabulary::default());
        assert_eq!(pressed == Pressed::TooLong, refused);
        assert_eq!(shown(&editor), "|");
        press(&mut editor, [Key::Up]);
        assert_eq!(editor.text().is_empty(), refused, "a part of it is not remembered");
    }
}

/// Like a terminal that sends a pasted text without marks. Examining the whole line for every key would take minutes.
#[test]
fn a_line_of_the_greatest_length_can_be_typed() {
    let deadline = Instant::now() + Duration::from_secs(60);
    let mut editor = Editor::default();
    for _ in 0..MAX_LINE + 9 {
        press(&mut editor, [Key::Char('x')]);
        assert!(Instant::now() < deadline, "only {} bytes so far", editor.text().len());
    }
    // One byte more than can be sent is kept, to mark a line that is too long.
    assert_eq!(editor.text().len(), MAX_LINE + 1);
}

fn keys() -> impl Strategy<Value = Vec<Key>> {
    use Key::*;
    let key = prop_oneof![
        3 => "[a-c ]|\\PC|[가-힣]|[\u{301}\u{200d}\u{d4e}漢👨👩🇰🇷]".prop_filter_map("one character", |text| {
            text.chars().next().map(Char)
        }),
        1 => "\\PC{0,9}".prop_map(Paste),
        3 => prop::sample::select(vec![
            Enter, Tab, Left, Right, WordLeft, WordRight, Home, End, Up, Down, Backspace, Delete,
            KillToEnd, KillToStart, KillWordLeft, KillWordRight, Yank, Interrupt, EndOfInput,
        ]),
    ];
    prop::collection::vec(key, 0..60)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn the_cursor_is_always_at_the_edge_of_a_cluster(keys in keys()) {
        let vocabulary = Vocabulary { commands: &["join"], names: vec!["abc".into(), "가나".into()], rooms: vec![1] };
        let mut editor = Editor::default();
        for key in keys {
            editor.press(key, &vocabulary);
            let at_edge = editor.cursor() == editor.text().len()
                || editor.text().grapheme_indices(true).any(|(edge, _)| edge == editor.cursor());
            prop_assert!(at_edge, "{editor:?}");
        }
    }

    #[test]
    fn left_undoes_right_and_backspace_undoes_a_character(text in "[a-z 가-힣é😀漢]{0,20}", steps in 0usize..20) {
        let mut editor = Editor::default();
        press(&mut editor, [Key::Paste(text), Key::Home]);
        press(&mut editor, std::iter::repeat_n(Key::Right, steps));
        let before = shown(&editor);
        if !before.ends_with('|') {
            press(&mut editor, [Key::Right, Key::Left]);
            prop_assert_eq!(&shown(&editor), &before);
        }
        press(&mut editor, [Key::End, Key::Char('x'), Key::Backspace]);
        prop_assert_eq!(shown(&editor).replace('|', ""), before.replace('|', ""));
    }
}
