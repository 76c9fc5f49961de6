//! Functions that the server calls volatile though they change nothing.

/// Whether a volatile function of the system or an extension does no harm.
pub(super) fn is_harmless(name: &str) -> bool {
    HARMLESS.iter().any(|listed| match listed.strip_suffix('*') {
        Some(prefix) => name.starts_with(prefix),
        None => name == *listed,
    })
}

#[rustfmt::skip]
const HARMLESS: &[&str] = &[
    // Chance and clocks.
    "random", "random_normal", "setseed", "clock_timestamp", "timeofday", "gen_random_uuid",
    "gen_random_bytes", "gen_salt", "uuidv4", "uuidv7", "uuid_generate_*", "normal_rand",
    // Sizes and places of relations.
    "pg_relation_size", "pg_table_size", "pg_indexes_size", "pg_total_relation_size",
    "pg_database_size", "pg_tablespace_size", "pg_tablespace_databases", "pg_column_size",
    // Statistics and state, read only.
    "pg_stat_get_*", "pg_stat_statements", "pg_stat_statements_info", "pg_stat_clear_snapshot",
    "pg_lock_status", "pg_blocking_pids", "pg_safe_snapshot_blocking_pids", "pg_prepared_xact",
    "pg_prepared_statement", "pg_cursor", "pg_listening_channels", "pg_show_all_settings",
    "pg_show_replication_origin_status", "pg_get_shmem_allocations*", "pg_get_backend_memory_contexts",
    "pg_get_multixact_members", "pg_get_replication_slots", "pg_stat_file_settings",
    "pg_current_wal_*", "pg_last_*", "pg_is_in_recovery", "pg_is_in_backup", "pg_is_wal_replay_paused",
    "pg_get_wal_replay_pause_state", "pg_backup_start_time", "pg_current_snapshot", "pg_current_logfile",
    "pg_notification_queue_usage", "pg_control_*", "pg_xact_status", "pg_xact_commit_timestamp",
    "pg_partition_*", "pg_timezone_names", "pg_timezone_abbrevs*", "pg_config", "pg_get_aios",
    "pgstattuple*", "pgstatindex", "pgstatginindex", "pgstathashindex", "pg_relpages",
    "pg_buffercache_pages", "pg_buffercache_summary", "pg_buffercache_usage_counts", "pg_freespace",
    "pg_visibility*", "currval", "lastval", "pg_sequence_last_value", "pg_get_sequence_data",
    "pg_input_is_valid", "pg_input_error_info", "pg_jit_available", "txid_current_if_assigned",
    "pg_current_xact_id_if_assigned", "txid_snapshot_*", "inet_*", "pg_trigger_depth", "pg_my_temp_schema",
    // Sampling.
    "system", "bernoulli", "system_rows", "system_time",
    // Vetted extensions.
    "st_*", "postgis_*", "hypopg_list_indexes", "similarity*", "word_similarity*", "show_limit",
    "time_bucket*", "pg_stat_kcache", "pg_wait_sampling_get_*",
];
