//! The values that a Go template works with.
//!
//! Owns [`Datum`] and Go's rules for them: what is true, what a type is called. A document's numbers are
//! `float64`, because kubectl hands the template what a JSON reader made of the object.

use crate::api::value::Value;

/// A value inside a template.
#[derive(Clone, Debug)]
pub(super) enum Datum {
    /// No value: what a missing key gives.
    Nothing,
    /// A part of the document, a text or a boolean. Its numbers are floats.
    Document(Value),
    /// A whole number of the template itself.
    Int(i64),
}

impl From<bool> for Datum {
    fn from(flag: bool) -> Self {
        Self::Document(Value::Bool(flag))
    }
}

impl From<String> for Datum {
    fn from(text: String) -> Self {
        Self::Document(Value::from(text))
    }
}

impl Datum {
    /// Go's `IsTrue`: neither false, zero, nil nor empty.
    pub fn is_true(&self) -> bool {
        match self {
            Self::Nothing => false,
            Self::Int(number) => *number != 0,
            Self::Document(Value::Bool(flag)) => *flag,
            Self::Document(Value::Int(number)) => *number != 0,
            Self::Document(Value::Float(number)) => *number != 0.0,
            Self::Document(value) => !value.is_empty(),
        }
    }

    /// Whether it is Go's nil.
    pub fn is_nil(&self) -> bool {
        matches!(self, Self::Nothing | Self::Document(Value::Null))
    }

    /// Whether it is a list or a map.
    pub fn is_composed(&self) -> bool {
        matches!(self, Self::Document(Value::List(_) | Value::Map(_)))
    }

    /// Whether it is a number, a text or a boolean.
    pub fn is_basic(&self) -> bool {
        !self.is_nil() && !self.is_composed()
    }

    /// The number, if it is a float.
    pub fn float(&self) -> Option<f64> {
        match self {
            Self::Document(Value::Int(number)) => Some(*number as f64),
            Self::Document(Value::Float(number)) => Some(*number),
            _ => None,
        }
    }

    /// The name of its Go type.
    pub fn type_name(&self) -> &'static str {
        match self {
            Self::Nothing | Self::Document(Value::Null) => "nil",
            Self::Int(_) => "int",
            Self::Document(Value::Bool(_)) => "bool",
            Self::Document(Value::Int(_) | Value::Float(_)) => "float64",
            Self::Document(Value::Str(_)) => "string",
            Self::Document(Value::List(_)) => "[]interface {}",
            Self::Document(Value::Map(_)) => "map[string]interface {}",
        }
    }
}
