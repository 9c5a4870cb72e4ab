//! Where the followed packet is on the screen: its time, its stop, whether it goes or stands.
//!
//! Owns the one player that the map's overlay, the bar below the map and the list of hops share. It moves by
//! frames of the browser; components are rendered anew only from stop to stop.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use gloo::render::{AnimationFrame, request_animation_frame};
use yew::prelude::{Callback, hook, use_effect_with};

use super::model::journey::Journey;
use super::world::World;
use super::{dom, focus};

/// Where the followed packet is on the screen, shared by the map's overlay and the panel.
pub struct Player {
    journey: RefCell<Option<Rc<Journey>>>,
    at_ms: Cell<f64>,
    playing: Cell<bool>,
    last_frame: Cell<Option<f64>>,
    frame: RefCell<Option<AnimationFrame>>,
    /// Is told at every frame where the packet is.
    moved: RefCell<Option<Callback<f64>>>,
    /// Are told when the packet is at another stop, or goes or stands.
    stopped: RefCell<Vec<(u32, Callback<()>)>>,
    next: Cell<u32>,
}

thread_local! {
    /// There is one map, and one packet that is followed on it.
    static PLAYER: Rc<Player> = Rc::new(Player {
        journey: RefCell::default(),
        at_ms: Cell::default(),
        playing: Cell::default(),
        last_frame: Cell::default(),
        frame: RefCell::default(),
        moved: RefCell::default(),
        stopped: RefCell::default(),
        next: Cell::default(),
    });
}

impl Player {
    /// The player of the page.
    pub fn shared() -> Rc<Self> {
        PLAYER.with(Rc::clone)
    }

    /// Shows a packet from its beginning; the same packet goes on as it is.
    fn show(self: &Rc<Self>, journey: Option<Rc<Journey>>) {
        let number = |journey: &Option<Rc<Journey>>| journey.as_ref().map(|journey| journey.number);
        if number(&self.journey.borrow()) == number(&journey) {
            return;
        }
        let touched = journey.as_ref().map(|journey| journey.touched.clone()).unwrap_or_default();
        focus::only("touched", &touched);
        self.journey.replace(journey);
        self.replay();
    }

    /// Begins anew.
    pub fn replay(self: &Rc<Self>) {
        let end = self.journey.borrow().as_ref().map_or(0.0, |journey| journey.length_ms);
        // With reduced motion the whole way stands there at once, with numbers.
        let still = dom::reduced_motion();
        self.at_ms.set(if still { end } else { 0.0 });
        self.set_playing(!still);
    }

    /// Whether the packet has come to its end.
    pub fn is_over(&self) -> bool {
        let end = self.journey.borrow().as_ref().map_or(0.0, |journey| journey.length_ms);
        !self.playing.get() && self.at_ms.get() >= end
    }

    fn stop(&self) -> usize {
        self.journey.borrow().as_ref().map_or(0, |journey| journey.stop_at(self.at_ms.get()))
    }

    /// Goes to another stop and stands there.
    pub fn go(self: &Rc<Self>, by: isize) {
        let Some(journey) = self.journey.borrow().clone() else { return };
        self.go_to(self.stop().saturating_add_signed(by).min(journey.stops.len().saturating_sub(1)));
    }

    /// Goes to a stop and stands there.
    pub fn go_to(self: &Rc<Self>, stop: usize) {
        let Some(journey) = self.journey.borrow().clone() else { return };
        self.at_ms.set(journey.stops.get(stop).map_or(0.0, |stop| stop.starts_ms));
        self.set_playing(false);
    }

    /// Lets the packet go on or stand.
    pub fn set_playing(self: &Rc<Self>, playing: bool) {
        let end = self.journey.borrow().as_ref().map_or(0.0, |journey| journey.length_ms);
        if playing && self.at_ms.get() >= end {
            self.at_ms.set(0.0);
        }
        self.playing.set(playing);
        self.last_frame.set(None);
        self.tell();
        self.tick(dom::milliseconds());
    }

    fn tick(self: &Rc<Self>, now: f64) {
        let Some(journey) = self.journey.borrow().clone() else { return };
        let before = self.stop();
        let passed = self.last_frame.replace(Some(now)).map_or(0.0, |last| (now - last).clamp(0.0, 100.0));
        if self.playing.get() {
            self.at_ms.set((self.at_ms.get() + passed).min(journey.length_ms));
        }
        let moved = self.moved.borrow().clone();
        if let Some(moved) = moved {
            moved.emit(self.at_ms.get());
        }
        let over = self.at_ms.get() >= journey.length_ms;
        if self.playing.get() && over {
            self.playing.set(false);
        }
        if self.stop() != before || over {
            self.tell();
        }
        let next = self.playing.get().then(|| {
            let player = Rc::clone(self);
            request_animation_frame(move |_| player.tick(dom::milliseconds()))
        });
        self.frame.replace(next);
    }

    fn tell(&self) {
        let listeners: Vec<Callback<()>> =
            self.stopped.borrow().iter().map(|(_, tell)| tell.clone()).collect();
        for tell in listeners {
            tell.emit(());
        }
    }
}

impl Player {
    /// The packet that is shown.
    pub fn journey(&self) -> Option<Rc<Journey>> {
        self.journey.borrow().clone()
    }

    /// Where on its way it is, in milliseconds on the screen.
    pub fn at_ms(&self) -> f64 {
        self.at_ms.get()
    }

    /// Whether it goes.
    pub fn is_playing(&self) -> bool {
        self.playing.get()
    }

    /// Says who is told at every frame where the packet is.
    pub fn when_moved(&self, moved: Callback<f64>) {
        self.moved.replace(Some(moved));
    }
}

/// The followed packet and its stop; renders anew from stop to stop.
#[hook]
pub fn use_stop(world: &World) -> (Rc<Player>, Option<Rc<Journey>>, usize) {
    let player = Player::shared();
    let update = yew::use_force_update();
    {
        let player = Rc::clone(&player);
        use_effect_with((), move |()| {
            let id = player.next.get() + 1;
            player.next.set(id);
            player.stopped.borrow_mut().push((id, Callback::from(move |()| update.force_update())));
            move || player.stopped.borrow_mut().retain(|(listener, _)| *listener != id)
        });
    }
    let journey = world.followed();
    {
        let player = Rc::clone(&player);
        use_effect_with(journey.clone(), move |journey| player.show(journey.clone()));
    }
    let stop = if journey == *player.journey.borrow() { player.stop() } else { 0 };
    (player, journey, stop)
}
