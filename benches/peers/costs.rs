//! What a run costs: CPU and memory of this process. Each program uses a part.
#![allow(dead_code, reason = "each benchmark is a program of its own and uses a part")]

/// CPU seconds so far, user and system.
#[cfg(unix)]
pub fn cpu_seconds() -> f64 {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ProcessCPUTime);
    time.tv_sec as f64 + time.tv_nsec as f64 * 1e-9
}

#[cfg(not(unix))]
pub fn cpu_seconds() -> f64 {
    f64::NAN
}

/// Resident memory (`VmRSS`), or its peak (`VmHWM`), in MB; 0 where `/proc` is not there.
pub fn memory_mb(field: &str) -> f64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find(|line| line.starts_with(field));
    let number =
        line.and_then(|line| line.split_whitespace().nth(1)).and_then(|text| text.parse::<f64>().ok());
    number.unwrap_or(0.0) / 1024.0
}

/// Sets the peak back to what is resident now.
pub fn forget_peak() {
    let _ = std::fs::write("/proc/self/clear_refs", "5");
}
