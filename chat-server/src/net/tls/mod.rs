//! TLS: certificates, and the sessions of encrypted streams.
//!
//! `config` is what a program provides: a certificate and its key, checked. `acceptor` begins the sessions of a
//! server, with a certificate that can be replaced; `session` is one of them, on rustls's unbuffered interface.
//! `certificate` parses the certificate itself. Only [`Stream`](super::stream) uses these, and nothing here knows
//! about the contents of a stream.
//!
//! Without the feature `tls`, `absent` takes their place, with types that have no values.

#[cfg(not(feature = "tls"))]
mod absent;
#[cfg(feature = "tls")]
mod acceptor;
#[cfg(feature = "tls")]
mod certificate;
#[cfg(feature = "tls")]
mod config;
#[cfg(feature = "tls")]
mod error;
#[cfg(feature = "tls")]
mod session;

#[cfg(not(feature = "tls"))]
pub use absent::TlsConfig;
#[cfg(not(feature = "tls"))]
pub(crate) use absent::{Acceptor, TlsSession};
#[cfg(feature = "tls")]
pub(crate) use acceptor::Acceptor;
#[cfg(feature = "tls")]
pub use config::TlsConfig;
#[cfg(feature = "tls")]
pub use error::{TlsError, TlsFault};
#[cfg(feature = "tls")]
pub(crate) use session::TlsSession;
