//! One file per rule. A new rule is its file, and one line in [`RULES`].

mod collection_transaction;
mod commit_quorum;
mod compact;
mod convert_to_unique;
mod ddl_in_transaction;
mod drop_data;
mod drop_used_index;
mod eager_rewrite;
mod foreground_index;
mod growing_document;
mod index_conflict;
mod index_without_limit;
mod long_cursor;
mod many_index_builds;
mod missing_or_null;
mod not_retryable;
mod oplog_window;
mod partial_filter;
mod prepare_unique;
mod rebuild_collection;
mod rename_across_databases;
mod rename_collection;
mod replace_document;
mod server_wide;
mod shard_key;
mod strict_validator;
mod support;
mod throwing_conversion;
mod ttl_index;
mod unbatched_update_many;
mod unique_index;
mod unknown_command;
mod update_while_balancing;
mod validate_command;

use super::Context;
use crate::rule::Rule;

/// Every rule, in the order of their numbers.
pub(super) static RULES: &[&Rule<Context>] = &[
    &index_without_limit::RULE,
    &unbatched_update_many::RULE,
    &throwing_conversion::RULE,
    &replace_document::RULE,
    &unique_index::RULE,
    &prepare_unique::RULE,
    &strict_validator::RULE,
    &validate_command::RULE,
    &drop_used_index::RULE,
    &index_conflict::RULE,
    &ddl_in_transaction::RULE,
    &collection_transaction::RULE,
    &ttl_index::RULE,
    &rename_across_databases::RULE,
    &rename_collection::RULE,
    &commit_quorum::RULE,
    &foreground_index::RULE,
    &many_index_builds::RULE,
    &growing_document::RULE,
    &shard_key::RULE,
    &update_while_balancing::RULE,
    &not_retryable::RULE,
    &long_cursor::RULE,
    &oplog_window::RULE,
    &drop_data::RULE,
    &missing_or_null::RULE,
    &eager_rewrite::RULE,
    &rebuild_collection::RULE,
    &compact::RULE,
    &convert_to_unique::RULE,
    &unknown_command::RULE,
    &partial_filter::RULE,
    &server_wide::RULE,
];
