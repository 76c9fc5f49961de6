use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use marula_core::{Progress, SourceRead};

use super::intake::{Event, Intake};
use crate::sum::Sum;
use crate::tally::Scope;
use crate::{Edges, Format, Place, Tally};

/// The most threads that read: beyond that memory would not hold.
const THREADS: usize = 16;

/// An event whose chunk is read.
enum Done {
    Source(Box<SourceRead>),
    Chunk(Box<(Arc<dyn Format>, Place, Tally, Edges)>),
    End { format: Arc<dyn Format>, trouble: Option<String> },
}

/// Where the threads meet. Each takes a chunk out of the intake, reads it, and adds up what is
/// next in order: no thread but they has anything to do, so `n` of them keep `n` cores busy.
struct Line<'a> {
    /// What is left to read, and its number.
    intake: Mutex<(u64, Intake<'a>)>,
    order: Mutex<Order>,
    /// Something was added up.
    moved: Condvar,
    merger: Mutex<Merger>,
    /// How far ahead of the sum may be read: what waits takes memory.
    ahead: u64,
}

/// What is read and waits for what stands before it.
#[derive(Default)]
struct Order {
    waiting: BTreeMap<u64, Done>,
    next: u64,
    /// A thread is adding up; it will see what is put to wait meanwhile.
    merging: bool,
    /// A thread panicked: nothing will move any more.
    stopped: bool,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Reads all files and adds them up, with `threads` readers.
pub(crate) fn run(
    files: &[PathBuf],
    prefix: Option<&str>,
    scope: &Arc<Scope>,
    threads: usize,
    chunk: usize,
    progress: &dyn Progress,
) -> Sum {
    let threads = threads.clamp(1, THREADS);
    let merger = Merger { sum: Sum::default(), open: None, scope: Arc::clone(scope) };
    let line = Line {
        intake: Mutex::new((0, Intake::new(files, prefix, chunk, progress))),
        order: Mutex::default(),
        moved: Condvar::new(),
        merger: Mutex::new(merger),
        ahead: 2 * threads as u64 + 2,
    };
    std::thread::scope(|others| {
        for _ in 1..threads {
            others.spawn(|| line.work(scope));
        }
        line.work(scope);
    });
    line.merger.into_inner().unwrap_or_else(PoisonError::into_inner).sum
}

/// Lets the other threads go when this one panics.
struct Alarm<'l, 'a>(&'l Line<'a>);

impl Drop for Alarm<'_, '_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            lock(&self.0.order).stopped = true;
            self.0.moved.notify_all();
        }
    }
}

impl Line<'_> {
    fn work(&self, scope: &Arc<Scope>) {
        let _alarm = Alarm(self);
        let mut buffer = None;
        while let Some((number, event)) = self.take(buffer.take()) {
            let done = match event {
                Event::Source(read) => Done::Source(read),
                Event::Chunk { format, place, bytes } => {
                    let mut tally = Tally::new(Arc::clone(scope), place);
                    let edges = format.read(&bytes, place, &mut tally);
                    tally.measure(&bytes);
                    buffer = Some(bytes);
                    Done::Chunk(Box::new((format, place, tally, edges)))
                }
                Event::End { format, trouble } => Done::End { format, trouble },
            };
            self.put(number, done);
        }
    }

    /// What is next to be read. Waits until the sum is near enough.
    fn take(&self, buffer: Option<Vec<u8>>) -> Option<(u64, Event)> {
        let mut intake = lock(&self.intake);
        let (number, files) = &mut *intake;
        if let Some(buffer) = buffer {
            files.give_back(buffer);
        }
        let mut order = lock(&self.order);
        while *number >= order.next + self.ahead && !order.stopped {
            order = self.moved.wait(order).unwrap_or_else(PoisonError::into_inner);
        }
        if order.stopped {
            return None;
        }
        drop(order);
        let event = files.next()?;
        *number += 1;
        Some((*number - 1, event))
    }

    /// Adds up what is next in order, whatever order it arrives in.
    fn put(&self, number: u64, done: Done) {
        let mut order = lock(&self.order);
        order.waiting.insert(number, done);
        if order.merging {
            return;
        }
        order.merging = true;
        loop {
            let next = order.next;
            let Some(done) = order.waiting.remove(&next) else { break };
            drop(order);
            lock(&self.merger).take(done);
            order = lock(&self.order);
            order.next += 1;
            self.moved.notify_all();
        }
        order.merging = false;
    }
}

struct Merger {
    sum: Sum,
    open: Edges,
    scope: Arc<Scope>,
}

impl Merger {
    fn take(&mut self, done: Done) {
        match done {
            Done::Source(read) => self.sum.begin_source(*read),
            Done::Chunk(chunk) => {
                let (format, place, tally, edges) = *chunk;
                let mut seam = Tally::new(Arc::clone(&self.scope), place);
                let open = self.open.take();
                if open.is_some() || edges.is_some() {
                    self.open = format.stitch(open, edges, &mut seam);
                }
                self.sum.add_seam(seam);
                self.sum.add(tally);
            }
            Done::End { format, trouble } => {
                let open = self.open.take();
                if open.is_some() {
                    let mut seam = Tally::new(Arc::clone(&self.scope), Place::default());
                    format.finish(open, &mut seam);
                    self.sum.add_seam(seam);
                }
                if let Some(source) = self.sum.source() {
                    source.ended = trouble;
                }
            }
        }
    }
}
