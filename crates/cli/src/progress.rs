//! Long work shows itself on stderr, when that is a terminal.

use std::sync::Mutex;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use marula_core::Progress;

/// A spinner with the current step, and a bar when the step knows its end.
pub struct Terminal {
    bar: ProgressBar,
    total: Mutex<u64>,
}

impl Terminal {
    /// One that shows itself, or one that does not.
    pub fn new(visible: bool) -> Self {
        let target =
            if visible { ProgressDrawTarget::stderr() } else { ProgressDrawTarget::hidden() };
        let bar = ProgressBar::with_draw_target(None, target).with_style(spinner());
        if visible {
            bar.enable_steady_tick(Duration::from_millis(120));
        }
        Terminal { bar, total: Mutex::new(0) }
    }

    /// Takes it off the screen.
    pub fn clear(&self) {
        self.bar.finish_and_clear();
    }

    fn expect(&self, total: u64) {
        let mut known = match self.total.lock() {
            Ok(known) => known,
            Err(poisoned) => poisoned.into_inner(),
        };
        if *known != total {
            *known = total;
            self.bar.set_style(if total > 0 { with_bar() } else { spinner() });
            self.bar.set_length(total);
        }
    }
}

impl Progress for Terminal {
    fn step(&self, what: &str) {
        self.expect(0);
        self.bar.set_message(marula_core::redact(&crate::render::text::flat(what)));
    }

    fn advance(&self, done: u64, total: u64) {
        self.expect(total);
        self.bar.set_position(done);
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        self.clear();
    }
}

fn spinner() -> ProgressStyle {
    ProgressStyle::with_template("{spinner} {elapsed} {wide_msg}")
        .unwrap_or_else(|_| ProgressStyle::default_spinner())
}

fn with_bar() -> ProgressStyle {
    ProgressStyle::with_template("{spinner} {elapsed} {msg} {wide_bar} {human_pos}/{human_len}")
        .unwrap_or_else(|_| ProgressStyle::default_bar())
}
