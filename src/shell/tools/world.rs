//! `world`: the settings of the world, and changing them while it runs.
//!
//! Owns the command. Names and values are [`crate::cluster::setting`]'s; a session file writes the same pairs
//! after `# world`.

use crate::cluster::setting::{SETTINGS, Setting};
use crate::shell::command::{Command, Found, Run, Value};
use crate::shell::completion::{Candidates, Situation};
use crate::shell::flags::Style;
use crate::shell::invocation::Invocation;
use crate::words::Words;

/// `world`.
pub static COMMAND: Command = Command {
    name: "world",
    usage: "[NAME=VALUE]...",
    summary: Words {
        en: "show or change the settings of the simulated world (a command of Portside's own)",
        zh: "查看或更改模拟世界的设置（Portside 自己的命令）",
    },
    flags: &[],
    operands: Value::Text,
    complete: Some(complete),
    found: Found::OnHosts,
    run: Run::Now(run),
};

/// What each setting is, in a line.
const ABOUT: &[(&str, Words)] = &[
    (
        "proxyMode",
        Words {
            en: "how kube-proxy works; ipvs is deprecated", zh: "kube-proxy 的工作方式；ipvs 已弃用"
        },
    ),
    (
        "cloud",
        Words {
            en: "whether a cloud gives addresses to LoadBalancer Services",
            zh: "云是否为 LoadBalancer Service 分配地址",
        },
    ),
    (
        "hairpin",
        Words {
            en: "whether a Pod can reach itself through its Service",
            zh: "Pod 能否经由 Service 访问自己",
        },
    ),
    (
        "ipForward",
        Words {
            en: "whether nodes forward packets (ip_forward)", zh: "节点是否转发数据包（ip_forward）"
        },
    ),
    (
        "bridgeNetfilter",
        Words {
            en: "whether packets between Pods of a node pass its rules (bridge-nf-call-iptables)",
            zh: "同一节点上 Pod 之间的数据包是否经过节点规则（bridge-nf-call-iptables）",
        },
    ),
    (
        "kubelet",
        Words {
            en: "whether kubelets look at commands and probes (strict), or let any container run and pass",
            zh: "kubelet 是否检查命令和探针（strict），还是让任何容器直接运行并通过检查",
        },
    ),
    ("ipFamilies", Words { en: "address families, the primary one first", zh: "地址族，主地址族在前" }),
    ("nodes", Words { en: "number of nodes, control plane included", zh: "节点数，含控制平面" }),
    ("podsPerNode", Words { en: "how many Pods fit on a node", zh: "每个节点可容纳的 Pod 数" }),
    ("zones", Words { en: "zones of the worker nodes", zh: "工作节点所在的区域" }),
    ("seed", Words { en: "where chance begins", zh: "随机数的起点" }),
];

fn run(invocation: &Invocation) -> i32 {
    let parsed = match invocation.parse(&COMMAND, Style::Gnu) {
        Ok(parsed) => parsed,
        Err(status) => return status,
    };
    if parsed.operands.is_empty() {
        show(invocation);
        return 0;
    }
    let mut settings = invocation.host.with(|simulation| simulation.cluster.settings().clone());
    for pair in &parsed.operands {
        let Some((name, value)) = pair.split_once('=') else {
            return invocation.fail(&format!("NAME=VALUE expected, not {pair}"));
        };
        if let Err(error) = settings.set(name, value) {
            return invocation.fail(&error.to_string());
        }
        if Setting::named(name).is_some_and(|setting| !setting.live) {
            let words = Words {
                en: "counts when a world is made and cannot change while it runs",
                zh: "只在创建世界时生效，运行中不能更改",
            };
            return invocation.fail(&format!("{name} {}", words.in_language(invocation.host.language())));
        }
    }
    invocation.host.with(|simulation| simulation.change_settings(settings));
    0
}

fn show(invocation: &Invocation) {
    let settings = invocation.host.with(|simulation| simulation.cluster.settings().clone());
    let language = invocation.host.language();
    for live in [true, false] {
        let head = match live {
            true => Words {
                en: "can be changed now: world NAME=VALUE", zh: "现在就能更改：world 名称=值"
            },
            false => Words { en: "chosen when a world is made", zh: "创建世界时选定" },
        };
        invocation.say(&format!("# {}", head.in_language(language)));
        for setting in SETTINGS.iter().filter(|setting| setting.live == live) {
            let about = ABOUT.iter().find(|(name, _)| *name == setting.name);
            let about = about.map(|(_, words)| words.in_language(language)).unwrap_or_default();
            let values = if setting.values.is_empty() {
                String::new()
            } else {
                format!(" ({})", setting.values.join(", "))
            };
            let pair = format!("{}={}", setting.name, setting.value(&settings));
            invocation.say(&format!("{pair:<20}  {about}{values}"));
        }
    }
}

/// The names of settings that can change, then their values.
fn complete(_: &Situation<'_>, words: &[String]) -> Candidates {
    let typed = words.last().map(String::as_str).unwrap_or_default();
    let live = SETTINGS.iter().filter(|setting| setting.live);
    let mut found = Candidates::default();
    for setting in live {
        match typed.split_once('=') {
            None => found.offer(typed, &format!("{}=", setting.name), false),
            Some((name, _)) if name == setting.name => {
                for value in setting.values {
                    found.offer(typed, &format!("{name}={value}"), true);
                }
            }
            Some(_) => {}
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::shell::testing::check_in_world as check;

    #[test]
    fn settings_change_while_the_world_runs() {
        check("world proxyMode=nftables cloud=on; world | grep -c -e proxyMode=nftables -e cloud=on", "2", 0);
        check("world hairpin=off && world | grep hairpin | cut -d' ' -f1", "hairpin=off", 0);
    }

    #[test]
    fn what_cannot_change_says_so_and_nothing_else_changes_with_it() {
        let line = "world proxyMode=ipvs nodes=9; world | grep proxyMode | cut -d' ' -f1";
        check(
            line,
            "world: nodes counts when a world is made and cannot change while it runs\nproxyMode=iptables",
            0,
        );
        check("world proxyMode=ebpf", "world: proxyMode can be iptables, nftables, ipvs", 1);
        check("world fast", "world: NAME=VALUE expected, not fast", 1);
    }

    #[test]
    fn every_setting_is_described() {
        for setting in SETTINGS {
            assert!(ABOUT.iter().any(|(name, _)| *name == setting.name), "{}", setting.name);
        }
    }
}
