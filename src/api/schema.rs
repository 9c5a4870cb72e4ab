//! The fields of every kind, as data.
//!
//! Owns the embedded facts of Kubernetes v1.36 (`schema.json`: 47 kinds, 355 types) and typed access to
//! them for strict decoding, merging, completion and `explain`. It holds no values and no rules of its
//! own, but what Go's types add to the API's: see [`go_types`](super::go_types). Parsed once, when first
//! asked. Start at [`schema`], then [`Schema::kind`].

use std::fmt;
use std::sync::OnceLock;

use rustc_hash::FxHashMap;
use smol_str::SmolStr;

use super::go_types::{self, Zero};
use super::value::Value;

/// The facts, as `reference/schema.json` gives them.
pub(super) const FACTS: &str = include_str!("schema.json");

/// All types and kinds.
#[derive(Debug)]
pub struct Schema {
    types: Vec<Type>,
    by_name: FxHashMap<SmolStr, TypeId>,
    /// `(apiVersion, kind, type)`, in order.
    kinds: Vec<(SmolStr, SmolStr, TypeId)>,
}

/// One type of the schema.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct TypeId(u16);

/// A map with known fields.
#[derive(Debug)]
pub struct Type {
    /// Its name: `core/v1.ServiceSpec`.
    pub name: SmolStr,
    /// Its fields, ordered by name.
    pub fields: Vec<Field>,
}

/// One field of a type.
#[derive(Debug)]
pub struct Field {
    /// Its name in documents.
    pub name: SmolStr,
    /// What it holds.
    pub shape: Shape,
    /// Whether the API demands it.
    pub required: bool,
    /// What the API server puts in where it is absent, as far as the schema tells.
    pub default: Value,
    /// The words it may hold; empty if any.
    pub words: Vec<SmolStr>,
    /// What a strategic merge patch does with a list or map: merge it (else it is replaced).
    pub merge: bool,
    /// Whether a strategic merge patch keeps only the keys that it names.
    pub retain_keys: bool,
    /// The field by which items are matched in a strategic merge patch.
    pub patch_key: SmolStr,
    /// How server-side apply sees a list.
    pub list: ListKind,
    /// The fields by which items of a `Map` list are matched.
    pub list_keys: Vec<SmolStr>,
    /// What a round trip through Go's type makes of it when it is empty.
    pub zero: Zero,
}

/// How server-side apply sees a list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ListKind {
    /// One value, replaced as a whole.
    Atomic,
    /// Items with keys.
    Map,
    /// Items that are their own keys.
    Set,
}

/// What a field holds.
#[derive(Clone, Debug, PartialEq)]
pub enum Shape {
    /// Text.
    String,
    /// `true` or `false`.
    Boolean,
    /// A whole number of 32 bits.
    Int32,
    /// A whole number of 64 bits.
    Int64,
    /// A number or a text: a port by number or name, a count or a percentage.
    IntOrString,
    /// A quantity: `100m`, `1Gi`.
    Quantity,
    /// A time with seconds.
    Time,
    /// A time with microseconds.
    MicroTime,
    /// Base64.
    Bytes,
    /// Any map: not looked into. With the name of its type: `RawExtension`.
    Object(SmolStr),
    /// A map with known fields.
    Struct(TypeId),
    /// A list of one shape.
    List(Box<Shape>),
    /// A map with free keys.
    Map(Box<Shape>),
}

/// The facts of Kubernetes v1.36.
#[must_use]
pub fn schema() -> &'static Schema {
    static SCHEMA: OnceLock<Schema> = OnceLock::new();
    SCHEMA.get_or_init(|| {
        let facts = serde_json::from_str(FACTS).expect("the embedded schema is valid JSON");
        Schema::new(&facts)
    })
}

