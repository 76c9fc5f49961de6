//! The driver's errors in this program's words. The server's code name stays inside.

use marula_core::{Error, ErrorKind};
use mongodb::error::{Error as DriverError, ErrorKind as DriverKind, WriteFailure};

/// The oldest server the driver speaks to; the newest it was tried with is 8.0.
pub const OLDEST_SERVER: &str = "4.4";

/// What to do about a statement that is refused without an index.
const NEEDED: &str =
    "make the index, or have it proposed and tried with: marula tune TARGET --statements FILE";

/// The driver's own words, without the dressing.
pub(crate) fn reason(error: &DriverError) -> String {
    match error.kind.as_ref() {
        DriverKind::InvalidArgument { message, .. }
        | DriverKind::ServerSelection { message, .. }
        | DriverKind::Authentication { message, .. } => message.clone(),
        other => other.to_string(),
    }
}

/// The error in this program's words. `clean` takes secrets out of the driver's.
pub(crate) fn map(error: DriverError, place: &str, clean: impl Fn(&str) -> String) -> Error {
    let (code, code_name, message) = match error.kind.as_ref() {
        DriverKind::Command(command) => {
            (Some(command.code), command.code_name.clone(), clean(&command.message))
        }
        DriverKind::Write(WriteFailure::WriteError(write)) => {
            (Some(write.code), write.code_name.clone().unwrap_or_default(), clean(&write.message))
        }
        _ => (None, String::new(), clean(&reason(&error))),
    };
    let mut mapped = match (code, error.kind.as_ref()) {
        (Some(18), _) => denied("the server does not accept the user's name or password", &message)
            .hint("check the name, the password and authSource in the address"),
        (Some(13), _) => denied("the user lacks the rights for it", &message).hint(
            "grant the user the role 'read' on the database, and 'clusterMonitor' for statistics",
        ),
        (Some(50), _) | (Some(262), _) => Error::new(
            ErrorKind::Timeout,
            "the time limit was reached and the server stopped the command",
        )
        .hint("give it more time with --timeout, or look at the estimate"),
        (Some(26), _) => Error::new(ErrorKind::NotFound, message.clone()),
        (Some(11600 | 11602 | 91 | 189), _) => {
            Error::new(ErrorKind::ServerDied, format!("the server is going down: {message}"))
                .hint("start it again, then try once more")
        }
        // The planner's own picture of the query stands before it, on many lines.
        (Some(_), _) if message.contains("hint provided does not correspond") => {
            Error::new(ErrorKind::Server, "the command's hint names no index of the collection")
                .hint("leave the hint out, or see the indexes with: marula inspect TARGET")
        }
        (Some(_), _) if message.contains("text index required") => {
            Error::new(ErrorKind::Server, message.clone()).hint(NEEDED)
        }
        // The planner's picture again.
        (Some(_), _) if message.contains("unable to find index for $geoNear") => {
            let message = "unable to find index for $geoNear query: the nearest are found by a \
                           geographic index only";
            Error::new(ErrorKind::Server, message).hint(NEEDED)
        }
        (Some(_), _) => Error::new(ErrorKind::Server, message.clone()),
        (None, DriverKind::Authentication { .. }) => {
            // The driver wraps the server's refusal; anything else here is a handshake problem.
            denied("the server does not accept the user's name or password", &message)
                .hint("check the name, the password and authSource in the address")
        }
        (None, DriverKind::ServerSelection { .. }) => selection(&message, place),
        (None, DriverKind::DnsResolve { .. }) => {
            Error::new(ErrorKind::Unreachable, format!("the name does not resolve: {message}"))
                .hint("check the host's name, and for mongodb+srv:// its SRV record")
        }
        (None, DriverKind::InvalidTlsConfig { .. }) => denied("TLS could not be set up", &message)
            .hint("check tlsCAFile and tlsCertificateKeyFile in the address"),
        (None, DriverKind::IncompatibleServer { .. }) => too_old(&message),
        (None, DriverKind::Io(_) | DriverKind::ConnectionPoolCleared { .. }) => {
            Error::new(ErrorKind::ServerDied, format!("the connection broke: {message}"))
                .hint("check that the server still runs, then try again")
        }
        (None, DriverKind::InvalidArgument { .. }) => Error::new(ErrorKind::Usage, message.clone()),
        (None, DriverKind::BsonSerialization(_) | DriverKind::Bson(_)) => {
            Error::new(ErrorKind::Usage, format!("it cannot be sent as BSON: {message}"))
        }
        _ => Error::new(ErrorKind::Server, message.clone()),
    };
    if !code_name.is_empty() {
        mapped = mapped.code(code_name);
    } else if let Some(code) = code {
        mapped = mapped.code(code.to_string());
    }
    // The driver's error itself is not kept below: its text could hold the address.
    mapped.at(place)
}

