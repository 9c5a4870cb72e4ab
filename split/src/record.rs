//! A module that tells what of it is used.
//!
//! At each point (see [`crate::cold::is_point`]) it calls an imported function with the point's number, and
//! before each read of static data another one with the address and the number of bytes.

use std::convert::Infallible;

use wasm_encoder::reencode::{self, Reencode, utils};
use wasm_encoder::{
    BlockType, CodeSection, EntityType, Function, FunctionSection, ImportSection, InstructionSink,
    TypeSection, ValType,
};
use wasmparser::Operator;

use crate::PAGE;
use crate::access::load;
use crate::cold::is_point;
use crate::module::{Error, Module, index};

/// The function of [`PAGE`] that is told which point is passed. Points are numbered through the whole module.
pub const RAN: &str = "ran";
/// The function of [`PAGE`] that is told from which address static data is read, and how many bytes.
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
    /// How many types the module has; those of [`RAN`], of [`READ`] and of the two probes follow.
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

    /// The number of the function that looks at a load: it follows the module's own.
    fn load_probe(&self) -> u32 {
        self.imported + ADDED + self.defined
    }

    /// The number of the function that looks at a copy.
    fn copy_probe(&self) -> u32 {
        self.load_probe() + 1
    }

    /// Tells [`READ`] if static data is read from the address in a local.
    fn write_probe(&self, code: &mut InstructionSink<'_>, address: u32, bytes: u32) {
        let (start, end) = self.data;
        code.local_get(address)
            .i32_const(start.cast_signed())
            .i32_sub()
            .i32_const((end - start).cast_signed())
            .i32_lt_u()
            .if_(BlockType::Empty)
            .local_get(address)
            .local_get(bytes)
            .call(self.imported + 1)
            .end();
    }

    /// Takes the base and the offset of a load and its size, and gives the base.
    fn write_load_probe(&self) -> Function {
        let mut probe = Function::new([]);
        let mut code = probe.instructions();
        code.local_get(0).local_get(1).i32_add().local_set(1);
        self.write_probe(&mut code, 1, 2);
        code.local_get(0).end();
        probe
    }

    /// Takes what a copy takes, and gives it.
    fn write_copy_probe(&self) -> Function {
        let mut probe = Function::new([]);
        let mut code = probe.instructions();
        self.write_probe(&mut code, 1, 2);
        code.local_get(0).local_get(1).local_get(2).end();
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
        types.ty().function([ValType::I32; 2], []);
        types.ty().function([ValType::I32; 3], [ValType::I32]);
        types.ty().function([ValType::I32; 3], [ValType::I32; 3]);
        Ok(())
    }

    fn parse_import_section(
        &mut self,
        imports: &mut ImportSection,
        section: wasmparser::ImportSectionReader<'_>,
    ) -> Result<(), reencode::Error> {
        utils::parse_import_section(self, imports, section)?;
        imports.import(PAGE, RAN, EntityType::Function(self.types));
        imports.import(PAGE, READ, EntityType::Function(self.types + 1));
        Ok(())
    }

    fn parse_function_section(
        &mut self,
        functions: &mut FunctionSection,
        section: wasmparser::FunctionSectionReader<'_>,
    ) -> Result<(), reencode::Error> {
        utils::parse_function_section(self, functions, section)?;
        functions.function(self.types + 2);
        functions.function(self.types + 3);
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
            if let Some((offset, bytes)) = load(&operator) {
                function.instructions().i32_const(offset).i32_const(bytes).call(self.load_probe());
            } else if matches!(operator, Operator::MemoryCopy { .. }) {
                function.instructions().call(self.copy_probe());
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
            code.function(&self.write_load_probe());
            code.function(&self.write_copy_probe());
        }
        Ok(())
    }
}
