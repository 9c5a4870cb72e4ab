//! Manifests to begin with: one file for each way in which a Service can be made, and one that does not work.
//!
//! Owns their texts and names. They are opened in the editor and applied by whoever wants to; none is applied
//! by itself.

use crate::words::Words;

/// A manifest to begin with.
#[derive(Clone, Copy, Debug)]
pub struct Example {
    /// The name of the file.
    pub file: &'static str,
    /// What it shows.
    pub about: Words,
    /// The manifest.
    pub text: &'static str,
}

macro_rules! example {
    ($file:literal, $en:literal, $zh:literal) => {
        Example {
            file: $file,
            about: Words { en: $en, zh: $zh },
            text: include_str!(concat!("examples/", $file)),
        }
    };
}

/// All examples, simple ones first.
pub static EXAMPLES: &[Example] = &[
    example!("web.yaml", "A Service and the Deployment behind it", "一个 Service 和它背后的 Deployment"),
    example!(
        "node-port.yaml",
        "A NodePort whose selector matches nothing: find out why",
        "选择算符匹配不到 Pod 的 NodePort：找出原因"
    ),
    example!(
        "headless.yaml",
        "A headless Service: names that lead to Pods of a StatefulSet",
        "Headless Service：名称直接指向 StatefulSet 的 Pod"
    ),
    example!(
        "load-balancer.yaml",
        "A LoadBalancer with externalTrafficPolicy: Local",
        "externalTrafficPolicy 为 Local 的 LoadBalancer"
    ),
    example!("readiness.yaml", "Pods that become ready ten seconds late", "晚十秒才就绪的 Pod"),
    example!(
        "by-hand.yaml",
        "A Service without selector, with an EndpointSlice made by hand",
        "没有选择算符、手工编写 EndpointSlice 的 Service"
    ),
    example!("external-name.yaml", "An ExternalName: an alias in DNS", "ExternalName：DNS 中的别名"),
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::object::Key;
    use crate::api::registry::Kind;
    use crate::api::yaml;
    use crate::cluster::{Actor, Request, Settings, Verb};
    use crate::simulation::Simulation;

    #[test]
    fn every_example_is_accepted_by_a_new_cluster() {
        for example in EXAMPLES {
            let mut simulation = Simulation::new(Settings::default());
            let (documents, diagnostics) = yaml::read(example.text);
            assert!(diagnostics.is_empty(), "{}: {diagnostics:?}", example.file);
            for document in &documents {
                let value = document.value();
                let kind = Kind::of_manifest(value.get("apiVersion").str(), value.get("kind").str());
                let key = Key::new(kind.expect("the kind is known"), "default", "");
                let reply = simulation.request(Request::new(Actor::User, Verb::Create(value), &key));
                assert!(reply.result.is_ok(), "{}: {:?}", example.file, reply.result.err());
            }
        }
    }
}
