//! Commands with short and simple values, and commands as frames.

use chat_proto::{Command, Name, RoomId, Text, Title};

/// A command as a frame.
pub(crate) fn frame(command: &Command) -> Vec<u8> {
    let mut out = Vec::new();
    command.write(&mut out).expect("every text here is far shorter than a frame");
    out
}

pub(crate) fn rename(name: &str) -> Command {
    Command::Rename(Name::new(name).expect("every name here is short and plain"))
}

pub(crate) fn create(title: &str) -> Command {
    Command::Create(Title::new(title).expect("every title here is short and plain"))
}

pub(crate) fn join(room: u64) -> Command {
    Command::Join(RoomId::new(room).expect("the server numbers rooms from 1"))
}

pub(crate) fn chat(text: &str) -> Command {
    Command::Chat(Text::new(text).expect("every text here is plain"))
}
