use super::super::Look;
use marula_core::{RelationalCatalog, Report};
pub fn inspect(_: &Report, _: &RelationalCatalog, _: Option<&str>, _: &Look) -> String {
    String::new()
}
