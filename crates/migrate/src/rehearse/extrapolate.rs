//! From the copy's size to the target's.

use marula_core::{Extrapolation, MigrationWork};

/// What is known of the object in both places.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Sizes {
    /// Rows or documents of the copy.
    pub copy_rows: f64,
    /// Rows or documents of the target.
    pub target_rows: f64,
}

/// What work that took `ms` here takes there, `blocked_ms` of it under a lock that stops others.
///
/// Scans and rewrites grow with the rows; a build sorts, and grows with rows × log rows.
pub(crate) fn to_target(
    work: MigrationWork,
    ms: f64,
    blocked_ms: f64,
    sizes: Sizes,
) -> Option<Extrapolation> {
    let (copy, target) = (sizes.copy_rows.max(1.0), sizes.target_rows);
    if work == MigrationWork::None || target < 1.0 {
        return None;
    }
    let linear = target / copy;
    let (factor, law) = match work {
        MigrationWork::Build => (
            linear * (target.max(2.0).ln() / copy.max(2.0).ln()),
            "rows × log rows, as a sort does",
        ),
        _ => (linear, "the rows"),
    };
    let what = match work {
        MigrationWork::Scan => "reading",
        MigrationWork::Build => "building",
        _ => "writing",
    };
    let how = if (linear - 1.0).abs() < 0.005 {
        format!("{what} took {ms:.0} ms for as many rows as the target has, on this machine")
    } else {
        format!(
            "{what} {copy:.0} rows took {ms:.0} ms here ({:.0} rows a second); the target has \
             {target:.0}, and the work grows with {law}; its disks, cache and load may differ",
            copy / (ms / 1e3).max(1e-6)
        )
    };
    Some(Extrapolation {
        rows: target as u64,
        duration_ms: ms * factor,
        blocked_ms: blocked_ms * factor,
        how,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scan_grows_with_the_rows_and_a_build_a_little_more() {
        let sizes = Sizes { copy_rows: 1e5, target_rows: 1e7 };
        let scan = to_target(MigrationWork::Scan, 50.0, 50.0, sizes).map(|e| e.duration_ms);
        assert_eq!(scan, Some(5_000.0));
        let build = to_target(MigrationWork::Build, 50.0, 0.0, sizes);
        let build = build.map(|e| (e.duration_ms.round(), e.blocked_ms));
        assert_eq!(build, Some((7_000.0, 0.0)));
        assert!(to_target(MigrationWork::None, 50.0, 0.0, sizes).is_none());
    }
}
