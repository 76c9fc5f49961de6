//! Column types, and what it takes to change one into another.

use marula_postgres::sql;
use pg_query::NodeEnum;
use pg_query::protobuf as pb;

use super::schema::{Schema, UserType};

/// A column's type.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Type {
    /// Its name as the catalogue has it: `int4`, `varchar`, or a user's.
    pub name: String,
    /// Its modifiers: length, precision and scale.
    pub mods: Vec<i64>,
    /// Whether it is an array.
    pub array: bool,
}

/// What a change of type takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TypeChange {
    /// Nothing: the stored values are right as they are.
    Free,
    /// Nothing when the session's time zone is UTC, else every row is written anew.
    TimeZone,
    /// Every row is written anew.
    Rewrite,
}

impl Type {
    /// The type a statement names.
    pub fn of(name: &pb::TypeName) -> Type {
        let words: Vec<&str> = name.names.iter().filter_map(string).collect();
        let mods = name
            .typmods
            .iter()
            .filter_map(|node| match node.node.as_ref()? {
                NodeEnum::AConst(constant) => match constant.val.as_ref()? {
                    pb::a_const::Val::Ival(number) => Some(i64::from(number.ival)),
                    _ => None,
                },
                _ => None,
            })
            .collect();
        let own = match words.as_slice() {
            ["pg_catalog" | "public", own] => (*own).to_string(),
            words => words.join("."),
        };
        Type { name: canonical(&own), mods, array: !name.array_bounds.is_empty() }
    }

    /// The type as `format_type` prints it.
    pub fn parse(text: &str) -> Option<Type> {
        let statement = sql::parse(&format!("SELECT NULL::{text}")).ok()?;
        let target = statement.select()?.target_list.first()?.node.as_ref()?;
        let NodeEnum::ResTarget(target) = target else { return None };
        match target.val.as_ref()?.node.as_ref()? {
            NodeEnum::TypeCast(cast) => Some(Type::of(cast.type_name.as_ref()?)),
            _ => None,
        }
    }

    fn plain(&self) -> bool {
        self.mods.is_empty()
    }
}

fn string(node: &pb::Node) -> Option<&str> {
    match node.node.as_ref()? {
        NodeEnum::String(text) => Some(text.sval.as_str()),
        _ => None,
    }
}

fn canonical(name: &str) -> String {
    match name {
        "serial" | "serial4" | "int" | "integer" => "int4",
        "bigserial" | "serial8" | "bigint" => "int8",
        "smallserial" | "serial2" | "smallint" => "int2",
        "boolean" => "bool",
        "decimal" => "numeric",
        other => other,
    }
    .to_string()
}

/// Whether it is one of the `serial` types.
pub fn is_serial(name: &pb::TypeName) -> bool {
    let last = name.names.last().and_then(string).unwrap_or_default();
    matches!(last, "serial" | "bigserial" | "smallserial" | "serial2" | "serial4" | "serial8")
}

/// What it takes to make a column of type `old` (if that is known) one of type `new`, without
/// USING, or with a USING that only casts.
pub fn change(old: Option<&Type>, new: &Type, schema: &Schema) -> TypeChange {
    let Some(old) = old else {
        return match new.name.as_str() {
            "text" | "varchar" if new.plain() && !new.array => TypeChange::Free,
            // Fewer digits than six are most likely fewer than before.
            "timestamptz" | "timestamp"
                if !new.array && new.mods.first().is_none_or(|d| *d >= 6) =>
            {
                TypeChange::TimeZone
            }
            _ => TypeChange::Rewrite,
        };
    };
    if old == new {
        return TypeChange::Free;
    }
    match schema.types.get(&new.name) {
        Some(UserType::Domain { constrained: true, .. }) if !new.array => {
            return TypeChange::Rewrite;
        }
        Some(UserType::Domain { base, .. }) if !new.array => {
            return change(Some(old), base, schema);
        }
        _ => {}
    }
    if let (Some(UserType::Domain { base, .. }), false) = (schema.types.get(&old.name), old.array) {
        return change(Some(base), new, schema);
    }
    if old.array || new.array {
        return TypeChange::Rewrite;
    }
    let text = ["text", "varchar", "citext"];
    match (old.name.as_str(), new.name.as_str()) {
        ("varchar", "varchar") | ("varbit", "varbit") => widened(old, new),
        (from, to) if text.contains(&from) && text.contains(&to) => free(new.plain()),
        ("xml", "text") => TypeChange::Free,
        ("xml", "varchar") | ("bit", "varbit") => free(new.plain()),
        ("cidr", "inet") => TypeChange::Free,
        ("int4", "oid") | ("oid", "int4") => TypeChange::Free,
        ("numeric", "numeric") => numeric(old, new),
        ("timestamp", "timestamptz") | ("timestamptz", "timestamp") => {
            if precision(old, new) {
                TypeChange::TimeZone
            } else {
                TypeChange::Rewrite
            }
        }
        (from, to)
            if from == to
                && ["time", "timetz", "timestamp", "timestamptz", "interval"].contains(&from) =>
        {
            free(precision(old, new))
        }
        _ => TypeChange::Rewrite,
    }
}

