//! See `chat_fuzz_entries::names`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| chat_fuzz_entries::names(data));
