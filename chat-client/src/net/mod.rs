pub(crate) mod backoff;
pub(crate) mod connection;
pub(crate) mod destination;
pub(crate) mod outbox;
