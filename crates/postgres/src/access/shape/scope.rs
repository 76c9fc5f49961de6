use marula_core::RelationalCatalog;

/// A column that a subquery, a CTE or a view gives: its name there, and the column of a relation
/// that it plainly is.
pub(super) type Output = (String, Option<Found>);

/// A name of a FROM clause.
#[derive(Debug, Clone)]
pub(super) struct Entry {
    /// The name it goes by.
    pub alias: String,
    /// What it stands for.
    pub source: Source,
}

/// What a name of a FROM clause stands for.
#[derive(Debug, Clone)]
pub(super) enum Source {
    /// A relation: its number among its block's uses, and its qualified name.
    Use(usize, String),
    /// A subquery, a CTE or a view: its columns.
    Derived(Vec<Output>),
    /// A function, or what else has columns that are not known.
    Opaque,
}

/// A column that was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Found {
    /// The block whose FROM has the name it was found by.
    pub level: usize,
    /// The number of that name in the FROM.
    pub entry: usize,
    /// The block that reads the relation: another one than `level` when it was found through a
    /// subquery, a CTE or a view.
    pub block: usize,
    /// The relation's number among that block's uses.
    pub number: usize,
    /// The relation's column.
    pub column: String,
}

impl Found {
    /// Whether both are columns of the same occurrence of a relation.
    pub fn same_use(&self, other: &Found) -> bool {
        (self.block, self.number) == (other.block, other.number)
    }
}

/// A CTE in sight, with its columns; `None` where conditions do not reach into it.
pub(super) type Cte = (String, Option<Vec<Output>>);

/// The names a block sees: its own, then those of the blocks around it.
#[derive(Debug, Clone, Default)]
pub(super) struct Scope {
    /// From the outermost block to the innermost.
    pub levels: Vec<(usize, Vec<Entry>)>,
    /// CTEs in sight.
    pub ctes: Vec<Cte>,
}

impl Scope {
    /// The CTE a name means; the innermost of several.
    pub fn cte(&self, name: &str) -> Option<&Cte> {
        self.ctes.iter().rev().find(|(known, _)| known == name)
    }

    /// Which use's column a reference means.
    pub fn resolve(
        &self,
        catalog: Option<&RelationalCatalog>,
        qualifier: Option<&str>,
        column: &str,
    ) -> Option<Found> {
        for (level, entries) in self.levels.iter().rev() {
            let entry = match qualifier {
                Some(qualifier) => entries.iter().position(|entry| entry.alias == qualifier),
                None => unqualified(entries, catalog, column),
            };
            if let Some(number) = entry {
                return entries.get(number)?.column(*level, number, column);
            }
            // The name may belong to something whose columns are not known here.
            let opaque = |entry: &Entry| matches!(entry.source, Source::Opaque);
            if qualifier.is_none() && entries.iter().any(opaque) {
                return None;
            }
        }
        None
    }
}

impl Entry {
    /// What its column of that name is.
    pub fn column(&self, level: usize, entry: usize, column: &str) -> Option<Found> {
        match &self.source {
            Source::Use(number, _) => {
                let column = column.into();
                Some(Found { level, entry, block: level, number: *number, column })
            }
            Source::Derived(outputs) => {
                let (_, found) = outputs.iter().find(|(name, _)| name == column)?;
                Some(Found { level, entry, ..found.clone()? })
            }
            Source::Opaque => None,
        }
    }
}

fn unqualified(
    entries: &[Entry],
    catalog: Option<&RelationalCatalog>,
    column: &str,
) -> Option<usize> {
    let relation = |name: &str| catalog.and_then(|catalog| catalog.find(name));
    let knows = |entry: &Entry| match &entry.source {
        Source::Use(_, name) => {
            relation(name).is_some_and(|relation| relation.column(column).is_some())
        }
        Source::Derived(outputs) => outputs.iter().any(|(name, _)| name == column),
        Source::Opaque => false,
    };
    if let Some(known) = entries.iter().position(knows) {
        return Some(known);
    }
    // A name no known relation has: it belongs to the only thing there is.
    match entries {
        [Entry { source: Source::Use(_, name), .. }] if relation(name).is_none() => Some(0),
        _ => None,
    }
}
