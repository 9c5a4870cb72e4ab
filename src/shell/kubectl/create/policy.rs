//! `kubectl create quota`, `priorityclass`, `poddisruptionbudget`, `role`, `clusterrole`, `rolebinding` and
//! `clusterrolebinding`: stored, not simulated.

use super::{GENERATED, generate, one_name, required, words};
use crate::api::registry::Kind;
use crate::api::value::{Map, SmolStr, Value};
use crate::shell::command::{Flag, Value as Argument, not_simulated, option, switch};
use crate::shell::kubectl::call::Call;
use crate::shell::kubectl::expose::pairs;
use crate::shell::kubectl::failure::{Failure, Outcome};
use crate::shell::kubectl::resources;
use crate::shell::kubectl::verb::{Action, Operands, Verb, flags};
use crate::value;
use crate::words::Words;

macro_rules! generator {
    ($verb:ident, $name:literal, $aliases:expr, $usage:literal, $en:literal, $zh:literal, $run:expr, [$($group:expr),*]) => {
        #[doc = concat!("`create ", $name, "`.")]
        pub static $verb: Verb = Verb {
            name: $name,
            aliases: $aliases,
            usage: $usage,
            summary: Words { en: $en, zh: $zh },
            flags: flags![$($group,)* GENERATED],
            children: &[],
            operands: Operands::Nothing,
            action: Action::Now($run),
        };
    };
}

const HARD: &[Flag] = &[
    option('\0', "hard", Argument::Text, "RESOURCE=AMOUNT,...", "资源=数量,…"),
    option('\0', "scopes", Argument::Text, "what it counts", "作用范围"),
];
const PRIORITY: &[Flag] = &[
    option('\0', "value", Argument::Number, "the priority", "优先级数值"),
    option('\0', "description", Argument::Text, "what it is for", "说明"),
    switch('\0', "global-default", "for Pods that name no class", "作为默认优先级"),
    option('\0', "preemption-policy", Argument::Text, "whether others make way", "抢占策略"),
];
const BUDGET: &[Flag] = &[
    option('\0', "min-available", Argument::Text, "so many stay, or percent", "最少可用数量或百分比"),
    option('\0', "max-unavailable", Argument::Text, "so many may go, or percent", "最多不可用数量或百分比"),
    option('\0', "selector", Argument::Text, "the Pods", "选择的 Pod"),
];
const RULES: &[Flag] = &[
    option('\0', "verb", Argument::Text, "what is allowed; may be repeated", "允许的动词；可重复"),
    option('\0', "resource", Argument::Text, "on what; may be repeated", "允许的资源；可重复"),
    option('\0', "resource-name", Argument::Text, "on which ones", "允许的资源名称"),
];
const CLUSTER_RULES: &[Flag] = &[
    option('\0', "non-resource-url", Argument::Text, "paths of the server", "非资源路径"),
    not_simulated('\0', "aggregation-rule", Argument::Text, "kubectl create -f"),
];
const CLUSTER_ROLE_NAME: &[Flag] =
    &[option('\0', "clusterrole", Argument::Text, "the ClusterRole", "ClusterRole 名称")];
const ROLE_NAME: &[Flag] = &[option('\0', "role", Argument::Text, "the Role", "Role 名称")];
const WHO: &[Flag] = &[
    option('\0', "group", Argument::Text, "a group; may be repeated", "用户组；可重复"),
    option(
        '\0',
        "serviceaccount",
        Argument::Text,
        "NAMESPACE:NAME; may be repeated",
        "命名空间:名称；可重复",
    ),
    option('\0', "user", Argument::Text, "a user; may be repeated", "用户；可重复"),
];

