#![no_main]
libfuzzer_sys::fuzz_target!(|data: &[u8]| epms_fuzz::verdict(data));
