//! What happens when the engine panics all the same.
//!
//! After a panic nothing of the program may run again. The page's own script then says so; the person's
//! text is already saved, and a reload goes on from the last good state.

/// Tells the page's script of panics.
pub fn set() {
    yew::set_custom_panic_hook(Box::new(|panic| {
        super::dom::call_page("crashed", &[panic.to_string().into()]);
    }));
}
