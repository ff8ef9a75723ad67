//! Errors of the store.

use std::error::Error;
use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

use chat_proto::{Lang, Localize, localize};

/// The reason why a data directory cannot be used. `Display` writes the English text, with the path.
#[derive(Debug)]
pub struct StoreError {
    path: PathBuf,
    fault: StoreFault,
}

/// The kind of a [`StoreError`].
#[derive(Debug)]
#[non_exhaustive]
pub enum StoreFault {
    /// The system refuses a file or the directory.
    Io(io::Error),
    /// Another process has the directory; its id, if it could be read.
    InUse(Option<u32>),
    /// There is no database.
    Missing,
    /// The file is no database, or that of another program.
    Foreign,
    /// The database was written by a newer version of this program: its version of the schema.
    Newer(u32),
    /// The database refuses an operation.
    Database(Box<dyn Error + Send + Sync>),
    /// There is no such room.
    NoSuchRoom,
    /// The disk did not take what was left in time.
    Stalled,
}

impl StoreError {
    pub(super) fn new(path: &Path, fault: StoreFault) -> Self {
        Self { path: path.to_owned(), fault }
    }

    /// Returns what turns an error of the system into one about this path.
    pub(super) fn io(path: &Path) -> impl Fn(io::Error) -> Self {
        move |error| Self::new(path, StoreFault::Io(error))
    }

    /// Returns what turns an error of the database into one about this path.
    pub(super) fn sql(path: &Path) -> impl Fn(rusqlite::Error) -> Self {
        move |error| {
            let fault = match error.sqlite_error_code() {
                Some(rusqlite::ErrorCode::NotADatabase) => StoreFault::Foreign,
                _ => StoreFault::Database(error.into()),
            };
            Self::new(path, fault)
        }
    }

    /// The kind of error.
    pub fn fault(&self) -> &StoreFault {
        &self.fault
    }

    /// The file or directory concerned.
    pub fn path(&self) -> &Path {
        &self.path
    }
}

impl Localize for StoreError {
    fn fmt_in(&self, lang: Lang, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: ", self.path.to_string_lossy().escape_debug())?;
        match &self.fault {
            StoreFault::Io(error) => write!(f, "{error}"),
            StoreFault::InUse(Some(pid)) => localize!(f, lang,
                en: "process {pid} is using the directory: stop it first, or use another directory",
                ko: "프로세스 {pid}에서 쓰고 있는 디렉터리예요. 먼저 멈추거나 다른 디렉터리를 골라 주세요"),
            StoreFault::InUse(None) => localize!(f, lang,
                en: "another process is using the directory: stop it first, or use another directory",
                ko: "다른 프로세스에서 쓰고 있는 디렉터리예요. 먼저 멈추거나 다른 디렉터리를 골라 주세요"),
            StoreFault::Missing => localize!(f, lang,
                en: "there is no history here",
                ko: "여기에는 기록이 없어요"),
            StoreFault::Foreign => localize!(f, lang,
                en: "this is no history of chat-server",
                ko: "chat-server의 기록이 아니에요"),
            StoreFault::Newer(version) => localize!(f, lang,
                en: "a newer chat-server has written it, with version {version} of the schema: use that one",
                ko: "더 새로운 chat-server에서 쓴 기록이에요 (스키마 버전 {version}). 그 프로그램으로 열어 주세요"),
            StoreFault::Database(error) => localize!(f, lang,
                en: "the database fails: {error}",
                ko: "데이터베이스에 문제가 있어요: {error}"),
            StoreFault::NoSuchRoom => localize!(f, lang,
                en: "there is no such room in it",
                ko: "그런 방이 없어요"),
            StoreFault::Stalled => localize!(f, lang,
                en: "the disk did not take what was left to write in time",
                ko: "남은 내용을 제때 디스크에 쓰지 못했어요"),
        }
    }
}

impl fmt::Display for StoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.fmt_in(Lang::En, f)
    }
}

impl Error for StoreError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match &self.fault {
            StoreFault::Io(error) => Some(error),
            StoreFault::Database(error) => Some(&**error),
            _ => None,
        }
    }
}
