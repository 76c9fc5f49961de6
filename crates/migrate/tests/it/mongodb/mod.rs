mod examples;
mod fixes;
mod locks;
mod rehearse;
mod stalls;
