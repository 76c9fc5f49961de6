use std::path::Path;

use secrecy::SecretString;

/// What looking into a password file gave.
#[derive(Default)]
pub(super) struct Looked {
    /// The password, when a line fits.
    pub password: Option<SecretString>,
    /// Why the file was not read though it is there.
    pub ignored: Option<String>,
}

/// Finds the password for a host in a file of `host:port:database:user:password` lines, where a
/// field may be `*` and `\` goes before `:` and `\`. A file that others may read is passed over.
pub(super) fn look(file: &Path, host: &[&str], port: u16, database: &str, user: &str) -> Looked {
    let Ok(metadata) = std::fs::metadata(file) else { return Looked::default() };
    let ignored = |why: &str| Looked {
        password: None,
        ignored: Some(format!("{} was not read: {why}", file.display())),
    };
    if !metadata.is_file() {
        return ignored("it is not a plain file");
    }
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        if metadata.permissions().mode() & 0o077 != 0 {
            return ignored("others may read it; run chmod 0600 on it");
        }
    }
    let Ok(text) = std::fs::read_to_string(file) else {
        return ignored("it cannot be opened");
    };
    let port = port.to_string();
    let password = text.lines().filter(|line| !line.starts_with('#')).find_map(|line| {
        let fields = fields(line);
        let [its_host, its_port, its_database, its_user, password] = fields.as_slice() else {
            return None;
        };
        let fits = |field: &Field, value: &str| field.any || field.text == value;
        (host.iter().any(|host| fits(its_host, host))
            && fits(its_port, &port)
            && fits(its_database, database)
            && fits(its_user, user))
        .then(|| SecretString::from(password.text.clone()))
    });
    Looked { password, ignored: None }
}

struct Field {
    text: String,
    any: bool,
}

/// The five fields of a line; a colon in the last needs no backslash.
fn fields(line: &str) -> Vec<Field> {
    let mut fields: Vec<Field> = Vec::with_capacity(5);
    let mut text = String::new();
    let mut escaped = false;
    let mut chars = line.chars();
    while let Some(c) = chars.next() {
        match c {
            '\\' => {
                text.extend(chars.next());
                escaped = true;
            }
            ':' if fields.len() < 4 => {
                fields
                    .push(Field { any: text == "*" && !escaped, text: std::mem::take(&mut text) });
                escaped = false;
            }
            other => text.push(other),
        }
    }
    fields.push(Field { any: false, text });
    fields
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use secrecy::ExposeSecret;

    #[test]
    fn lines_match_in_order_with_stars_and_escapes() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("pgpass");
        std::fs::write(
            &file,
            "# comment\nlocalhost:5432:shop:me:first\n*:*:*:me:a\\:b\\\\c:d\nh\\:x:1:*:*:odd\n",
        )
        .unwrap();
        let find = |host: &str, port, database: &str, user: &str| {
            look(&file, &[host], port, database, user)
                .password
                .map(|password| password.expose_secret().to_string())
        };
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o644)).unwrap();
            assert!(look(&file, &["localhost"], 5432, "shop", "me").ignored.is_some());
            std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o600)).unwrap();
        }
        assert_eq!(find("localhost", 5432, "shop", "me").as_deref(), Some("first"));
        assert_eq!(find("other", 5432, "shop", "me").as_deref(), Some("a:b\\c:d"));
        assert_eq!(find("h:x", 1, "any", "any").as_deref(), Some("odd"));
        assert_eq!(find("other", 5432, "shop", "you"), None);
    }
}
