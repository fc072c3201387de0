#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| beamlet_fuzz::arrows(data));
