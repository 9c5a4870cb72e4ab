//! The program: in the browser it mounts the page, natively it is the command line.

fn main() {
    #[cfg(target_arch = "wasm32")]
    portside::ui::mount();
}
