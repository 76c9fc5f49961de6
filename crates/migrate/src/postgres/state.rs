//! How a statement changes what is known of the schema.

use marula_core::ConstraintKind;
use marula_postgres::sql;
use pb::AlterTableType as At;
use pb::ConstrType as Kind;
use pg_query::NodeEnum;
use pg_query::protobuf as pb;

use super::context::{has_inline, inline, name_of, strings};
use super::schema::{
    Column, Constraint, Index, Schema, Split, Table, TableKind, UserType, key, table_key,
};
use super::types::Type;

/// The schema after `node`; `file` is the number of the file it stands in, or none for what is
/// there before the migrations.
pub(super) fn apply(schema: &mut Schema, node: &NodeEnum, file: Option<usize>) {
    match node {
        NodeEnum::CreateStmt(create) => create_table(schema, create, file),
        NodeEnum::CreateTableAsStmt(create) => {
            let Some(into) = create.into.as_ref().and_then(|into| into.rel.as_ref()) else {
                return;
            };
            let kind = if create.objtype == pb::ObjectType::ObjectMatview as i32 {
                TableKind::Materialized
            } else {
                TableKind::Plain
            };
            schema.tables.entry(table_key(into)).or_insert(Table {
                kind,
                born: file,
                ..Table::default()
            });
        }
        NodeEnum::ViewStmt(view) => {
            if let Some(view) = &view.view {
                schema.tables.entry(table_key(view)).or_insert(Table {
                    kind: TableKind::View,
                    born: file,
                    ..Table::default()
                });
            }
        }
        NodeEnum::IndexStmt(index) => create_index(schema, index),
        NodeEnum::AlterTableStmt(alter) => {
            let Some(relation) = &alter.relation else { return };
            let name = table_key(relation);
            // ALTER INDEX … ATTACH PARTITION names indexes.
            let of_index = alter.objtype == pb::ObjectType::ObjectIndex as i32;
            for cmd in alter.cmds.iter().filter(|_| !of_index) {
                if let Some(NodeEnum::AlterTableCmd(cmd)) = cmd.node.as_ref() {
                    alter_table(schema, &name, cmd);
                    if relation.inh && reaches_partitions(cmd) {
                        for part in below(schema, &name) {
                            alter_table(schema, &part, cmd);
                        }
                    }
                }
            }
        }
        NodeEnum::DropStmt(drop) => drop_objects(schema, drop),
        NodeEnum::RenameStmt(rename) => rename_object(schema, rename),
        NodeEnum::AlterObjectSchemaStmt(alter) => {
            if let Some(relation) = &alter.relation
                && let Some(table) = schema.tables.remove(&table_key(relation))
            {
                schema.tables.insert(key(&alter.newschema, &relation.relname), table);
            }
        }
        NodeEnum::CreateEnumStmt(create) => {
            schema.types.insert(name_of(&create.type_name), UserType::Enum);
        }
        NodeEnum::CreateDomainStmt(create) => {
            let Some(base) = create.type_name.as_ref().map(Type::of) else { return };
            let below = matches!(
                schema.types.get(&base.name),
                Some(UserType::Domain { constrained: true, .. })
            );
            let constrained = below
                || create.constraints.iter().any(|node| {
                    matches!(node.node.as_ref(), Some(NodeEnum::Constraint(constraint))
                    if matches!(Kind::try_from(constraint.contype),
                        Ok(Kind::ConstrCheck | Kind::ConstrNotnull)))
                });
            let domain = UserType::Domain { base, constrained };
            schema.types.insert(name_of(&create.domainname), domain);
        }
        NodeEnum::AlterDomainStmt(alter) => {
            if let Some(UserType::Domain { constrained, .. }) =
                schema.types.get_mut(&name_of(&alter.type_name))
                && (alter.subtype == "C" || alter.subtype == "O")
            {
                *constrained = true;
            }
        }
        NodeEnum::CreateFunctionStmt(create) => {
            let steady = create.options.iter().any(|node| {
                matches!(node.node.as_ref(), Some(NodeEnum::DefElem(option))
                if option.defname == "volatility"
                    && option.arg.as_deref().is_some_and(|arg| {
                        matches!(arg.node.as_ref(), Some(NodeEnum::String(text))
                            if text.sval != "volatile")
                    }))
            });
            let steady = steady || inlined(create);
            if steady && let Some(name) = strings(&create.funcname).pop() {
                schema.steady.insert(name);
            }
        }
        _ => {}
    }
}

