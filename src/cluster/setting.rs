//! Settings by name: how a person, a session file and a saved world write them.
//!
//! Owns the names, the words that stand for values, and which settings a running world can take. What they mean
//! is in [`super::settings`].

use std::fmt;

use super::settings::{Cloud, Kubelets, ProxyMode, Settings};

/// A setting that has a name.
#[derive(Clone, Copy, Debug)]
pub struct Setting {
    /// Its name, as `# world NAME=VALUE` and `world NAME=VALUE` write it.
    pub name: &'static str,
    /// The values that it can have; empty where it is a number or a list.
    pub values: &'static [&'static str],
    /// Whether a running world takes it; else it counts when a world is made.
    pub live: bool,
    read: fn(&Settings) -> String,
    write: fn(&mut Settings, &str) -> Option<()>,
}

/// Why a setting was not taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SettingError {
    /// There is none of this name.
    UnknownName(String),
    /// It cannot have this value.
    BadValue {
        /// The setting.
        name: &'static str,
        /// The values that it can have; empty where it is a number or a list.
        values: &'static [&'static str],
    },
}

impl fmt::Display for SettingError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::UnknownName(name) => write!(f, "there is no setting {name}"),
            Self::BadValue { name, values: [] } => write!(f, "{name} needs a number or a list"),
            Self::BadValue { name, values } => write!(f, "{name} can be {}", values.join(", ")),
        }
    }
}

const ON_OFF: &[&str] = &["on", "off"];

/// The most nodes that a world can be told to have.
const NODE_LIMIT: u32 = 5_000;
/// The most Pods that a node can be told to take.
const PODS_LIMIT: u32 = 1_000;
/// The most zones.
const ZONE_LIMIT: usize = 16;

/// Every setting that has a name.
pub static SETTINGS: &[Setting] = &[
    Setting {
        name: "proxyMode",
        values: &["iptables", "nftables", "ipvs"],
        live: true,
        read: |settings| settings.proxy_mode.name().to_owned(),
        write: |settings, value| {
            let all = [ProxyMode::Iptables, ProxyMode::Nftables, ProxyMode::Ipvs];
            settings.proxy_mode = all.into_iter().find(|mode| mode.name() == value)?;
            Some(())
        },
    },
    Setting {
        name: "cloud",
        values: &["on", "slow", "off"],
        live: true,
        read: |settings| settings.cloud.name().to_owned(),
        write: |settings, value| {
            let all = [Cloud::On, Cloud::Slow, Cloud::Off];
            settings.cloud = all.into_iter().find(|cloud| cloud.name() == value)?;
            Some(())
        },
    },
    Setting {
        name: "kubelet",
        values: &["strict", "stand-in"],
        live: true,
        read: |settings| settings.kubelet.name().to_owned(),
        write: |settings, value| {
            let all = [Kubelets::Strict, Kubelets::StandIn];
            settings.kubelet = all.into_iter().find(|kubelet| kubelet.name() == value)?;
            Some(())
        },
    },
    Setting {
        name: "hairpin",
        values: ON_OFF,
        live: true,
        read: |settings| ON_OFF[usize::from(!settings.hairpin)].to_owned(),
        write: |settings, value| {
            settings.hairpin = ON_OFF.iter().position(|word| *word == value)? == 0;
            Some(())
        },
    },
    Setting {
        name: "ipForward",
        values: ON_OFF,
        live: true,
        read: |settings| ON_OFF[usize::from(!settings.ip_forward)].to_owned(),
        write: |settings, value| {
            settings.ip_forward = ON_OFF.iter().position(|word| *word == value)? == 0;
            Some(())
        },
    },
    Setting {
        name: "bridgeNetfilter",
        values: ON_OFF,
        live: true,
        read: |settings| ON_OFF[usize::from(!settings.bridge_netfilter)].to_owned(),
        write: |settings, value| {
            settings.bridge_netfilter = ON_OFF.iter().position(|word| *word == value)? == 0;
            Some(())
        },
    },
    Setting {
        name: "ipFamilies",
        values: &["IPv4", "IPv6", "IPv4,IPv6", "IPv6,IPv4"],
        live: false,
        read: |settings| {
            let family = |network: &ipnet::IpNet| if network.addr().is_ipv4() { "IPv4" } else { "IPv6" };
            settings.service_networks.iter().map(family).collect::<Vec<_>>().join(",")
        },
        write: |settings, value| {
            value.split(',').all(|family| matches!(family, "IPv4" | "IPv6")).then_some(())?;
            *settings = settings.clone().with_families(value);
            Some(())
        },
    },
    Setting {
        name: "nodes",
        values: &[],
        live: false,
        read: |settings| settings.nodes.to_string(),
        write: |settings, value| {
            settings.nodes = value.parse().ok().filter(|count| (1..=NODE_LIMIT).contains(count))?;
            settings.make_room_for_nodes();
            Some(())
        },
    },
    Setting {
        name: "podsPerNode",
        values: &[],
        live: false,
        read: |settings| settings.pods_per_node.to_string(),
        write: |settings, value| {
            settings.pods_per_node = value.parse().ok().filter(|count| (1..=PODS_LIMIT).contains(count))?;
            Some(())
        },
    },
    Setting {
        name: "zones",
        values: &[],
        live: false,
        read: |settings| settings.zones.join(","),
        write: |settings, value| {
            let zones: Vec<String> =
                value.split(',').filter(|zone| !zone.is_empty()).map(str::to_owned).collect();
            (zones.len() <= ZONE_LIMIT).then_some(())?;
            settings.zones = zones;
            Some(())
        },
    },
    Setting {
        name: "seed",
        values: &[],
        live: false,
        read: |settings| settings.seed.to_string(),
        write: |settings, value| {
            settings.seed = value.parse().ok()?;
            Some(())
        },
    },
];

