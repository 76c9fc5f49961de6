use super::super::Look;
pub fn lab(_: &str, _: &marula_core::Json, _: &Look) -> String {
    String::new()
}