/// Whether an SQL function is a plain expression that the planner puts in its place.
fn inlined(create: &pb::CreateFunctionStmt) -> bool {
    let option = |name: &str| {
        create.options.iter().find_map(|node| match node.node.as_ref()? {
            NodeEnum::DefElem(option) if option.defname == name => {
                option.arg.as_deref()?.node.as_ref()
            }
            _ => None,
        })
    };
    let is_sql = matches!(option("language"), Some(NodeEnum::String(name)) if name.sval == "sql");
    let Some(NodeEnum::List(body)) = option("as") else { return false };
    let Some(body) = strings(&body.items).pop().filter(|_| is_sql) else { return false };
    let Ok(statement) = sql::parse(&body) else { return false };
    statement.select().is_some_and(|select| {
        let mut calls = false;
        let whole = statement.root().is_some_and(|root| {
            sql::walk(root.to_ref(), |node| {
                calls |= matches!(node, pg_query::NodeRef::FuncCall(_));
            })
            .is_ok()
        });
        whole && !calls && select.from_clause.is_empty() && select.target_list.len() == 1
    })
}

fn create_table(schema: &mut Schema, create: &pb::CreateStmt, file: Option<usize>) {
    let Some(relation) = &create.relation else { return };
    let name = table_key(relation);
    if schema.tables.contains_key(&name) {
        return;
    }
    let mut table = Table {
        kind: if create.partspec.is_some() { TableKind::Partitioned } else { TableKind::Plain },
        split: create.partspec.as_ref().and_then(split),
        born: file,
        // Inherited and LIKE columns are not followed.
        whole: create.inh_relations.is_empty(),
        ..Table::default()
    };
    if let Some(bound) = &create.partbound {
        table.is_default = bound.is_default;
        table.parent = create.inh_relations.first().and_then(|node| match node.node.as_ref() {
            Some(NodeEnum::RangeVar(parent)) => Some(table_key(parent)),
            _ => None,
        });
        if let Some(parent) = table.parent.as_ref().and_then(|name| schema.tables.get(name)) {
            table.columns = parent.columns.clone();
            table.constraints = parent.constraints.clone();
        }
    }
    for element in &create.table_elts {
        match element.node.as_ref() {
            Some(NodeEnum::ColumnDef(column)) => add_column(&mut table, &name, column),
            Some(NodeEnum::Constraint(constraint)) => {
                add_constraint(&mut table, &name, constraint, None);
            }
            _ => table.whole = false,
        }
    }
    schema.tables.insert(name, table);
}

/// How rows are split, where that is by one column.
fn split(spec: &pb::PartitionSpec) -> Option<Split> {
    use pb::PartitionStrategy as Strategy;
    let by_list = match Strategy::try_from(spec.strategy) {
        Ok(Strategy::List) => true,
        Ok(Strategy::Range) => false,
        _ => return None,
    };
    let [one] = spec.part_params.as_slice() else { return None };
    match one.node.as_ref()? {
        NodeEnum::PartitionElem(element) if element.expr.is_none() => {
            Some(Split { by_list, column: element.name.clone() })
        }
        _ => None,
    }
}

fn add_column(table: &mut Table, name: &str, column: &pb::ColumnDef) {
    let not_null = column.is_not_null
        || has_inline(column, Kind::ConstrNotnull)
        || has_inline(column, Kind::ConstrPrimary)
        || has_inline(column, Kind::ConstrIdentity)
        || column.type_name.as_ref().is_some_and(super::types::is_serial);
    table.columns.push(Column {
        name: column.colname.clone(),
        data_type: column.type_name.as_ref().map(Type::of),
        not_null,
        // Virtual is the default since 18.
        stored: inline(column)
            .find(|constraint| constraint.contype == Kind::ConstrGenerated as i32)
            .map(|generated| generated.generated_kind == "s"),
    });
    for constraint in inline(column) {
        add_constraint(table, name, constraint, Some(&column.colname));
    }
}