generator!(
    QUOTA,
    "quota",
    &["resourcequota"],
    "NAME --hard=RESOURCE=AMOUNT,...",
    "create a ResourceQuota",
    "创建 ResourceQuota",
    quota,
    [HARD]
);
generator!(
    PRIORITY_CLASS,
    "priorityclass",
    &["pc"],
    "NAME --value=NUMBER",
    "create a PriorityClass",
    "创建 PriorityClass",
    priority_class,
    [PRIORITY]
);
generator!(
    DISRUPTION_BUDGET,
    "poddisruptionbudget",
    &["pdb"],
    "NAME --selector=LABELS --min-available=COUNT",
    "create a PodDisruptionBudget",
    "创建 PodDisruptionBudget",
    disruption_budget,
    [BUDGET]
);
generator!(
    ROLE,
    "role",
    &[],
    "NAME --verb=VERB --resource=TYPE",
    "create a Role",
    "创建 Role",
    |call| role(call, Kind::Role),
    [RULES]
);
generator!(
    CLUSTER_ROLE,
    "clusterrole",
    &[],
    "NAME --verb=VERB --resource=TYPE",
    "create a ClusterRole",
    "创建 ClusterRole",
    |call| role(call, Kind::ClusterRole),
    [RULES, CLUSTER_RULES]
);
generator!(
    ROLE_BINDING,
    "rolebinding",
    &[],
    "NAME --role=NAME --user=USER",
    "create a RoleBinding",
    "创建 RoleBinding",
    role_binding,
    [CLUSTER_ROLE_NAME, ROLE_NAME, WHO]
);
generator!(
    CLUSTER_ROLE_BINDING,
    "clusterrolebinding",
    &[],
    "NAME --clusterrole=NAME --user=USER",
    "create a ClusterRoleBinding",
    "创建 ClusterRoleBinding",
    cluster_role_binding,
    [CLUSTER_ROLE_NAME, WHO]
);

fn texts(words: &[&str]) -> Value {
    words.iter().map(|word| Value::from(SmolStr::new(word))).collect()
}

fn quota(call: &Call) -> Outcome {
    let name = one_name(call)?;
    let mut spec = Value::map();
    let mut hard = Map::default();
    for pair in words(call, "hard") {
        let (resource, amount) = pair.split_once('=').ok_or_else(|| {
            Failure::plain(format!("invalid argument syntax {pair}, expected <resource>=<value>"))
        })?;
        hard.insert(resource, SmolStr::new(amount).into());
    }
    if !hard.is_empty() {
        spec.set("hard", hard);
    }
    let scopes = words(call, "scopes");
    if !scopes.is_empty() {
        spec.set("scopes", texts(&scopes));
    }
    let document = value!({ "metadata": { "name": (name.to_owned()) }, "spec": spec, "status": {} });
    generate(call, Kind::ResourceQuota, document, "failed to create quota: ")
}

fn priority_class(call: &Call) -> Outcome {
    let name = one_name(call)?;
    let policy = Some(call.text("preemption-policy")).filter(|policy| !policy.is_empty());
    let document = value!({
        "description": (SmolStr::new(call.text("description"))),
        "globalDefault": (call.has("global-default")),
        "metadata": { "name": (name.to_owned()) },
        "preemptionPolicy": (SmolStr::new(policy.unwrap_or("PreemptLowerPriority"))),
        "value": (call.number("value").unwrap_or(0))
    });
    generate(call, Kind::PriorityClass, document, "failed to create priorityclass: ")
}

fn disruption_budget(call: &Call) -> Outcome {
    let name = one_name(call)?;
    let (least, most) = (call.text("min-available"), call.text("max-unavailable"));
    if call.text("selector").is_empty() {
        return Err(Failure::plain("a selector must be specified"));
    }
    let (field, amount) = match (least, most) {
        ("", "") => {
            return Err(Failure::plain("one of min-available or max-unavailable must be specified"));
        }
        (least, "") => ("minAvailable", least),
        ("", most) => ("maxUnavailable", most),
        _ => return Err(Failure::plain("min-available and max-unavailable cannot be both specified")),
    };
    let amount = amount.parse::<i64>().map_or_else(|_| Value::from(SmolStr::new(amount)), Value::from);
    let mut document = value!({
        "metadata": { "name": (name.to_owned()) },
        "spec": { "selector": { "matchLabels": (pairs(call.text("selector"))?) } },
        "status": { "currentHealthy": 0, "desiredHealthy": 0, "disruptionsAllowed": 0, "expectedPods": 0 }
    });
    document.set_at(&["spec", field], amount);
    generate(call, Kind::PodDisruptionBudget, document, "failed to create poddisruptionbudgets: ")
}

