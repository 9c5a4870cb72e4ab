//! The verbs of `kubectl config` that change clusters, users and single properties of the kubeconfig.
//!
//! Owns kubectl's words for them. The file itself is [`super::context`]'s.

use super::call::Call;
use super::context::Config;
use super::failure::{Failure, Outcome};
use super::verb::{Action, Operands, Verb, flags};
use crate::api::value::{SmolStr, Value as Document};
use crate::shell::command::{Flag, Value, not_simulated, option, switch};
use crate::words::Words;

macro_rules! verb {
    ($verb:ident, $name:literal, $usage:literal, $en:literal, $zh:literal, $run:expr, [$($group:expr),*]) => {
        #[doc = concat!("`config ", $name, "`.")]
        pub static $verb: Verb = Verb {
            name: $name,
            aliases: &[],
            usage: $usage,
            summary: Words { en: $en, zh: $zh },
            flags: flags![$($group),*],
            children: &[],
            operands: Operands::Contexts,
            action: Action::Now($run),
        };
    };
}

const CLUSTER: &[Flag] = &[
    option('s', "server", Value::Text, "the address of the API server", "API server 的地址"),
    option('\0', "certificate-authority", Value::File, "the file of the CA", "CA 证书文件"),
    switch('\0', "insecure-skip-tls-verify", "trust any certificate", "跳过证书校验"),
    option('\0', "proxy-url", Value::Text, "the proxy", "代理地址"),
    option('\0', "tls-server-name", Value::Text, "the name in the certificate", "证书中的服务器名"),
    not_simulated('\0', "embed-certs", Value::None, "--certificate-authority"),
];
const USER: &[Flag] = &[
    option('\0', "username", Value::Text, "the name of the user", "用户名"),
    option('\0', "password", Value::Text, "the password", "密码"),
    option('\0', "token", Value::Text, "a token", "令牌"),
    option('\0', "client-certificate", Value::File, "the file of the certificate", "客户端证书文件"),
    option('\0', "client-key", Value::File, "the file of the key", "客户端私钥文件"),
    not_simulated('\0', "auth-provider", Value::Text, "--token"),
    not_simulated('\0', "auth-provider-arg", Value::Text, "--token"),
    not_simulated('\0', "embed-certs", Value::None, "--client-certificate"),
    not_simulated('\0', "exec-api-version", Value::Text, "--token"),
    not_simulated('\0', "exec-arg", Value::Text, "--token"),
    not_simulated('\0', "exec-command", Value::Text, "--token"),
    not_simulated('\0', "exec-env", Value::Text, "--token"),
    not_simulated('\0', "exec-interactive-mode", Value::Text, "--token"),
    not_simulated('\0', "exec-provide-cluster-info", Value::None, "--token"),
];
const RAW: &[Flag] = &[switch('\0', "set-raw-bytes", "take the value as it is", "按原始字节写入")];

verb!(GET_CLUSTERS, "get-clusters", "", "list the clusters", "列出集群", |call| list(call, "clusters"), []);
verb!(GET_USERS, "get-users", "", "list the users", "列出用户", |call| list(call, "users"), []);
verb!(
    SET_CLUSTER,
    "set-cluster",
    "NAME [--server=ADDRESS]",
    "set a cluster",
    "设置集群",
    set_cluster,
    [CLUSTER]
);
verb!(SET_USER, "set-credentials", "NAME [--token=TOKEN]", "set a user", "设置用户", set_user, [USER]);
verb!(
    DELETE_CLUSTER,
    "delete-cluster",
    "NAME",
    "take a cluster out",
    "删除集群",
    |call| delete(call, "cluster"),
    []
);
verb!(
    DELETE_CONTEXT,
    "delete-context",
    "NAME",
    "take a context out",
    "删除上下文",
    |call| delete(call, "context"),
    []
);
verb!(DELETE_USER, "delete-user", "NAME", "take a user out", "删除用户", |call| delete(call, "user"), []);
verb!(RENAME, "rename-context", "OLD NEW", "rename a context", "重命名上下文", rename, []);
verb!(SET, "set", "PROPERTY VALUE", "set one property", "设置单个属性", set, [RAW]);
verb!(UNSET, "unset", "PROPERTY", "take one property out", "删除单个属性", unset, []);

