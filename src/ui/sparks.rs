//! The small packets of running programs, flying over the map.
//!
//! Owns the canvas that they are drawn on: two hundred elements would each be styled and put in a layer of its own at
//! every frame. Where each of them is: [`super::model::flight`].

use std::cell::RefCell;
use std::rc::Rc;

use gloo::render::{AnimationFrame, request_animation_frame};
use wasm_bindgen::JsCast as _;
use web_sys::{CanvasRenderingContext2d, HtmlCanvasElement};
use yew::prelude::{Html, component, html, use_effect, use_mut_ref, use_node_ref};

use super::dom;
use super::model::flight::Flight;
use super::packet::ViewProperties;
use super::world::{Topic, use_world};

/// Half the width of a packet in CSS pixels.
const RADIUS: f64 = 3.5;
/// How opaque a packet is at most.
const OPACITY: f64 = 0.9;

/// What flies now, and the frame in which it is drawn next.
#[derive(Default)]
struct Sky {
    flights: Vec<Flight>,
    frame: Option<AnimationFrame>,
}

/// The packets of running programs over the map.
#[component]
pub fn Sparks(properties: &ViewProperties) -> Html {
    let world = use_world(&[Topic::Packets]);
    let canvas = use_node_ref();
    let sky = use_mut_ref(Sky::default);
    let layout = &properties.layout;
    {
        let map = world.map();
        let flights = world.sparks().into_iter();
        sky.borrow_mut().flights =
            flights.filter_map(|(born, journey)| Flight::of(&journey, born, layout, &map)).collect();
    }
    let ratio = gloo::utils::window().device_pixel_ratio().max(1.0);
    {
        let (canvas, sky) = (canvas.clone(), Rc::clone(&sky));
        use_effect(move || draw(&canvas, &sky, ratio));
    }
    html! {
        <canvas ref={canvas} class="sparks" style={format!("width:{:.0}px;height:{:.0}px", layout.width, layout.height)}
            width={format!("{:.0}", layout.width * ratio)} height={format!("{:.0}", layout.height * ratio)} />
    }
}

/// Draws what flies, and goes on as long as something does.
fn draw(canvas: &yew::NodeRef, sky: &Rc<RefCell<Sky>>, ratio: f64) {
    // Held until the end, for it may be the frame that is running; one that was to come is called off.
    let _before = sky.borrow_mut().frame.take();
    let Some(element) = canvas.cast::<HtmlCanvasElement>() else { return };
    let Some(pen) = pen(&element) else { return };
    let (width, height) = (f64::from(element.width()), f64::from(element.height()));
    pen.clear_rect(0.0, 0.0, width, height);
    let now = dom::milliseconds();
    sky.borrow_mut().flights.retain(|flight| flight.at(now).is_some());
    let held = sky.borrow();
    let [well, badly] = ["--blue", "--red"].map(|name| dom::style_of(&element, name));
    for flight in &held.flights {
        let Some((point, seen)) = flight.at(now) else { continue };
        let (x, y) = (point.x * ratio, point.y * ratio);
        let radius = RADIUS * ratio;
        pen.set_global_alpha(seen * OPACITY);
        if flight.failed {
            pen.set_fill_style_str(&badly);
            pen.fill_rect(x - radius, y - radius, 2.0 * radius, 2.0 * radius);
        } else {
            pen.set_fill_style_str(&well);
            pen.begin_path();
            // A circle of a positive radius can be drawn.
            let _ = pen.arc(x, y, radius, 0.0, std::f64::consts::TAU);
            pen.fill();
        }
    }
    let goes_on = !held.flights.is_empty();
    drop(held);
    let next = goes_on.then(|| {
        let (canvas, again) = (canvas.clone(), Rc::clone(sky));
        request_animation_frame(move |_| draw(&canvas, &again, ratio))
    });
    sky.borrow_mut().frame = next;
}

fn pen(canvas: &HtmlCanvasElement) -> Option<CanvasRenderingContext2d> {
    canvas.get_context("2d").ok()??.dyn_into().ok()
}
