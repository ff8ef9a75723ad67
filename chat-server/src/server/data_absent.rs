//! Opens no data directory, in a build without the store.

use std::sync::Arc;

use chat_core::HubLimits;

use super::StartError;
use crate::config::Config;
use crate::engine::Stored;
use crate::store::DataConfig;
use crate::workers::SharedHub;

pub(super) fn open(
    data: &DataConfig,
    _: &Config,
    _: HubLimits,
    _: &Arc<SharedHub>,
) -> Result<Stored, StartError> {
    match *data {}
}
