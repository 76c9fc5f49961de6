mod diff;
mod examples;
mod fixes;
mod locks;
mod long;
mod rehearse;
mod stalls;
