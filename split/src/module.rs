//! A linked module, read into its sections.
//!
//! Owns what is accepted: one module as wasm-bindgen leaves a Rust program. Knows nothing of parts.

use std::collections::BTreeMap;
use std::fmt;

use wasm_encoder::reencode;
use wasmparser::{
    ConstExpr, Data, DataKind, Element, ElementItems, ElementKind, Export, FuncType, FunctionBody, Global,
    Import, MemoryType, Operator, Parser, Payload, Table, TableInit, TypeRef,
};

/// Why a module cannot be split.
#[derive(Debug)]
pub enum Error {
    /// It is no WebAssembly module.
    Broken(wasmparser::Error),
    /// It uses what this tool does not handle.
    Unsupported(String),
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Broken(error) => write!(f, "not a WebAssembly module: {error}"),
            Self::Unsupported(what) => write!(f, "the module has {what}, which cannot be split"),
        }
    }
}

impl std::error::Error for Error {}

impl From<wasmparser::Error> for Error {
    fn from(error: wasmparser::Error) -> Self {
        Self::Broken(error)
    }
}

impl From<reencode::Error> for Error {
    fn from(error: reencode::Error) -> Self {
        match error {
            reencode::Error::ParseError(error) => Self::Broken(error),
            other => Self::Unsupported(other.to_string()),
        }
    }
}

pub(crate) fn unsupported<T>(what: &str) -> Result<T, Error> {
    Err(Error::Unsupported(what.to_owned()))
}

/// Bytes that memory holds from the start.
#[derive(Debug, Clone, Copy)]
pub struct Segment<'a> {
    /// The address of the first byte.
    pub start: u32,
    /// The bytes.
    pub bytes: &'a [u8],
}

impl Segment<'_> {
    /// The address behind the last byte.
    #[must_use]
    pub fn end(&self) -> u32 {
        // Read from a memory of at most 4 GiB, by `Module::read`.
        self.start + u32::try_from(self.bytes.len()).expect("a segment lies within the memory")
    }
}

/// A linked module. Functions are numbered as in the module: imported ones first.
#[derive(Debug, Default)]
pub struct Module<'a> {
    /// Function types.
    pub types: Vec<FuncType>,
    /// Imported functions; nothing else is imported.
    pub imports: Vec<Import<'a>>,
    /// The type of each function, imported ones first.
    pub signatures: Vec<u32>,
    /// Tables, all of them without contents of their own.
    pub tables: Vec<Table<'a>>,
    /// The memory.
    pub memories: Vec<MemoryType>,
    /// Globals.
    pub globals: Vec<Global<'a>>,
    /// Exports.
    pub exports: Vec<Export<'a>>,
    /// The table that holds functions.
    pub function_table: u32,
    /// What that table holds from the start, by place.
    pub slots: BTreeMap<u32, u32>,
    /// The defined functions.
    pub bodies: Vec<FunctionBody<'a>>,
    /// What memory holds from the start, by address.
    pub data: Vec<Segment<'a>>,
}

impl<'a> Module<'a> {
    /// Reads a module.
    ///
    /// # Errors
    ///
    /// See [`Error`].
    pub fn read(bytes: &'a [u8]) -> Result<Self, Error> {
        let mut module = Self::default();
        for payload in Parser::new(0).parse_all(bytes) {
            module.payload(payload?)?;
        }
        if module.memories.len() != 1 {
            return unsupported("no memory of its own, or several");
        }
        module.data.sort_by_key(|segment| segment.start);
        if module.data.windows(2).any(|pair| pair[0].end() > pair[1].start) {
            return unsupported("data that overlaps");
        }
        Ok(module)
    }

    /// How many functions are imported.
    #[must_use]
    pub fn imported(&self) -> u32 {
        index(self.imports.len())
    }

    /// The defined functions with their numbers.
    pub fn defined(&self) -> impl Iterator<Item = (u32, &FunctionBody<'a>)> {
        (self.imported()..).zip(&self.bodies)
    }

    /// The type of a function.
    #[must_use]
    pub fn signature(&self, function: u32) -> &FuncType {
        &self.types[self.signatures[function as usize] as usize]
    }

    fn payload(&mut self, payload: Payload<'a>) -> Result<(), Error> {
        match payload {
            Payload::TypeSection(section) => {
                self.types = section.into_iter_err_on_gc_types().collect::<Result<_, _>>()?;
            }
            Payload::ImportSection(section) => {
                for import in section.into_imports() {
                    let import = import?;
                    let TypeRef::Func(signature) = import.ty else {
                        return unsupported("an import that is no function");
                    };
                    self.imports.push(import);
                    self.signatures.push(signature);
                }
            }
            Payload::FunctionSection(section) => {
                for signature in section {
                    self.signatures.push(signature?);
                }
            }
            Payload::TableSection(section) => {
                self.tables = section.into_iter().collect::<Result<_, _>>()?;
                if self.tables.iter().any(|table| !matches!(table.init, TableInit::RefNull)) {
                    return unsupported("a table with a first value");
                }
            }
            Payload::MemorySection(section) => {
                self.memories = section.into_iter().collect::<Result<_, _>>()?;
            }
            Payload::GlobalSection(section) => {
                self.globals = section.into_iter().collect::<Result<_, _>>()?;
            }
            Payload::ExportSection(section) => {
                self.exports = section.into_iter().collect::<Result<_, _>>()?;
            }
            Payload::ElementSection(section) => {
                for element in section {
                    self.element(element?)?;
                }
            }
            Payload::CodeSectionEntry(body) => self.bodies.push(body),
            Payload::DataSection(section) => {
                for data in section {
                    self.data.push(segment(data?)?);
                }
            }
            Payload::StartSection { .. } => return unsupported("a start function"),
            Payload::TagSection(_) => return unsupported("exceptions"),
            _ => {}
        }
        Ok(())
    }

    fn element(&mut self, element: Element<'a>) -> Result<(), Error> {
        let ElementKind::Active { table_index, offset_expr } = element.kind else {
            return unsupported("elements that code places");
        };
        let ElementItems::Functions(functions) = element.items else {
            return unsupported("elements by expression");
        };
        let table = table_index.unwrap_or(0);
        if !self.slots.is_empty() && table != self.function_table {
            return unsupported("functions in two tables");
        }
        self.function_table = table;
        for (place, function) in (constant(&offset_expr)?..).zip(functions) {
            self.slots.insert(place, function?);
        }
        Ok(())
    }
}

fn segment(data: Data<'_>) -> Result<Segment<'_>, Error> {
    let DataKind::Active { memory_index: 0, offset_expr } = data.kind else {
        return unsupported("data that code places");
    };
    let start = constant(&offset_expr)?;
    let end = u64::from(start) + data.data.len() as u64;
    if end > u64::from(u32::MAX) {
        return unsupported("data beyond 4 GiB");
    }
    Ok(Segment { start, bytes: data.data })
}

/// The value of an expression that is a constant.
fn constant(expression: &ConstExpr<'_>) -> Result<u32, Error> {
    match expression.get_operators_reader().read()? {
        Operator::I32Const { value } => Ok(value.cast_unsigned()),
        _ => unsupported("an offset that is no constant"),
    }
}

/// A length as an index: WebAssembly counts in 32 bits.
pub(crate) fn index(length: usize) -> u32 {
    u32::try_from(length).expect("a module counts in 32 bits")
}
