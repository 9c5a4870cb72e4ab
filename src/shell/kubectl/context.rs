//! The kubeconfig: which namespace and which context are in force.
//!
//! Owns the file `~/.kube/config` of the place where kubectl runs. It is made when something first
//! changes it; without it the one context of the world is in force, as on a new control plane.

use super::failure::Failure;
use crate::api::value::Value;
use crate::api::yaml;
use crate::shell::filesystem::parent;
use crate::shell::host::Host;
use crate::shell::invocation::Invocation;
use crate::shell::places::Place;
use crate::value;

/// The name of the one context.
const CONTEXT: &str = "kubernetes-admin@kubernetes";
/// The address of the API server, as the control plane's own kubeconfig has it.
pub const SERVER: &str = "https://127.0.0.1:6443";

/// A kubeconfig.
#[derive(Clone, Debug)]
pub struct Config {
    /// The document.
    pub value: Value,
    path: String,
}

fn fresh() -> Value {
    value!({
        "apiVersion": "v1",
        "clusters": [{
            "cluster": { "certificate-authority": "/etc/kubernetes/pki/ca.crt", "server": SERVER },
            "name": "kubernetes"
        }],
        "contexts": [{
            "context": { "cluster": "kubernetes", "user": "kubernetes-admin" },
            "name": CONTEXT
        }],
        "current-context": CONTEXT,
        "kind": "Config",
        "users": [{
            "name": "kubernetes-admin",
            "user": {
                "client-certificate": "/etc/kubernetes/pki/admin.crt",
                "client-key": "/etc/kubernetes/pki/admin.key"
            }
        }]
    })
}

impl Config {
    /// The kubeconfig in force; `given` is `--kubeconfig`.
    ///
    /// # Errors
    /// A file that is not there or cannot be read.
    pub fn load(invocation: &Invocation, given: Option<&str>) -> Result<Self, Failure> {
        let named = given.or_else(|| invocation.variable("KUBECONFIG")).filter(|path| !path.is_empty());
        let path = match named {
            Some(path) => invocation.path(path),
            None => format!("{}/.kube/config", invocation.place.home),
        };
        let text = invocation.files().borrow().read(&path);
        match text {
            Err(_) if given.is_some() => {
                Err(Failure::plain(format!("stat {}: no such file or directory", given.unwrap_or(""))))
            }
            Err(_) => Ok(Self { value: fresh(), path }),
            Ok(text) => Ok(Self::read(&text, path)),
        }
    }

    /// The kubeconfig that is in force in a place when nobody names another.
    #[must_use]
    pub fn of_place(place: &Place, host: &Host) -> Self {
        let path = format!("{}/.kube/config", place.home);
        let text = place.files(host).borrow().read(&path).unwrap_or_default();
        Self::read(&text, path)
    }

    fn read(text: &str, path: String) -> Self {
        let (documents, _) = yaml::read(text);
        let value = documents.first().map_or_else(fresh, |document| document.value());
        Self { value, path }
    }

    /// Writes the file.
    ///
    /// # Errors
    /// When there is no place for it.
    pub fn save(&self, invocation: &Invocation) -> Result<(), Failure> {
        let files = invocation.files();
        let mut files = files.borrow_mut();
        let made = files
            .make_directory(parent(&self.path), true)
            .and_then(|()| files.write(&self.path, &yaml::write(&self.value)));
        made.map_err(|error| Failure::plain(format!("open {}: {}", self.path, error.words().to_lowercase())))
    }

    /// The name of the context in force.
    pub fn current(&self) -> &str {
        self.value.get("current-context").str()
    }

    /// The contexts: name and contents.
    pub fn contexts(&self) -> impl Iterator<Item = (&str, &Value)> {
        self.value
            .get("contexts")
            .items()
            .iter()
            .map(|context| (context.get("name").str(), context.get("context")))
    }

    /// A context by its name.
    pub fn context(&self, name: &str) -> Option<&Value> {
        self.contexts().find(|(held, _)| *held == name).map(|(_, context)| context)
    }

    /// An item of a list by its name, for changing: `item_mut("contexts", "context", NAME)`; made if it is not
    /// there.
    pub fn item_mut(&mut self, part: &str, inner: &'static str, name: &str) -> &mut Value {
        let items = self.value.field_mut(part).list_mut();
        let at = items.iter().position(|item| item.get("name").str() == name).unwrap_or_else(|| {
            let mut item = value!({ "name": (name.to_owned()) });
            item.set(inner, Value::map());
            items.push(item);
            items.sort_by(|a, b| a.get("name").str().cmp(b.get("name").str()));
            items.iter().position(|item| item.get("name").str() == name).expect("it was put in")
        });
        items[at].field_mut(inner)
    }

    /// The file.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// The address of a context's API server; `None` where the context leads to none.
    pub fn server(&self, context: &str) -> Option<&str> {
        let cluster = self.context(context)?.get("cluster").str();
        let held =
            self.value.get("clusters").items().iter().find(|item| item.get("name").str() == cluster)?;
        Some(held.at(&["cluster", "server"]).str()).filter(|server| !server.is_empty())
    }

    /// The namespace of a context; `default` where it names none.
    pub fn namespace(&self, context: &str) -> String {
        let namespace = self.context(context).map_or("", |context| context.get("namespace").str());
        if namespace.is_empty() { "default".to_owned() } else { namespace.to_owned() }
    }
}
