//! The marula program: arguments, targets, renderers. Everything else is in the libraries.

mod app;
mod args;
mod commands;
mod config;
mod duration;
mod exit;
mod log;
mod open;
mod output;
mod progress;
mod render;
mod rules;
mod signals;
mod targets;

use std::io::Write;
use std::process::ExitCode;

use clap::Parser;
use marula_core::redact;

use crate::args::Cli;

/// Plans and statements nest as deep as their authors like, and are read by recursion.
const STACK: usize = 256 << 20;
/// A defect of this program.
const DEFECT: u8 = 70;

fn main() -> ExitCode {
    std::panic::set_hook(Box::new(|panic| {
        let text = redact(&panic.to_string());
        tell(&format!("error: this is a defect of marula, not yours: {text}\n"));
    }));
    let work = std::thread::Builder::new().name("marula".into()).stack_size(STACK).spawn(run);
    match work.map(std::thread::JoinHandle::join) {
        Ok(Ok(code)) => ExitCode::from(code),
        Ok(Err(_)) => ExitCode::from(DEFECT),
        Err(error) => {
            tell(&format!("error: no thread can be started: {error}\n"));
            ExitCode::from(DEFECT)
        }
    }
}

fn run() -> u8 {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            let code = u8::try_from(error.exit_code()).unwrap_or(2);
            let color = clap_message(&error);
            let text = redact(&color);
            if error.use_stderr() {
                tell(&text);
            } else {
                let _ = std::io::stdout().write_all(text.as_bytes());
            }
            return code;
        }
    };
    log::start(&cli.global);
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(4)
        .thread_stack_size(STACK / 8)
        .enable_all()
        .build();
    let runtime = match runtime {
        Ok(runtime) => runtime,
        Err(error) => {
            tell(&format!("error: the program cannot start: {error}\n"));
            return DEFECT;
        }
    };
    let code = runtime.block_on(app::main(cli));
    // What still waits for a server does not keep the user waiting.
    runtime.shutdown_timeout(std::time::Duration::from_secs(2));
    code
}

/// clap's message, coloured only for a terminal that wants it.
fn clap_message(error: &clap::Error) -> String {
    let styled = error.render();
    let terminal = if error.use_stderr() {
        std::io::IsTerminal::is_terminal(&std::io::stderr())
    } else {
        std::io::IsTerminal::is_terminal(&std::io::stdout())
    };
    if terminal && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty()) {
        styled.ansi().to_string()
    } else {
        styled.to_string()
    }
}

/// Writes to stderr; when even that is closed there is nobody to tell.
fn tell(text: &str) {
    let _ = std::io::stderr().write_all(text.as_bytes());
}
