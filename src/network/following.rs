//! How the network keeps up with the cluster.
//!
//! Owns the following of the journal: addresses at once, kube-proxy's tables with its delay, and what kube-proxy
//! does to conntrack when it syncs. It moves no packets.

use std::net::IpAddr;
use std::sync::Arc;

use super::Network;
use super::packet::Transport;
use super::tables::{Matched, Tables};
use crate::api::object::Object;
use crate::api::registry::Kind;
use crate::api::typed::Protocol;
use crate::cluster::clock::Instant;
use crate::cluster::journal::Entry;
use crate::cluster::random::Random;
use crate::cluster::{Cluster, Settings};

impl Network {
    /// When kube-proxy next syncs; `None` if its rules say what Services and slices say.
    #[must_use]
    pub fn next_sync(&self) -> Option<Instant> {
        self.lag.as_ref()?.due()
    }

    /// Follows the journal: brings the tables up to date with what was written since the last call. The work
    /// is in proportion to what was written.
    pub fn observe(&mut self, cluster: &Cluster) {
        let revision = cluster.journal().revision();
        self.set_world(cluster.settings());
        if revision != self.revision {
            match cluster.journal().since(self.revision) {
                Some(entries) => {
                    for entry in entries {
                        self.follow(entry, cluster.now());
                    }
                }
                None => self.list(cluster),
            }
            self.revision = revision;
        }
        if self.next_sync().is_some_and(|due| due <= cluster.now()) {
            self.sync_now(cluster.now());
        }
    }

    /// kube-proxy writes all that it has heard of, due or not.
    pub fn sync_now(&mut self, now: Instant) {
        let changes = self.lag.as_mut().map(|lag| lag.sync(now)).unwrap_or_default();
        self.syncs += u64::from(!changes.is_empty());
        for change in changes {
            self.sync(change.before.as_ref(), change.after.as_ref());
        }
        self.tables.settle();
        self.clear_stale_flows();
    }

    /// kube-proxy writes rules for one changed object.
    fn sync(&mut self, before: Option<&Arc<Object>>, after: Option<&Arc<Object>>) {
        let Some(object) = after.or(before) else { return };
        let udp = |object: &Arc<Object>| match object.key.kind {
            Kind::Service => object
                .as_service()
                .is_some_and(|one| one.ports.iter().any(|port| port.protocol == Protocol::Udp)),
            _ => object
                .as_endpoint_slice()
                .is_some_and(|one| one.ports.iter().any(|port| port.protocol == Protocol::Udp)),
        };
        self.datagrams_changed |= before.into_iter().chain(after).any(udp);
        if object.key.kind == Kind::Service {
            self.tables.service(before, after);
        } else {
            self.tables.slice(before, after);
        }
    }

    /// After a sync that concerned UDP kube-proxy deletes the flows to Services that lead to no serving endpoint
    /// of theirs; without any such endpoint it leaves them (`pkg/proxy/conntrack`).
    fn clear_stale_flows(&mut self) {
        if !std::mem::take(&mut self.datagrams_changed) {
            return;
        }
        let tables = &self.tables;
        let leads_nowhere = |matched: Option<Matched<'_>>, to: IpAddr| {
            let Some(Matched { port, .. }) = matched else { return false };
            let mut serving = port.endpoints.iter().filter(|one| one.serving).peekable();
            serving.peek().is_some() && !serving.any(|one| one.address.ip() == to)
        };
        self.flows.clear_stale(|flow| {
            let (asked, to) = (flow.original.destination, flow.translated.destination.ip());
            flow.original.transport == Transport::Udp
                && (leads_nowhere(tables.at(asked.ip(), Protocol::Udp, asked.port()), to)
                    || leads_nowhere(tables.at_node_port(asked.is_ipv4(), Protocol::Udp, asked.port()), to))
        });
    }

    fn set_world(&mut self, settings: &Settings) {
        self.mode = settings.proxy_mode;
        self.topology.set_world(settings);
        if self.random.is_none() {
            // Its own generator, so that looking at packets changes no name that a controller makes.
            self.random = Some(Random::new(settings.seed ^ 0x006e_6574_776f_726b));
        }
    }

    fn follow(&mut self, entry: &Entry, now: Instant) {
        let (before, after) = (entry.before.as_ref(), entry.after.as_ref());
        match entry.key.kind {
            Kind::Service | Kind::EndpointSlice => match &mut self.lag {
                Some(lag) => lag.add(&entry.key, before, after, now),
                None => {
                    self.syncs += 1;
                    self.sync(before, after);
                    self.tables.settle();
                    self.clear_stale_flows();
                }
            },
            Kind::Node => self.topology.write_node(before, after),
            Kind::Pod => self.topology.write_pod(before, after),
            _ => {}
        }
    }

    /// Reads everything anew: the journal forgot what happened since the last call.
    fn list(&mut self, cluster: &Cluster) {
        self.tables = Tables::default();
        if let Some(lag) = &mut self.lag {
            lag.sync(cluster.now());
        }
        self.topology.clear();
        for node in cluster.list(Kind::Node, None) {
            self.topology.write_node(None, Some(node));
        }
        for pod in cluster.list(Kind::Pod, None) {
            self.topology.write_pod(None, Some(pod));
        }
        for slice in cluster.list(Kind::EndpointSlice, None) {
            self.tables.slice(None, Some(slice));
        }
        for service in cluster.list(Kind::Service, None) {
            self.tables.service(None, Some(service));
        }
        self.tables.settle();
    }
}
