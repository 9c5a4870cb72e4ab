//! The page: its parts, and what surrounds them all.

use wasm_bindgen::UnwrapThrowExt as _;
use yew::prelude::{Callback, ContextProvider, Html, Properties, component, html, use_effect_with};

use super::files::Files;
use super::focus::use_focus;
use super::inspector::Inspector;
use super::link::use_link;
use super::map::MapView;
use super::notices::Notices;
use super::packet::LastPacket;
use super::palette::{Palette, use_palette};
use super::paste::use_paste;
use super::settings::SettingsDialog;
use super::terminal::Terminals;
use super::top_bar::TopBar;
use super::world::{Dialog, Pane, TERMINAL_INPUT, Topic, World, use_world};
use super::{alarm, words};
use crate::session::save::{self, Storage};
use crate::words::Words;

/// Mounts the page into the element with the id `app` of index.html.
pub fn mount() {
    alarm::set();
    let root = gloo::utils::document()
        .get_element_by_id("app")
        .expect_throw("index.html has an element with the id app");
    mount_in(root);
}

/// Mounts the page into an element, with the session that the browser keeps.
pub fn mount_in(root: web_sys::Element) -> yew::AppHandle<Page> {
    let world = World::open(save::load(&BrowserStorage));
    yew::Renderer::<Page>::with_root_and_props(root, PageProperties { world }).render()
}

/// The browser's storage for this page.
pub struct BrowserStorage;

impl BrowserStorage {
    fn storage() -> Option<web_sys::Storage> {
        gloo::utils::window().local_storage().ok().flatten()
    }
}

impl Storage for BrowserStorage {
    fn get(&self, name: &str) -> Option<String> {
        Self::storage()?.get_item(name).ok().flatten()
    }

    fn set(&self, name: &str, text: &str) -> bool {
        Self::storage().is_some_and(|storage| storage.set_item(name, text).is_ok())
    }

    fn remove(&self, name: &str) {
        if let Some(storage) = Self::storage() {
            // A storage that cannot remove keeps what it has.
            let _ = storage.remove_item(name);
        }
    }
}

/// What the page is given.
#[derive(Clone, PartialEq, Properties)]
pub struct PageProperties {
    /// The world that it shows.
    pub world: World,
}

/// The whole page.
#[component]
pub fn Page(properties: &PageProperties) -> Html {
    let world = properties.world.clone();
    use_focus(&world);
    use_paste(&world);
    use_palette(&world);
    use_link(&world);
    use_effect_with(world.clone(), |world| {
        world.start();
        let leaving = world.clone();
        let listener =
            gloo::events::EventListener::new(&gloo::utils::window(), "pagehide", move |_| leaving.save());
        move || drop(listener)
    });
    html! {
        <ContextProvider<World> context={world}>
            <Panes />
        </ContextProvider<World>>
    }
}

/// The panes, beside each other or one at a time.
#[component]
fn Panes() -> Html {
    let world = use_world(&[Topic::Look, Topic::Dialog]);
    let dialog = world.dialog();
    {
        let world = world.clone();
        use_effect_with(dialog, move |dialog| {
            if *dialog == Dialog::None {
                world.return_focus();
            }
        });
    }
    let pane = match world.pane() {
        Pane::Yaml => "yaml",
        Pane::Map => "map",
        Pane::Terminal => "terminal",
        Pane::Details => "details",
    };
    html! {
        <>
        // Behind a dialog nothing can be reached.
        <div class="page" data-pane={pane} inert={dialog != Dialog::None}>
            <a class="skip" href={format!("#{TERMINAL_INPUT}")}>{ world.say(words::SKIP_TO_TERMINAL) }</a>
            <a class="skip" href="#map">{ world.say(words::SKIP_TO_MAP) }</a>
            <TopBar />
            <main class="panes">
                <Files />
                <div class="stage">
                    <MapView />
                    <Inspector />
                </div>
                <Terminals />
            </main>
            <LastPacket />
            <PaneTabs />
            <Notices />
        </div>
        <Palette />
        <SettingsDialog />
        </>
    }
}

const PANES: [(Pane, Words); 4] = [
    (Pane::Yaml, words::TAB_YAML),
    (Pane::Map, words::TAB_MAP),
    (Pane::Terminal, words::TAB_TERMINAL),
    (Pane::Details, words::TAB_DETAILS),
];

/// The tabs of a narrow page.
#[component]
fn PaneTabs() -> Html {
    let world = use_world(&[Topic::Look]);
    let tab = |(pane, name): (Pane, Words)| {
        let chosen = world.pane() == pane;
        let name = world.say(name);
        let world = world.clone();
        let onclick = Callback::from(move |_| world.set_pane(pane));
        html! {
            <button key={name} type="button" role="tab" aria-selected={chosen.to_string()} {onclick}>{ name }</button>
        }
    };
    html! { <div class="pane-tabs" role="tablist">{ for PANES.into_iter().map(tab) }</div> }
}
