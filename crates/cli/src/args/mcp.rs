//! `marula mcp` and `marula skill`.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Subcommand, ValueHint};

use crate::duration;

/// `marula mcp`.
#[derive(Debug, Args)]
#[command(after_help = "\
Agents start it over stdin and stdout, with command marula and arguments mcp:
  claude mcp add marula -- marula mcp
  codex mcp add marula -- marula mcp

Targets are the names of marula.toml and the labs that run; an agent can name nothing else. They are
read-only unless the target's own entry says access = \"read-write\"; even then only apply_plan
writes, and only after a person said yes in the agent's own dialogue. logs = [\"/var/log/postgresql\"]
under a target lets analyze_workload read those files.

With --http the token is MARULA_MCP_TOKEN, or what --token-file holds, or a new one that is printed.")]
pub struct Mcp {
    /// Serve HTTP on this address of the loopback instead of stdin: 127.0.0.1:8765; port 0 takes a
    /// free one.
    #[arg(long, value_name = "ADDRESS")]
    pub http: Option<SocketAddr>,
    /// The file of the token for --http; it is made when it is not there.
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath, requires = "http")]
    pub token_file: Option<PathBuf>,
    /// Only these tools, separated by commas [default: all].
    #[arg(long, value_name = "TOOLS", value_delimiter = ',')]
    pub tools: Option<Vec<String>>,
    /// Give up on a single question to a server after this long [default: 60s].
    #[arg(long, value_name = "TIME", value_parser = duration::parse, env = "MARULA_TIMEOUT")]
    #[arg(hide_env_values = true)]
    pub timeout: Option<Duration>,
}

/// `marula skill`.
#[derive(Debug, Subcommand)]
pub enum Skill {
    /// Write the skill where agents look for skills.
    Install(SkillWhere),
    /// Say whether an installed skill still matches this program.
    Check(SkillWhere),
}

/// Where a skill is.
#[derive(Debug, Args)]
#[command(after_help = "\
Without --agent and --dir: the agents that have a folder in the home folder, or ~/.agents/skills when
there is none.")]
pub struct SkillWhere {
    /// The agent it is for; may be repeated.
    #[arg(long, value_enum)]
    pub agent: Vec<Agent>,
    /// A folder of skills, such as .claude/skills of a project.
    #[arg(long, value_name = "FOLDER", value_hint = ValueHint::DirPath, conflicts_with = "agent")]
    pub dir: Option<PathBuf>,
}

/// Agents, by where they look for skills.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Agent {
    /// ~/.agents/skills, where several look.
    Agents,
    /// ~/.claude/skills
    Claude,
    /// ~/.codex/skills
    Codex,
    /// ~/.copilot/skills
    Copilot,
    /// ~/.cursor/skills
    Cursor,
    /// ~/.gemini/skills
    Gemini,
}