fn denied(what: &str, message: &str) -> Error {
    Error::new(ErrorKind::Denied, format!("{what}: {message}"))
}

fn too_old(message: &str) -> Error {
    Error::new(ErrorKind::Unsupported, format!("the server's version is not spoken: {message}"))
        .hint(format!("MongoDB {OLDEST_SERVER} and newer can be asked; of older ones, saved explains are read (--plan FILE)"))
}

/// Which hosts do not answer, and why, out of the driver's picture of the deployment.
fn hosts(message: &str) -> String {
    let topology = message.split_once("Topology:").map_or(message, |(_, topology)| topology.trim());
    let mut found: Vec<String> = Vec::new();
    for server in topology.split("Address: ").skip(1) {
        let Some((host, rest)) = server.split_once(", ") else { continue };
        let error = rest.split_once("Error: ").map(|(_, error)| {
            let error = error.split_once("Kind: ").map_or(error, |(_, kind)| kind);
            let end = [", labels:", ", source:", " }"].iter().filter_map(|end| error.find(end));
            let error = end.min().map_or(error, |end| error.split_at(end).0);
            // The TLS library's page about it is for programmers.
            let error = error.split(": https://docs.rs").next().unwrap_or(error);
            error.trim_start_matches("I/O error: ").to_string()
        });
        let why = error.unwrap_or_else(|| match rest.split(',').next() {
            Some("Type: RSSecondary") => "it is a secondary, and there is no primary".into(),
            _ => "it did not answer in time".into(),
        });
        found.push(format!("{host} ({why})"));
    }
    if found.is_empty() { topology.to_string() } else { found.join(", ") }
}

/// No server could be chosen in time: the driver's message says why each one could not.
fn selection(message: &str, place: &str) -> Error {
    if message.contains("wire version") {
        return too_old(message);
    }
    let lower = message.to_lowercase();
    if lower.contains("certificate") || lower.contains("tls") || lower.contains("handshake") {
        let said = hosts(message);
        let error = denied("TLS was refused", &said)
            .hint("check tlsCAFile and the host's name in the address, and with tls=false whether the server speaks TLS at all");
        if place.contains("tlsCertificateKeyFile") || said.contains("UnknownIssuer") {
            return error;
        }
        return error.hint("if the server wants a certificate of yours, add tlsCertificateKeyFile=FILE to the address: a PEM file with the certificate and its key");
    }
    let mut error =
        Error::new(ErrorKind::Unreachable, format!("no server answers: {}", hosts(message))).hint(
            "check the host and port, that the server runs, and that a firewall lets it through",
        );
    // What a server that wants TLS does with a plain connection.
    let hung_up = ["unexpected end of file", "reset by peer"].iter().any(|end| lower.contains(end));
    if hung_up && !place.contains("tls=true") {
        error = error.hint("if the server wants TLS, add tls=true to the address");
    }
    if !place.contains("directConnection") {
        error =
            error.hint("for a server behind a tunnel, add directConnection=true to the address");
    }
    error
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unreachable_server_is_named_with_the_reason() {
        let message = "Server selection timeout: No available servers. Topology: { Type: \
            ReplicaSetNoPrimary, Set Name: rs9, Servers: [ { Address: db1:27017, Type: Unknown, \
            Error: Kind: I/O error: Connection refused (os error 111), labels: \
            {\"RetryableError\"}, source: None, server response: None }, { Address: db2:27017, \
            Type: RSSecondary, Average RTT: 1ms } ] }";
        let said = selection(message, "mongodb://db1").to_string();
        assert!(
            said.contains(
                "no server answers: db1:27017 (Connection refused (os error 111)), db2:27017 (it \
                 is a secondary, and there is no primary)"
            ),
            "{said}"
        );
        assert!(!said.contains("Topology") && !said.contains("labels"), "{said}");
        assert!(selection("of another form", "").to_string().contains("of another form"));
    }
}
