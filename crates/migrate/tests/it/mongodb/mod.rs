mod diff;
mod examples;
mod fixes;
mod locks;
mod rehearse;
mod long;
mod stalls;
