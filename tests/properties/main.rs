//! What holds in every world, whatever people do in it: one file for each invariant.
//!
//! [`player`] does random things, from a seed; the other files look at what came of them. [`rules`] has worlds of its
//! own ([`worlds`]) and reads the printed rules by itself: [`netfilter`] with [`iptables`] and [`nftables`].

mod addresses;
mod endpoints;
mod idle;
mod iptables;
mod netfilter;
mod nftables;
mod nftables_words;
mod packets;
mod patches;
mod player;
mod rules;
mod seeds;
mod undo;
mod worlds;
