//! The words some flags take.

use clap::ValueEnum;
use marula_core::Severity;
use serde::Deserialize;

/// How a result is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Format {
    /// For people, at the terminal's width.
    Human,
    /// The report, under a published schema.
    Json,
    /// For pull requests and tickets.
    Markdown,
    /// For code scanning (SARIF 2.1.0).
    Sarif,
    /// Annotations of a GitHub workflow run.
    Github,
    /// Code quality issues for GitLab.
    Gitlab,
    /// Test results (JUnit XML), for every other CI.
    Junit,
    /// One page with charts or a diagram, for a browser (logs, model show).
    Html,
    /// The table of statements (logs).
    Csv,
    /// A Mermaid erDiagram (model show).
    Mermaid,
    /// DBML (model show).
    Dbml,
    /// A picture (model show).
    Svg,
    /// The model as a file (model show).
    Yaml,
}

/// When to colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Color {
    /// On a terminal, unless NO_COLOR is set.
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

/// Where proposals are proved.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Prove {
    /// On a throw-away server.
    Lab,
    /// With hypothetical indexes on the target.
    WhatIf,
    /// Not at all.
    Off,
}

/// The least severity that makes the exit code 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum FailOn {
    /// Every finding.
    Info,
    /// Low and above.
    Low,
    /// Medium and above.
    Medium,
    /// Only high.
    High,
    /// No finding.
    Never,
}

impl FailOn {
    /// Whether a finding of `severity` makes the exit code 1.
    pub fn is_reached_by(self, severity: Severity) -> bool {
        match self {
            FailOn::Info => true,
            FailOn::Low => severity >= Severity::Low,
            FailOn::Medium => severity >= Severity::Medium,
            FailOn::High => severity >= Severity::High,
            FailOn::Never => false,
        }
    }
}

/// Data a lab can be filled with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Data {
    /// An online shop: customers, orders, items, products, payments, reviews, events.
    Shop,
}