fn add_constraint(
    table: &mut Table,
    table_name: &str,
    constraint: &pb::Constraint,
    column: Option<&str>,
) {
    let bare = table_name.rsplit('.').next().unwrap_or(table_name);
    let own = |nodes: &[pb::Node]| match column {
        Some(column) => vec![column.to_string()],
        None => strings(nodes),
    };
    let (kind, columns, suffix) = match Kind::try_from(constraint.contype) {
        Ok(Kind::ConstrPrimary) => (ConstraintKind::PrimaryKey, own(&constraint.keys), "pkey"),
        Ok(Kind::ConstrUnique) => (ConstraintKind::Unique, own(&constraint.keys), "key"),
        Ok(Kind::ConstrForeign) => (ConstraintKind::ForeignKey, own(&constraint.fk_attrs), "fkey"),
        Ok(Kind::ConstrExclusion) => (ConstraintKind::Exclusion, Vec::new(), "excl"),
        Ok(Kind::ConstrNotnull) => (ConstraintKind::NotNull, own(&constraint.keys), "not_null"),
        Ok(Kind::ConstrCheck) => {
            let mut columns: Vec<String> = column.map(String::from).into_iter().collect();
            if let Some(expression) = constraint.raw_expr.as_deref() {
                columns.extend(column_names(expression));
            }
            columns.sort();
            columns.dedup();
            (ConstraintKind::Check, columns, "check")
        }
        _ => return,
    };
    let name = match (constraint.conname.as_str(), kind) {
        ("", ConstraintKind::PrimaryKey) => format!("{bare}_pkey"),
        // The server names a table's CHECK after its column when it reads just one.
        ("", ConstraintKind::Check) if column.is_none() && columns.len() != 1 => {
            format!("{bare}_check")
        }
        ("", ConstraintKind::Check) if column.is_some() => {
            format!("{bare}_{}_check", column.unwrap_or_default())
        }
        ("", _) if columns.is_empty() => format!("{bare}_{suffix}"),
        ("", _) => format!("{bare}_{}_{suffix}", columns.join("_")),
        (name, _) => name.to_string(),
    };
    let valid = !constraint.skip_validation;
    let proves_filled = match kind {
        ConstraintKind::Check => constraint.raw_expr.as_deref().map(proved).unwrap_or_default(),
        ConstraintKind::PrimaryKey | ConstraintKind::NotNull => columns.clone(),
        _ => Vec::new(),
    };
    if matches!(
        kind,
        ConstraintKind::PrimaryKey | ConstraintKind::Unique | ConstraintKind::Exclusion
    ) {
        if constraint.indexname.is_empty() {
            table.indexes.push(Index {
                name: name.clone(),
                columns: columns.clone(),
                included: strings(&constraint.including),
                unique: kind != ConstraintKind::Exclusion,
                plain: kind != ConstraintKind::Exclusion
                    && constraint.including.is_empty()
                    && !constraint.nulls_not_distinct
                    && !constraint.without_overlaps,
            });
        } else if let Some(index) =
            table.indexes.iter_mut().find(|index| index.name == constraint.indexname)
        {
            index.name.clone_from(&name);
        }
    }
    if kind == ConstraintKind::PrimaryKey || (kind == ConstraintKind::NotNull && valid) {
        for column in &mut table.columns {
            column.not_null |= columns.contains(&column.name);
        }
    }
    table.constraints.push(Constraint {
        name,
        kind,
        columns,
        references: constraint.pktable.as_ref().map(table_key),
        valid,
        proves_filled,
    });
}

/// The columns a condition proves to be filled: `a IS NOT NULL AND …`.
fn proved(expression: &pb::Node) -> Vec<String> {
    match expression.node.as_ref() {
        Some(NodeEnum::NullTest(test))
            if test.nulltesttype == pb::NullTestType::IsNotNull as i32 =>
        {
            match test.arg.as_deref().and_then(|arg| arg.node.as_ref()) {
                Some(NodeEnum::ColumnRef(column)) => {
                    strings(&column.fields).pop().into_iter().collect()
                }
                _ => Vec::new(),
            }
        }
        Some(NodeEnum::BoolExpr(all)) if all.boolop == pb::BoolExprType::AndExpr as i32 => {
            all.args.iter().flat_map(proved).collect()
        }
        _ => Vec::new(),
    }
}

/// The same of a definition as the catalogue prints it: `CHECK ((a IS NOT NULL))`.
pub(super) fn proved_by_text(definition: &str) -> Vec<String> {
    let Some(rest) = definition.strip_prefix("CHECK ") else { return Vec::new() };
    let rest = rest.trim_end_matches(" NOT VALID").trim_end_matches(" NO INHERIT");
    if !rest.contains("IS NOT NULL") {
        return Vec::new();
    }
    let Ok(statement) = sql::parse(&format!("SELECT {rest}")) else { return Vec::new() };
    let target = statement.select().and_then(|select| select.target_list.first());
    match target.and_then(|target| target.node.as_ref()) {
        Some(NodeEnum::ResTarget(target)) => target.val.as_deref().map(proved).unwrap_or_default(),
        _ => Vec::new(),
    }
}

