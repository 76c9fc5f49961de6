//! The rules of all capabilities, for pages and for formats that carry them.

use marula_core::RuleInfo;

/// Every rule: on plans first, then on migrations.
pub fn all() -> Vec<&'static RuleInfo> {
    marula_tune::rules().iter().chain(marula_migrate::rules()).copied().collect()
}
