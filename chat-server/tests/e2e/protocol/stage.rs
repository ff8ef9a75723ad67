//! Plays a transcript against a server.

use std::time::Duration;

use chat_server::{Config, ShutdownFrom};

use super::transcript::{Act, Step, Transcript, Values, bytes_of};
use crate::support::{Client, RunningServer};

/// Plays a transcript. Returns the differences: each frame that was not the expected one, with its line. Anything else
/// wrong fails the test at once, after printing the last line played.
pub(crate) fn play(transcript: &Transcript) -> Vec<String> {
    // Declared before the clients, so that they are gone when it stops.
    let server = RunningServer::with(|config| {
        for (name, value) in &transcript.settings {
            set(config, name, value);
        }
    });
    let mut stage = Stage {
        server: &server,
        people: Vec::new(),
        differences: Vec::new(),
        values: Values::new(),
    };
    for step in &transcript.steps {
        stage.play(step);
    }
    stage.expect_nothing_more();
    stage.differences
}

fn set(config: &mut Config, name: &str, value: &str) {
    let number = || value.parse().expect("a number");
    match name {
        "replay" => config.replay = number(),
        "rooms" => config.limits.rooms = number(),
        "connections" => config.limits.connections = number(),
        "connections_per_address" => config.limits.connections_per_address = number(),
        "frame_timeout" => config.limits.frame_timeout = Duration::from_secs(number() as u64),
        "shutdown_from" => {
            assert_eq!(value, "nobody", "the others are not needed yet");
            config.shutdown_from = ShutdownFrom::Nobody;
        }
        _ => panic!("{name} is no setting that a transcript can have: add it here"),
    }
}

struct Stage<'a> {
    server: &'a RunningServer,
    people: Vec<Person>,
    differences: Vec<String>,
    values: Values,
}

struct Person {
    name: &'static str,
    client: Client,
    /// Whether the stream from the server has ended.
    ended: bool,
}

impl Stage<'_> {
    fn play(&mut self, step: &Step) {
        println!("docs/PROTOCOL.md, line {}", step.line);
        let person = self.person(step.who);
        match &step.act {
            Act::Send(text) => {
                let bytes = bytes_of(text, &self.values);
                self.person(step.who).client.send_raw(&bytes);
            }
            Act::EndSending => person.client.end_sending(),
            Act::ReceiveEnd => {
                person.client.expect_end();
                person.ended = true;
            }
            Act::Receive { payload, times } => {
                for _ in 0..*times {
                    self.receive(step, payload);
                }
            }
        }
    }

    /// The person with this name, who connects when first mentioned.
    fn person(&mut self, name: &'static str) -> &mut Person {
        let index = self.people.iter().position(|person| person.name == name);
        let index = index.unwrap_or_else(|| {
            // Sends nothing, so that the first frame is the transcript's.
            let client = Client::connect(self.server.address());
            self.people.push(Person { name, client, ended: false });
            self.people.len() - 1
        });
        &mut self.people[index]
    }

    fn receive(&mut self, step: &Step, payload: &'static str) {
        let found = self.person(step.who).client.next_payload();
        let found = found.map(|found| String::from_utf8(found).expect("a payload is UTF-8"));
        if !found.as_deref().is_some_and(|found| is_like(payload, found, &mut self.values)) {
            let found = found.as_deref().unwrap_or("end");
            self.differences.push(format!("line {}: {} < {found}", step.line, step.who));
        }
    }

    fn expect_nothing_more(&mut self) {
        for person in self.people.iter_mut().filter(|person| !person.ended) {
            println!("{} has had everything", person.name);
            person.client.expect_nothing();
        }
    }
}

/// Whether a payload is the expected one, in which `⟨…⟩` stands for anything without a quotation mark or a comma in
/// numbers, and for anything without a quotation mark in strings. Notes in `values` what it stood for.
fn is_like(expected: &'static str, found: &str, values: &mut Values) -> bool {
    let Some((before, rest)) = expected.split_once('⟨') else { return expected == found };
    let (Some((word, behind)), Some(found)) = (rest.split_once('⟩'), found.strip_prefix(before))
    else {
        return false;
    };
    let ends: &[char] = if before.ends_with(':') { &['"', ',', '}'] } else { &['"'] };
    found.find(ends).is_some_and(|end| {
        values.insert(word, found[..end].to_owned());
        end > 0 && is_like(behind, &found[end..], values)
    })
}
