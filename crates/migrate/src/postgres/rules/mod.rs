//! One file per rule. A new rule is its file, and one line in [`RULES`].

mod add_check;
mod add_column;
mod add_column_check;
mod add_column_domain;
mod add_column_identity;
mod add_column_not_null;
mod add_column_references;
mod add_column_stored;
mod add_column_unique;
mod add_column_virtual;
mod add_column_volatile_default;
mod add_exclusion;
mod add_foreign_key;
mod add_primary_key;
mod add_unique;
mod alter_constraint;
mod attach_partition;
mod change_collation;
mod change_type;
mod change_type_compatible;
mod change_type_timestamptz;
mod column_default;
mod concurrently_if_not_exists;
mod concurrently_in_transaction;
mod concurrently_lock_timeout;
mod create_index;
mod create_partition;
mod create_table_references;
mod detach_partition;
mod domain_constraint;
mod drop_column;
mod drop_foreign_key;
mod drop_index;
mod drop_trigger;
mod enum_value_in_transaction;
mod foreign_key_partitioned;
mod full_rewrite;
mod held_lock;
mod not_null_not_valid;
mod partition_beside_default;
mod primary_key_nullable;
mod refresh_materialized_view;
mod rename;
mod rename_index;
mod replace_view;
mod result_type;
mod set_expression;
mod set_not_null;
mod support;
mod table_definition;
mod table_options;
mod trigger;
mod truncate;
mod unbatched_update;
mod validate_under_lock;

use super::Context;
use crate::rule::Rule;

/// Every rule, in the order of their numbers; the one on held locks looks at what the others
/// found, and comes last.
pub(super) static RULES: &[&Rule<Context>] = &[
    &add_column::RULE,
    &add_column_volatile_default::RULE,
    &add_column_identity::RULE,
    &add_column_stored::RULE,
    &add_column_virtual::RULE,
    &add_column_domain::RULE,
    &add_column_not_null::RULE,
    &add_column_check::RULE,
    &add_column_unique::RULE,
    &add_column_references::RULE,
    &drop_column::RULE,
    &rename::RULE,
    &rename_index::RULE,
    &column_default::RULE,
    &set_not_null::RULE,
    &validate_under_lock::RULE,
    &not_null_not_valid::RULE,
    &add_primary_key::RULE,
    &primary_key_nullable::RULE,
    &add_unique::RULE,
    &add_exclusion::RULE,
    &add_check::RULE,
    &add_foreign_key::RULE,
    &foreign_key_partitioned::RULE,
    &create_table_references::RULE,
    &drop_foreign_key::RULE,
    &alter_constraint::RULE,
    &change_type::RULE,
    &change_type_compatible::RULE,
    &change_type_timestamptz::RULE,
    &change_collation::RULE,
    &result_type::RULE,
    &create_index::RULE,
    &concurrently_lock_timeout::RULE,
    &concurrently_if_not_exists::RULE,
    &concurrently_in_transaction::RULE,
    &drop_index::RULE,
    &full_rewrite::RULE,
    &partition_beside_default::RULE,
    &create_partition::RULE,
    &attach_partition::RULE,
    &detach_partition::RULE,
    &enum_value_in_transaction::RULE,
    &domain_constraint::RULE,
    &trigger::RULE,
    &drop_trigger::RULE,
    &table_definition::RULE,
    &table_options::RULE,
    &refresh_materialized_view::RULE,
    &set_expression::RULE,
    &truncate::RULE,
    &unbatched_update::RULE,
    &replace_view::RULE,
    &held_lock::RULE,
];
