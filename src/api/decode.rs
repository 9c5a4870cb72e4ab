//! Strict decoding: a document as the API server's Go types would hold it.
//!
//! Owns the API server's messages for wrong types and unknown fields, Go's conversions (`80.0` is 80,
//! null is nothing), and the shape that a document has after a round trip through Go: empty optional
//! fields are gone, required ones and structs are there. What the values mean is validation's business.
//!
//! Parts of the document in which nothing changes are shared with the result.

use std::fmt;

use super::go_types::{self, Zero};
use super::json;
use super::quantity::Quantity;
use super::schema::{Field, Schema, Shape, Type, TypeId, schema};
use super::value::{Map, Value};

/// A document that fits its type.
#[derive(Clone, Debug, PartialEq)]
pub struct Decoded {
    /// It, without unknown fields.
    pub value: Value,
    /// The paths of fields that the type does not have, in the order of the document's keys.
    pub unknown: Vec<String>,
}

impl Decoded {
    /// What the API server says about unknown fields where they are refused.
    ///
    /// # Errors
    /// If there are any.
    pub fn strict(self) -> Result<Value, DecodeError> {
        if self.unknown.is_empty() {
            return Ok(self.value);
        }
        let fields: Vec<String> = self.warnings().collect();
        Err(DecodeError { message: format!("strict decoding error: {}", fields.join(", ")) })
    }

    /// What the API server warns of where unknown fields are only dropped: `unknown field "spec.foo"`.
    pub fn warnings(&self) -> impl Iterator<Item = String> {
        self.unknown.iter().map(|path| format!("unknown field \"{path}\""))
    }
}

/// Why a document does not fit its type, in the words of Go's decoder.
#[derive(Clone, Debug, PartialEq)]
pub struct DecodeError {
    /// `json: cannot unmarshal string into Go struct field ServicePort.spec.ports.port of type int32`.
    pub message: String,
}

impl fmt::Display for DecodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

/// The largest number of unknown fields that are told, as in the API server.
const MAX_UNKNOWN: usize = 100;

/// Decodes a document of a type.
///
/// # Errors
/// The first value of a wrong type.
pub fn decode(value: &Value, of: TypeId) -> Result<Decoded, DecodeError> {
    let mut decoder = Decoder::new();
    let changed = decoder.structure(of, value)?;
    decoder.finish(changed.unwrap_or_else(|| value.clone()))
}

/// Checks a document's metadata as kubectl does before it sends anything.
///
/// # Errors
/// What kubectl prints after `unable to decode "FILE": `.
pub fn check_metadata(value: &Value) -> Result<(), DecodeError> {
    let metadata = value.get("metadata");
    let of = schema().named("meta/v1.ObjectMeta").expect("the schema describes metadata");
    match metadata {
        Value::Null => Ok(()),
        Value::Map(_) => {
            let mut decoder = Decoder::new();
            decoder.path.push(Step::Field("metadata"));
            decoder.structure(of, metadata)?;
            decoder.finish(Value::Null).map(drop)
        }
        other => Err(DecodeError {
            message: format!(
                "json: cannot unmarshal {} into Go struct field metadataOnlyObject.metadata of type v1.ObjectMeta",
                other.json_type()
            ),
        }),
    }
}

/// One step from the document to the value at hand.
enum Step<'a> {
    Field(&'a str),
    Index(usize),
    Key(&'a str),
}

struct Decoder<'a> {
    schema: &'static Schema,
    path: Vec<Step<'a>>,
    /// The type whose field is at hand, and that field.
    owner: Option<(&'static Type, &'static Field)>,
    unknown: Vec<String>,
    /// The first value of a wrong type; Go reads on to the end all the same.
    saved: Option<DecodeError>,
}

/// What became of a value: nothing if it stays as it is.
type Changed = Option<Value>;

impl<'a> Decoder<'a> {
    fn new() -> Self {
        Self { schema: schema(), path: Vec::new(), owner: None, unknown: Vec::new(), saved: None }
    }

    fn finish(self, value: Value) -> Result<Decoded, DecodeError> {
        match self.saved {
            Some(error) => Err(error),
            None => Ok(Decoded { value, unknown: self.unknown }),
        }
    }

