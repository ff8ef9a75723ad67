//! Scripts for the hub: see `hub::script` for how they are read.

use chat_proto::MAX_LISTED_MEMBERS;

use crate::Case;

pub(crate) fn cases() -> Vec<Case> {
    let mut cases: Vec<_> = [
        ("chat", "a+ b+ c+\naC0 bJ1 cJ1\naT0 bT1 cT0\nb- aT0 c- a-"),
        ("s1-chat-in-no-room", "a+ b+ aC0 bT0 bJ1 bL bT0"),
        ("s2-join-twice", "a+ b+ aC0 bJ1 bJ1 bJ2"),
        ("s2-leave-twice", "a+ aL aC0 aL aL"),
        ("s2-join-leave-join", "a+ b+ aC0 bJ1 bL bJ1 aT0"),
        ("s2-create-in-a-room", "a+ aC0 aC1 aR"),
        ("s4-names-alike", "a+ b+ aN0 bN1 bN2 aN2 aN2"),
        ("s4-names-composed", "a+ b+ aN3 bN4 aL aN0 bN4"),
        ("s4-default-names", "a+ b+ c+ aN5 aN6 bN5 bN6 cN7 cN5 aN7"),
        ("s4-no-nickname", "a+ aN8 aN9"),
        ("s4-rename-in-a-room", "a+ b+ aC0 bJ1 bN0 bN1 aN0 bR"),
        ("s5-controls", "a+ b+ aC0 bJ1\naT=\u{1b}[2J\naT=a\tb\n"),
        ("s5-bidi", "a+ b+ aC0 bJ1\naT=a\u{202e}b\naN=a\u{202e}b\naN=a\u{200f}b\n"),
        ("s6-name-of-who-is-gone", "a+ b+ aN0 bN0 a- bN0"),
        ("s6-name-given-up", "a+ b+ aN0 aN3 bN0 aN0"),
        ("s7-one-room-too-many", "a+ b+ c+ d+ aC0 bC0 cC0 dC0 dR a- dC0 dR"),
        ("s8-alone", "a+ aC0 aT0 aR"),
        ("s9-leaver", "a+ b+ aC0 bJ1 bT0 b- aT0"),
        ("s10-last-one-out", "a+ b+ aC0 a- bJ1 bC0 bJ2"),
        ("s10-ids-never-again", "a+ aC0 aL aC0 aL aC0 aL aC0 aJ3 aR"),
        (
            "p11-long-texts",
            "a+ aC0 aT2 aT3 aT4 aT5\naN=한한한한한한한한한한한한한한한한\naT2 aT3 aT4 aT5",
        ),
        ("ended-session", "a+ b+ a- aT0 aC0 aR aN0 aL aJ1 aS a-"),
        ("shutdown", "a+ b* aS bS aC0 bJ1 aS bS"),
        ("lists", "a+ aR aC0 aR aN0 aR b+ bJ1 aR b- aR"),
        ("named-by-hand", "a+\naN=김 철수\naC=방 \"1\"\naT=안녕\\\"\naR"),
        ("nobody", "aC0 aT0 a-"),
    ]
    .map(|(name, script)| Case(name, script.as_bytes().to_vec()))
    .into();
    cases.push(Case("crowd", crowd()));
    cases
}

/// One member more than is listed, and then one less.
fn crowd() -> Vec<u8> {
    let people: Vec<_> = (b'a'..).take(MAX_LISTED_MEMBERS + 1).collect();
    let mut script = b"a+ aC0 aR\n".to_vec();
    for &who in &people[1..] {
        script.extend_from_slice(&[who, b'+', who, b'J', b'1']);
    }
    script.extend_from_slice(b"\naR b- aR aT0");
    script
}
