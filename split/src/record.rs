//! A module that tells which of its points it passes.
//!
//! At each point (see [`crate::cold::is_point`]) it calls an imported function with the point's number.

use wasm_encoder::reencode::{self, Reencode, utils};
use wasm_encoder::{CodeSection, Function, ImportSection, TypeSection, ValType};

use crate::PAGE;
use crate::cold::is_point;
use crate::module::{Error, Module};

/// The function of [`PAGE`] that is told which point is passed.
pub const RAN: &str = "ran";

/// Makes a module do the same and tell [`RAN`] of each point that it passes. Points are numbered through the
/// whole module.
///
/// # Errors
///
/// See [`Error`].
pub fn recording(module: &[u8]) -> Result<Vec<u8>, Error> {
    let read = Module::read(module)?;
    let imported = read.imported();
    let mut recorder =
        Recorder { signature: crate::module::index(read.types.len()), imported, point: 0 };
    let mut out = wasm_encoder::Module::new();
    utils::parse_core_module(&mut recorder, &mut out, wasmparser::Parser::new(0), module)?;
    Ok(out.finish())
}

struct Recorder {
    /// The type of [`RAN`]: it follows the module's own types.
    signature: u32,
    /// How many functions the module imports: [`RAN`] follows them.
    imported: u32,
    /// The point that comes next.
    point: u32,
}

impl Recorder {
    fn tell(&mut self, function: &mut Function) {
        function.instructions().i32_const(self.point.cast_signed()).call(self.imported);
        self.point += 1;
    }
}

impl Reencode for Recorder {
    type Error = std::convert::Infallible;

    fn function_index(&mut self, function: u32) -> Result<u32, reencode::Error> {
        Ok(if function < self.imported { function } else { function + 1 })
    }

    fn parse_type_section(
        &mut self,
        types: &mut TypeSection,
        section: wasmparser::TypeSectionReader<'_>,
    ) -> Result<(), reencode::Error> {
        utils::parse_type_section(self, types, section)?;
        types.ty().function([ValType::I32], []);
        Ok(())
    }

    fn parse_import_section(
        &mut self,
        imports: &mut ImportSection,
        section: wasmparser::ImportSectionReader<'_>,
    ) -> Result<(), reencode::Error> {
        utils::parse_import_section(self, imports, section)?;
        imports.import(PAGE, RAN, wasm_encoder::EntityType::Function(self.signature));
        Ok(())
    }

    fn parse_function_body(
        &mut self,
        code: &mut CodeSection,
        body: wasmparser::FunctionBody<'_>,
    ) -> Result<(), reencode::Error> {
        let mut function = self.new_function_with_parsed_locals(&body)?;
        self.tell(&mut function);
        let mut operators = body.get_operators_reader()?;
        while !operators.eof() {
            let operator = operators.read()?;
            let point = is_point(&operator) && !operators.eof();
            function.instruction(&self.instruction(operator)?);
            if point {
                self.tell(&mut function);
            }
        }
        code.function(&function);
        Ok(())
    }
}
