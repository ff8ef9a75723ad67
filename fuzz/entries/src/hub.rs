//! Sequences of commands to a hub: its outputs are consistent, whatever people do.

mod driver;
mod script;

use chat_core::{Hub, HubLimits, Input, Output, Role, SessionId};

use driver::Driver;
use script::{Script, Step};

/// Few enough rooms to reach the limit.
const LIMITS: HubLimits = HubLimits::new().with_rooms(3);

/// Begins a session.
pub(crate) fn connect(hub: &mut Hub, role: Role) -> SessionId {
    let mut outputs = Vec::new();
    hub.apply(0, Input::Connect { role }, &mut outputs);
    match outputs[..] {
        [Output::Connected { session }] => session,
        _ => panic!("{outputs:?} begins no session"),
    }
}

/// The input consists of steps in the notation of `Script`, such as `a+ b+ aC0 bJ1 aT0 b-`.
///
/// - The hub's invariants hold after each step, and every member receives what it should (`Driver`, with the shared
///   checker).
/// - A session that has ended neither acts nor receives anything.
/// - A command has exactly one answer, which goes to its sender.
///
/// # Panics
/// If a property is violated.
pub fn hub(data: &[u8]) {
    let mut hub = Hub::new(LIMITS);
    let mut driver = Driver::new(LIMITS);
    let mut outputs = Vec::new();
    let mut sessions = Vec::new();
    for step in Script::new(data) {
        outputs.clear();
        match step {
            Step::Connect(role) => {
                let session = connect(&mut hub, role);
                driver.connected(session, role == Role::Operator);
                sessions.push(session);
            }
            Step::Disconnect(who) => {
                let Some(&session) = sessions.get(who % sessions.len().max(1)) else { continue };
                let is_alive = hub.name(session).is_some();
                hub.apply(0, Input::Disconnect { session }, &mut outputs);
                driver.deliver(&hub, session, &outputs);
                let ends = Output::Disconnected { session };
                assert_eq!(outputs.last(), is_alive.then_some(&ends));
            }
            Step::Command(who, command) => {
                let Some(&session) = sessions.get(who % sessions.len().max(1)) else { continue };
                let is_alive = hub.name(session).is_some();
                hub.apply(0, Input::Command { session, command }, &mut outputs);
                assert!(is_alive || outputs.is_empty(), "{session} has ended: {outputs:?}");
                let answers = driver.deliver(&hub, session, &outputs);
                assert_eq!(answers, usize::from(is_alive), "one answer: {outputs:?}");
            }
        }
        hub.check_invariants();
        driver.agree_with(&hub);
    }
    driver.finish();
}
