//! One file per rule (those on what texts look like share one). A new rule is its file, and one
//! line in [`RULES`].

mod arbitrary_length;
mod entity_attribute_value;
mod enumeration_as_text;
mod foreign_key_type_mismatch;
mod foreign_key_without_index;
mod invalid_index;
mod json_type;
mod key_runs_out;
mod looks_like;
mod mandatory_cycle;
mod money_in_float;
mod money_type;
mod natural_key_without_unique;
mod no_primary_key;
mod nullable_without_nulls;
mod numbered_tables;
mod padded_text;
mod place_in_two_numbers;
mod polymorphic_reference;
mod quoted_name;
mod random_key;
mod reference_without_foreign_key;
mod repeated_columns;
mod serial_column;
mod soft_delete_unique;
mod support;
mod table_inheritance;
mod tenant_without_row_security;
mod time_with_zone;
mod timestamp_without_zone;
mod too_many_indexes;
mod unique_over_nullable;
mod unvalidated_constraint;
mod values_differ_in_case;
mod wide_table;

use support::Check;

/// Every rule.
pub(super) static RULES: &[&Check] = &[
    &no_primary_key::RULE,
    &foreign_key_without_index::RULE,
    &reference_without_foreign_key::RULE,
    &foreign_key_type_mismatch::RULE,
    &mandatory_cycle::RULE,
    &polymorphic_reference::RULE,
    &money_in_float::RULE,
    &money_type::RULE,
    &timestamp_without_zone::RULE,
    &time_with_zone::RULE,
    &padded_text::RULE,
    &arbitrary_length::RULE,
    &enumeration_as_text::RULE,
    &values_differ_in_case::RULE,
    &looks_like::UUID,
    &looks_like::DATE,
    &looks_like::TIMESTAMP,
    &looks_like::NUMBER,
    &looks_like::BOOLEAN,
    &looks_like::JSON,
    &looks_like::LIST,
    &json_type::RULE,
    &entity_attribute_value::RULE,
    &repeated_columns::RULE,
    &numbered_tables::RULE,
    &table_inheritance::RULE,
    &wide_table::RULE,
    &too_many_indexes::RULE,
    &invalid_index::RULE,
    &unvalidated_constraint::RULE,
    &unique_over_nullable::RULE,
    &natural_key_without_unique::RULE,
    &soft_delete_unique::RULE,
    &nullable_without_nulls::RULE,
    &quoted_name::RULE,
    &key_runs_out::RULE,
    &serial_column::RULE,
    &random_key::RULE,
    &tenant_without_row_security::RULE,
    &place_in_two_numbers::RULE,
];