fn role(call: &Call, kind: Kind) -> Outcome {
    let name = one_name(call)?;
    let (verbs, wanted) = (words(call, "verb"), words(call, "resource"));
    let paths = if call.declares("non-resource-url") { words(call, "non-resource-url") } else { Vec::new() };
    if verbs.is_empty() {
        return Err(Failure::plain("at least one verb must be specified"));
    }
    if wanted.is_empty() && paths.is_empty() {
        return Err(Failure::plain("at least one resource must be specified"));
    }
    let mut groups: Vec<(&str, Vec<SmolStr>)> = Vec::new();
    for word in wanted {
        let (resource, part) = word.split_once('/').map_or((word, ""), |(resource, part)| (resource, part));
        let info = resources::kind(resource)?.info();
        let slash = if part.is_empty() { "" } else { "/" };
        let full = SmolStr::new(format!("{}{slash}{part}", info.plural));
        match groups.iter_mut().find(|(group, _)| *group == info.group) {
            Some((_, held)) => held.push(full),
            None => groups.push((info.group, vec![full])),
        }
    }
    let names = words(call, "resource-name");
    let mut rules: Vec<Value> = groups
        .into_iter()
        .map(|(group, plurals)| {
            let plurals: Value = plurals.into_iter().map(Value::from).collect();
            let mut rule =
                value!({ "apiGroups": [(SmolStr::new(group))], "resources": plurals, "verbs": (texts(&verbs)) });
            if !names.is_empty() {
                rule.set("resourceNames", texts(&names));
            }
            rule
        })
        .collect();
    if !paths.is_empty() {
        rules.push(value!({ "nonResourceURLs": (texts(&paths)), "verbs": (texts(&verbs)) }));
    }
    generate(call, kind, value!({ "metadata": { "name": (name.to_owned()) }, "rules": rules }), "")
}

fn binding(call: &Call, kind: Kind, role: (&'static str, &str), failed: &str) -> Outcome {
    const GROUP: &str = "rbac.authorization.k8s.io";
    let name = one_name(call)?;
    let mut subjects = Vec::new();
    for (flag, kind) in [("user", "User"), ("group", "Group")] {
        for who in words(call, flag) {
            subjects.push(value!({ "apiGroup": GROUP, "kind": kind, "name": (SmolStr::new(who)) }));
        }
    }
    for account in words(call, "serviceaccount") {
        let (namespace, name) = account
            .split_once(':')
            .filter(|(namespace, name)| !namespace.is_empty() && !name.is_empty())
            .ok_or_else(|| Failure::plain("serviceaccount must be <namespace>:<name>"))?;
        subjects.push(value!({
            "kind": "ServiceAccount", "name": (SmolStr::new(name)), "namespace": (SmolStr::new(namespace))
        }));
    }
    let mut document = value!({
        "metadata": { "name": (name.to_owned()) },
        "roleRef": { "apiGroup": GROUP, "kind": (role.0), "name": (SmolStr::new(role.1)) }
    });
    if !subjects.is_empty() {
        document.set("subjects", subjects);
    }
    generate(call, kind, document, failed)
}

fn role_binding(call: &Call) -> Outcome {
    one_name(call)?;
    let role = match (call.text("clusterrole"), call.text("role")) {
        (cluster, "") if !cluster.is_empty() => ("ClusterRole", cluster),
        ("", role) if !role.is_empty() => ("Role", role),
        _ => return Err(Failure::plain("exactly one of clusterrole or role must be specified")),
    };
    binding(call, Kind::RoleBinding, role, "failed to create rolebinding: ")
}

fn cluster_role_binding(call: &Call) -> Outcome {
    required(call, &["clusterrole"])?;
    one_name(call)?;
    let role = ("ClusterRole", call.text("clusterrole"));
    binding(call, Kind::ClusterRoleBinding, role, "failed to create clusterrolebinding: ")
}

#[cfg(test)]
mod tests {
    use crate::shell::testing::check_in_world as check;

    #[test]
    fn roles_and_bindings_are_generated() {
        check(
            "kubectl create role r --verb=get,list --resource=pods,deployments.apps --dry-run=client -o yaml",
            "apiVersion: rbac.authorization.k8s.io/v1\nkind: Role\nmetadata:\n  name: r\nrules:\n- apiGroups:\n  - \"\"\n  resources:\n  - pods\n  verbs:\n  - get\n  - list\n- apiGroups:\n  - apps\n  resources:\n  - deployments\n  verbs:\n  - get\n  - list",
            0,
        );
        check(
            "kubectl create rolebinding b --clusterrole=view --serviceaccount=default:x",
            "rolebinding.rbac.authorization.k8s.io/b created",
            0,
        );
        check(
            "kubectl create rolebinding b --user=x",
            "error: exactly one of clusterrole or role must be specified",
            1,
        );
    }

    #[test]
    fn budgets_and_quotas_are_generated() {
        check(
            "kubectl create pdb p --selector=app=web --min-available=50%",
            "poddisruptionbudget.policy/p created",
            0,
        );
        check("kubectl create pdb p --min-available=1", "error: a selector must be specified", 1);
        check("kubectl create quota q --hard=pods=3,cpu=1", "resourcequota/q created", 0);
        check(
            "kubectl create priorityclass high --value=1000",
            "priorityclass.scheduling.k8s.io/high created",
            0,
        );
    }
}