    fn shape(&mut self, shape: &'static Shape, value: &'a Value) -> Result<Changed, DecodeError> {
        match (shape, value) {
            (Shape::Struct(of), _) => self.structure(*of, value),
            (Shape::Quantity, _) => self.quantity(value),
            (_, Value::Null) => Ok(Some(go_types::empty(shape))),
            (Shape::IntOrString, _) => self.int_or_string(value),
            (Shape::Time | Shape::MicroTime, Value::Str(text)) => self.time(text, *shape == Shape::MicroTime),
            (Shape::Time | Shape::MicroTime, _) => Err(self.mismatch(value.json_type(), "string")),
            (Shape::List(item), Value::List(items)) => self.list(item, items),
            (Shape::Map(item), Value::Map(map)) => self.map(item, map),
            (Shape::Bytes, Value::Str(text)) => {
                self.base64(text);
                Ok(None)
            }
            (Shape::Int32 | Shape::Int64, Value::Int(_) | Value::Float(_)) => Ok(self.integer(shape, value)),
            (Shape::String, Value::Str(_)) | (Shape::Boolean, Value::Bool(_)) | (Shape::Object(_), _) => {
                Ok(None)
            }
            _ => {
                self.save(value.json_type(), shape);
                Ok(None)
            }
        }
    }

    fn structure(&mut self, of: TypeId, value: &'a Value) -> Result<Changed, DecodeError> {
        let of = self.schema.get(of);
        let map = match value {
            Value::Map(map) => map,
            Value::Null => return Ok(Some(self.empty_structure(of))),
            _ => {
                self.save_named(value.json_type(), || go_types::type_name(&of.name).to_owned());
                return Ok(None);
            }
        };
        let mut changed: Option<Map> = None;
        for (key, value) in map.iter() {
            let Some(field) = of.field(key) else {
                self.unknown_field(key);
                changed.get_or_insert_with(|| map.clone()).remove(key);
                continue;
            };
            let outer = self.owner.replace((of, field));
            self.path.push(Step::Field(key));
            let result = self.field(field, value);
            self.path.pop();
            self.owner = outer;
            match result? {
                Outcome::Same => {}
                Outcome::Gone => drop(changed.get_or_insert_with(|| map.clone()).remove(key)),
                Outcome::New(value) => {
                    changed.get_or_insert_with(|| map.clone()).insert(key.clone(), value);
                }
            }
        }
        for field in of.fields.iter().filter(|field| field.zero == Zero::Written) {
            if !map.contains(&field.name) {
                let value = self.empty(&field.shape);
                changed.get_or_insert_with(|| map.clone()).insert(field.name.clone(), value);
            }
        }
        Ok(changed.map(Value::from))
    }

    fn field(&mut self, field: &'static Field, value: &'a Value) -> Result<Outcome, DecodeError> {
        if value.is_null() && field.zero != Zero::Written {
            return Ok(Outcome::Gone);
        }
        let new = self.shape(&field.shape, value)?;
        let now = new.as_ref().unwrap_or(value);
        if field.zero == Zero::Gone && (now.is_empty() || matches!(now, Value::Int(0) | Value::Bool(false))) {
            return Ok(Outcome::Gone);
        }
        Ok(match new {
            Some(new) if new != *value => Outcome::New(new),
            _ => Outcome::Same,
        })
    }

    fn list(&mut self, item: &'static Shape, items: &'a [Value]) -> Result<Changed, DecodeError> {
        let mut changed: Option<Vec<Value>> = None;
        for (at, value) in items.iter().enumerate() {
            self.path.push(Step::Index(at));
            let new = self.shape(item, value);
            self.path.pop();
            if let Some(new) = new? {
                changed.get_or_insert_with(|| items.to_vec())[at] = new;
            }
        }
        Ok(changed.map(Value::from))
    }

    fn map(&mut self, item: &'static Shape, map: &'a Map) -> Result<Changed, DecodeError> {
        let mut changed: Option<Map> = None;
        for (key, value) in map.iter() {
            self.path.push(Step::Key(key));
            let new = self.shape(item, value);
            self.path.pop();
            if let Some(new) = new? {
                changed.get_or_insert_with(|| map.clone()).insert(key.clone(), new);
            }
        }
        Ok(changed.map(Value::from))
    }

    fn integer(&mut self, shape: &'static Shape, value: &Value) -> Changed {
        let whole = match value {
            Value::Float(float) => json::number(*float),
            other => other.clone(),
        };
        let fits = |number: &i64| *shape == Shape::Int64 || i32::try_from(*number).is_ok();
        if whole.as_int().filter(fits).is_none() {
            self.save(&format!("number {}", json::compact(value)), shape);
            return None;
        }
        (whole != *value).then_some(whole)
    }

