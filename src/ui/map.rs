//! The map: outside, Services, nodes with their Pods, and the endpoint lines between them.

use std::rc::Rc;

use wasm_bindgen::JsCast as _;
use wasm_bindgen::closure::Closure;
use web_sys::{Element, ResizeObserver, ResizeObserverEntry};
use yew::prelude::{
    Html, Properties, classes, component, html, use_effect_with, use_memo, use_node_ref, use_state_eq,
};

use super::model::layout::{Detail, Layout, Line, NodePlace, PodPlace, Rect, SMALL_NODE, is_system, lay_out};
use super::model::map::{LinkState, Map, PodState, PodView, ServiceView};
use super::model::things;
use super::packet::{PacketPanel, PacketView};
use super::words;
use super::world::{Topic, World, use_world};
use crate::api::object::Key;
use crate::api::registry::Kind;
use crate::api::typed::ServiceType;
use crate::words::Words;

/// The map.
#[component]
pub fn MapView() -> Html {
    let world = use_world(&[Topic::Objects, Topic::Selection, Topic::Look]);
    let area = use_node_ref();
    let size = use_state_eq(|| (0.0, 0.0));
    {
        let (area, size) = (area.clone(), size.clone());
        use_effect_with((), move |()| {
            let observer =
                area.cast::<Element>().and_then(|element| observe(&element, move |w, h| size.set((w, h))));
            move || {
                if let Some((observer, _closure)) = &observer {
                    observer.disconnect();
                }
            }
        });
    }
    let layout =
        use_memo((world.arrangement(), *size), |(_, (width, height))| lay_out(&world.map(), *width, *height));
    let selected = world.selected();
    html! {
        <section class="map" id="map" aria-label="Map" tabindex="-1">
            <div class="map-area" ref={area}>
                if size.0 > 0.0 {
                    { canvas(&world, &layout, selected.as_ref()) }
                }
            </div>
            <PacketPanel />
        </section>
    }
}

type Observed = (ResizeObserver, Closure<dyn FnMut(js_sys::Array)>);

/// Tells the size of an element, now and whenever it changes.
fn observe(element: &Element, tell: impl Fn(f64, f64) + 'static) -> Option<Observed> {
    let closure = Closure::<dyn FnMut(js_sys::Array)>::new(move |entries: js_sys::Array| {
        if let Ok(entry) = entries.get(0).dyn_into::<ResizeObserverEntry>() {
            let rect = entry.content_rect();
            tell(rect.width().floor(), rect.height().floor());
        }
    });
    let observer = ResizeObserver::new(closure.as_ref().unchecked_ref()).ok()?;
    observer.observe(element);
    Some((observer, closure))
}

fn canvas(world: &World, layout: &Rc<Layout>, selected: Option<&Key>) -> Html {
    let map = world.map();
    let style = format!("width:{}px;height:{}px", layout.width, layout.height);
    html! {
        <div class="canvas" {style}>
            { for bands(world, layout) }
            { workstation(world, layout) }
            <span key="router" class="router" style={format!("left:{:.1}px;top:{:.1}px", layout.router.x, layout.router.y)}>
                <i aria-hidden="true"></i>{ world.say(words::ROUTER) }
            </span>
            { for layout.balancers.iter().map(|(address, key, rect)| balancer(world, address, key, rect)) }
            { for layout.services.iter().map(|(key, rect)| pill(world, &map.services[key], rect, selected)) }
            { for layout.nodes.iter().map(|place| node(world, &map, place, layout, selected)) }
            <Lines key="lines" layout={Rc::clone(layout)} />
            { for layout.pods.iter().map(|place| pod(&map.pods[&place.key], place, layout, selected)) }
            <PacketView key="packet" layout={Rc::clone(layout)} />
        </div>
    }
}

fn place(rect: &Rect) -> String {
    format!("left:{:.1}px;top:{:.1}px;width:{:.1}px;height:{:.1}px", rect.x, rect.y, rect.w, rect.h)
}

fn bands<'a>(world: &'a World, layout: &'a Layout) -> impl Iterator<Item = Html> + 'a {
    let names = [words::OUTSIDE, words::SERVICES, words::NODES];
    let bottoms = [layout.bands[1], layout.bands[2], layout.height];
    names.into_iter().zip(layout.bands.iter().zip(bottoms)).map(|(name, (top, bottom))| {
        let style = format!("top:{top:.1}px;height:{:.1}px", bottom - top);
        let more = match name {
            name if name == words::SERVICES => layout.more_services,
            name if name == words::NODES => layout.more_nodes,
            _ => 0,
        };
        let crowd = (name == words::NODES && more > 0).then(|| crowd(world));
        html! {
            <div key={name.en} class="band" {style}>
                <h2>{ world.say(name) }</h2>
                if more > 0 {
                    <span>{ format!("+{more}{}", world.say(words::MORE)) }</span>
                }
                { crowd.unwrap_or_default() }
            </div>
        }
    })
}

