//! One file per rule. A new rule is its file, and one line in [`RULES`].

mod aggregate_spill;
mod better_wording;
mod cte_filter;
mod disk_sort;
mod fan_out_distinct;
mod full_index_probe;
mod hash_spill;
mod heap_fetches;
mod inefficient_index;
mod join_filter;
mod large_top_n;
mod limit_overread;
mod misestimate;
mod non_sargable;
mod not_subplan;
mod selective_seq_scan;
mod stale_statistics;
mod support;
mod temp_files;
mod unhashed_subplan;
mod unindexed_inner;
mod wrong_order_index;

use super::Context;
use crate::Rule;

/// Every rule.
pub(super) static RULES: &[&Rule<Context>] = &[
    &selective_seq_scan::RULE,
    &inefficient_index::RULE,
    &wrong_order_index::RULE,
    &misestimate::RULE,
    &stale_statistics::RULE,
    &unindexed_inner::RULE,
    &full_index_probe::RULE,
    &join_filter::RULE,
    &disk_sort::RULE,
    &hash_spill::RULE,
    &aggregate_spill::RULE,
    &temp_files::RULE,
    &heap_fetches::RULE,
    &limit_overread::RULE,
    &large_top_n::RULE,
    &unhashed_subplan::RULE,
    &not_subplan::RULE,
    &cte_filter::RULE,
    &non_sargable::RULE,
    &fan_out_distinct::RULE,
    &better_wording::RULE,
];
