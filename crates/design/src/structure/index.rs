/// An index that the work asks for, before an engine has a say.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct WantedIndex {
    /// The entity whose store it is on.
    pub store: String,
    /// The fields in order, by their [`super::Field::name`] (dotted where they are within an
    /// embedded one: `lines.product_id`), each with whether the greatest comes first.
    pub keys: Vec<(String, bool)>,
    /// Whether no two members share the values.
    pub unique: bool,
    /// What asks for it: the query's or write's name, and how.
    pub why: String,
}