impl Schema {
    fn new(facts: &Value) -> Self {
        let named = facts.get("types").entries();
        let structs = || named.iter().filter(|(_, facts)| !facts.get("fields").is_null());
        let by_name: FxHashMap<SmolStr, TypeId> = structs()
            .enumerate()
            .map(|(at, (name, _))| (name.clone(), TypeId(u16::try_from(at).expect("few types"))))
            .collect();
        let types = structs()
            .map(|(name, facts)| {
                let fields = facts.get("fields").entries().iter();
                Type {
                    name: name.clone(),
                    fields: fields.map(|(field, facts)| Field::new(name, field, facts, &by_name)).collect(),
                }
            })
            .collect();
        let kinds = facts.get("kinds").entries().iter();
        let kinds = kinds.filter_map(|(kind, name)| {
            let (version, kind) = kind.rsplit_once('/')?;
            Some((version.into(), kind.into(), *by_name.get(name.str())?))
        });
        let kinds = kinds.collect();
        Self { types, by_name, kinds }
    }

    /// The type of a kind: `("apps/v1", "Deployment")`.
    #[must_use]
    pub fn kind(&self, api_version: &str, kind: &str) -> Option<TypeId> {
        let mut kinds = self.kinds.iter();
        kinds.find(|(version, name, _)| version == api_version && name == kind).map(|(.., id)| *id)
    }

    /// All kinds: API version, kind and type.
    pub fn kinds(&self) -> impl Iterator<Item = (&str, &str, TypeId)> {
        self.kinds.iter().map(|(version, kind, id)| (version.as_str(), kind.as_str(), *id))
    }

    /// The type of a name: `core/v1.ServiceSpec`.
    #[must_use]
    pub fn named(&self, name: &str) -> Option<TypeId> {
        self.by_name.get(name).copied()
    }

    /// A type.
    #[must_use]
    pub fn get(&self, id: TypeId) -> &Type {
        &self.types[usize::from(id.0)]
    }

    /// All types.
    pub fn types(&self) -> impl Iterator<Item = &Type> {
        self.types.iter()
    }

    /// The field to which a path leads from a type; list indexes and map keys are skipped or named:
    /// `spec.ports.port`, `spec.ports[0].port`.
    #[must_use]
    pub fn field_at(&self, from: TypeId, path: &str) -> Option<&Field> {
        let mut found = None;
        let mut shape = Shape::Struct(from);
        for step in path.split('.').filter(|step| !step.is_empty()) {
            let name = step.split('[').next().unwrap_or_default();
            if let Shape::Map(inner) = shape {
                // A free key: what it leads to is described by the map's field.
                shape = *inner;
                continue;
            }
            let field = self.get(shape.innermost()?).field(name)?;
            shape = match &field.shape {
                Shape::List(inner) => (**inner).clone(),
                Shape::Map(inner) if step.contains('[') => (**inner).clone(),
                other => other.clone(),
            };
            found = Some(field);
        }
        found
    }
}

impl Type {
    /// The field of a name.
    #[must_use]
    pub fn field(&self, name: &str) -> Option<&Field> {
        let at = self.fields.binary_search_by(|field| field.name.as_str().cmp(name)).ok()?;
        Some(&self.fields[at])
    }

    /// Its name without group and version: `ServiceSpec`.
    #[must_use]
    pub fn short_name(&self) -> &str {
        self.name.rsplit_once('.').map_or(&self.name, |(_, short)| short)
    }
}

impl Field {
    fn new(owner: &str, name: &SmolStr, facts: &Value, types: &FxHashMap<SmolStr, TypeId>) -> Self {
        let texts = |key: &str| facts.get(key).items().iter().map(Value::smol).collect();
        let shape = Shape::parse(facts.get("type").str(), types);
        let required = facts.get("required") == &Value::Bool(true);
        let patch = facts.get("patch").str();
        Self {
            name: name.clone(),
            zero: go_types::zero(owner, name, facts.get("type").str(), &shape, required),
            shape,
            required,
            default: facts.get("default").clone(),
            words: texts("enum"),
            merge: patch.contains("merge"),
            retain_keys: patch.contains("retainKeys"),
            patch_key: facts.get("patchKey").smol(),
            list: match facts.get("list").str() {
                "map" => ListKind::Map,
                "set" => ListKind::Set,
                _ => ListKind::Atomic,
            },
            list_keys: texts("listKeys"),
        }
    }
}

