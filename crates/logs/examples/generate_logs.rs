//! Writes a made-up log: `generate_logs text|json4|json5|json6|json8|profile|bson MEGABYTES FILE`.
#![allow(missing_docs)]

use std::io::{BufWriter, Write};

use marula_core::{Error, ErrorKind, Result};
use marula_logs::generate::mongodb::{Flavour, Options, write};

fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let usage = || Error::new(ErrorKind::Usage, "generate_logs FLAVOUR MEGABYTES FILE");
    let [flavour, megabytes, file] = arguments.as_slice() else { return Err(usage()) };
    let flavour = match flavour.as_str() {
        "text" => Flavour::Text,
        "json4" => Flavour::Json(4),
        "json5" => Flavour::Json(5),
        "json6" => Flavour::Json(6),
        "json8" => Flavour::Json(8),
        "profile" => Flavour::Profile,
        "bson" => Flavour::ProfileBson,
        _ => return Err(usage()),
    };
    let bytes = megabytes.parse::<u64>().map_err(|_| usage())? << 20;
    let mut out = BufWriter::new(std::fs::File::create(file).map_err(Error::from)?);
    let options = Options { seed: 1, flavour, operations: u64::MAX, bytes };
    write(&mut out, &options).and_then(|_| out.flush()).map_err(Error::from)
}
