//! Names that are refused wherever they stand, whatever schema is written before them.

/// Why a function of that name is refused; `None` when it is not, or only the catalogue can tell.
pub(super) fn function(name: &str) -> Option<&'static str> {
    let name = name.to_lowercase();
    if EXACT_HARMLESS.contains(&name.as_str()) {
        return None;
    }
    RULES
        .iter()
        .find(|(_, names)| {
            names.iter().any(|listed| match listed.strip_suffix('*') {
                Some(prefix) => name.starts_with(prefix),
                None => name == *listed,
            })
        })
        .map(|(reason, _)| *reason)
}

/// Why a relation of that name is refused.
pub(super) fn relation(name: &str) -> Option<&'static str> {
    match name.to_lowercase().as_str() {
        "pg_authid" | "pg_shadow" | "pg_user_mapping" | "pg_user_mappings" => Some("holds secrets"),
        "pg_file_settings" | "pg_hba_file_rules" | "pg_ident_file_mappings" => {
            Some("reads the server's files")
        }
        "pg_largeobject" => Some("holds large objects"),
        _ => None,
    }
}

/// Fit a pattern below and do no harm.
const EXACT_HARMLESS: &[&str] =
    &["pg_logical_slot_get_origin", "txid_current_if_assigned", "txid_current_snapshot"];

#[rustfmt::skip]
const RULES: &[(&str, &[&str])] = &[
    ("reads the server's files", &[
        "pg_read_file*", "pg_read_binary_file*", "pg_stat_file*", "pg_ls_*", "pg_hba_file_rules",
        "pg_ident_file_mappings", "pg_show_all_file_settings", "pg_file_*", "pg_logdir_ls",
        "pg_get_wal_*", "pg_walinspect*", "load_file",
        "get_raw_page*", "pg_relation_check_pages",
    ]),
    ("reads or writes large objects and files", &["lo_*", "loread", "lowrite", "lo_import*", "lo_export*"]),
    ("runs a text as SQL", &[
        "query_to_xml*", "cursor_to_xml*", "table_to_xml*", "schema_to_xml*", "database_to_xml*",
        "ts_stat", "ts_rewrite", "dblink*", "crosstab*", "connectby", "xpath_table", "xslt_process",
        "pg_background_*", "plpgsql_call_handler", "plpgsql_inline_handler",
        "plpgsql_validator", "pldbg_*", "postgres_fdw_*", "cron_*", "schedule", "schedule_in_database",
        "unschedule", "http", "http_*", "aws_s3*", "aws_lambda*", "hypopg*",
    ]),
    ("waits", &["pg_sleep*", "pg_isolation_test_*", "pg_wal_replay_wait", "pg_wait_*"]),
    ("changes settings", &["set_config", "set_limit", "pg_reload_conf", "set_curcfg", "set_config_by_name"]),
    ("signals server processes", &[
        "pg_terminate_backend", "pg_cancel_backend", "pg_log_backend_memory_contexts",
        "pg_log_standby_snapshot", "pg_rotate_logfile*", "pg_promote",
    ]),
    ("takes locks", &["pg_advisory_*", "pg_try_advisory_*"]),
    ("notifies other sessions", &["pg_notify"]),
    ("writes", &[
        "nextval", "setval", "pg_nextoid", "txid_current", "pg_current_xact_id", "pg_create_*",
        "pg_drop_*", "pg_copy_physical*", "pg_copy_logical*", "pg_replication_*",
        "pg_logical_*", "pg_sync_replication_slots", "pg_alter_*", "pg_switch_wal", "pg_switch_xlog",
        "pg_wal_replay_pause", "pg_wal_replay_resume", "pg_backup_start", "pg_backup_stop",
        "pg_start_backup", "pg_stop_backup", "pg_export_snapshot", "pg_stat_reset*",
        "pg_stat_statements_reset", "pg_stat_force_next_flush", "pg_stat_kcache_reset", "pg_qualstats_reset", "pg_import_system_collations",
        "pg_restore_*", "pg_clear_*", "pg_set_*", "pg_extension_config_dump", "pg_event_trigger_*",
        "binary_upgrade_*", "brin_summarize_*", "brin_desummarize_*", "gin_clean_pending_list",
        "pg_prewarm", "autoprewarm_*", "pg_buffercache_evict*", "pg_buffercache_mark*", "pg_truncate_visibility_map",
        "pg_surgery*", "heap_force_*", "pg_stop_making_pinned_objects", "pg_start_making_pinned_objects",
        "addgeometrycolumn", "dropgeometrycolumn", "dropgeometrytable",
        "updategeometrysrid", "populate_geometry_columns", "create_hypertable", "injection_points_*",
        "ri_fkey_*",
    ]),
];
