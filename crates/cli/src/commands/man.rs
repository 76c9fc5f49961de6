//! `marula man`.

use std::path::Path;

use clap::CommandFactory;
use marula_core::{Error, ErrorKind, Result};

use crate::app::Outcome;
use crate::args::Cli;

/// The main page as roff, or all pages in a folder.
pub fn run(dir: Option<&Path>) -> Result<Outcome> {
    let command = Cli::command();
    let Some(dir) = dir else {
        let mut out = Vec::new();
        clap_mangen::Man::new(command).render(&mut out)?;
        return Ok(Outcome::Text(String::from_utf8_lossy(&out).into_owned()));
    };
    clap_mangen::generate_to(command, dir).map_err(|error| {
        Error::new(ErrorKind::Io, format!("the pages cannot be written: {error}"))
            .at(dir.display().to_string())
            .hint("name a folder that is there and can be written to")
    })?;
    Ok(Outcome::Text(String::new()))
}
