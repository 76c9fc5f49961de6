use std::path::Path;

use marula_core::{Error, ErrorKind, Result};

use super::keywords::Parameters;
use super::spec::HostSpec;

/// Where libpq looks for a socket when no host is given, by distribution.
pub(super) const DEFAULT_SOCKETS: &[&str] = &["/var/run/postgresql", "/run/postgresql", "/tmp"];

/// The servers to try: `host`, `hostaddr` and `port` are lists that go together.
pub(super) fn hosts(parameters: &Parameters) -> Result<Vec<HostSpec>> {
    let list = |key: &str| -> Vec<&str> {
        parameters
            .get(key)
            .map(|value| value.split(',').map(str::trim).collect())
            .unwrap_or_default()
    };
    let (names, addresses, ports) = (list("host"), list("hostaddr"), list("port"));
    let count = names.len().max(addresses.len()).max(1);
    if ports.len() > 1 && ports.len() != count {
        return Err(Error::new(
            ErrorKind::Usage,
            format!("there are {} ports for {count} hosts", ports.len()),
        )
        .hint("give one port for all hosts, or one for each"));
    }
    if !names.is_empty() && !addresses.is_empty() && names.len() != addresses.len() {
        return Err(Error::new(ErrorKind::Usage, "host and hostaddr have different lengths")
            .hint("give one address for each host"));
    }
    (0..count)
        .map(|number| {
            let port = ports.get(number).or(ports.first()).copied().unwrap_or("");
            let port = match port {
                "" => 5432,
                text => text.parse().ok().filter(|port| *port != 0).ok_or_else(|| {
                    Error::new(ErrorKind::Usage, format!("'{text}' is not a port"))
                        .hint("write a number from 1 to 65535")
                })?,
            };
            let address = match addresses.get(number).copied().filter(|text| !text.is_empty()) {
                Some(text) => Some(text.parse::<std::net::IpAddr>().map_err(|_| {
                    Error::new(ErrorKind::Usage, format!("hostaddr '{text}' is not an address"))
                        .hint("write it like 127.0.0.1 or ::1")
                })?),
                None => None,
            };
            let name = names.get(number).copied().filter(|name| !name.is_empty());
            let host = match (name, address) {
                // An abstract socket (@) is not supported by the driver; it fails as unreachable.
                (Some(name), _) => name.to_string(),
                (None, Some(address)) => address.to_string(),
                (None, None) => default_socket(port).to_string(),
            };
            Ok(HostSpec { host, address, port, password: None })
        })
        .collect()
}

fn default_socket(port: u16) -> &'static str {
    let there = |dir: &&&str| Path::new(dir).join(format!(".s.PGSQL.{port}")).exists();
    DEFAULT_SOCKETS.iter().find(there).copied().unwrap_or("/var/run/postgresql")
}