fn load(call: &Call) -> Result<Config, Failure> {
    Config::load(&call.invocation, call.flags.value("kubeconfig"))
}

fn one_name(call: &Call) -> Result<&str, Failure> {
    match call.operands() {
        [name] => Ok(name),
        words => Err(call.usage_error(&format!("Unexpected args: [{}]", words.join(" ")))),
    }
}

fn list(call: &Call, part: &str) -> Outcome {
    let config = load(call)?;
    call.say("NAME");
    for item in config.value.get(part).items() {
        call.say(item.get("name").str());
    }
    Ok(())
}

/// Sets fields of a named item of a list from flags.
fn set_item(
    call: &Call,
    part: &'static str,
    inner: &'static str,
    fields: &[&'static str],
) -> Result<String, Failure> {
    let mut config = load(call)?;
    let name = one_name(call)?.to_owned();
    let item = config.item_mut(part, inner, &name);
    for field in fields {
        match call.flags.value(field) {
            None => {}
            Some("") => {
                item.remove(field);
            }
            Some(flag @ ("true" | "false")) if *field == "insecure-skip-tls-verify" => {
                *item.field_mut(field) = Document::Bool(flag == "true");
            }
            Some(text) => *item.field_mut(field) = SmolStr::new(text).into(),
        }
    }
    config.save(&call.invocation)?;
    Ok(name)
}

fn set_cluster(call: &Call) -> Outcome {
    let fields =
        ["server", "certificate-authority", "insecure-skip-tls-verify", "proxy-url", "tls-server-name"];
    let name = set_item(call, "clusters", "cluster", &fields)?;
    call.say(&format!("Cluster \"{name}\" set."));
    Ok(())
}

fn set_user(call: &Call) -> Outcome {
    if !call.text("token").is_empty() && !call.text("username").is_empty() {
        return Err(Failure::plain(
            "you cannot specify more than one authentication method at the same time: --token, --username/--password",
        ));
    }
    let fields = ["username", "password", "token", "client-certificate", "client-key"];
    let name = set_item(call, "users", "user", &fields)?;
    call.say(&format!("User \"{name}\" set."));
    Ok(())
}

fn delete(call: &Call, what: &'static str) -> Outcome {
    let mut config = load(call)?;
    let [name] = call.operands() else {
        return Err(call.usage_error(&format!("you must specify a {what} to delete")));
    };
    let items = config.value.field_mut(match what {
        "cluster" => "clusters",
        "context" => "contexts",
        _ => "users",
    });
    let before = items.items().len();
    items.list_mut().retain(|item| item.get("name").str() != name);
    let file = config.path().to_owned();
    if config.value.get(&format!("{what}s")).items().len() == before {
        return Err(Failure::plain(format!("cannot delete {what} {name}, not in {file}")));
    }
    if what == "context" && config.current() == name {
        call.complain("warning: this removed your active context, use \"kubectl config use-context\" to select a different one");
    }
    config.save(&call.invocation)?;
    call.say(&format!("deleted {what} {name} from {file}"));
    Ok(())
}

fn rename(call: &Call) -> Outcome {
    let mut config = load(call)?;
    let [old, new] = call.operands() else {
        return Err(call.usage_error(&format!("Unexpected args: [{}]", call.operands().join(" "))));
    };
    let file = config.path().to_owned();
    if config.context(old).is_none() {
        return Err(Failure::plain(format!("cannot rename the context {old:?}, it's not in {file}")));
    }
    if config.context(new).is_some() {
        return Err(Failure::plain(format!(
            "cannot rename the context {old:?}, the context {new:?} already exists in {file}"
        )));
    }
    let current = config.current() == old;
    for context in config.value.field_mut("contexts").list_mut() {
        if context.get("name").str() == old {
            context.set("name", SmolStr::new(new));
        }
    }
    if current {
        config.value.set("current-context", SmolStr::new(new));
    }
    config.save(&call.invocation)?;
    call.say(&format!("Context {old:?} renamed to {new:?}."));
    Ok(())
}

/// The list that holds a property's object and the field of that object, if it is in one; the object's name; the
/// rest of the path.
type Steps<'a> = (Option<(&'static str, &'static str)>, &'a str, &'a str);

/// Where a property such as `clusters.NAME.server` is; names may hold dots.
fn steps<'a>(config: &Config, property: &'a str) -> Result<Steps<'a>, Failure> {
    let (first, rest) = property.split_once('.').unwrap_or((property, ""));
    let (part, inner) = match first {
        "clusters" => ("clusters", "cluster"),
        "contexts" => ("contexts", "context"),
        "users" => ("users", "user"),
        "current-context" => return Ok((None, first, "")),
        other => return Err(Failure::plain(format!("{other} is not a valid property of the kubeconfig"))),
    };
    let names = config.value.get(part).items().iter().map(|item| item.get("name").str());
    let held = names
        .filter(|name| rest == *name || rest.starts_with(&format!("{name}.")))
        .max_by_key(|name| name.len());
    let length = held.map_or_else(|| rest.rfind('.').unwrap_or(rest.len()), str::len);
    Ok((Some((part, inner)), &rest[..length], rest[length..].trim_start_matches('.')))
}

