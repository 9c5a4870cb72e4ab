//! A module that tells what of it is used.
//!
//! At each point (see [`crate::cold::is_point`]) it calls an imported function with the point's number, and
//! before each read of static data another one with the address.

use std::convert::Infallible;

use wasm_encoder::reencode::{self, Reencode, utils};
use wasm_encoder::{
    BlockType, CodeSection, EntityType, Function, FunctionSection, ImportSection, Instruction, TypeSection,
    ValType,
};

use crate::PAGE;
use crate::access::load;
use crate::cold::is_point;
use crate::module::{Error, Module, index};

/// The function of [`PAGE`] that is told which point is passed. Points are numbered through the whole module.
pub const RAN: &str = "ran";
/// The function of [`PAGE`] that is told from which address static data is read.
pub const READ: &str = "read";

/// Makes a module do the same and tell [`RAN`] and [`READ`] about it.
///
/// # Errors
///
/// See [`Error`].
pub fn recording(module: &[u8]) -> Result<Vec<u8>, Error> {
    let read = Module::read(module)?;
    let data =
        read.data.first().zip(read.data.last()).map_or((0, 0), |(first, last)| (first.start, last.end()));
    let mut recorder = Recorder {
        types: index(read.types.len()),
        imported: read.imported(),
        defined: index(read.bodies.len()),
        data,
        point: 0,
        written: 0,
    };
    let mut out = wasm_encoder::Module::new();
    utils::parse_core_module(&mut recorder, &mut out, wasmparser::Parser::new(0), module)?;
    Ok(out.finish())
}

/// How many imports are added: [`RAN`] and [`READ`] follow the module's own.
const ADDED: u32 = 2;

struct Recorder {
    /// How many types the module has; those of a telling function and of the probe follow.
    types: u32,
    imported: u32,
    defined: u32,
    /// Where static data begins and ends.
    data: (u32, u32),
    /// The point that comes next.
    point: u32,
    /// How many functions were written.
    written: u32,
}

impl Recorder {
    fn tell(&mut self, function: &mut Function) {
        function.instructions().i32_const(self.point.cast_signed()).call(self.imported);
        self.point += 1;
    }

    /// The number of the function that looks at an address: it follows the module's own.
    fn probe(&self) -> u32 {
        self.imported + ADDED + self.defined
    }

    /// Takes the base and the offset of a read, tells [`READ`] if it reads static data, and gives the base.
    fn write_probe(&self) -> Function {
        let (start, end) = self.data;
        let mut probe = Function::new([]);
        probe
            .instructions()
            .local_get(0)
            .local_get(1)
            .i32_add()
            .local_tee(1)
            .i32_const(start.cast_signed())
            .i32_sub()
            .i32_const((end - start).cast_signed())
            .i32_lt_u()
            .if_(BlockType::Empty)
            .local_get(1)
            .call(self.imported + 1)
            .end()
            .local_get(0)
            .end();
        probe
    }
}

impl Reencode for Recorder {
    type Error = Infallible;

    fn function_index(&mut self, function: u32) -> Result<u32, reencode::Error> {
        Ok(if function < self.imported { function } else { function + ADDED })
    }

    fn parse_type_section(
        &mut self,
        types: &mut TypeSection,
        section: wasmparser::TypeSectionReader<'_>,
    ) -> Result<(), reencode::Error> {
        utils::parse_type_section(self, types, section)?;
        types.ty().function([ValType::I32], []);
        types.ty().function([ValType::I32, ValType::I32], [ValType::I32]);
        Ok(())
    }

    fn parse_import_section(
        &mut self,
        imports: &mut ImportSection,
        section: wasmparser::ImportSectionReader<'_>,
    ) -> Result<(), reencode::Error> {
        utils::parse_import_section(self, imports, section)?;
        imports.import(PAGE, RAN, EntityType::Function(self.types));
        imports.import(PAGE, READ, EntityType::Function(self.types));
        Ok(())
    }

    fn parse_function_section(
        &mut self,
        functions: &mut FunctionSection,
        section: wasmparser::FunctionSectionReader<'_>,
    ) -> Result<(), reencode::Error> {
        utils::parse_function_section(self, functions, section)?;
        functions.function(self.types + 1);
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
            if let Some(offset) = load(&operator) {
                function.instruction(&Instruction::I32Const(offset));
                function.instruction(&Instruction::Call(self.probe()));
            }
            let point = is_point(&operator) && !operators.eof();
            function.instruction(&self.instruction(operator)?);
            if point {
                self.tell(&mut function);
            }
        }
        code.function(&function);
        self.written += 1;
        if self.written == self.defined {
            code.function(&self.write_probe());
        }
        Ok(())
    }
}
