//! Events whose fields come from tables. `tracing`'s macros need the names of fields at compile time; a table provides
//! them at run time.

use std::array;
use std::iter;
use std::sync::OnceLock;

use tracing::callsite::{Callsite, Identifier};
use tracing::field::{Field, FieldSet, Value};
use tracing::metadata::Kind;
use tracing::subscriber::Interest;
use tracing::{Event, Level, Metadata, dispatcher};

/// The most fields of an event, including its message. Further fields go into another event.
const MOST: usize = 64;

/// The identity of an event, which `tracing` requires.
#[derive(Default)]
struct Origin(OnceLock<Metadata<'static>>);

impl Callsite for Origin {
    fn set_interest(&self, _: Interest) {}

    fn metadata(&self) -> &Metadata<'_> {
        self.0.get().expect("it is set before anything refers to the origin")
    }
}

/// Logs an INFO event with these names and values; whole numbers are logged as numbers. The names are leaked, so use
/// this for events that happen once.
pub(crate) fn log_table(message: &str, fields: &[(String, String)]) {
    for fields in fields.chunks(MOST - 1) {
        let origin: &'static Origin = Box::leak(Box::default());
        let names = fields.iter().map(|(name, _)| &*name.clone().leak());
        let names = iter::once("message").chain(names).collect::<Vec<_>>().leak();
        let metadata = origin.0.get_or_init(|| {
            let (target, names) = ("chat_server", FieldSet::new(names, Identifier(origin)));
            Metadata::new("table", target, Level::INFO, None, None, None, names, Kind::EVENT)
        });
        let values: Vec<Box<dyn Value>> = fields.iter().map(|(_, value)| as_value(value)).collect();
        let values = iter::once(&message as &dyn Value).chain(values.iter().map(|value| &**value));
        let keys: Vec<Field> = metadata.fields().iter().collect();
        let mut pairs = keys.iter().zip(values).map(|(key, value)| (key, Some(value)));
        // The array has a fixed length; entries without a value are skipped.
        let pairs: [_; MOST] = array::from_fn(|_| pairs.next().unwrap_or((&keys[0], None)));
        dispatcher::get_default(|dispatch| {
            if dispatch.enabled(metadata) {
                dispatch.event(&Event::new(metadata, &metadata.fields().value_set(&pairs)));
            }
        });
    }
}

fn as_value(text: &str) -> Box<dyn Value> {
    match text.parse::<u64>() {
        Ok(number) => Box::new(number),
        Err(_) => Box::new(text.to_owned()),
    }
}
