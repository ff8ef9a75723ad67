//! TLS: certificates, and the sessions of encrypted streams.
//!
//! `config` is what a program hands over: a certificate and its key, checked. `acceptor` begins the sessions of a
//! server, with a certificate that can be replaced; `session` is one of them, on rustls's unbuffered interface. The
//! certificate's own bytes are read in `certificate`. Only [`Stream`](super::stream) calls this, and nothing here
//! knows what is said.
//!
//! Without the feature `tls` there is none of it: the types are those of `absent`, which have no values.

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