/// All nodes and Pods in numbers, where there are too many to draw.
fn crowd(world: &World) -> Html {
    let map = world.map();
    let count = |state: PodState| map.count(state);
    let rows = [
        (map.pods.len(), words::PODS, ""),
        (count(PodState::Ready), words::READY, "ready"),
        (count(PodState::NotReady), words::NOT_READY, "not-ready"),
        (count(PodState::Terminating), words::TERMINATING, ""),
    ];
    let row = |(count, name, class): (usize, Words, &'static str)| {
        html! { <p key={name.en} {class}><b>{ count }</b>{ " " }{ world.say(name) }</p> }
    };
    html! { <div class="crowd">{ for rows.into_iter().filter(|(count, ..)| *count > 0).map(row) }</div> }
}

fn workstation(world: &World, layout: &Layout) -> Html {
    let address = world.with(|simulation| simulation.cluster.settings().workstation_address);
    html! {
        <div key="workstation" class="host" style={place(&layout.workstation)} data-place="outside">
            <b>{ "ci-base" }</b><span>{ address.to_string() }</span>
        </div>
    }
}

fn balancer(world: &World, address: &str, key: &Key, rect: &Rect) -> Html {
    html! {
        <button key={format!("lb {address}")} type="button" class="host balancer" style={place(rect)} data-thing={things::id(key)}>
            <b>{ world.say(words::LOAD_BALANCER) }</b><span>{ address.to_owned() }</span>
        </button>
    }
}

fn pill(world: &World, service: &ServiceView, rect: &Rect, selected: Option<&Key>) -> Html {
    let id = things::id(&service.key);
    let chosen = selected == Some(&service.key);
    let (state, said) = match (service.kind, service.ready, service.endpoints) {
        (ServiceType::ExternalName, ..) => ("", String::new()),
        (_, 0, _) => ("none", world.say(words::ENDPOINTS_NONE).to_owned()),
        (_, ready, all) if ready == all => ("", format!("{ready}{}", world.say(words::ENDPOINTS_READY))),
        (_, ready, all) => ("some", format!("{ready}/{all}{}", world.say(words::ENDPOINTS_READY))),
    };
    let system = is_system(&service.key).then_some("system");
    html! {
        <button key={id.clone()} type="button" class={classes!("pill", state, system)} style={place(rect)} data-thing={id}
            aria-pressed={chosen.to_string()} title={said.clone()}
            aria-label={format!("Service {} {} {} {said}", service.key.name, service.address, service.ports)}>
            <b>{ service.key.name.to_string() }{ namespace(&service.key) }</b>
            <span>{ service.address.to_string() }<i>{ service.ports.clone() }</i></span>
        </button>
    }
}

/// The namespace, where it is not the one that everybody means.
fn namespace(key: &Key) -> Html {
    if key.namespace == "default" || key.namespace.is_empty() {
        return Html::default();
    }
    html! { <small>{ format!(" {}", key.namespace) }</small> }
}

fn node(world: &World, map: &Map, place_of: &NodePlace, layout: &Layout, selected: Option<&Key>) -> Html {
    let Some(node) = map.nodes.get(&place_of.name) else {
        return html! {
            <div key="waiting" class="node waiting" style={place(&place_of.rect)}>
                <span class="node-name">{ map.cells_on("") }{ " " }{ world.say(words::UNSCHEDULED) }</span>
                if place_of.more > 0 {
                    <span class="node-state">{ format!("+{}{}", place_of.more, world.say(words::MORE)) }</span>
                }
            </div>
        };
    };
    let key = Key::new(Kind::Node, "", node.name.clone());
    let id = things::id(&key);
    let chosen = selected == Some(&key);
    let state = [
        (!node.ready, words::NODE_NOT_READY),
        (node.cordoned, words::CORDONED),
        (node.control_plane, words::CONTROL_PLANE),
    ];
    let said: Vec<&str> =
        state.iter().filter(|(holds, _)| *holds).map(|(_, words)| world.say(*words)).collect();
    let empty = map.cells_on(&node.name) == 0 && layout.detail != Some(Detail::Dot);
    html! {
        <div key={id.clone()} class={classes!("node", (!node.ready).then_some("not-ready"), (place_of.rect.w < SMALL_NODE).then_some("small"))} style={place(&place_of.rect)}>
            <button type="button" class="node-name" data-thing={id} aria-pressed={chosen.to_string()}>
                <b>{ node.name.to_string() }</b><span>{ node.ip.to_string() }</span>
            </button>
            <span class="proxy" data-proxy={node.name.to_string()}><i aria-hidden="true"></i>{ "kube-proxy" }</span>
            if !said.is_empty() || empty || place_of.more > 0 {
                <span class="node-state">
                    { said.join(" · ") }
                    if place_of.more > 0 {
                        { format!(" +{}{}", place_of.more, world.say(words::MORE)) }
                    }
                </span>
            }
        </div>
    }
}

