//! The database file: how it is opened, and the versions of its schema. docs/OPERATIONS.md explains the tables to those
//! who query them.

use std::io;
use std::path::Path;
use std::time::Duration;

use rusqlite::{Connection, OpenFlags};

use super::error::{StoreError, StoreFault};
use super::lock::open_private;

/// The name of the database in its directory.
pub(super) const FILE: &str = "chat.db";

/// What marks a database as one of this program: "Chat" in ASCII.
const APPLICATION: i32 = i32::from_be_bytes(*b"Chat");

/// The versions of the schema, each as what makes it of the one before. Never change one that has been released.
pub(super) const MIGRATIONS: &[&str] = &["
    CREATE TABLE meta (key TEXT PRIMARY KEY, value) WITHOUT ROWID;
    CREATE TABLE rooms (
        id INTEGER PRIMARY KEY,
        title TEXT NOT NULL,
        created INTEGER NOT NULL,
        closed INTEGER,
        last_seq INTEGER NOT NULL,
        last_at INTEGER NOT NULL
    );
    CREATE TABLE events (
        room INTEGER NOT NULL,
        seq INTEGER NOT NULL,
        at INTEGER NOT NULL,
        kind TEXT NOT NULL,
        member TEXT,
        payload TEXT NOT NULL,
        PRIMARY KEY (room, seq)
    ) WITHOUT ROWID;
    CREATE TABLE snapshot (at INTEGER NOT NULL, bytes BLOB NOT NULL);
"];

/// How long to wait for another connection: for a checkpoint of a tool, say.
const BUSY: Duration = Duration::from_secs(2);

/// Opens the database to write, creates it if there is none, and brings its schema up to date.
pub(super) fn open_to_write(dir: &Path, durable: bool) -> Result<Connection, StoreError> {
    let path = dir.join(FILE);
    // SQLite would let everybody read it, and gives the other files the modes of this one.
    let file = open_private(&path).map_err(StoreError::io(&path))?;
    // The directory has to know the file before what is in it counts.
    file.sync_all()
        .and_then(|()| std::fs::File::open(dir)?.sync_all())
        .map_err(StoreError::io(&path))?;
    drop(file);
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let failed = StoreError::sql(&path);
    let mut connection = Connection::open_with_flags(&path, flags).map_err(&failed)?;
    migrate(&path, &mut connection, MIGRATIONS)?;
    set_up_writer(&connection, durable).map_err(failed)?;
    Ok(connection)
}

/// Opens a database that is up to date once more.
pub(super) fn reopen_to_write(dir: &Path, durable: bool) -> rusqlite::Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(dir.join(FILE), flags)?;
    set_up_writer(&connection, durable)?;
    Ok(connection)
}

fn set_up_writer(connection: &Connection, durable: bool) -> rusqlite::Result<()> {
    connection.busy_timeout(BUSY)?;
    connection.pragma_update(None, "journal_mode", "WAL")?;
    connection.pragma_update(None, "synchronous", if durable { "FULL" } else { "NORMAL" })?;
    // What is deleted is overwritten where that costs no write of its own.
    connection.pragma_update(None, "secure_delete", "FAST")?;
    // The writer makes its own checkpoints; this one is for the case that readers keep it from that. In pages.
    connection.pragma_update(None, "wal_autocheckpoint", 16 * 1024)?;
    connection.pragma_update(None, "journal_size_limit", 64 << 20)?;
    connection.pragma_update(None, "cache_size", -8 * 1024)
}

/// Opens an existing database to read.
pub(super) fn open_to_read(dir: &Path) -> Result<Connection, StoreError> {
    let path = dir.join(FILE);
    if let Err(error) = std::fs::metadata(&path) {
        let fault = match error.kind() {
            io::ErrorKind::NotFound => StoreFault::Missing,
            _ => StoreFault::Io(error),
        };
        return Err(StoreError::new(dir, fault));
    }
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let failed = StoreError::sql(&path);
    let connection = Connection::open_with_flags(&path, flags).map_err(&failed)?;
    connection.busy_timeout(BUSY).map_err(&failed)?;
    connection.pragma_update(None, "cache_size", -512).map_err(&failed)?;
    version(&path, &connection, MIGRATIONS.len())?;
    Ok(connection)
}

/// The version of the schema; 0 for an empty database.
fn version(path: &Path, connection: &Connection, newest: usize) -> Result<usize, StoreError> {
    let number = |name| {
        let number =
            connection.query_row(&format!("PRAGMA {name}"), (), |row| row.get::<_, i64>(0));
        number.map_err(StoreError::sql(path))
    };
    let (application, version) = (number("application_id")?, number("user_version")?);
    let is_empty = application == 0 && version == 0 && number("schema_version")? == 0;
    if !is_empty && application != i64::from(APPLICATION) {
        return Err(StoreError::new(path, StoreFault::Foreign));
    }
    match usize::try_from(version) {
        Ok(version) if version <= newest => Ok(version),
        _ => {
            let version = u32::try_from(version).unwrap_or(u32::MAX);
            Err(StoreError::new(path, StoreFault::Newer(version)))
        }
    }
}

/// Brings a database to the last of these versions, each step in a transaction of its own.
pub(super) fn migrate(
    path: &Path,
    connection: &mut Connection,
    migrations: &[&str],
) -> Result<(), StoreError> {
    let failed = StoreError::sql(path);
    let version = version(path, connection, migrations.len())?;
    if version == 0 {
        // Only an empty database can be prepared for giving pages back.
        connection.pragma_update(None, "auto_vacuum", "INCREMENTAL").map_err(&failed)?;
    }
    for (migration, number) in migrations.iter().zip(1_i64..).skip(version) {
        let migrated = connection.transaction().and_then(|transaction| {
            transaction.execute_batch(migration)?;
            transaction.pragma_update(None, "application_id", APPLICATION)?;
            transaction.pragma_update(None, "user_version", number)?;
            transaction.commit()
        });
        migrated.map_err(&failed)?;
    }
    Ok(())
}

/// A number as SQLite stores it. None that a server gives is too large.
pub(super) fn stored(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}