fn free(is: bool) -> TypeChange {
    if is { TypeChange::Free } else { TypeChange::Rewrite }
}

fn widened(old: &Type, new: &Type) -> TypeChange {
    free(match (old.mods.first(), new.mods.first()) {
        (_, None) => true,
        (None, Some(_)) => false,
        (Some(old), Some(new)) => new >= old,
    })
}

fn numeric(old: &Type, new: &Type) -> TypeChange {
    let scale = |mods: &[i64]| mods.get(1).copied().unwrap_or(0);
    free(match (old.mods.as_slice(), new.mods.as_slice()) {
        (_, []) => true,
        ([], _) => false,
        (old, new) => new[0] >= old[0] && scale(old) == scale(new),
    })
}

/// Whether no digit of a time is lost; six are the most there are.
fn precision(old: &Type, new: &Type) -> bool {
    // `interval(3)` comes with its fields before the precision.
    let digits = |of: &Type| match of.name.as_str() {
        "interval" => of.mods.get(1).copied(),
        _ => of.mods.first().copied(),
    };
    let fields = |of: &Type| of.mods.first().copied().filter(|_| of.name == "interval");
    if fields(new).is_some_and(|all| all != 32_767 && Some(all) != fields(old)) {
        return false;
    }
    match (digits(old), digits(new)) {
        (_, None) => true,
        (_, Some(new)) if new >= 6 => true,
        (Some(old), Some(new)) => new >= old,
        (None, Some(_)) => false,
    }
}

/// Whether two types with the same stored values still sort in different ways, so that indexes are
/// built anew.
pub fn sorts_differently(old: &Type, new: &Type) -> bool {
    // Of an oid there is no negative one.
    ["citext", "oid"].iter().any(|name| (old.name == *name) != (new.name == *name))
}

#[cfg(test)]
#[allow(clippy::panic)]
mod tests {
    use super::*;

    #[test]
    fn a_change_is_free_only_where_the_stored_values_stay() {
        let schema = Schema::default();
        for (from, to, wanted) in [
            ("varchar(10)", "varchar(20)", TypeChange::Free),
            ("varchar(20)", "varchar(10)", TypeChange::Rewrite),
            ("varchar(20)", "text", TypeChange::Free),
            ("text", "varchar(20)", TypeChange::Rewrite),
            ("character(5)", "text", TypeChange::Rewrite),
            ("integer", "bigint", TypeChange::Rewrite),
            ("numeric(10,2)", "numeric(12,2)", TypeChange::Free),
            ("numeric(10,2)", "numeric(12,3)", TypeChange::Rewrite),
            ("numeric(10,2)", "numeric", TypeChange::Free),
            ("timestamp(3) without time zone", "timestamp(6)", TypeChange::Free),
            ("timestamp without time zone", "timestamptz", TypeChange::TimeZone),
            ("timestamp(6)", "timestamp(3)", TypeChange::Rewrite),
            ("cidr", "inet", TypeChange::Free),
            ("inet", "cidr", TypeChange::Rewrite),
            ("json", "jsonb", TypeChange::Rewrite),
        ] {
            let (Some(old), Some(new)) = (Type::parse(from), Type::parse(to)) else {
                panic!("{from}, {to}")
            };
            assert_eq!(change(Some(&old), &new, &schema), wanted, "{from} → {to}");
        }
    }
}
