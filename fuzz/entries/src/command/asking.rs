//! Hellos, and the requests that follow them: they mean what a command without a hello means, and repeat nothing that
//! is refused.

use chat_proto::extended::{Ask, ClientRequest, Hello, MAX_HISTORY, Request, Since};
use chat_proto::{Command, HEADER_LEN, Notice, Rejection};

/// Checks a payload as the first frame of a client, and as a later one.
pub(super) fn check(payload: &[u8], parsed: &Result<Command, Rejection>) {
    let Ok(payload) = str::from_utf8(payload) else { return };
    match Hello::parse(payload) {
        Some(Ok(hello)) => check_hello(&hello),
        Some(Err(rejection)) => check_refusal(rejection),
        None => {}
    }
    let request = Request::parse(payload);
    if let Some(id) = &request.id {
        assert!((1..=64).contains(&id.as_str().chars().count()), "{id:?}");
    }
    match (&request.ask, parsed) {
        (Ok(Ask::Command(command)), parsed) => assert_eq!(Ok(command), parsed.as_ref()),
        (Ok(Ask::Join { room, .. }), Ok(command)) => assert_eq!(*command, Command::Join(*room)),
        (Ok(ask), parsed) => assert!(parsed.is_err(), "{ask:?} and {parsed:?}"),
        // What a client may ask that said hello has more fields, which can be wrong.
        (Err(_), _) => {}
    }
    match &request.ask {
        Ok(Ask::History { limit, since, .. }) => assert!(*limit <= MAX_HISTORY && is_fair(*since)),
        Ok(Ask::Join { since, .. }) => assert!(is_fair(*since)),
        Ok(_) => {}
        Err(rejection) => check_refusal(rejection.clone()),
    }
    check_writing(&request);
}

fn is_fair(since: Since) -> bool {
    !matches!(since, Since::Last(count) if count > MAX_HISTORY)
}

/// Checks that a hello is read as it was when it is written again.
fn check_hello(hello: &Hello) {
    let json = Hello::to_json(&hello.client, hello.features, None);
    let again = Hello::parse(&json).and_then(Result::ok).expect("it is a hello");
    assert_eq!((&again.client, again.features), (&hello.client, hello.features));
    assert_eq!(again.resume, None);
}

/// Checks that a request is read as it was when a client writes it.
fn check_writing(request: &Request) {
    let (id, Ok(ask)) = (request.id.clone(), &request.ask) else { return };
    let written = match (ask, id) {
        (Ask::Command(Command::Chat(text)), Some(id)) => {
            ClientRequest::Chat { id, text: text.clone() }
        }
        (Ask::Command(command), None) => ClientRequest::Command(command.clone()),
        (&Ask::Join { room, since }, None) => ClientRequest::Join { room, since },
        (&Ask::History { room, since: Since::After(after), limit }, None) => {
            ClientRequest::History { room, after, limit }
        }
        (Ask::Members(None), Some(id)) => ClientRequest::Members { id },
        (Ask::Quit, None) => ClientRequest::Quit,
        _ => return,
    };
    let mut frame = Vec::new();
    if written.write(&mut frame).is_ok() {
        let payload = str::from_utf8(&frame[HEADER_LEN..]).expect("it is JSON");
        assert_eq!(Request::parse(payload), *request, "{written:?}");
    }
}

fn check_refusal(rejection: Rejection) {
    let code = rejection.code();
    let said = Notice::Rejected(rejection).to_string();
    assert!(said.bytes().all(|b| matches!(b, b' '..=b'~')), "{code}: {said:?}");
    assert!(said.len() < 200, "{code}: {said}");
}
