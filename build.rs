//! Has the page's program linked so that every static is a data segment of its own: the tool that splits the
//! program (split/) moves each to the part that needs it.

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    if std::env::var("CARGO_CFG_TARGET_ARCH").is_ok_and(|arch| arch == "wasm32") {
        println!("cargo::rustc-link-arg-bin=portside=--no-merge-data-segments");
    }
}
