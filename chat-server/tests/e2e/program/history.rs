//! `chat-server history`: what it refuses, and in which words.

use std::fs;

use crate::support::{Folder, run_to_end};

#[test]
fn a_history_that_is_not_there_is_reported_and_not_created() {
    let folder = Folder::of("no-history");
    let dir = folder.path("none");
    let data = format!("--data={}", dir.display());
    for action in [&["export", "--room=1"][..], &["check"], &["erase", "--member=ann"]] {
        let words = [&["history"], action, &[&data]].concat();
        let (status, output, errors) = run_to_end(&words);
        assert_eq!((status, &output[..]), (Some(1), ""), "{words:?}");
        assert_eq!(errors, format!("chat-server: {}: there is no history here\n", dir.display()));
        assert!(fs::metadata(&dir).is_err(), "nothing is created");
    }
    let (_, _, errors) = run_to_end(&["history", "check", &data, "--lang=ko"]);
    assert!(errors.ends_with(": 여기에는 기록이 없어요\n"), "{errors}");
}

#[test]
fn a_wrong_command_line_is_refused_with_status_2() {
    let (status, output, errors) = run_to_end(&["history", "erase", "--lang", "ko"]);
    assert_eq!((status, &output[..]), (Some(2), ""));
    assert!(errors.contains("--data 플래그가 없어요\n"), "{errors}");
    let (status, _, errors) = run_to_end(&["history"]);
    assert_eq!(status, Some(2));
    assert!(errors.contains("history needs one of export, erase and check"), "{errors}");
}
