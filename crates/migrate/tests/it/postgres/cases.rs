//! The corpus of statements, read from its file.

/// One case of the corpus.
pub struct Case {
    pub number: u8,
    pub name: String,
    pub setup: String,
    pub sql: String,
}

/// `== 2 name`, set-up, `--`, migration.
pub fn cases() -> Vec<Case> {
    let text = include_str!("../../corpus/postgres.sql");
    let (shop, cases) = text.split_once("\n== ").unwrap();
    cases
        .split("\n== ")
        .map(|case| {
            let (head, rest) = case.split_once('\n').unwrap();
            let (number, name) = head.split_once(' ').unwrap();
            let (setup, sql) = match rest.split_once("--\n") {
                Some((setup, sql)) => (format!("{shop}\n{setup}"), sql),
                None => (shop.to_string(), rest),
            };
            Case {
                number: number.parse().unwrap(),
                name: name.into(),
                setup,
                sql: sql.trim().into(),
            }
        })
        .collect()
}

impl Case {
    /// Whether a server of this version knows what the case is about.
    pub fn runs_on(&self, major: u16) -> bool {
        !(self.name.contains("(18)") && major < 18 || self.name.contains("(17)") && major < 17)
    }
}
