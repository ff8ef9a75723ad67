//! See `chat_fuzz_entries::websocket`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| chat_fuzz_entries::websocket(data));
