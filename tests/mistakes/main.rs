//! The mistakes that people make with Services: each is reproduced from YAML and commands, and must be found
//! by the explanation without being told, with a fix that works.

mod connections;
mod names;
mod pods;
mod refusals;
mod selectors;
mod services;
mod traffic;
mod world;
