//! Decoding what a request brings, as the API server does before anything else.
//!
//! Owns how strictly it is done and the refusals; the rules of decoding are [`crate::api::decode`]'s.

use super::actor::Actor;
use super::request::{FieldValidation, Request};
use crate::api::decode::{DecodeError, Decoded, decode};
use crate::api::json;
use crate::api::registry::Kind;
use crate::api::schema::{TypeId, schema};
use crate::api::status::{FieldError, Reason, Status};
use crate::api::value::Value;

/// The type of a kind in the schema.
pub(super) fn type_of(kind: Kind) -> TypeId {
    let info = kind.info();
    schema().kind(info.api_version, info.name).expect("every registered kind is in the schema")
}

/// Decodes a whole document that a person sent; controllers send what they read.
pub(super) fn body(request: &Request, body: Value, warnings: &mut Vec<String>) -> Result<Value, Status> {
    let info = request.kind.info();
    let mut document = body;
    if document.get("apiVersion").is_null() {
        document.set("apiVersion", info.api_version);
    }
    if document.get("kind").is_null() {
        document.set("kind", info.name);
    }
    if request.actor != Actor::User {
        return Ok(document);
    }
    let kind = document.get("kind").smol();
    let refuse = |why: &str| {
        let (version, name) = (info.version, info.name);
        let why = format!("{kind} in version \"{version}\" cannot be handled as a {name}: {why}");
        Status::new(Reason::BadRequest, why)
    };
    if kind != info.name {
        let group_version = document.get("apiVersion").str();
        return Err(refuse(&format!(
            "no kind \"{kind}\" is registered for version \"{group_version}\" in scheme \
             \"pkg/api/legacyscheme/scheme.go:30\""
        )));
    }
    fitting(request, &document, warnings).map_err(|error| refuse(&error.message))
}

/// Decodes what a patch made of a document; `patch` is what the refusal shows of it.
pub(super) fn patched(
    request: &Request,
    document: Value,
    patch: impl FnOnce() -> String,
    warnings: &mut Vec<String>,
) -> Result<Value, Status> {
    if request.actor != Actor::User {
        return Ok(document);
    }
    fitting(request, &document, warnings).map_err(|error| {
        let cause = FieldError::invalid("patch", format!("{:?}", patch()), error.message);
        let message = format!(" \"\" is invalid: {cause}");
        Status { causes: vec![cause], ..Status::new(Reason::Invalid, message) }
    })
}

fn fitting(request: &Request, document: &Value, warnings: &mut Vec<String>) -> Result<Value, DecodeError> {
    let decoded: Decoded = decode(document, type_of(request.kind))?;
    match request.options.field_validation {
        FieldValidation::Strict => decoded.strict(),
        FieldValidation::Warn => {
            warnings.extend(decoded.warnings());
            Ok(decoded.value)
        }
        FieldValidation::Ignore => Ok(decoded.value),
    }
}

/// A patch as the refusal shows it: as Go prints maps, or as it was sent.
pub(super) fn shown(patch: &super::request::Patch) -> String {
    use super::request::Patch;
    match patch {
        Patch::Strategic(patch) => json::go_print(&crate::api::patch::strategic::leftover(patch)),
        Patch::Merge(patch) | Patch::Json(patch) => json::compact(patch),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::object::Key;
    use crate::api::registry::KINDS;
    use crate::cluster::Cluster;
    use crate::cluster::request::{Options, Patch, Verb};
    use crate::cluster::settings::Settings;

    #[test]
    fn every_kind_has_a_type() {
        for info in KINDS {
            assert_eq!(schema().get(type_of(info.kind)).short_name(), info.name);
        }
    }

    /// A world with the ConfigMap `c`, and what a request about it is answered.
    fn ask(verb: Verb, field_validation: FieldValidation) -> (Result<Value, String>, Vec<String>) {
        let mut cluster = Cluster::new(Settings::default());
        let key = Key::new(Kind::ConfigMap, "default", "c");
        let namespace = json::parse(r#"{"metadata":{"name":"default"}}"#).unwrap();
        let space = Key::new(Kind::Namespace, "", "default");
        cluster.request(Request::new(Actor::ApiServer, Verb::Create(namespace), &space)).result.unwrap();
        let document = json::parse(r#"{"metadata":{"name":"c"},"data":{"a":"1"}}"#).unwrap();
        if !matches!(verb, Verb::Create(_)) {
            cluster.request(Request::new(Actor::User, Verb::Create(document), &key)).result.unwrap();
        }
        let options = Options { field_validation, ..Options::default() };
        let reply = cluster.request(Request::new(Actor::User, verb, &key).options(options));
        let data = |body: crate::cluster::request::Body| body.object().unwrap().value.get("data").clone();
        (reply.result.map(data).map_err(|status| status.message), reply.warnings)
    }

    #[test]
    fn requests_are_decoded_as_strictly_as_they_ask_for() {
        let parse = |text: &str| json::parse(text).unwrap();
        let unknown = || Verb::Create(parse(r#"{"kind":"ConfigMap","metadata":{"name":"d"},"dta":{}}"#));
        let (result, _) = ask(unknown(), FieldValidation::Strict);
        let message = "ConfigMap in version \"v1\" cannot be handled as a ConfigMap: strict decoding error: unknown field \"dta\"";
        assert_eq!(result, Err(message.to_owned()));
        assert_eq!(
            ask(unknown(), FieldValidation::Warn),
            (Ok(Value::Null), vec!["unknown field \"dta\"".to_owned()])
        );
        assert_eq!(ask(unknown(), FieldValidation::Ignore), (Ok(Value::Null), Vec::new()));
        let (result, _) = ask(
            Verb::Create(parse(r#"{"kind":"configmap","metadata":{"name":"d"}}"#)),
            FieldValidation::Strict,
        );
        assert!(result.unwrap_err().ends_with("no kind \"configmap\" is registered for version \"v1\" in scheme \"pkg/api/legacyscheme/scheme.go:30\""));
    }

    #[test]
    fn patches_are_applied_and_decoded() {
        let parse = |text: &str| json::parse(text).unwrap();
        let strictly = |patch: Patch| ask(Verb::Patch(patch), FieldValidation::Strict).0;
        let data = |text: &str| Ok(parse(text));
        assert_eq!(strictly(Patch::Strategic(parse(r#"{"data":{"b":"2"}}"#))), data(r#"{"a":"1","b":"2"}"#));
        assert_eq!(strictly(Patch::Merge(parse(r#"{"data":{"a":null,"b":"2"}}"#))), data(r#"{"b":"2"}"#));
        assert_eq!(
            strictly(Patch::Json(parse(r#"[{"op":"add","path":"/data/b","value":"2"}]"#))),
            data(r#"{"a":"1","b":"2"}"#)
        );
        let error = strictly(Patch::Strategic(parse(r#"{"foo":{"b":"2"}}"#))).unwrap_err();
        assert_eq!(
            error,
            " \"\" is invalid: patch: Invalid value: \"map[foo:map[b:2]]\": strict decoding error: unknown field \"foo\""
        );
        let error = strictly(Patch::Json(parse(r#"[{"op":"remove","path":"/nothing"}]"#))).unwrap_err();
        assert_eq!(error, "the server rejected our request due to an error in our request");
    }
}
