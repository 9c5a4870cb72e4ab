//! End-to-end tests: the built site (`dist/`) in headless Chromium, used as a person uses it.
//!
//! [`visit`] serves the site, opens it and hands the test a [`Page`]; the tests in `tests/` are plain
//! straight-line code over it. Parts of the page are found by their accessible role and name, never by a
//! class or an id. After each test the console must be free of errors and no request may have gone to
//! another host: every test proves both.
//!
//! This package knows nothing of Portside's Rust code: it sees the page alone.

mod driver;
mod page;
mod parts;
mod site;
mod witness;

pub use page::{Page, key, visit, visit_holding};