/// The words and classes of a Pod's state.
fn state_of(state: PodState) -> (&'static str, Words) {
    match state {
        PodState::Ready => ("ready", words::READY),
        PodState::NotReady => ("not-ready", words::NOT_READY),
        PodState::Terminating => ("terminating", words::TERMINATING),
        PodState::Finished => ("finished", words::FINISHED),
    }
}

fn pod(pod: &PodView, place_of: &PodPlace, layout: &Layout, selected: Option<&Key>) -> Html {
    html! {
        <PodMark key={pod.uid.to_string()} pod={pod.clone()} rect={place_of.rect}
            detail={layout.detail.unwrap_or(Detail::Dot)} chosen={selected == Some(&pod.key)} />
    }
}

#[derive(Clone, PartialEq, Properties)]
struct PodProperties {
    pod: PodView,
    rect: Rect,
    detail: Detail,
    chosen: bool,
}

/// One Pod; painted anew only when something about it changes.
#[component]
fn PodMark(properties: &PodProperties) -> Html {
    let world = use_world(&[Topic::Look]);
    let PodProperties { pod, rect, detail, chosen } = properties;
    let (state, words) = state_of(pod.state);
    let detail_class = match detail {
        Detail::Card => "card",
        Detail::Chip => "chip",
        Detail::Dot => "dot",
    };
    let system = is_system(&pod.key).then_some("system");
    let said = world.say(words);
    let label = format!("Pod {} {} {said}", pod.key.name, pod.ip);
    html! {
        <button type="button" class={classes!("pod", detail_class, state, system)} style={place(rect)}
            data-thing={things::id(&pod.key)} aria-pressed={chosen.to_string()} aria-label={label.clone()} title={label}>
            <i class="sign" aria-hidden="true"></i>
            if *detail != Detail::Dot {
                { split_name(&pod.key.name) }
            }
            if *detail == Detail::Card {
                <span class="pod-state">{ pod.ip.to_string() }<em>{ word(pod, said) }</em></span>
            }
        </button>
    }
}

/// The word on a card: what `kubectl get pod` says where that tells more than readiness.
fn word(pod: &PodView, said: &str) -> String {
    match pod.state {
        PodState::Ready => said.to_owned(),
        _ if pod.word == "Running" => said.to_owned(),
        _ => pod.word.to_string(),
    }
}

/// A name whose end stays to be seen when there is no room for all of it: Pods of one Deployment differ there.
fn split_name(name: &str) -> Html {
    let cut = name.rfind('-').filter(|cut| *cut > 0).unwrap_or(name.len());
    html! { <b><span>{ name[..cut].to_owned() }</span><span>{ name[cut..].to_owned() }</span></b> }
}

#[derive(Clone, Properties)]
struct LinesProperties {
    layout: Rc<Layout>,
}

impl PartialEq for LinesProperties {
    fn eq(&self, other: &Self) -> bool {
        Rc::ptr_eq(&self.layout, &other.layout) || self.layout.lines == other.layout.lines
    }
}

/// The endpoint lines.
#[component]
fn Lines(properties: &LinesProperties) -> Html {
    let layout = &properties.layout;
    let line = |line: &Line| {
        let class = match line.state {
            LinkState::Ready => "line ready",
            LinkState::NotReady => "line not-ready",
            LinkState::Serving => "line serving",
        };
        let (service, pod) = (things::id(&line.service), things::id(&line.pod));
        html! { <path key={format!("{service} {pod}")} {class} d={line.path.clone()} data-service={service} data-pod={pod} /> }
    };
    html! {
        <svg class="lines" aria-hidden="true" width={layout.width.to_string()} height={layout.height.to_string()}>
            { for layout.lines.iter().map(line) }
        </svg>
    }
}
