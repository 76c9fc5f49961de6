mod examples;
mod stalls;