fn set(call: &Call) -> Outcome {
    let [property, text] = call.operands() else {
        return Err(call.usage_error(&format!("Unexpected args: [{}]", call.operands().join(" "))));
    };
    let mut config = load(call)?;
    match steps(&config, property)? {
        (None, ..) => config.value.set("current-context", SmolStr::new(text)),
        (Some(_), _, "") => {
            return Err(Failure::plain("unable to set property: not a field of the kubeconfig"));
        }
        (Some((part, inner)), name, field) => {
            let name = name.to_owned();
            *config.item_mut(part, inner, &name).field_mut(field) = SmolStr::new(text).into();
        }
    }
    config.save(&call.invocation)?;
    call.say(&format!("Property {property:?} set."));
    Ok(())
}

fn unset(call: &Call) -> Outcome {
    let mut config = load(call)?;
    let property = one_name(call)?;
    match steps(&config, property)? {
        (None, ..) => config.value.set("current-context", SmolStr::new("")),
        (Some((part, _)), "", _) => *config.value.field_mut(part) = Document::list(),
        (Some((part, _)), name, "") => {
            config.value.field_mut(part).list_mut().retain(|item| item.get("name").str() != name);
        }
        (Some((part, inner)), name, field) => {
            for item in config.value.field_mut(part).list_mut() {
                if item.get("name").str() == name {
                    item.field_mut(inner).remove(field);
                }
            }
        }
    }
    config.save(&call.invocation)?;
    call.say(&format!("Property {property:?} unset."));
    Ok(())
}

#[cfg(test)]
mod tests {
    use crate::shell::testing::check;

    #[test]
    fn clusters_users_and_contexts_are_set_and_deleted() {
        check(
            "kubectl config set-cluster a --server=https://1.2.3.4; kubectl config set-credentials u.v --token=t; kubectl config set-context c --cluster=a --user=u.v --namespace=x; kubectl config get-contexts; kubectl config get-clusters; kubectl config unset users.u.v; kubectl config get-users",
            "Cluster \"a\" set.\nUser \"u.v\" set.\nContext \"c\" created.\nCURRENT   NAME                          CLUSTER      AUTHINFO           NAMESPACE\n          c                             a            u.v                x\n*         kubernetes-admin@kubernetes   kubernetes   kubernetes-admin   \nNAME\na\nkubernetes\nProperty \"users.u.v\" unset.\nNAME\nkubernetes-admin",
            0,
        );
        check(
            "kubectl config set-context c >/dev/null; kubectl config rename-context c d; kubectl config delete-context d; kubectl config delete-context d",
            "Context \"c\" renamed to \"d\".\ndeleted context d from /root/.kube/config\nerror: cannot delete context d, not in /root/.kube/config",
            1,
        );
    }

    #[test]
    fn another_cluster_cannot_be_reached() {
        check(
            "kubectl config set-cluster a --server=https://1.2.3.4 >/dev/null; kubectl config set-context c --cluster=a >/dev/null; kubectl config use-context c; kubectl get pods 2>&1 | tail -n 1",
            "Switched to context \"c\".\nUnable to connect to the server: dial tcp 1.2.3.4:443: i/o timeout",
            0,
        );
    }
}