fn create_index(schema: &mut Schema, index: &pb::IndexStmt) {
    let Some(relation) = &index.relation else { return };
    let Some(table) = schema.tables.get_mut(&table_key(relation)) else {
        let mut table = Table::default();
        table.indexes.push(index_of(index, &relation.relname));
        schema.tables.insert(table_key(relation), table);
        return;
    };
    let made = index_of(index, &relation.relname);
    if !table.indexes.iter().any(|index| index.name == made.name) {
        table.indexes.push(made);
    }
}

fn index_of(index: &pb::IndexStmt, table: &str) -> Index {
    let columns: Vec<String> = index
        .index_params
        .iter()
        .chain(&index.index_including_params)
        .flat_map(|node| match node.node.as_ref() {
            Some(NodeEnum::IndexElem(element)) => match element.expr.as_deref() {
                Some(expression) => column_names(expression),
                None => vec![element.name.clone()],
            },
            _ => Vec::new(),
        })
        .collect();
    let included =
        index.index_including_params.iter().filter_map(|node| match node.node.as_ref() {
            Some(NodeEnum::IndexElem(element)) => Some(element.name.clone()),
            _ => None,
        });
    let included: Vec<String> = included.collect();
    let name = match index.idxname.as_str() {
        "" => format!("{table}_{}_idx", columns.join("_")),
        name => name.to_string(),
    };
    let element = |node: &pb::Node| match node.node.as_ref() {
        Some(NodeEnum::IndexElem(element)) => {
            use pb::{SortByDir as Order, SortByNulls as Nulls};
            !element.name.is_empty()
                && element.opclass.is_empty()
                && element.collation.is_empty()
                && element.ordering != Order::SortbyDesc as i32
                && element.nulls_ordering != Nulls::SortbyNullsFirst as i32
        }
        _ => false,
    };
    let plain = matches!(index.access_method.as_str(), "" | "btree")
        && index.index_including_params.is_empty()
        && index.where_clause.is_none()
        && !index.nulls_not_distinct
        && index.index_params.iter().all(element);
    Index { name, columns, included, unique: index.unique, plain }
}

/// The columns an expression reads.
pub(super) fn column_names(expression: &pb::Node) -> Vec<String> {
    let mut names = Vec::new();
    if let Some(node) = expression.node.as_ref() {
        let _ = sql::walk(node.to_ref(), |node| {
            if let pg_query::NodeRef::ColumnRef(column) = node {
                names.extend(strings(&column.fields).pop());
            }
        });
    }
    names
}

/// Whether what a part says of a partitioned table is said of its partitions, too.
fn reaches_partitions(cmd: &pb::AlterTableCmd) -> bool {
    match At::try_from(cmd.subtype) {
        Ok(
            At::AtSetNotNull
            | At::AtDropNotNull
            | At::AtAddColumn
            | At::AtDropColumn
            | At::AtDropConstraint
            | At::AtValidateConstraint,
        ) => true,
        Ok(At::AtAddConstraint) => {
            let def = cmd.def.as_deref().and_then(|node| node.node.as_ref());
            matches!(def, Some(NodeEnum::Constraint(constraint))
                if [Kind::ConstrCheck as i32, Kind::ConstrNotnull as i32].contains(&constraint.contype))
        }
        _ => false,
    }
}

/// All partitions of a table, and theirs.
pub(super) fn below(schema: &Schema, name: &str) -> Vec<String> {
    let Some(table) = schema.table(name) else { return Vec::new() };
    if table.kind != TableKind::Partitioned {
        return Vec::new();
    }
    let direct: Vec<String> = schema.partitions(name).into_iter().cloned().collect();
    let mut all = direct.clone();
    for part in direct {
        all.extend(below(schema, &part));
    }
    all
}

