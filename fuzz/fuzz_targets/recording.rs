//! See `chat_fuzz_entries::recording`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| chat_fuzz_entries::recording(data));
