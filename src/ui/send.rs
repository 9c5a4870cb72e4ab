//! The control that sends a packet: from whom, to which port of which Service.

use std::net::SocketAddr;

use yew::prelude::{
    Callback, Html, TargetCast as _, component, html, use_effect_with, use_node_ref, use_state,
};

use super::words;
use super::world::{Topic, World, use_world};
use crate::api::registry::Kind;
use crate::network::{Origin, Transport};

/// The control that sends a packet.
#[component]
pub fn SendForm() -> Html {
    let world = use_world(&[Topic::Objects, Topic::Look]);
    let first = use_node_ref();
    {
        let first = first.clone();
        use_effect_with((), move |()| super::dom::focus(&first));
    }
    let from = use_state(|| usual_origin(&world));
    let to = use_state(|| 0_usize);
    let origins = origins(&world);
    let targets = targets(&world);
    let pick = |state: &yew::UseStateHandle<usize>| {
        let state = state.clone();
        Callback::from(move |event: yew::Event| {
            if let Some(select) = event.target_dyn_into::<web_sys::HtmlSelectElement>() {
                state.set(select.value().parse().unwrap_or(0));
            }
        })
    };
    let onclick = {
        let world = world.clone();
        let way = origins
            .get(*from)
            .map(|(_, origin)| origin.clone())
            .zip(targets.get(*to).map(|(_, target)| *target));
        Callback::from(move |_| {
            if let Some((origin, (address, transport))) = &way {
                world.send_packet(origin, *address, *transport);
            }
        })
    };
    let options = |names: Vec<String>, chosen: usize| -> Html {
        html! { { for names.into_iter().enumerate().map(|(index, name)| html! {
            <option key={index} value={index.to_string()} selected={index == chosen}>{ name }</option>
        }) } }
    };
    html! {
        <div class="send-form">
            <label>{ world.say(words::FROM) }
                <select ref={first} onchange={pick(&from)}>{ options(origins.iter().map(|(name, _)| name.clone()).collect(), *from) }</select>
            </label>
            <label>{ world.say(words::TO) }
                <select onchange={pick(&to)}>{ options(targets.iter().map(|(name, _)| name.clone()).collect(), *to) }</select>
            </label>
            <button type="button" class="primary" {onclick}>{ world.say(words::SEND) }</button>
        </div>
    }
}

/// Choices of one list at most.
const CHOICES: usize = 200;

/// Who sends unless somebody else is chosen, by its place among [`origins`]: the first Pod, for a Service's address
/// leads nowhere from outside.
pub fn usual_origin(world: &World) -> usize {
    origins(world).iter().position(|(_, origin)| matches!(origin, Origin::Pod(_))).unwrap_or(0)
}

/// Who can send: the workstation, nodes, Pods.
pub fn origins(world: &World) -> Vec<(String, Origin)> {
    let map = world.map();
    let pods = map.pods.values().filter(|pod| !pod.ip.is_empty()).take(CHOICES);
    let mut origins: Vec<(String, Origin)> = vec![("ci-base".to_owned(), Origin::Outside)];
    origins.extend(map.nodes.keys().take(CHOICES).map(|name| (name.to_string(), Origin::node(name.clone()))));
    origins.extend(
        pods.map(|pod| (format!("{}/{}", pod.key.namespace, pod.key.name), Origin::Pod(pod.key.clone()))),
    );
    origins
}

/// An address with its port, and what carries a packet there.
pub type Target = (SocketAddr, Transport);

/// Where to: every port of every Service, its node ports, and Pods.
pub fn targets(world: &World) -> Vec<(String, Target)> {
    world.with(|simulation| {
        let cluster = &simulation.cluster;
        let node = cluster.list(Kind::Node, None).nth(1).or_else(|| cluster.list(Kind::Node, None).next());
        let node = node.and_then(|node| node.as_node()?.addresses.first().copied());
        let mut targets = Vec::new();
        for object in cluster.list(Kind::Service, None) {
            let Some(service) = object.as_service() else { continue };
            for port in &service.ports {
                let transport = Transport::from(port.protocol);
                if let Some(ip) = service.cluster_ip() {
                    let protocol =
                        if transport == Transport::Tcp { String::new() } else { format!("/{transport}") };
                    let name = format!("{}/{}:{}{protocol}", object.namespace(), object.name(), port.port);
                    targets.push((name, (SocketAddr::new(ip, port.port), transport)));
                }
                if let Some(ip) = node.filter(|_| port.node_port != 0) {
                    let name = format!("{ip}:{} ({})", port.node_port, object.name());
                    targets.push((name, (SocketAddr::new(ip, port.node_port), transport)));
                }
                for ip in &service.load_balancer_ips {
                    let name = format!("{ip}:{} ({})", port.port, object.name());
                    targets.push((name, (SocketAddr::new(*ip, port.port), transport)));
                }
            }
        }
        targets.sort_by_key(|(name, _)| name.starts_with("kube-") || name.starts_with("default/kubernetes"));
        targets.truncate(CHOICES);
        targets
    })
}
