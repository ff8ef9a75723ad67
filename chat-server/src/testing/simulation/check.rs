//! Checks what the clients received, with the shared checker.

use chat_testing::{Checker, Conversation, Event, Request, Violation};

use crate::testing::simulation::asking;
use crate::testing::simulation::judge::{farewell, last_farewell};
use crate::testing::simulation::trace::{End, Entry, Trace};
use crate::testing::simulation::world::Run;

/// The most turns that a chat may take from one witness to the other: it is read in pieces, and handed out along with
/// others.
const MOST_TURNS: u64 = 40;

/// Checks a run. Panics with the number of the violated invariant.
pub(super) fn check(run: &Run) {
    let wait = run.longest_wait;
    assert!(wait <= MOST_TURNS, "I13: a witness waited {wait} turns for what another one said");
    let mut checker = Checker::default();
    for (id, trace) in run.traces.iter().enumerate() {
        checker.connect(id);
        // What those receive who say hello is checked elsewhere.
        if trace.asks || trace.is_cut_off() {
            checker.cut_off(id);
        }
    }
    // Collected from all records, since one violation may cause another.
    let (mut conversations, mut violations) = (Vec::new(), Vec::new());
    for (id, trace) in run.traces.iter().enumerate().filter(|(_, trace)| !trace.asks) {
        match replay(&mut checker, id, trace) {
            Ok(conversation) => conversations.push((id, conversation)),
            Err(violation) => violations.push(violation.to_string()),
        }
    }
    assert!(violations.is_empty(), "{}", violations.join("\n"));
    for (id, conversation) in &conversations {
        let (id, trace) = (*id, &run.traces[*id]);
        conclude(&mut checker, id, trace, conversation);
        if run.stopped && trace.witness {
            let told = conversation.farewell();
            assert_eq!(told, Some("server-stopping"), "I14: witness {id} was not told of the stop");
            assert_eq!(trace.ended(), Some(End::Eof), "I14: witness {id} got no clean end");
        }
    }
    for (id, trace) in run.traces.iter().enumerate().filter(|(_, trace)| trace.asks) {
        check_farewell(id, trace, last_farewell(trace));
        check_end(id, trace);
    }
    asking::check(&run.people, &checker, &run.rooms, run.stopped);
    checker.finish().unwrap_or_else(|found| panic!("{found}"));
}

fn replay(checker: &mut Checker, id: usize, trace: &Trace) -> Result<Conversation, Violation> {
    let name = format!("user{}", trace.session.unwrap_or(0));
    let mut conversation = Conversation::new(id, Some(name));
    for entry in &trace.entries {
        match entry {
            Entry::Sent { request, end } if trace.accepted(*end) => {
                conversation.send(checker, request.clone());
            }
            Entry::Received(message) => {
                conversation.receive(checker, message)?;
            }
            Entry::Sent { .. } | Entry::Finished | Entry::Ended(_) => {}
        }
    }
    Ok(conversation)
}

/// Checks the end of a record.
fn conclude(checker: &mut Checker, id: usize, trace: &Trace, conversation: &Conversation) {
    let told = conversation.farewell();
    let told_of_stop = told == Some("server-stopping");
    let last_was_bad = conversation.last_was_bad();
    check_farewell(id, trace, told);
    if trace.session.is_none() {
        let answers = conversation.answers();
        assert_eq!(answers, 0, "I7: client {id} was refused, and got more than that");
    }
    check_end(id, trace);
    let end = trace.ended();
    let has_finished = trace.entries.contains(&Entry::Finished);
    if end == Some(End::Eof) && !told_of_stop && !trace.is_cut_off() {
        assert!(has_finished || last_was_bad, "I5: client {id} was sent away for nothing");
        let name = conversation.name().expect("every session has a name");
        checker.end(id, Event::notice("member-left", &format!("{name} left.")));
    }
    let is_excused = trace.is_cut_off() || (end.is_some() && last_was_bad);
    let mut pending = conversation.pending();
    if told_of_stop && !last_was_bad {
        let left = pending.find(|request| **request != Request::Shutdown);
        assert_eq!(left, None, "I14: client {id} got no answer to what was accepted");
    } else if !told_of_stop && !is_excused {
        assert_eq!(pending.next(), None, "I11: client {id} got no answer");
    }
    if trace.witness && trace.taken_at_stop.is_none() {
        assert!(!matches!(end, Some(End::Reset | End::Own)), "I13: witness {id} was cut off");
    }
}

fn check_end(id: usize, trace: &Trace) {
    let was_whole = trace.ended() != Some(End::Eof) || !trace.partial;
    assert!(was_whole, "I15: the stream of client {id} ended in the middle of a frame");
}

/// Checks that a client that reads to the end of its stream was told why it ended, if a message for that exists.
fn check_farewell(id: usize, trace: &Trace, told: Option<&str>) {
    let reasons = &trace.reasons;
    if reasons.is_empty() || (told.is_none() && trace.ended() != Some(End::Eof)) {
        return;
    }
    let fits = reasons.iter().any(|reason| farewell(*reason) == told);
    assert!(fits, "I5b: client {id} was told {told:?} where it was {reasons:?}");
}
