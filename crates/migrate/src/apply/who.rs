//! Who runs migrations, for whoever waits and for the history.

/// `ann@host (pid 1234)`.
pub(crate) fn who() -> String {
    let set = |name: &str| std::env::var(name).ok().filter(|value| !value.trim().is_empty());
    let user = set("USER").or_else(|| set("LOGNAME")).unwrap_or_else(|| "somebody".into());
    let host = std::fs::read_to_string("/proc/sys/kernel/hostname")
        .ok()
        .map(|name| name.trim().to_string())
        .filter(|name| !name.is_empty())
        .or_else(|| set("HOSTNAME"))
        .unwrap_or_else(|| "localhost".into());
    let host: String = host.chars().take(30).collect();
    let user: String = user.chars().take(16).collect();
    format!("{user}@{host} (pid {})", std::process::id())
}