    fn int_or_string(&mut self, value: &Value) -> Result<Changed, DecodeError> {
        let whole = match value {
            Value::Str(_) => return Ok(None),
            Value::Float(float) => json::number(*float),
            other => other.clone(),
        };
        match (whole.as_int().map(i32::try_from), value) {
            (Some(Ok(_)), Value::Int(_)) => Ok(None),
            (Some(Ok(_)), _) => Ok(Some(whole)),
            (_, Value::Int(_) | Value::Float(_)) => {
                Err(self.mismatch(&format!("number {}", json::compact(value)), "int32"))
            }
            _ => Err(self.mismatch(value.json_type(), "int32")),
        }
    }

    fn quantity(&mut self, value: &Value) -> Result<Changed, DecodeError> {
        let text = match value {
            Value::Str(text) => text.clone(),
            Value::Null => return Ok(Some(Value::text("0"))),
            other => json::compact(other).into(),
        };
        let quantity =
            Quantity::parse(text.trim()).map_err(|error| DecodeError { message: error.to_string() })?;
        let canonical = Value::from(quantity.to_string());
        Ok((canonical != *value).then_some(canonical))
    }

    fn time(&mut self, text: &str, micro: bool) -> Result<Changed, DecodeError> {
        let length = if micro { "2006-01-02T15:04:05.000000Z".len() } else { "2006-01-02T15:04:05Z".len() };
        let time = super::go_time::parse(text).map_err(|message| DecodeError { message })?;
        if text.len() == length && text.ends_with('Z') {
            return Ok(None);
        }
        Ok(Some(super::go_time::format(time, micro).into()))
    }

    /// Text that is no base64 does not fit `[]byte`; Go tells the first byte that is to blame.
    fn base64(&mut self, text: &str) {
        if let Some(at) = super::base64::illegal_byte(text) {
            let message = format!("illegal base64 data at input byte {at}");
            self.saved.get_or_insert(DecodeError { message });
        }
    }

    /// The value that Go writes for an absent field.
    fn empty(&self, shape: &Shape) -> Value {
        match shape {
            Shape::Struct(of) => self.empty_structure(self.schema.get(*of)),
            other => go_types::empty(other),
        }
    }

    fn empty_structure(&self, of: &Type) -> Value {
        let written = of.fields.iter().filter(|field| field.zero == Zero::Written);
        written.map(|field| (field.name.clone(), self.empty(&field.shape))).collect()
    }

    fn unknown_field(&mut self, key: &str) {
        if self.unknown.len() >= MAX_UNKNOWN {
            return;
        }
        let mut path = String::new();
        for step in &self.path {
            match step {
                Step::Index(at) => path.push_str(&format!("[{at}]")),
                Step::Field(name) | Step::Key(name) => {
                    path.push_str(name);
                }
            }
            path.push('.');
        }
        path.push_str(key);
        self.unknown.push(path.replace(".[", "["));
    }

    /// Notes the first value of a wrong type.
    fn save(&mut self, found: &str, shape: &'static Shape) {
        let schema = self.schema;
        let owner = self.owner;
        self.save_named(found, || match owner {
            Some((owner, field)) if field.shape == *shape => {
                go_types::name(schema, &owner.name, &field.name, shape)
            }
            Some((owner, field)) => go_types::item_name(schema, &owner.name, &field.name, shape),
            None => go_types::name(schema, "", "", shape),
        });
    }

    fn save_named(&mut self, found: &str, expected: impl FnOnce() -> String) {
        if self.saved.is_none() {
            self.saved = Some(self.mismatch(found, &expected()));
        }
    }

    fn mismatch(&self, found: &str, expected: &str) -> DecodeError {
        let place = match self.owner {
            None if self.path.is_empty() => format!("value of type {expected}"),
            owner => {
                let owner = owner.map_or("ObjectMeta", |(owner, _)| owner.short_name());
                let fields = self.path.iter().filter_map(|step| match step {
                    Step::Field(name) => Some(*name),
                    Step::Index(_) | Step::Key(_) => None,
                });
                let fields: Vec<&str> = fields.collect();
                format!("struct field {owner}.{} of type {expected}", fields.join("."))
            }
        };
        DecodeError { message: format!("json: cannot unmarshal {found} into Go {place}") }
    }
}

/// What becomes of a field.
enum Outcome {
    Same,
    Gone,
    New(Value),
}

#[cfg(test)]
mod tests;
