mod diff;
mod examples;
mod fixes;
mod locks;
mod long;
mod rehearse;
mod stalls;

/// Whose turn it is on the database `shop`: examples name it, and each test makes it anew.
static TURN: tokio::sync::Mutex<()> = tokio::sync::Mutex::const_new(());
