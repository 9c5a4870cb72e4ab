//! writer
use crate::api::value::Value;
/// w
#[must_use]
pub fn write(_v: &Value) -> String {
    String::new()
}
