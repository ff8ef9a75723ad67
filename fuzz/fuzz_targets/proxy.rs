//! See `chat_fuzz_entries::proxy`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| chat_fuzz_entries::proxy(data));
