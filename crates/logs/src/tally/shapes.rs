use std::sync::{Arc, Mutex, PoisonError};

use rustc_hash::FxHashMap;

use crate::Shape;

/// Shapes known so far by the hash of their text modulo values, shared by all threads. A shape
/// is a function of its key alone, so it does not matter who computes it.
#[derive(Default)]
pub struct Shapes {
    known: Mutex<Known>,
}

#[derive(Default)]
struct Known {
    shapes: FxHashMap<u64, Arc<Shape>>,
    bytes: usize,
}

/// Shapes kept and the bytes of their texts; beyond either the cache starts anew.
const KEPT: usize = 20_000;
const BYTES: usize = 16 << 20;

impl Shapes {
    /// The shape of `key`, computed when it is not known.
    pub fn get(&self, key: u64, shape: impl FnOnce() -> Shape) -> Arc<Shape> {
        let known = |shapes: &Self| {
            shapes.known.lock().unwrap_or_else(PoisonError::into_inner).shapes.get(&key).cloned()
        };
        if let Some(shape) = known(self) {
            return shape;
        }
        // Computed outside the lock: others go on meanwhile.
        let shape = Arc::new(shape());
        let mut all = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if all.shapes.len() >= KEPT || all.bytes >= BYTES {
            *all = Known::default();
        }
        all.bytes += shape.text.len() + 200;
        all.shapes.insert(key, Arc::clone(&shape));
        shape
    }
}
