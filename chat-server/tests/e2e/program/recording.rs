//! `--record`, and `chat-server replay`: with real clients, and with recordings that are damaged.

use std::fs;
use std::net::SocketAddr;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use serde_json::json;

use crate::support::{Client, Folder, Program, receive, run_to_end, wait_until};

/// A folder, and a file for a recording in it.
fn file(test: &str) -> (Folder, PathBuf) {
    let folder = Folder::of(test);
    let file = folder.path("recording");
    (folder, file)
}

/// A server that records, and its address.
fn recorded(file: &Path) -> (Program, SocketAddr) {
    let record = format!("--record={}", file.display());
    Program::listening(&["--rate=0", &record])
}

fn replay(file: &Path) -> (Option<i32>, String, String) {
    run_to_end(&["replay", &file.display().to_string()])
}

/// Clients that talk in rooms, take names, and come back.
fn converse(address: SocketAddr, chats: usize) {
    let mut ann = Client::connect(address);
    let features = json!(["ack", "history", "members", "ping", "resume"]);
    let hello = json!({ "type": "CSHello", "client": "test/1", "features": features });
    ann.send(hello.to_string());
    let token = receive(&mut ann)["resume"].clone();
    ann.be("Ann");
    let room = ann.enter_new("tea");
    let mut bob = Client::of(address);
    bob.enter(room);
    ann.expect_code("member-entered");
    for _ in 0..chats {
        bob.chat("안녕");
        ann.expect_chat("user2", "안녕");
    }
    drop(ann);
    bob.chat("one");
    let mut ann = Client::connect(address);
    let mut hello = hello;
    hello["resume"] = token;
    ann.send(hello.to_string());
    assert_eq!(receive(&mut ann)["resumed"], true);
    receive(&mut ann);
    ann.send(r#"{"type":"CSChat","text":"two","id":"x"}"#);
    assert_eq!(receive(&mut ann)["type"], "SCAck");
    bob.expect_chat("Ann", "two");
    ann.send(r#"{"type":"CSQuit"}"#);
    ann.expect_end();
    bob.expect_code("member-left");
    bob.leave();
    bob.expect_code("room-left");
}

#[test]
fn what_clients_did_is_replayed_with_equal_hashes() {
    let (_folder, file) = file("recording-equal");
    let (mut program, address) = recorded(&file);
    converse(address, 1_200);
    program.signal("TERM");
    program.expect_success();
    let mode = fs::metadata(&file).expect("it is there").permissions().mode();
    assert_eq!(mode & 0o777, 0o600, "it holds what people say");
    let (status, output, errors) = replay(&file);
    assert_eq!((status, &*errors), (Some(0), ""), "{output}");
    let numbers: Vec<u64> = output.split(' ').filter_map(|word| word.parse().ok()).collect();
    let [inputs, 2] = numbers[..] else { panic!("{output}") };
    assert!((1_200..1_300).contains(&inputs), "{output}");
    assert_eq!(output, format!("{inputs} inputs, 2 hashes equal"));
    let path = file.display().to_string();
    let (status, output, _) = run_to_end(&["replay", "--lang=ko", &path]);
    assert_eq!((status, output), (Some(0), format!("입력 {inputs}개, 같은 해시 2개")));

    // A server that starts again keeps the recording.
    let (program, _) = recorded(&file);
    program.stop();
    let (status, output, _) = replay(&file.with_extension("1"));
    assert_eq!((status, &*output), (Some(0), "0 inputs, 1 hashes equal"));
}

#[test]
fn a_recording_that_was_changed_is_found_out() {
    let (_folder, file) = file("recording-changed");
    let (mut program, address) = recorded(&file);
    // More than a hash is for: at the end, all sessions have ended, whatever their names were.
    converse(address, 1_100);
    program.signal("TERM");
    program.expect_success();
    let recording = fs::read_to_string(&file).expect("it is JSON");
    let changed = |from: &str, to: &str| {
        assert!(recording.contains(from), "{from}");
        fs::write(&file, recording.replacen(from, to, 1)).expect("it can be written");
        let (status, output, errors) = replay(&file);
        assert_eq!((status, &*output), (Some(1), ""));
        errors
    };
    let errors = changed("\"Ann\"", "\"Eve\"");
    assert!(errors.contains("the hash after "), "{errors}");
    assert!(errors.contains("by an input from 1 to 1024"), "{errors}");
    let errors = changed("\"CSChat\"", "\"CSCat\"");
    assert!(errors.contains("line "), "{errors}");
    let (status, _, errors) = run_to_end(&["replay", "/nonexistent"]);
    assert!(status == Some(1) && errors.contains("/nonexistent: cannot read"), "{errors}");
}

#[test]
fn a_recording_of_a_server_that_was_killed_is_replayed() {
    let (_folder, file) = file("recording-killed");
    let (mut program, address) = recorded(&file);
    let mut clients = [Client::of(address), Client::of(address)];
    let room = clients[0].enter_new("tea");
    clients[1].enter(room);
    let size = || fs::metadata(&file).map_or(0, |metadata| metadata.len());
    wait_until("a megabyte is recorded", || {
        // Its end may come at any time.
        clients[1].try_send_raw(&chat_testing::chats(0..100));
        size() > 1024 * 1024
    });
    program.signal("KILL");
    program.wait();
    let (status, output, errors) = replay(&file);
    assert_eq!((status, &*errors), (Some(0), ""), "{output}");
    assert!(output.contains("The recording has no last hash"), "{output}");
    let (inputs, _) = output.split_once(" inputs, ").expect("it counts them");
    assert!(inputs.parse::<u64>().is_ok_and(|inputs| inputs > 1_000), "{output}");
}

#[test]
fn wrong_words_after_replay_are_mistakes() {
    for (words, mistake) in [
        (&["replay"][..], "replay needs a recording"),
        (&["replay", "a", "b"], "\"b\" is neither"),
        (&["replay", "--fast", "a"], "there is no flag \"--fast\""),
        (&["replay", "a", "--lang=fr"], "must be one of en, ko"),
        (&["replay", "--lang", "ko"], "기록 파일이 없어요"),
    ] {
        let (status, output, errors) = run_to_end(words);
        assert_eq!((status, &*output), (Some(2), ""), "{words:?}");
        assert!(errors.contains(mistake), "{words:?}: {errors}");
    }
    let (status, _, errors) = run_to_end(&["--port=0", "--record=/nonexistent/x"]);
    assert!(status == Some(1) && errors.contains("cannot record to /nonexistent/x"), "{errors}");
}
