//! Names and titles: what is accepted cannot be mistaken for anything else, and names that people cannot tell apart
//! count as one.

use chat_core::{Command, Hub, HubLimits, Input, Name, Notice, Output, ReservedNames, Role, Title};
use unicode_security::skeleton;

use crate::hub::connect;

/// The input is two names, separated by a line break; invalid UTF-8 is replaced.
///
/// - An accepted name has ink in words with single spaces, nothing that looks like a colon or a bracket, and no
///   control character; it is accepted again, unchanged.
/// - A refusal repeats nothing. An accepted title is visible.
/// - A name in upper or lower case is the same name. Of two sessions that request the two names, the second is refused
///   if and only if the names are the same, whichever comes first.
///
/// # Panics
/// If a property is violated.
pub fn names(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let (first, second) = text.split_once('\n').unwrap_or((&text, ""));
    for text in [first, second] {
        if let Ok(title) = Title::new(text) {
            assert!(title.as_str().chars().any(|c| !c.is_whitespace() && !c.is_control()));
        }
    }
    let [first, second] = [first, second].map(accepted);
    if let (Some(first), Some(second)) = (first, second) {
        let same = are_same(&first, &second);
        assert_eq!(same, are_same(&second, &first));
        assert_eq!(same, is_taken(&first, &second), "{first} {second}");
        assert_eq!(same, is_taken(&second, &first), "{second} {first}");
    }
}

fn accepted(text: &str) -> Option<Name> {
    let name = match Name::new(text) {
        Ok(name) => name,
        Err(error) => {
            assert!(error.to_string().is_ascii(), "{error}");
            return None;
        }
    };
    let text = name.as_str();
    assert_eq!(Name::new(text).as_ref(), Ok(&name));
    assert!(text.split(' ').all(|word| word.chars().any(|c| !c.is_whitespace())), "{text:?}");
    assert!(
        !text.contains(|c: char| c.is_control() || (c.is_whitespace() && c != ' ')),
        "{text:?}"
    );
    assert!(!skeleton(text).any(|c| matches!(c, ':' | '[' | ']' | '(' | ')')), "{text:?}");
    assert!(text.chars().count() <= chat_proto::MAX_NAME_CHARS);
    for other in [text.to_uppercase(), text.to_lowercase()] {
        // Capitals may be longer, or of a kind that no name may contain.
        assert!(
            Name::new(&other).is_ok_and(|other| are_same(&name, &other))
                || Name::new(&other).is_err()
        );
    }
    Some(name)
}

fn are_same(a: &Name, b: &Name) -> bool {
    let (a, b) = (a.keys(), b.keys());
    a.iter().any(|key| b.iter().any(|other| key == other))
}

/// Whether a session is refused `wanted` because another holds `held`.
fn is_taken(held: &Name, wanted: &Name) -> bool {
    let mut hub = Hub::new(HubLimits::default());
    hub.apply(0, Input::ReserveNames { names: ReservedNames::none() }, &mut Vec::new());
    // Neither session has a default name that the other might request.
    let (holder, other) = (connect(&mut hub, Role::Guest), connect(&mut hub, Role::Guest));
    let mut ask = |session, name: &Name| {
        let mut outputs = Vec::new();
        hub.apply(
            0,
            Input::Command { session, command: Command::Rename(name.clone()) },
            &mut outputs,
        );
        hub.check_invariants();
        matches!(outputs[..], [Output::Reply { notice: Notice::NameTaken, .. }])
    };
    let is_default = |name: &Name| name.keys().iter().any(chat_proto::NameKey::is_default);
    if is_default(held) || is_default(wanted) {
        return are_same(held, wanted);
    }
    assert!(!ask(holder, held), "nobody else holds {held}");
    ask(other, wanted)
}
