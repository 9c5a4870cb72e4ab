//! YAML as Kubernetes reads and writes it.
//!
//! Owns the way from text to documents (with the place of every field) and back to text. It knows no
//! kinds and no fields. Start at [`read`] and [`write`](fn@write).
//!
//! Reading: [`read`](mod@read) splits text into documents as kubectl does, `compose` turns the events of
//! `saphyr-parser` into a `serde_yaml::Value` by the scalar rules of `scalar`, and `problem` puts what is
//! wrong into go-yaml's words.

mod compose;
pub mod positions;
pub mod problem;
pub mod read;
mod scalar;
pub mod write;

pub use positions::{Positions, Span};
pub use problem::Problem;
pub use read::{Diagnostic, Document, Severity, read};
pub use write::write;

/// The largest text that is read, in bytes: what kube-apiserver accepts as a request body (3 MiB).
pub const MAX_BYTES: usize = 3 * 1024 * 1024;

/// The deepest nesting that is read. A Pod template needs about 15 levels; everything that walks values
/// by recursion relies on this bound, in a WASM stack of 1 MiB.
pub const MAX_DEPTH: usize = 100;

/// The largest number of values in one document, aliases expanded: several times what the largest object
/// that etcd stores (1.5 MiB) holds in practice, and few enough to be read within 100 ms.
pub const MAX_NODES: usize = 65_536;

/// The largest number of documents in one file: far more than a person writes, few enough that one
/// keystroke in the editor stays cheap.
pub const MAX_DOCUMENTS: usize = 10_000;

/// How often one document is read again after a line inside quotes or brackets was indented for
/// saphyr, which follows YAML 1.2 where go-yaml lets such lines begin anywhere.
const MAX_REPAIRS: usize = 64;

/// The most bytes that are read again for such repairs, all together: 4 MiB take about 50 ms.
const MAX_REPAIRED_BYTES: usize = 4 << 20;

#[cfg(test)]
mod tests;
