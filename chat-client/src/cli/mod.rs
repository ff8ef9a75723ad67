pub(crate) mod args;
pub(crate) mod help;
pub(crate) mod locale;
pub(crate) mod usage_error;