fn alter_table(schema: &mut Schema, name: &str, cmd: &pb::AlterTableCmd) {
    let def = cmd.def.as_deref().and_then(|node| node.node.as_ref());
    if let Some(NodeEnum::PartitionCmd(partition)) = def {
        let Some(child) = partition.name.as_ref().map(table_key) else { return };
        let child = schema.tables.entry(child).or_default();
        let attach = cmd.subtype == At::AtAttachPartition as i32;
        child.parent = attach.then(|| name.to_string());
        child.is_default = attach && partition.bound.as_ref().is_some_and(|b| b.is_default);
        return;
    }
    let table = schema.tables.entry(name.to_string()).or_default();
    let kind = At::try_from(cmd.subtype).unwrap_or(At::Undefined);
    let column = || cmd.name.clone();
    match (kind, def) {
        (At::AtAddColumn, Some(NodeEnum::ColumnDef(column)))
            if table.column(&column.colname).is_none() =>
        {
            add_column(table, name, column);
        }
        (At::AtDropColumn, _) => {
            let gone = column();
            table.columns.retain(|c| c.name != gone);
            table.indexes.retain(|index| !index.columns.contains(&gone));
            table.constraints.retain(|c| !c.columns.contains(&gone));
        }
        (At::AtAlterColumnType, Some(NodeEnum::ColumnDef(definition))) => {
            let wanted = column();
            let data_type = definition.type_name.as_ref().map(Type::of);
            match table.columns.iter_mut().find(|c| c.name == wanted) {
                Some(column) => column.data_type = data_type,
                None => table.columns.push(Column {
                    name: wanted,
                    data_type,
                    not_null: false,
                    stored: None,
                }),
            }
        }
        (At::AtSetNotNull | At::AtDropNotNull, _) => {
            let (wanted, not_null) = (column(), kind == At::AtSetNotNull);
            match table.columns.iter_mut().find(|c| c.name == wanted) {
                Some(column) => column.not_null = not_null,
                None => table.columns.push(Column {
                    name: wanted,
                    data_type: None,
                    not_null,
                    stored: None,
                }),
            }
        }
        (At::AtAddConstraint, Some(NodeEnum::Constraint(constraint))) => {
            add_constraint(table, name, constraint, None);
        }
        (At::AtDropConstraint, _) => {
            let gone = column();
            table.constraints.retain(|constraint| constraint.name != gone);
            table.indexes.retain(|index| index.name != gone);
        }
        (At::AtValidateConstraint, _) => {
            let wanted = column();
            let mut filled = Vec::new();
            for constraint in table.constraints.iter_mut().filter(|c| c.name == wanted) {
                constraint.valid = true;
                if constraint.kind == ConstraintKind::NotNull {
                    filled.clone_from(&constraint.columns);
                }
            }
            for column in table.columns.iter_mut().filter(|c| filled.contains(&c.name)) {
                column.not_null = true;
            }
        }
        _ => {}
    }
}

fn drop_objects(schema: &mut Schema, drop: &pb::DropStmt) {
    use pb::ObjectType as Object;
    for node in &drop.objects {
        let name = match node.node.as_ref() {
            Some(NodeEnum::List(list)) => name_of(&list.items),
            Some(NodeEnum::TypeName(name)) => name_of(&name.names),
            _ => continue,
        };
        match Object::try_from(drop.remove_type) {
            Ok(Object::ObjectTable | Object::ObjectView | Object::ObjectMatview) => {
                schema.tables.remove(&name);
            }
            Ok(Object::ObjectIndex) => {
                let bare = name.rsplit('.').next().unwrap_or(&name).to_string();
                for table in schema.tables.values_mut() {
                    table.indexes.retain(|index| index.name != bare);
                }
            }
            Ok(Object::ObjectType | Object::ObjectDomain) => {
                schema.types.remove(&name);
            }
            _ => {}
        }
    }
}

fn rename_object(schema: &mut Schema, rename: &pb::RenameStmt) {
    use pb::ObjectType as Object;
    let Some(relation) = &rename.relation else { return };
    let old = table_key(relation);
    match Object::try_from(rename.rename_type) {
        Ok(Object::ObjectColumn) => {
            if let Some(table) = schema.tables.get_mut(&old)
                && let Some(column) = table.columns.iter_mut().find(|c| c.name == rename.subname)
            {
                column.name.clone_from(&rename.newname);
            }
        }
        Ok(Object::ObjectTable | Object::ObjectView | Object::ObjectMatview) => {
            if let Some(table) = schema.tables.remove(&old) {
                schema.tables.insert(key(&relation.schemaname, &rename.newname), table);
            }
        }
        Ok(Object::ObjectIndex) => {
            for table in schema.tables.values_mut() {
                for index in table.indexes.iter_mut().filter(|i| i.name == relation.relname) {
                    index.name.clone_from(&rename.newname);
                }
            }
        }
        Ok(Object::ObjectTabconstraint) => {
            if let Some(table) = schema.tables.get_mut(&old) {
                for constraint in table.constraints.iter_mut().filter(|c| c.name == rename.subname)
                {
                    constraint.name.clone_from(&rename.newname);
                }
            }
        }
        _ => {}
    }
}