impl Setting {
    /// The value that it has.
    #[must_use]
    pub fn value(&self, settings: &Settings) -> String {
        (self.read)(settings)
    }

    /// The setting of a name.
    #[must_use]
    pub fn named(name: &str) -> Option<&'static Self> {
        SETTINGS.iter().find(|setting| setting.name == name)
    }
}

impl Settings {
    /// Takes a setting by its name; nothing changes if there is an error.
    ///
    /// # Errors
    /// A name or a value that there is not.
    pub fn set(&mut self, name: &str, value: &str) -> Result<(), SettingError> {
        let setting = Setting::named(name).ok_or_else(|| SettingError::UnknownName(name.to_owned()))?;
        (setting.write)(self, value)
            .ok_or(SettingError::BadValue { name: setting.name, values: setting.values })
    }

    /// Takes settings from a line `NAME=VALUE NAME=VALUE …`; what it does not know stays as it is.
    #[must_use]
    pub fn with_line(mut self, line: &str) -> Self {
        for (name, value) in line.split_whitespace().filter_map(|pair| pair.split_once('=')) {
            // A line of a newer Portside may name more than this one knows.
            let _ = self.set(name, value);
        }
        self
    }

    /// The settings that differ from those of a new session, as such a line.
    #[must_use]
    pub fn line(&self) -> String {
        let usual = Self::default();
        let pair = |setting: &Setting| format!("{}={}", setting.name, setting.value(self));
        let differs = |setting: &&Setting| setting.value(self) != setting.value(&usual);
        SETTINGS.iter().filter(differs).map(pair).collect::<Vec<_>>().join(" ")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_reads_back_what_it_was_written_from() {
        assert_eq!(Settings::default().line(), "");
        let line = "proxyMode=ipvs cloud=slow hairpin=off ipForward=off bridgeNetfilter=off ipFamilies=IPv6,IPv4 nodes=5 zones=a,b seed=7";
        let settings = Settings::default().with_line(line);
        assert_eq!(settings.proxy_mode, ProxyMode::Ipvs);
        assert_eq!(settings.line(), line);
        assert_eq!(Settings::default().with_line(&settings.line()), settings);
    }

    #[test]
    fn many_nodes_get_a_pod_network_with_a_range_for_each() {
        let wide = Settings::default().with_line("nodes=300");
        assert!(wide.pod_networks[0].prefix_len() <= 15, "{}", wide.pod_networks[0]);
        assert_eq!(wide.with_line("nodes=3"), Settings::default());
    }

    #[test]
    fn what_is_wrong_changes_nothing_and_says_what_would_be_right() {
        let mut settings = Settings::default();
        for (name, value, message) in [
            ("proxymode", "ipvs", "there is no setting proxymode"),
            ("proxyMode", "ebpf", "proxyMode can be iptables, nftables, ipvs"),
            ("nodes", "0", "nodes needs a number or a list"),
            ("ipFamilies", "IPv5", "ipFamilies can be IPv4, IPv6, IPv4,IPv6, IPv6,IPv4"),
        ] {
            assert_eq!(settings.set(name, value).map_err(|error| error.to_string()), Err(message.to_owned()));
        }
        assert_eq!(settings, Settings::default());
    }
}
