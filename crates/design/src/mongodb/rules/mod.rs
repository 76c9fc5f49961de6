//! One file per rule (those on what texts look like share one). A new rule is its file, and one
//! line in [`RULES`].

mod arrays_in_arrays;
mod awkward_field_names;
mod collection_per_tenant;
mod database_references;
mod deep_nesting;
mod indexes_outweigh_data;
mod kinds_without_a_name;
mod large_documents;
mod large_id;
mod long_field_names;
mod looks_like;
mod many_collections;
mod many_indexes;
mod measurements_one_by_one;
mod mixed_types;
mod money_in_double;
mod natural_key_not_unique;
mod near_document_limit;
mod no_validator;
mod null_and_missing;
mod outlier_array;
mod reference_type_mismatch;
mod reference_without_index;
mod repeated_fields;
mod strings_differ_in_case;
mod support;
mod ttl_without_dates;
mod unbounded_array;
mod validator_only_warns;
mod values_as_field_names;

use support::Check;

/// Every rule.
pub(super) static RULES: &[&Check] = &[
    &unbounded_array::RULE,
    &outlier_array::RULE,
    &large_documents::RULE,
    &near_document_limit::RULE,
    &values_as_field_names::RULE,
    &mixed_types::RULE,
    &reference_type_mismatch::RULE,
    &reference_without_index::RULE,
    &ttl_without_dates::RULE,
    &natural_key_not_unique::RULE,
    &money_in_double::RULE,
    &looks_like::DATE,
    &looks_like::NUMBER,
    &looks_like::OBJECT_ID,
    &looks_like::BOOLEAN,
    &looks_like::JSON,
    &looks_like::LIST,
    &strings_differ_in_case::RULE,
    &null_and_missing::RULE,
    &kinds_without_a_name::RULE,
    &collection_per_tenant::RULE,
    &many_collections::RULE,
    &many_indexes::RULE,
    &indexes_outweigh_data::RULE,
    &no_validator::RULE,
    &validator_only_warns::RULE,
    &repeated_fields::RULE,
    &arrays_in_arrays::RULE,
    &deep_nesting::RULE,
    &awkward_field_names::RULE,
    &database_references::RULE,
    &large_id::RULE,
    &long_field_names::RULE,
    &measurements_one_by_one::RULE,
];