impl Shape {
    /// The shape that a type of `schema.json` names: `[T]` is a list, `{T}` a map.
    fn parse(text: &str, types: &FxHashMap<SmolStr, TypeId>) -> Self {
        let inside = |open, close| text.strip_prefix(open).and_then(|text: &str| text.strip_suffix(close));
        if let Some(inner) = inside('[', ']') {
            return Self::List(Box::new(Self::parse(inner, types)));
        }
        if let Some(inner) = inside('{', '}') {
            return Self::Map(Box::new(Self::parse(inner, types)));
        }
        match text {
            "string" => Self::String,
            "boolean" => Self::Boolean,
            "integer:int32" => Self::Int32,
            "integer:int64" => Self::Int64,
            "IntOrString" => Self::IntOrString,
            "Quantity" => Self::Quantity,
            "meta/v1.Time" => Self::Time,
            "meta/v1.MicroTime" => Self::MicroTime,
            "string:byte" => Self::Bytes,
            other => types.get(other).map_or_else(|| Self::Object(other.into()), |&id| Self::Struct(id)),
        }
    }

    /// The name of the type that this is, or that its items or values are, as the schema has it:
    /// `core/v1.ServicePort`, `Quantity`; none for plain texts, numbers and the like.
    #[must_use]
    pub fn type_name(&self) -> Option<&str> {
        match self {
            Self::IntOrString => Some("IntOrString"),
            Self::Quantity => Some("Quantity"),
            Self::Time => Some("meta/v1.Time"),
            Self::MicroTime => Some("meta/v1.MicroTime"),
            Self::Object(name) => Some(name),
            Self::Struct(id) => Some(&schema().get(*id).name),
            Self::List(inner) | Self::Map(inner) => inner.type_name(),
            Self::String | Self::Boolean | Self::Int32 | Self::Int64 | Self::Bytes => None,
        }
    }

    /// The type that this is, or that its items or values are.
    #[must_use]
    pub fn innermost(&self) -> Option<TypeId> {
        match self {
            Self::Struct(id) => Some(*id),
            Self::List(inner) | Self::Map(inner) => inner.innermost(),
            _ => None,
        }
    }
}

/// A type as `kubectl explain` names it: `[]ServicePort`, `map[string]string`.
impl fmt::Display for Shape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::String | Self::Time | Self::MicroTime | Self::Bytes => f.write_str("string"),
            Self::Boolean => f.write_str("boolean"),
            Self::Int32 | Self::Int64 => f.write_str("integer"),
            Self::IntOrString | Self::Quantity | Self::Object(_) | Self::Struct(_) => {
                let name = self.type_name().unwrap_or_default();
                f.write_str(name.rsplit('.').next().unwrap_or(name))
            }
            Self::List(inner) => write!(f, "[]{inner}"),
            Self::Map(inner) => write!(f, "map[string]{inner}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_and_every_type_resolves() {
        let schema = schema();
        assert_eq!(schema.kinds().count(), 47);
        let objects = ["RawExtension", "meta/v1.FieldsV1"];
        let facts: Value = serde_json::from_str(FACTS).unwrap();
        for (name, facts) in facts.get("types").entries() {
            for (field, facts) in facts.get("fields").entries() {
                let id = schema.named(name).unwrap();
                let shape = &schema.get(id).field(field).unwrap().shape;
                let free = objects.contains(&facts.get("type").str());
                assert_eq!(matches!(shape, Shape::Object(_)), free, "{name}.{field}");
            }
        }
    }

    #[test]
    fn fields_are_found_by_path() {
        let deployment = schema().kind("apps/v1", "Deployment").unwrap();
        let check = |path: &str, shape: Option<Shape>| {
            let field = schema().field_at(deployment, path);
            assert_eq!(field.map(|field| field.shape.clone()), shape, "{path}");
        };
        check("spec.replicas", Some(Shape::Int32));
        check("spec.template.spec.containers[0].ports.containerPort", Some(Shape::Int32));
        check("spec.template.metadata.labels.app", Some(Shape::Map(Box::new(Shape::String))));
        check("spec.nothing", None);
        assert_eq!(schema().kind("v1", "Deployment"), None);
    }

    #[test]
    fn merge_keys_are_those_of_the_schema() {
        let service = schema().kind("v1", "Service").unwrap();
        let ports = schema().field_at(service, "spec.ports").unwrap();
        assert_eq!((ports.merge, ports.patch_key.as_str(), ports.list), (true, "port", ListKind::Map));
        assert_eq!(ports.list_keys, ["port", "protocol"]);
    }
}
