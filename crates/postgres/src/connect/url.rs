use marula_core::{Error, ErrorKind, Result};

use super::keywords::{Parameters, known};

/// Reads `postgresql://user:password@host:port,host2:port2/dbname?option=value`.
pub(super) fn parse(rest: &str) -> Result<Parameters> {
    let mut found = Parameters::new();
    let (rest, query) = match rest.split_once('?') {
        Some((rest, query)) => (rest, Some(query)),
        None => (rest, None),
    };
    let (authority, database) = match rest.split_once('/') {
        Some((authority, database)) => (authority, Some(database)),
        None => (rest, None),
    };
    let (account, hosts) = match authority.rsplit_once('@') {
        Some((account, hosts)) => (Some(account), hosts),
        None => (None, authority),
    };
    let mut put = |key: &str, value: String| {
        if !value.is_empty() {
            found.insert(key.to_string(), value);
        }
    };
    if let Some(account) = account {
        let (user, password) = account.split_once(':').unwrap_or((account, ""));
        put("user", decode(user, "user")?);
        put("password", decode(password, "password")?);
    }
    let (mut names, mut ports) = (Vec::new(), Vec::new());
    for host in hosts.split(',') {
        let (name, port) = split_host(host)?;
        names.push(decode(name, "host")?);
        ports.push(port.to_string());
    }
    if names.iter().any(|name| !name.is_empty()) {
        put("host", names.join(","));
    }
    if ports.iter().any(|port| !port.is_empty()) {
        put("port", ports.join(","));
    }
    if let Some(database) = database {
        put("dbname", decode(database, "dbname")?);
    }
    for pair in query.into_iter().flat_map(|query| query.split('&')).filter(|p| !p.is_empty()) {
        let (key, value) = pair.split_once('=').ok_or_else(|| {
            Error::new(ErrorKind::Usage, "an option in the URL lacks its '='")
                .hint("write it like: ?sslmode=require&connect_timeout=5")
        })?;
        let (key, value) = (decode(key, "option")?, decode(value, "option")?);
        // JDBC's spelling, which libpq accepts.
        if key == "ssl" && value == "true" {
            found.insert("sslmode".into(), "require".into());
            continue;
        }
        known(&key)?;
        found.insert(key, value);
    }
    Ok(found)
}

fn split_host(host: &str) -> Result<(&str, &str)> {
    if let Some(rest) = host.strip_prefix('[') {
        let (name, rest) = rest.split_once(']').ok_or_else(|| {
            Error::new(ErrorKind::Usage, "an IPv6 address in the URL lacks its ']'")
                .hint("write it like: postgresql://[::1]:5432/shop")
        })?;
        return Ok((name, rest.strip_prefix(':').unwrap_or("")));
    }
    Ok(host.split_once(':').unwrap_or((host, "")))
}

fn decode(text: &str, what: &str) -> Result<String> {
    let wrong = || {
        Error::new(ErrorKind::Usage, format!("the {what} in the URL has a broken %-escape"))
            .hint("write special characters as % and two hexadecimal digits: @ is %40, % is %25")
    };
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        if byte != b'%' {
            bytes.push(byte);
            continue;
        }
        let mut digit = || rest.next().and_then(|b| char::from(b).to_digit(16));
        let (high, low) = (digit().ok_or_else(wrong)?, digit().ok_or_else(wrong)?);
        bytes.push(u8::try_from(high * 16 + low).ok().filter(|b| *b != 0).ok_or_else(wrong)?);
    }
    String::from_utf8(bytes).map_err(|_| wrong())
}
