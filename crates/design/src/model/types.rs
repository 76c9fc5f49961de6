//! What other languages call a model's types.

use marula_core::model::AttributeType;

/// The name of a type in a model file.
pub fn name(kind: AttributeType) -> &'static str {
    use AttributeType as Kind;
    match kind {
        Kind::Id => "id",
        Kind::Uuid => "uuid",
        Kind::UuidV7 => "uuid_v7",
        Kind::Integer => "integer",
        Kind::Decimal => "decimal",
        Kind::Money => "money",
        Kind::Float => "float",
        Kind::Boolean => "boolean",
        Kind::Text => "text",
        Kind::Enumeration => "enumeration",
        Kind::Date => "date",
        Kind::Time => "time",
        Kind::Timestamp => "timestamp",
        Kind::Duration => "duration",
        Kind::Binary => "binary",
        Kind::Json => "json",
        Kind::Point => "point",
        Kind::DateRange => "date_range",
        Kind::TimestampRange => "timestamp_range",
        Kind::NumberRange => "number_range",
        Kind::List => "list",
    }
}

/// What the name of a type of SQL, MongoDB, DBML or a programming language means; `None` for what
/// is unknown. The name is in lower case and without what stands in brackets.
pub fn of_sql(name: &str) -> Option<AttributeType> {
    use AttributeType as Kind;
    Some(match name {
        "serial" | "bigserial" | "smallserial" | "identity" | "autoincrement" | "serial8"
        | "serial4" | "objectid" | "object_id" => Kind::Id,
        "uuid" | "guid" | "uniqueidentifier" => Kind::Uuid,
        "uuidv7" | "uuid7" => Kind::UuidV7,
        "int" | "integer" | "bigint" | "smallint" | "tinyint" | "mediumint" | "int2" | "int4"
        | "int8" | "long" | "short" | "byte" | "int32" | "int64" | "number" | "numberlong"
        | "numberint" | "int_unsigned" | "oid" => Kind::Integer,
        "decimal" | "numeric" | "dec" | "number_decimal" | "numberdecimal" | "decimal128" => {
            Kind::Decimal
        }
        "money" | "currency" | "smallmoney" | "amount" | "price" => Kind::Money,
        "float" | "double" | "real" | "float4" | "float8" | "double_precision" | "float32"
        | "float64" => Kind::Float,
        "bool" | "boolean" | "bit" | "flag" => Kind::Boolean,
        "text" | "string" | "varchar" | "char" | "character" | "character_varying" | "nvarchar"
        | "nchar" | "bpchar" | "clob" | "longtext" | "mediumtext" | "tinytext" | "citext"
        | "str" | "name" | "varchar2" | "email" | "url" | "inet" | "cidr" | "macaddr" | "xml"
        | "tsvector" => Kind::Text,
        "enum" | "enumeration" => Kind::Enumeration,
        "date" | "day" => Kind::Date,
        "time" | "timetz" | "time_without_time_zone" | "time_with_time_zone" => Kind::Time,
        "timestamp"
        | "timestamptz"
        | "datetime"
        | "datetime2"
        | "datetimeoffset"
        | "instant"
        | "moment"
        | "timestamp_with_time_zone"
        | "timestamp_without_time_zone"
        | "isodate" => Kind::Timestamp,
        "interval" | "duration" | "timespan" => Kind::Duration,
        "bytea" | "blob" | "binary" | "varbinary" | "bytes" | "bindata" | "longblob" | "image" => {
            Kind::Binary
        }
        "json" | "jsonb" | "object" | "document" | "map" | "hstore" | "dictionary" | "bson" => {
            Kind::Json
        }
        "point" | "geography" | "geometry" | "location" | "geopoint" | "geojson" => Kind::Point,
        "daterange" | "datemultirange" => Kind::DateRange,
        "tstzrange" | "tsrange" | "tstzmultirange" | "tsmultirange" => Kind::TimestampRange,
        "numrange" | "int4range" | "int8range" | "nummultirange" | "int4multirange"
        | "int8multirange" => Kind::NumberRange,
        "array" | "list" | "set" => Kind::List,
        _ => return None,
    })
}
