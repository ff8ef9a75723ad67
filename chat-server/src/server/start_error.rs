//! The reasons why a server cannot start.

use std::error::Error;
use std::fmt;
use std::io;
use std::net::SocketAddr;

use chat_core::Lang;
use chat_proto::{Localize, localize};

use crate::config::ConfigError;
#[cfg(feature = "store")]
use crate::room_log::StoreError;

/// The reason why a server could not start. `Display` writes the English text, without that of the `source`.
#[derive(Debug)]
#[non_exhaustive]
pub enum StartError {
    /// No server can run with this configuration.
    Config(ConfigError),
    /// The server cannot listen on the address.
    Listen {
        /// The configured address.
        address: SocketAddr,
        /// The system's error.
        source: io::Error,
    },
    /// The system refuses a descriptor or a thread.
    System(io::Error),
    /// The data directory cannot be opened.
    #[cfg(feature = "store")]
    Data(StoreError),
}

impl fmt::Display for StartError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.fmt_in(Lang::En, f)
    }
}

impl Localize for StartError {
    fn fmt_in(&self, lang: Lang, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Config(_) => localize!(f, lang,
                en: "invalid configuration",
                ko: "설정이 맞지 않아요"),
            Self::Listen { address, .. } => localize!(f, lang,
                en: "cannot listen on {address}",
                ko: "{address} 주소에서 연결을 받을 수 없어요"),
            Self::System(_) => localize!(f, lang,
                en: "the system has no descriptors or threads left",
                ko: "시스템에 남은 디스크립터나 스레드가 없어요"),
            #[cfg(feature = "store")]
            Self::Data(_) => localize!(f, lang,
                en: "cannot use the data directory",
                ko: "데이터 폴더를 쓸 수 없어요"),
        }
    }
}

impl Error for StartError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::Config(error) => Some(error),
            Self::Listen { source, .. } | Self::System(source) => Some(source),
            #[cfg(feature = "store")]
            Self::Data(error) => Some(error),
        }
    }
}
