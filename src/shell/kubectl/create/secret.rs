//! `kubectl create secret generic|tls|docker-registry`.

use super::config_map::{Entries, SOURCES, data};
use super::{GENERATED, generate, one_name};
use crate::api::base64;
use crate::api::json;
use crate::api::registry::Kind;
use crate::api::value::{Map, SmolStr, Value};
use crate::shell::command::{Flag, Value as Argument, not_simulated, option};
use crate::shell::kubectl::call::Call;
use crate::shell::kubectl::failure::{Failure, Outcome};
use crate::shell::kubectl::verb::{Action, Operands, Verb, flags};
use crate::value;
use crate::words::Words;

const TYPE: &[Flag] = &[option('\0', "type", Argument::Text, "the type of the Secret", "Secret 的类型")];
const KEY_PAIR: &[Flag] = &[
    option('\0', "cert", Argument::File, "the certificate, in PEM", "PEM 格式的证书"),
    option('\0', "key", Argument::File, "its private key, in PEM", "PEM 格式的私钥"),
    not_simulated('\0', "append-hash", Argument::None, "a name of your own"),
];
const REGISTRY: &[Flag] = &[
    option('\0', "docker-server", Argument::Text, "the registry", "镜像仓库地址"),
    option('\0', "docker-username", Argument::Text, "the user", "用户名"),
    option('\0', "docker-password", Argument::Text, "the password", "密码"),
    option('\0', "docker-email", Argument::Text, "the address of the user", "邮箱"),
    option('\0', "from-file", Argument::File, "a file of Docker's settings", "Docker 配置文件"),
    not_simulated('\0', "append-hash", Argument::None, "a name of your own"),
];
/// The registry that is meant where none is named.
const DOCKER_HUB: &str = "https://index.docker.io/v1/";
const FAILED: &str = "failed to create secret: ";

/// `create secret`.
pub static VERB: Verb = Verb {
    name: "secret",
    aliases: &[],
    usage: "generic|tls|docker-registry NAME",
    summary: Words { en: "create a Secret", zh: "创建 Secret" },
    flags: flags![],
    children: &[&DOCKER_REGISTRY, &GENERIC, &TLS],
    operands: Operands::Nothing,
    action: Action::Now(crate::shell::kubectl::parent),
};

static GENERIC: Verb = Verb {
    name: "generic",
    aliases: &[],
    usage: "NAME [--from-literal=KEY=VALUE] [--from-file=FILE] [--from-env-file=FILE]",
    summary: Words { en: "create a Secret from texts and files", zh: "用文本和文件创建 Secret" },
    flags: flags![SOURCES, TYPE, GENERATED],
    children: &[],
    operands: Operands::Nothing,
    action: Action::Now(generic),
};

static TLS: Verb = Verb {
    name: "tls",
    aliases: &[],
    usage: "NAME --cert=FILE --key=FILE",
    summary: Words {
        en: "create a Secret with a certificate and its key", zh: "用证书和私钥创建 Secret"
    },
    flags: flags![KEY_PAIR, GENERATED],
    children: &[],
    operands: Operands::Nothing,
    action: Action::Now(tls),
};

static DOCKER_REGISTRY: Verb = Verb {
    name: "docker-registry",
    aliases: &[],
    usage: "NAME --docker-username=USER --docker-password=PASSWORD [--docker-server=SERVER]",
    summary: Words { en: "create a Secret for an image registry", zh: "创建访问镜像仓库的 Secret" },
    flags: flags![REGISTRY, GENERATED],
    children: &[],
    operands: Operands::Nothing,
    action: Action::Now(docker_registry),
};

fn secret(call: &Call, kind: &str, data: Vec<(String, String)>) -> Outcome {
    let mut document = value!({ "metadata": { "name": (one_name(call)?.to_owned()) } });
    if !data.is_empty() {
        let encoded = data.into_iter().map(|(key, text)| (key, Value::from(base64::encode(text.as_bytes()))));
        document.set("data", encoded.collect::<Map>());
    }
    if !kind.is_empty() {
        document.set("type", SmolStr::new(kind));
    }
    generate(call, Kind::Secret, document, FAILED)
}

