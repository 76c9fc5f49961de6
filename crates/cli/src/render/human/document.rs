use super::super::Look;
use marula_core::{DocumentCatalog, Report};
pub fn inspect(_: &Report, _: &DocumentCatalog, _: Option<&str>, _: &Look) -> String {
    String::new()
}
