//! Connections that drop at any moment: no line is lost, and none is said or shown twice.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::Duration;

use super::*;
use chat_proto::Received;
use chat_proto::extended::Since;

/// Sequences of events that are tried.
const SEEDS: u64 = 400;

/// Events in a sequence.
const STEPS: usize = 400;

/// The most events in an `SCHistory`.
const PAGE: usize = 3;

const BOB: &str = "bob";

/// Numbers that depend on the seed alone (SplitMix64).
struct Random(u64);

impl Random {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % limit
    }
}

/// A broadcast of the room.
#[derive(Debug)]
struct Event {
    /// The fields.
    json: String,
    /// What was said, if something was.
    text: Option<String>,
    is_own: bool,
}

/// The session of the client.
#[derive(Debug, Default)]
struct Session {
    token: u64,
    name: String,
    is_in_room: bool,
    entered: usize,
    acks: BTreeMap<String, usize>,
}

/// A server with one room, in which others talk, and everything on the way between it and the client.
#[derive(Debug, Default)]
struct Server {
    tokens: u64,
    /// The broadcasts from number 1 on.
    log: Vec<Event>,
    /// The number of broadcasts that are kept.
    kept: usize,
    session: Session,
    requests: VecDeque<ClientRequest>,
    answers: VecDeque<String>,
    /// A page of the history that live broadcasts overtake.
    delayed: Option<String>,
}

