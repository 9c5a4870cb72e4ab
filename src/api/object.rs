//! A stored object: its document, and what the simulation reads of it, decoded once when it is written.
//!
//! Owns [`Object`], [`Key`] and [`Meta`]. The typed parts of single kinds are in [`super::typed`].

use std::fmt;
use std::ops::Deref;
use std::sync::Arc;

use super::registry::Kind;
use super::time::Timestamp;
use super::typed::Typed;
use super::value::{SmolStr, Value};

/// What names an object in a cluster. It is as large as a pointer: indexes, work queues and the journal hold the
/// object's own key, not copies of its texts.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Key(Arc<Named>);

/// What a [`Key`] says.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Named {
    /// The object's kind.
    pub kind: Kind,
    /// Its namespace; empty for cluster-scoped kinds.
    pub namespace: SmolStr,
    /// Its name.
    pub name: SmolStr,
}

impl Key {
    /// A key; cluster-scoped kinds take an empty namespace.
    #[must_use]
    pub fn new(kind: Kind, namespace: impl Into<SmolStr>, name: impl Into<SmolStr>) -> Self {
        Self(Arc::new(Named { kind, namespace: namespace.into(), name: name.into() }))
    }

    /// The key of an object of another kind with the same namespace and name.
    #[must_use]
    pub fn of_kind(&self, kind: Kind) -> Self {
        Self::new(kind, self.namespace.clone(), self.name.clone())
    }
}

impl Deref for Key {
    type Target = Named;

    fn deref(&self) -> &Named {
        &self.0
    }
}

impl fmt::Display for Key {
    /// `services/default/web`, for people who debug.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}/{}", self.kind.info().plural, self.namespace, self.name)
    }
}

/// The parts of `metadata` that the simulation reads.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Meta {
    /// The unique id, made when the object was created.
    pub uid: SmolStr,
    /// The journal revision of the last write.
    pub resource_version: u64,
    /// Counts changes of `spec`; 0 where the kind has none.
    pub generation: i64,
    /// When it was created.
    pub created: Timestamp,
    /// When it must be gone; set while it is being deleted.
    pub deletion: Option<Timestamp>,
    /// Labels, a map or null.
    pub labels: Value,
    /// Annotations, a map or null.
    pub annotations: Value,
    /// Owners.
    pub owners: Arc<[Owner]>,
    /// Whether finalizers hold it back from being removed.
    pub finalizers: bool,
}

/// An entry of `metadata.ownerReferences`.
#[derive(Clone, Debug, PartialEq)]
pub struct Owner {
    /// The owner's kind as written (`ReplicaSet`).
    pub kind: SmolStr,
    /// The owner's name.
    pub name: SmolStr,
    /// The owner's uid.
    pub uid: SmolStr,
    /// Whether it is the managing controller.
    pub controller: bool,
    /// Whether the owner waits for this object to be gone (foreground deletion).
    pub block_deletion: bool,
}

/// One stored object. It never changes: a write makes a new one.
#[derive(Clone, Debug, PartialEq)]
pub struct Object {
    /// Its name in the cluster.
    pub key: Key,
    /// The whole document, `apiVersion` and `kind` included.
    pub value: Value,
    /// What the simulation reads of `metadata`.
    pub meta: Meta,
    /// What the simulation reads of the rest.
    pub typed: Typed,
}

impl Object {
    /// Decodes a document that the API server has accepted (defaulted and valid). Parts that are the
    /// same shared value as in `before`, an earlier version, are not decoded again.
    #[must_use]
    pub fn new(kind: Kind, value: Value, before: Option<&Self>) -> Self {
        let meta = Meta::of(value.get("metadata"), before);
        let metadata = value.get("metadata");
        let key = match before {
            Some(object) if object.key.kind == kind && object.key.name == metadata.get("name").str() => {
                object.key.clone()
            }
            _ => Key::new(kind, metadata.get("namespace").smol(), metadata.get("name").smol()),
        };
        let typed = Typed::of(kind, &value, before);
        Self { key, value, meta, typed }
    }

    /// As [`Object::new`], for a document that shares parts with another object of its kind: what is the same
    /// shared value there is not decoded again.
    #[must_use]
    pub fn beside(value: Value, sibling: &Self) -> Self {
        let metadata = value.get("metadata");
        let mut meta = Meta::of(metadata, None);
        if metadata.get("ownerReferences").same(sibling.value.at(&["metadata", "ownerReferences"])) {
            meta.owners = sibling.meta.owners.clone();
        }
        let kind = sibling.key.kind;
        let key = Key::new(kind, metadata.get("namespace").smol(), metadata.get("name").smol());
        let typed = Typed::of(kind, &value, Some(sibling));
        Self { key, value, meta, typed }
    }

    /// The name.
    #[must_use]
    pub fn name(&self) -> &SmolStr {
        &self.key.name
    }

    /// The namespace; empty for cluster-scoped kinds.
    #[must_use]
    pub fn namespace(&self) -> &SmolStr {
        &self.key.namespace
    }

    /// `spec`, or null.
    #[must_use]
    pub fn spec(&self) -> &Value {
        self.value.get("spec")
    }

    /// `status`, or null.
    #[must_use]
    pub fn status(&self) -> &Value {
        self.value.get("status")
    }

    /// The managing controller's reference, if there is one.
    #[must_use]
    pub fn controller(&self) -> Option<&Owner> {
        self.meta.owners.iter().find(|owner| owner.controller)
    }

    /// Whether deletion has begun.
    #[must_use]
    pub fn is_terminating(&self) -> bool {
        self.meta.deletion.is_some()
    }
}

impl Meta {
    fn of(metadata: &Value, before: Option<&Object>) -> Self {
        let references = metadata.get("ownerReferences");
        let known =
            before.filter(|object| object.value.at(&["metadata", "ownerReferences"]).same(references));
        let owners = match known {
            Some(object) => object.meta.owners.clone(),
            _ => references.items().iter().map(Owner::of).collect(),
        };
        Self {
            uid: metadata.get("uid").smol(),
            resource_version: metadata.get("resourceVersion").str().parse().unwrap_or(0),
            generation: metadata.get("generation").as_int().unwrap_or(0),
            created: match before {
                Some(object) => object.meta.created,
                None => Timestamp::of(metadata.get("creationTimestamp")).unwrap_or_default(),
            },
            deletion: Timestamp::of(metadata.get("deletionTimestamp")),
            labels: metadata.get("labels").clone(),
            annotations: metadata.get("annotations").clone(),
            owners,
            finalizers: !metadata.get("finalizers").items().is_empty(),
        }
    }

    /// The value of a label, `""` where it is absent.
    #[must_use]
    pub fn label(&self, key: &str) -> &str {
        self.labels.get(key).str()
    }

    /// The value of an annotation, if it is there.
    #[must_use]
    pub fn annotation(&self, key: &str) -> Option<&str> {
        self.annotations.get(key).as_str()
    }
}

impl Owner {
    fn of(reference: &Value) -> Self {
        Self {
            kind: reference.get("kind").smol(),
            name: reference.get("name").smol(),
            uid: reference.get("uid").smol(),
            controller: reference.get("controller").as_bool().unwrap_or(false),
            block_deletion: reference.get("blockOwnerDeletion").as_bool().unwrap_or(false),
        }
    }
}
