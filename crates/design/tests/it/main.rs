//! Rules on designs, on real servers.
#![allow(clippy::unwrap_used, clippy::panic, missing_docs)]

mod infer;
mod mongodb;
mod postgres;
<<<<<<< HEAD
mod schema;
=======
mod trials;
>>>>>>> c25a342 (Designs of a shop are tried on both engines)