fn generic(call: &Call) -> Outcome {
    one_name(call)?;
    secret(call, call.text("type"), data(call, &Entries::OfSecret)?)
}

fn tls(call: &Call) -> Outcome {
    one_name(call)?;
    if call.text("cert").is_empty() || call.text("key").is_empty() {
        return Err(Failure::plain("key and cert must be specified"));
    }
    let read = |flag: &str| {
        let file = call.text(flag);
        call.invocation.read_file(file).map_err(|_| {
            Failure::plain(format!("Cannot read file {file}, open {file}: no such file or directory"))
        })
    };
    let (certificate, key) = (read("cert")?, read("key")?);
    for (text, what) in [(&certificate, "certificate"), (&key, "key")] {
        if !text.contains("-----BEGIN ") {
            return Err(Failure::plain(format!("tls: failed to find any PEM data in {what} input")));
        }
    }
    let pair = [("tls.crt", certificate), ("tls.key", key)];
    secret(call, "kubernetes.io/tls", pair.map(|(key, text)| (key.to_owned(), text.to_string())).to_vec())
}

fn docker_registry(call: &Call) -> Outcome {
    const KEY: &str = ".dockerconfigjson";
    one_name(call)?;
    let text = match call.text("from-file") {
        "" => {
            let (user, password) = (call.text("docker-username"), call.text("docker-password"));
            if user.is_empty() || password.is_empty() {
                return Err(Failure::plain(
                    "either --from-file or the combination of --docker-username, --docker-password and --docker-server is required",
                ));
            }
            let server = call.flags.value("docker-server").unwrap_or(DOCKER_HUB);
            // In the order of Docker's own structure, which the encoded text shows.
            let mut entry = Vec::new();
            for (field, text) in [
                ("username", user),
                ("password", password),
                ("email", call.text("docker-email")),
                ("auth", &base64::encode(format!("{user}:{password}").as_bytes())),
            ] {
                if !text.is_empty() {
                    entry.push(format!("{}:{}", quoted(field), quoted(text)));
                }
            }
            format!("{{\"auths\":{{{}:{{{}}}}}}}", quoted(server), entry.join(","))
        }
        file => call
            .invocation
            .read_file(file.strip_prefix(".dockerconfigjson=").unwrap_or(file))
            .map_err(|_| Failure::plain(format!("error reading {file}: no such file or directory")))?
            .to_string(),
    };
    secret(call, "kubernetes.io/dockerconfigjson", vec![(KEY.to_owned(), text)])
}

/// A text as JSON has it.
fn quoted(text: &str) -> String {
    json::compact(&Value::from(SmolStr::new(text)))
}

#[cfg(test)]
mod tests {
    use crate::shell::testing::check_in_world as check;

    #[test]
    fn secrets_are_made_for_registries_and_certificates() {
        check(
            "kubectl create secret docker-registry r --docker-username=u --docker-password=p; kubectl get secret r -o go-template='{{index .data \".dockerconfigjson\" | base64decode}}'",
            "secret/r created\n{\"auths\":{\"https://index.docker.io/v1/\":{\"username\":\"u\",\"password\":\"p\",\"auth\":\"dTpw\"}}}",
            0,
        );
        check(
            "echo '-----BEGIN CERTIFICATE-----' > c; echo '-----BEGIN PRIVATE KEY-----' > k; kubectl create secret tls t --cert=c --key=k --dry-run=client -o jsonpath='{.type} {.data.tls\\.crt}'",
            "kubernetes.io/tls LS0tLS1CRUdJTiBDRVJUSUZJQ0FURS0tLS0tCg==",
            0,
        );
        check("kubectl create secret tls t", "error: key and cert must be specified", 1);
        check(
            "echo a > c; kubectl create secret tls t --cert=c --key=k",
            "error: Cannot read file k, open k: no such file or directory",
            1,
        );
    }
}