impl Server {
    fn broadcast(&mut self, json: &str, text: Option<&str>, is_own: bool) -> usize {
        let seq = self.log.len() + 1;
        let json = format!(r#"{json},"roomId":1,"seq":{seq}"#);
        if self.session.is_in_room && !is_own {
            self.answers.push_back(format!("{{{json}}}"));
        }
        self.log.push(Event { json, text: text.map(str::to_owned), is_own });
        seq
    }

    fn say(&mut self, member: &str, text: &str, is_own: bool) -> usize {
        let json = format!(r#""type":"SCChat","member":"{member}","text":"{text}""#);
        self.broadcast(&json, Some(text), is_own)
    }

    /// Tells the others that the client came or went.
    fn tell(&mut self, code: &str) -> usize {
        let name = &self.session.name;
        let json =
            format!(r#""type":"SCSystemMessage","text":"x","code":"{code}","member":"{name}""#);
        self.broadcast(&json, None, true)
    }

    fn answer(&mut self, code: &str, rest: &str) {
        let json = format!(r#"{{"type":"SCSystemMessage","text":"x","code":"{code}"{rest}}}"#);
        self.answers.push_back(json);
    }

    /// The broadcasts after `after`.
    fn history(&self, after: usize) -> String {
        let end = self.log.len();
        let from = after.max(end.saturating_sub(self.kept)).min(end);
        let to = (from + PAGE).min(end);
        let event = |at: usize| format!(r#"{{{},"at":{}}}"#, self.log[at].json, at * 1_000);
        let events: Vec<String> = (from..to).map(event).collect();
        let range = (from < to).then(|| format!(r#","from":{},"to":{to}"#, from + 1));
        format!(
            r#"{{"type":"SCHistory","roomId":1,"events":[{}],"gap":{},"more":{}{}}}"#,
            events.join(","),
            from > after,
            to < end,
            range.unwrap_or_default(),
        )
    }

    fn enter(&mut self, after: Option<usize>) {
        if self.session.is_in_room {
            return self.answer("already-in-room", "");
        }
        let seq = self.tell("member-entered");
        (self.session.is_in_room, self.session.entered) = (true, seq);
        self.answer("room-entered", &format!(r#","roomId":1,"seq":{seq},"title":"tea""#));
        if let Some(after) = after {
            self.answers.push_back(self.history(after));
        }
    }

    fn take_request(&mut self) {
        // Answers come in order.
        self.answers.extend(self.delayed.take());
        match self.requests.pop_front() {
            None => {}
            Some(ClientRequest::Command(Command::Rename(name))) => {
                let (from, to) = (self.session.name.clone(), name.as_str().to_owned());
                self.answer("renamed", &format!(r#","from":"{from}","to":"{to}""#));
                self.session.name = to;
            }
            Some(ClientRequest::Command(Command::Rooms)) => {
                let room = r#"{"roomId":1,"title":"tea","members":[]}"#;
                self.answers.push_back(format!(r#"{{"type":"SCRoomsResult","rooms":[{room}]}}"#));
            }
            Some(ClientRequest::Command(Command::Join(_))) => self.enter(None),
            Some(ClientRequest::Join { since, .. }) => self.enter(Some(match since {
                Since::After(after) => number(after),
                Since::Last(count) => self.log.len().saturating_sub(count),
                Since::Before(_) => panic!("nobody asks for that"),
            })),
            Some(ClientRequest::History { after, .. }) => {
                self.delayed = Some(self.history(number(after)));
            }
            Some(ClientRequest::Chat { id, text }) => self.take_chat(id.as_str(), text.as_str()),
            Some(ClientRequest::Members { id }) => self.answers.push_back(format!(
                r#"{{"type":"SCMembers","re":"{id}","roomId":1,"memberCount":1,"members":["{BOB}"]}}"#
            )),
            Some(other) => panic!("{other:?} is not expected"),
        }
    }

    fn take_chat(&mut self, id: &str, text: &str) {
        let before = self.session.acks.get(id).copied();
        if before.is_none() && !self.session.is_in_room {
            return self.answer("not-in-room", &format!(r#","re":"{id}""#));
        }
        let name = self.session.name.clone();
        let seq = before.unwrap_or_else(|| self.say(&name, text, true));
        self.session.acks.insert(id.to_owned(), seq);
        let ack = format!(r#"{{"type":"SCAck","re":"{id}","roomId":1,"seq":{seq},"at":5}}"#);
        self.answers.push_back(ack);
    }

    fn cut(&mut self) {
        self.requests.clear();
        self.answers.clear();
        self.delayed = None;
    }

    /// Answers a hello. Returns the welcome; what follows it is on its way.
    fn greet(&mut self, resume: Option<(String, Option<(u64, u64)>)>, is_late: bool) -> String {
        let token = self.session.token.to_string();
        let resume = resume.filter(|(wanted, _)| !is_late && *wanted == token);
        if resume.is_none() {
            if std::mem::take(&mut self.session.is_in_room) {
                self.tell("member-left");
            }
            self.session = Session { name: "user7".into(), ..Session::default() };
        }
        self.tokens += 1;
        self.session.token = self.tokens;
        if let Some((_, last)) = resume.as_ref().filter(|_| self.session.is_in_room) {
            let after = last.map_or(self.session.entered, |(_, after)| number(after));
            self.answers.push_back(self.history(after));
        }
        let Session { token, name, is_in_room, .. } = &self.session;
        let room = if *is_in_room { r#","roomId":1"# } else { "" };
        let features = r#"["ack","history","members","resume"]"#;
        format!(
            r#"{{"type":"SCWelcome","epoch":"e","name":"{name}","features":{features},"limits":{{"unacknowledged":4}},"resume":"{token}","resumeTime":60,"resumed":{}{room}}}"#,
            resume.is_some(),
        )
    }
}

fn number(number: u64) -> usize {
    usize::try_from(number).expect("a short log")
}

fn received(json: &str) -> Received {
    Received::parse(json.as_bytes()).unwrap_or_else(|error| panic!("{json}: {error}"))
}

/// The client, its server, and everything that its person has seen.
struct World {
    random: Random,
    app: App,
    server: Server,
    is_up: bool,
    typed: usize,
    told: usize,
    lines: Vec<String>,
}

impl World {
    fn new(seed: u64) -> Self {
        let format = if seed.is_multiple_of(2) { Format::Pretty } else { Format::Plain };
        let name = Name::new(BOB).ok();
        let options = Options { format, name, reconnect: true, ..Options::default() };
        let kept = if seed.is_multiple_of(5) { 9 } else { usize::MAX };
        let mut world = Self {
            random: Random(seed),
            app: App::new(options),
            server: Server { kept, ..Server::default() },
            is_up: false,
            typed: 0,
            told: 0,
            lines: Vec::new(),
        };
        world.connect();
        world.line("/join 1");
        world.drain();
        world
    }

    fn apply(&mut self, effects: Effects) {
        let Effects { show, refused, complain, lost, send, .. } = effects;
        let lines = refused.into_iter().flat_map(|(_, lines)| lines).chain(show);
        self.lines.extend(lines.map(|line| line.as_str().to_owned()));
        self.lines.extend(complain.into_iter().chain(lost));
        self.server.requests.extend(send);
    }

    fn connect(&mut self) {
        let hello = self.app.hello(Duration::ZERO);
        let is_late = self.random.below(4) == 0;
        let welcome = received(&self.server.greet(hello.resume, is_late));
        let Received::Welcome(welcome) = welcome else { panic!("{welcome:?}") };
        self.is_up = true;
        let effects = self.app.connected(3, Some(&welcome), Instant::now());
        self.apply(effects);
    }

    fn line(&mut self, line: &str) {
        let effects = self.app.line(at(), Ok(line));
        self.apply(effects);
    }

    fn take_answer(&mut self) {
        if let Some(json) = self.server.answers.pop_front() {
            let effects = self.app.received(at(), &received(&json));
            self.apply(effects);
        }
    }

    fn cut(&mut self) {
        self.is_up = false;
        match self.app.closed(&StreamEnd::Lost(IoErrorKind::Reset), false) {
            AfterClose::Reconnect(show) => self.apply(super::show(show)),
            other => panic!("{other:?}"),
        }
    }

    fn step(&mut self) {
        match self.random.below(24) {
            0..=3 if self.is_up => {
                self.typed += 1;
                self.line(&format!("own-{}.", self.typed));
            }
            4..=9 => self.server.take_request(),
            10..=13 => {
                self.told += 1;
                let text = format!("their-{}.", self.told);
                self.server.say("ann", &text, false);
            }
            14..=21 => self.take_answer(),
            22 if self.is_up => self.cut(),
            23 if !self.is_up => self.connect(),
            _ => {}
        }
        if !self.is_up {
            self.server.cut();
        }
    }

    fn drain(&mut self) {
        let is_busy = |server: &Server| {
            !server.requests.is_empty() || !server.answers.is_empty() || server.delayed.is_some()
        };
        while is_busy(&self.server) {
            self.server.take_request();
            self.take_answer();
        }
    }

    fn count(&self, is_it: impl Fn(&str) -> bool) -> usize {
        self.lines.iter().filter(|line| is_it(line)).count()
    }

    fn check(&self, seed: u64) {
        let context = || format!("seed {seed}: {:#?}\n{:#?}", self.lines, self.server.log);
        let texts = |is_own: bool| {
            let events = self.server.log.iter().filter(move |event| event.is_own == is_own);
            events.filter_map(|event| event.text.as_deref())
        };
        let shown = self.lines.iter().filter_map(|line| Some(line.split_once("ann: ")?.1));
        if self.count(|line| line.contains("no longer has it")) == 0 {
            assert!(shown.eq(texts(false)), "{}", context());
        } else {
            let mut others = texts(false);
            assert!(
                shown.into_iter().all(|text| others.any(|other| other == text)),
                "{}",
                context()
            );
        }
        let said: BTreeSet<&str> = texts(true).collect();
        assert_eq!(said.len(), texts(true).count(), "{}", context());
        for text in (1..=self.typed).map(|n| format!("own-{n}.")) {
            let ends = |end: &str| self.count(|line| line.ends_with(&format!("{end}: {text}")));
            let perhaps = ends("perhaps not sent");
            let (refused, is_said) = (ends("not sent") - perhaps, said.contains(text.as_str()));
            assert!(is_said || perhaps + refused == 1, "{text} is lost: {}", context());
            assert!(perhaps + refused <= 1, "{text} is told of twice: {}", context());
            assert!(refused == 0 || !is_said, "{text} was said: {}", context());
            // It is shown where it was typed.
            assert!(ends(BOB) + ends("user7") <= perhaps, "{text} comes twice: {}", context());
        }
    }
}

#[test]
fn under_drops_no_line_is_lost_and_none_comes_twice() {
    let (mut resumed, mut begun_again, mut late) = (0, 0, 0);
    for seed in 0..SEEDS {
        let mut world = World::new(seed);
        (0..STEPS).for_each(|_| world.step());
        if !world.is_up {
            world.connect();
        }
        world.drain();
        world.check(seed);
        resumed += world.count(|line| line.contains("missed: ") || line.contains("was missed"));
        begun_again += world.count(|line| line.contains("after 3 s."));
        late += world.count(|line| line.contains("sent now: "));
    }
    assert!(resumed > 100 && begun_again > 100 && late > 100, "{resumed}, {begun_again}, {late}");
}
