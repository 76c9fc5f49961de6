//! How long a run took by the processor: what a busy machine adds to it is taken out, so that the
//! same work takes the same time on any day.
//!
//! The kernel counts for every process how long it ran and how long it was ready to run and had
//! to wait for a processor. Parallel workers end with their query, and the server process adds
//! theirs to what its children took.

use std::time::Duration;

use marula_postgres::Session;

/// Ticks a second in `/proc`, on every machine Linux runs on today.
const TICKS: f64 = 100.0;

/// What `/proc` counts of a server process and its parent.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Counted {
    /// How long the session's own process ran.
    ran: Duration,
    /// How long it waited for a processor.
    waited: Duration,
    /// How long all children of the server that have ended ran.
    ended: Duration,
}

/// Counts over one run.
pub(super) struct Meter {
    pid: i32,
    server: i32,
    before: Counted,
    /// How many processes a parallel plan of this session has, and processors there are for them.
    processes: f64,
    processors: f64,
}

impl Meter {
    /// Begins to count; `None` where the kernel does not tell, or the server is elsewhere.
    pub async fn start(session: &Session) -> Option<Meter> {
        const ASK: &str = "SELECT pg_backend_pid(),
          current_setting('max_parallel_workers_per_gather')::int4,
          inet_server_addr() IS NULL OR inet_server_addr() <<= '127.0.0.0/8'";
        let row = session.client().query_one(ASK, &[]).await.ok()?;
        let (pid, workers, here): (i32, i32, bool) = (row.get(0), row.get(1), row.get(2));
        here.then_some(())?;
        let server = parent(&std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?)?;
        let before = counted(pid, server)?;
        let processors =
            std::thread::available_parallelism().map_or(1.0, |count| count.get() as f64);
        Some(Meter { pid, server, before, processes: f64::from(workers) + 1.0, processors })
    }

    /// What a run of `clock` milliseconds would have taken with the processors to itself.
    pub async fn undisturbed(self, session: &Session, clock: f64) -> f64 {
        // Workers are gone, and counted, before the session answers the next question.
        if session.client().simple_query("").await.is_err() {
            return clock;
        }
        let Some(after) = counted(self.pid, self.server) else { return clock };
        let ms = |duration: Duration| duration.as_secs_f64() * 1000.0;
        let ran = ms(after.ran.saturating_sub(self.before.ran));
        let waited = ms(after.waited.saturating_sub(self.before.waited));
        let workers = ms(after.ended.saturating_sub(self.before.ended));
        quiet(clock, (ran, waited, workers), self.processes, self.processors)
    }
}

/// The time of a run on a machine with nothing else to do, in milliseconds.
fn quiet(
    clock: f64,
    (ran, waited, workers): (f64, f64, f64),
    processes: f64,
    processors: f64,
) -> f64 {
    let alone = (clock - waited).max(ran);
    // The kernel counts the ended in hundredths of a second.
    if workers < 15.0 || processes < 2.0 {
        return alone.min(clock);
    }
    // The leader does an equal share of what is done in parallel, and the rest by itself.
    let together = workers * processes / (processes - 1.0);
    let own = (ran - together / processes).max(0.0);
    (own + together / processes.min(processors)).max(ran).min(clock)
}

fn counted(pid: i32, server: i32) -> Option<Counted> {
    let own = std::fs::read_to_string(format!("/proc/{pid}/schedstat")).ok()?;
    let mut numbers = own.split_whitespace().map(|number| number.parse::<u64>().ok());
    let (ran, waited) = (numbers.next()??, numbers.next()??);
    let server = std::fs::read_to_string(format!("/proc/{server}/stat")).ok()?;
    let fields = fields(&server)?;
    // Time of ended children, in user mode and in the kernel's: 16 and 17 of all fields.
    let ticks: u64 = fields.get(13)?.parse::<u64>().ok()? + fields.get(14)?.parse::<u64>().ok()?;
    Some(Counted {
        ran: Duration::from_nanos(ran),
        waited: Duration::from_nanos(waited),
        ended: Duration::from_secs_f64(ticks as f64 / TICKS),
    })
}

/// The fields behind the command's name, which may hold anything; the first is the state.
fn fields(stat: &str) -> Option<Vec<&str>> {
    Some(stat.rsplit_once(')')?.1.split_whitespace().collect())
}

fn parent(stat: &str) -> Option<i32> {
    fields(stat)?.get(1)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waiting_for_a_processor_is_not_counted() {
        assert_eq!(quiet(1000.0, (200.0, 750.0, 0.0), 3.0, 2.0), 250.0);
        // Three processes did 300 ms each, and the leader 100 ms by itself: on two processors
        // that takes 100 + 900 / 2.
        assert_eq!(quiet(4000.0, (400.0, 2000.0, 600.0), 3.0, 2.0), 550.0);
        // Never longer than the clock says, nor shorter than the leader ran.
        assert_eq!(quiet(500.0, (400.0, 0.0, 600.0), 3.0, 2.0), 500.0);
        assert_eq!(quiet(2000.0, (900.0, 0.0, 20.0), 3.0, 8.0), 900.0);
    }

    #[test]
    fn a_name_with_brackets_and_blanks_does_not_shift_the_fields() {
        let stat = "77 (a ) b) S 12 77 77 0 -1 0 1 2 3 4 50 60 70 80 20 0";
        assert_eq!(parent(stat), Some(12));
        assert_eq!(fields(stat).and_then(|fields| fields.get(13).copied()), Some("70"));
    }

    #[tokio::test]
    async fn this_process_is_counted() {
        let own = i32::try_from(std::process::id()).unwrap_or(0);
        if std::path::Path::new("/proc/self/schedstat").exists() {
            assert!(counted(own, own).is_some());
        }
    }
}
