//! A session in the address of the page: compressed behind the `#`, bounded, and never run on its own.
//!
//! Owns the way from a text to a fragment and back, through the browser's own compression. What the text says
//! is [`crate::session::share`]'s.

use gloo::events::EventListener;
use js_sys::Uint8Array;
use wasm_bindgen::JsCast as _;
use wasm_bindgen_futures::{JsFuture, spawn_local};
use web_sys::{ReadableStreamDefaultReader, ReadableWritablePair, Response};
use yew::prelude::{hook, use_effect_with};

use super::world::{Notice, World};
use crate::session::share::{Shared, TEXT_LIMIT};

/// What a fragment with a session begins with.
const PREFIX: &str = "#s=";
/// Characters of a link: what browsers and chats are known to take.
const LINK_LIMIT: usize = 60_000;

/// Makes a link of the session and shows it; says so if it would be too long.
pub fn share(world: &World) {
    let world = world.clone();
    let text = world.shared().to_text();
    spawn_local(async move {
        let packed = pack(&text).await;
        let notice = match packed {
            Some(packed) if packed.len() <= LINK_LIMIT => {
                let location = gloo::utils::window().location();
                let page = location.href().unwrap_or_default();
                let page = page.split('#').next().unwrap_or_default();
                let link = format!("{page}{PREFIX}{packed}");
                // The link is shown too: a browser may refuse to touch the clipboard.
                let copied = gloo::utils::window().navigator().clipboard().write_text(&link);
                let _ = JsFuture::from(copied).await;
                Notice::Link(link)
            }
            _ => Notice::TooLarge,
        };
        world.notify(notice);
    });
}

/// Offers to open the session that the address carries, now and whenever the fragment changes.
#[hook]
pub fn use_link(world: &World) {
    use_effect_with(world.clone(), |world| {
        look(world);
        let changed = world.clone();
        let listener = EventListener::new(&gloo::utils::window(), "hashchange", move |_| look(&changed));
        move || drop(listener)
    });
}

fn look(world: &World) {
    let fragment = gloo::utils::window().location().hash().unwrap_or_default();
    let Some(packed) = fragment.strip_prefix(PREFIX).map(str::to_owned) else { return };
    let world = world.clone();
    spawn_local(async move {
        let text = unpack(&packed).await;
        let shared = text.as_deref().and_then(Shared::of_text);
        world.notify(shared.map_or(Notice::BadLink, |shared| Notice::Linked(shared.into())));
    });
}

/// Takes the session out of the address: it was opened, or is not wanted.
pub fn forget() {
    let window = gloo::utils::window();
    if let (Ok(history), Ok(path)) = (window.history(), window.location().pathname()) {
        // The page stays where it is in any case.
        let _ = history.replace_state_with_url(&wasm_bindgen::JsValue::NULL, "", Some(&path));
    }
}

async fn pack(text: &str) -> Option<String> {
    let bytes = through(text.as_bytes(), &transformation("CompressionStream")?, usize::MAX).await?;
    let binary: String = bytes.iter().map(|byte| char::from(*byte)).collect();
    let text = gloo::utils::window().btoa(&binary).ok()?;
    Some(text.trim_end_matches('=').replace('+', "-").replace('/', "_"))
}

async fn unpack(packed: &str) -> Option<String> {
    if packed.len() > LINK_LIMIT {
        return None;
    }
    let binary = gloo::utils::window().atob(&packed.replace('-', "+").replace('_', "/")).ok()?;
    let bytes: Option<Vec<u8>> = binary.chars().map(|one| u8::try_from(u32::from(one)).ok()).collect();
    String::from_utf8(through(&bytes?, &transformation("DecompressionStream")?, TEXT_LIMIT).await?).ok()
}

/// One of the browser's two transformations by deflate; `None` in a browser that has none.
fn transformation(name: &str) -> Option<ReadableWritablePair> {
    let class = js_sys::Reflect::get(&js_sys::global(), &name.into()).ok()?;
    let class = class.dyn_into::<js_sys::Function>().ok()?;
    let made = js_sys::Reflect::construct(&class, &js_sys::Array::of1(&"deflate-raw".into())).ok()?;
    Some(made.unchecked_into())
}

/// Sends bytes through one of the browser's transformations; `None` if more than `limit` come out.
async fn through(bytes: &[u8], pair: &ReadableWritablePair, limit: usize) -> Option<Vec<u8>> {
    let source = Response::new_with_opt_js_u8_array(Some(&Uint8Array::from(bytes))).ok()?;
    let reader = source.body()?.pipe_through(pair).get_reader();
    let reader = reader.unchecked_into::<ReadableStreamDefaultReader>();
    let mut out = Vec::new();
    loop {
        let read = JsFuture::from(reader.read()).await.ok()?;
        let chunk = js_sys::Reflect::get(&read, &"value".into()).ok()?;
        let Ok(chunk) = chunk.dyn_into::<Uint8Array>() else { return Some(out) };
        if out.len() + chunk.length() as usize > limit {
            return None;
        }
        out.extend(chunk.to_vec());
    }
}
