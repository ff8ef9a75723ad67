//! Clients that say hello, and what only they receive.

use serde_json::{Value, json};

use super::{Client, RunningServer};

/// Ann, who can come back, and Bob, who has said no hello and is `user2`, in a room titled `tea`.
pub(crate) struct Pair {
    pub(crate) ann: Client,
    pub(crate) token: Value,
    pub(crate) bob: Client,
    pub(crate) room: u64,
}

impl Pair {
    /// Has both enter. They are the first clients of the server.
    pub(crate) fn enter(server: &RunningServer) -> Self {
        let (mut ann, token) = lasting(server);
        ann.be("Ann");
        let room = ann.enter_new("tea");
        let mut bob = server.client();
        bob.enter(room);
        ann.expect_code("member-entered");
        Self { ann, token, bob, room }
    }
}

/// A client that can come back, and its token.
pub(crate) fn lasting(server: &RunningServer) -> (Client, Value) {
    let mut client = Client::connect(server.address());
    let welcome = hello(&mut client, None);
    assert_eq!(welcome["resumeTime"], 60);
    assert_eq!(welcome.get("resumed"), None);
    (client, welcome["resume"].clone())
}

/// Says hello to get everything that is granted, and perhaps a session back. Returns the welcome.
pub(crate) fn hello(client: &mut Client, resume: Option<(&Value, Option<u64>)>) -> Value {
    let resume = match resume {
        Some((token, Some(after))) => json!({ "resume": token, "after": after }),
        Some((token, None)) => json!({ "resume": token }),
        None => json!({}),
    };
    send_hello(client, resume);
    welcome(client)
}

/// Sends a hello that asks for everything, with these fields, too.
pub(crate) fn send_hello(client: &mut Client, mut fields: Value) {
    (fields["type"], fields["client"]) = ("CSHello".into(), "test/1".into());
    fields["features"] = ["ack", "history", "members", "ping", "resume"].into();
    client.send(fields.to_string());
}

/// The answer to a hello.
pub(crate) fn welcome(client: &mut Client) -> Value {
    let welcome = receive(client);
    assert_eq!(welcome["type"], "SCWelcome", "{welcome}");
    welcome
}

/// The next message.
pub(crate) fn receive(client: &mut Client) -> Value {
    let payload = client.next_payload().expect("the stream goes on");
    serde_json::from_slice(&payload).expect("JSON")
}

/// The numbers of the events in a history, and its `more` and `gap`.
pub(crate) fn numbers(history: &Value) -> (Vec<u64>, bool, bool) {
    assert_eq!(history["type"], "SCHistory", "{history}");
    let events = history["events"].as_array().expect("a list");
    let seqs: Vec<_> = events.iter().map(|event| event["seq"].as_u64().expect("one")).collect();
    let flag = |name: &str| history[name].as_bool().expect("it is there");
    assert_eq!(history["to"], history["from"].as_u64().expect("one") + seqs.len() as u64 - 1);
    (seqs, flag("more"), flag("gap"))
}
