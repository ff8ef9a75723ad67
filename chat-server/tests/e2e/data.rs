//! A data directory: what outlives the server, in order or killed.

use std::path::Path;
use std::time::Duration;

use chat_server::DataConfig;
use chat_testing::Rng;
use serde_json::{Value, json};

use crate::support::{
    Client, Folder, Pair, Program, RunningServer, hello, numbers, receive, run_to_end, wait_until,
};

fn start(dir: &Path) -> RunningServer {
    start_with(dir, |_| {})
}

fn start_with(dir: &Path, change: impl FnOnce(&mut chat_server::Config)) -> RunningServer {
    RunningServer::with(|config| {
        config.data = Some(DataConfig::new(dir));
        // Clients of these tests do not end their side.
        config.limits.linger = Duration::from_millis(200);
        change(config);
    })
}

fn stop(mut server: RunningServer) {
    server.stop();
    server.join();
}

/// Sends a request of a client that said hello, and returns the answer.
fn ask(client: &mut Client, request: &Value) -> Value {
    client.send(request.to_string());
    receive(client)
}

/// The texts of the events in a history.
fn texts(history: &Value) -> Vec<&str> {
    let events = history["events"].as_array().expect("a list");
    events.iter().filter_map(|event| event["text"].as_str()).collect()
}

/// A restart is a short dropped line.
#[test]
fn a_client_resumes_after_a_restart_with_name_seat_and_what_it_missed() {
    let folder = Folder::of("data-restart");
    let dir = folder.path("data");
    let server = start(&dir);
    let Pair { ann, token, mut bob, room } = Pair::enter(&server);
    drop(ann);
    bob.chat("한국어");
    assert_eq!(bob.rooms().len(), 1, "it has been said");
    stop(server);

    let server = start(&dir);
    let mut ann = Client::connect(server.address());
    let welcome = hello(&mut ann, Some((&token, Some(1))));
    assert_eq!((&welcome["resumed"], &welcome["name"]), (&true.into(), &"Ann".into()));
    assert_eq!((&welcome["roomId"], &welcome["session"]), (&room.into(), &1.into()));
    let missed = receive(&mut ann);
    // The other one could not resume, and has left.
    let expected = (vec!["한국어", "user2 left."], false);
    assert_eq!((texts(&missed), numbers(&missed).2), expected, "{missed}");
    // A later session gets no number that an earlier one has had.
    let mut new = server.client();
    assert_eq!(new.enter(room), 4);
    let next = ann.expect_code("member-entered");
    assert_eq!((next.seq, &*next.member), (Some(4), "user4"));
    ann.chat("and on");
    new.expect_chat("Ann", "and on");
}

#[test]
fn rooms_and_history_outlive_a_killed_program() {
    let folder = Folder::of("data-kill");
    let dir = folder.path("data");
    let flag = format!("--data={}", dir.display());
    let (program, address) = Program::listening(&[&flag, "--durable"]);
    let mut ann = Client::connect(address);
    let epoch = hello(&mut ann, None)["epoch"].clone();
    let room = ann.enter_new("tea");
    for (id, text) in [("a", "one"), ("b", "둘")] {
        let ack = ask(&mut ann, &json!({"type": "CSChat", "text": text, "id": id}));
        assert_eq!((&ack["type"], &ack["re"]), (&"SCAck".into(), &id.into()), "{ack}");
    }
    let (status, _, errors) = run_to_end(&["--port=0", &flag]);
    assert!(status == Some(1) && errors.contains("using the directory"), "{errors}");
    program.signal("KILL");
    ann.until_end();

    let (program, address) = Program::listening(&[&flag]);
    let mut bob = Client::connect(address);
    assert_eq!(hello(&mut bob, None)["epoch"], epoch, "numbers go on");
    let rooms = bob.rooms();
    assert_eq!((rooms[0].title.as_str(), rooms[0].member_count), ("tea", 0));
    bob.send(format!(r#"{{"type":"CSJoinRoom","roomId":{room},"history":50}}"#));
    bob.expect_code("room-entered");
    let history = receive(&mut bob);
    assert!(texts(&history).ends_with(&["one", "둘"]), "{history}");
    program.stop();
    // Afterwards, the tools read it, too.
    let (status, lines, _) = run_to_end(&["history", "export", &flag, &format!("--room={room}")]);
    assert!(status == Some(0) && lines.contains("둘"), "{lines}");
    let (status, ..) = run_to_end(&["history", "check", &flag]);
    assert_eq!(status, Some(0));
}

/// Whatever is asked for, wherever memory ends: what is answered is the same as if all were in memory.
#[test]
fn history_from_memory_and_from_the_disk_fit_together() {
    let folder = Folder::of("data-reads");
    let dir = folder.path("data");
    let small = start_with(&dir, |config| config.limits.history = 4_000);
    let large = RunningServer::with(|config| config.limits.history = 1 << 20);
    let mut rng = Rng::new(7);
    let mut clients = [&small, &large].map(|server| {
        let mut client = Client::connect(server.address());
        hello(&mut client, None);
        client.enter_new("tea");
        client
    });
    let count = 300_u64;
    for n in 0..count {
        let text = format!("{n} {}", "x".repeat(rng.below(600)));
        for client in &mut clients {
            let chat = json!({"type": "CSChat", "text": text, "id": n.to_string()});
            assert_eq!(ask(client, &chat)["seq"], n + 1);
        }
    }
    // What has left the memory may not have reached the disk yet.
    wait_until("all is on the disk", || small.stats().stored == count);
    for step in 0..300 {
        let (seq, limit) = (rng.below(count as usize + 10), 1 + rng.below(200));
        let direction = if rng.below(2) == 0 { "after" } else { "before" };
        let request = json!({"type": "CSHistory", "roomId": 1, direction: seq, "limit": limit});
        let [mut one, mut other] = clients.each_mut().map(|client| ask(client, &request));
        for answer in [&mut one, &mut other] {
            let events = answer["events"].as_array_mut().expect("a list");
            events.iter_mut().for_each(|event| event["at"] = 0.into());
        }
        assert_eq!(one, other, "step {step}: {request}");
    }
}

#[test]
fn an_empty_room_stays_until_it_is_too_old() {
    let folder = Folder::of("data-age");
    let dir = folder.path("data");
    let server = start_with(&dir, |config| config.limits.room_age = Duration::ZERO);
    let mut ann = server.client();
    ann.enter_new("tea");
    ann.chat("I was here");
    ann.leave();
    ann.expect_code("room-left");
    wait_until("it is closed", || {
        server.client();
        ann.rooms().is_empty()
    });
    stop(server);
    let server = start(&dir);
    let mut ann = server.client();
    assert_eq!(ann.enter_new("again"), 2, "no number is given twice");
}
