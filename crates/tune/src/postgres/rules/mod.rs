//! One file per rule. A new rule is its file, and one line in [`RULES`].

mod aggregate_spill;
mod better_wording;
mod bitmap_and;
mod bloated_reads;
mod cte_filter;
mod dirtied_pages;
mod disabled_node;
mod disk_sort;
mod fan_out_distinct;
mod foreign_filter;
mod full_index_probe;
mod generic_plan;
mod hash_spill;
mod heap_fetches;
mod inefficient_index;
mod jit;
mod join_filter;
mod large_top_n;
mod limit_overread;
mod lossy_bitmap;
mod memoize_overflow;
mod misestimate;
mod misplanned_nested_loop;
mod missing_workers;
mod no_parallel;
mod non_sargable;
mod not_subplan;
mod or_join_filter;
mod planning_time;
mod selective_seq_scan;
mod slow_io;
mod stale_statistics;
mod support;
mod temp_files;
mod trigger_time;
mod unhashed_subplan;
mod unindexed_inner;
mod unpruned_append;
mod wide_heap_reads;
mod wrong_order_index;

pub(super) use misestimate::misjudged;

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
    &misplanned_nested_loop::RULE,
    &or_join_filter::RULE,
    &memoize_overflow::RULE,
    &lossy_bitmap::RULE,
    &bitmap_and::RULE,
    &wide_heap_reads::RULE,
    &bloated_reads::RULE,
    &slow_io::RULE,
    &missing_workers::RULE,
    &no_parallel::RULE,
    &jit::RULE,
    &planning_time::RULE,
    &trigger_time::RULE,
    &unpruned_append::RULE,
    &generic_plan::RULE,
    &foreign_filter::RULE,
    &dirtied_pages::RULE,
    &disabled_node::RULE,
    &better_wording::RULE,
];
