use marula_core::{ChangeKind, Evidence, Place, Severity};

/// What a rule found, before it is put in a report.
#[derive(Debug, Clone, PartialEq)]
pub struct Draft {
    /// The rule; filled in by who asked it.
    pub rule: &'static str,
    /// How much it matters here.
    pub severity: Severity,
    /// What was found, in one line.
    pub title: String,
    /// The relation or collection, and the column or path in it.
    pub place: Place,
    /// The numbers and words behind it.
    pub evidence: Vec<Evidence>,
    /// Why that hurts, and what the way out is.
    pub explanation: String,
    /// What mends it, where statements can.
    pub fix: Option<Fix>,
}

/// Statements that mend a fault of the design, and take that back.
#[derive(Debug, Clone, PartialEq)]
pub struct Fix {
    /// What sort of change it is.
    pub kind: ChangeKind,
    /// What it does, in one line.
    pub title: String,
    /// What to run, in order.
    pub up: Vec<String>,
    /// What takes it back, in order.
    pub down: Vec<String>,
    /// What to mind on a live server.
    pub hazards: Vec<String>,
}

impl Draft {
    /// Something about a whole relation or collection.
    pub fn new(
        severity: Severity,
        relation: impl Into<String>,
        title: impl Into<String>,
        explanation: impl Into<String>,
    ) -> Self {
        Draft {
            rule: "",
            severity,
            title: title.into(),
            place: Place { relation: Some(relation.into()), ..Place::default() },
            evidence: Vec::new(),
            explanation: explanation.into(),
            fix: None,
        }
    }

    /// The column, path or other part it is about.
    pub fn at(mut self, part: impl Into<String>) -> Self {
        self.place.expression = Some(part.into());
        self
    }

    /// The index it is about.
    pub fn index(mut self, name: impl Into<String>) -> Self {
        self.place.index = Some(name.into());
        self
    }

    /// A word behind it.
    pub fn word(mut self, name: &str, value: impl Into<String>) -> Self {
        self.evidence.push(Evidence::text(name, value));
        self
    }

    /// A number behind it.
    pub fn number(mut self, name: &str, value: f64) -> Self {
        self.evidence.push(Evidence::number(name, value, None));
        self
    }

    /// A size in bytes behind it.
    pub fn bytes(mut self, name: &str, value: f64) -> Self {
        self.evidence.push(Evidence::number(name, value, Some("bytes")));
        self
    }

    /// What mends it.
    pub fn fix(mut self, fix: Fix) -> Self {
        self.fix = Some(fix);
        self
    }
}

impl Fix {
    /// A change of the schema.
    pub fn ddl(title: impl Into<String>, up: Vec<String>, down: Vec<String>) -> Self {
        Fix { kind: ChangeKind::Ddl, title: title.into(), up, down, hazards: Vec::new() }
    }

    /// An index that is made or dropped.
    pub fn of_index(title: impl Into<String>, up: String, down: String) -> Self {
        Fix {
            kind: ChangeKind::Index,
            title: title.into(),
            up: vec![up],
            down: vec![down],
            hazards: Vec::new(),
        }
    }

    /// What to mind on a live server.
    pub fn mind(mut self, hazard: impl Into<String>) -> Self {
        self.hazards.push(hazard.into());
        self
    }
}
