//! Everything that can be set, by flags or a configuration file, and everything that can be wrong with it.
//!
//! `table` has a row for each setting, which changes and shows one of the `values`; `names` looks up limits and uses
//! `suggestion` for unknown names; `addresses` parses addresses, `file` a configuration file. `cli` calls them, and
//! `main` acts on the result. Nothing here opens a socket or logs.

mod addresses;
mod error;
mod file;
mod names;
mod suggestion;
mod table;
mod values;

pub(crate) use addresses::{canonical, parse_address};
pub(crate) use error::{SettingError, ValueError};
pub(crate) use file::apply_file;
pub(crate) use names::{Place, set_limit, suggest};
pub(crate) use table::{
    Flags, OTHER_FLAGS, SETTINGS, in_force, is_list, is_switch, takes_value, to_toml,
};
pub(crate) use values::{LogFormat, Settings, TlsMode, TlsSettings};
