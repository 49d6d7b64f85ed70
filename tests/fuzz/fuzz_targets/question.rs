#![no_main]

#[path = "../targets.rs"]
#[allow(dead_code, reason = "each program calls one of them")]
mod targets;

libfuzzer_sys::fuzz_target!(
    // A decoder's panic that the library turns into an error is none of ours; one that gets out is found all the same.
    init: std::panic::set_hook(Box::new(|panic| eprintln!("{panic}"))),
    |data: &[u8]| targets::question(data)
);
